#include "runtime/sys/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

/// BPF_CGROUP_MAX_PROGS of the kernel: as many can be attached to one cgroup.
constexpr size_t kMaxAttached = 64;
constexpr size_t kLogSize = size_t{64} << 10;

/// The command's arguments, zero where nothing is said. Always handed over whole: kernels 6.17 to
/// 7.1 write an answer behind the end of a shorter one.
class Attributes {
 public:
  Attributes() : attr_() { std::fill_n(reinterpret_cast<char*>(&attr_), sizeof(attr_), '\0'); }
  bpf_attr* operator->() { return &attr_; }

  long call(bpf_cmd command) {
    return retry([&] { return ::syscall(SYS_bpf, command, &attr_, sizeof(attr_)); });
  }

 private:
  bpf_attr attr_;
};

uint64_t address(const void* data) { return reinterpret_cast<uintptr_t>(data); }

void describe(const BpfProgram& program, Attributes& attributes) {
  attributes->prog_type = program.type;
  attributes->insns = address(program.instructions.data());
  attributes->insn_cnt = static_cast<uint32_t>(program.instructions.size());
  attributes->license = address(program.license.c_str());
  program.name.copy(attributes->prog_name, BPF_OBJ_NAME_LEN - 1);
}

}  // namespace

Result<UniqueFd> bpf_prog_load(const BpfProgram& program) {
  Attributes attributes;
  describe(program, attributes);
  const long fd = attributes.call(BPF_PROG_LOAD);
  if (fd < 0) return Error::from_errno("bpf(BPF_PROG_LOAD)");
  return UniqueFd(static_cast<int>(fd));
}

std::string bpf_verifier_log(const BpfProgram& program) {
  std::string log(kLogSize, '\0');
  Attributes attributes;
  describe(program, attributes);
  attributes->log_level = 1;
  attributes->log_size = static_cast<uint32_t>(log.size());
  attributes->log_buf = address(log.data());
  const UniqueFd loaded(static_cast<int>(attributes.call(BPF_PROG_LOAD)));
  if (loaded) return "";
  log.resize(log.find('\0') == log.npos ? log.size() : log.find('\0'));
  return log;
}

Status bpf_prog_attach(int cgroup, int program, bpf_attach_type type, uint32_t flags,
                       int replaced) {
  Attributes attributes;
  attributes->target_fd = static_cast<uint32_t>(cgroup);
  attributes->attach_bpf_fd = static_cast<uint32_t>(program);
  attributes->attach_type = type;
  attributes->attach_flags = flags;
  attributes->replace_bpf_fd = static_cast<uint32_t>(replaced);
  return check("bpf(BPF_PROG_ATTACH)", attributes.call(BPF_PROG_ATTACH));
}

Status bpf_prog_detach(int cgroup, int program, bpf_attach_type type) {
  Attributes attributes;
  attributes->target_fd = static_cast<uint32_t>(cgroup);
  attributes->attach_bpf_fd = static_cast<uint32_t>(program);
  attributes->attach_type = type;
  return check("bpf(BPF_PROG_DETACH)", attributes.call(BPF_PROG_DETACH));
}

Result<std::vector<uint32_t>> bpf_prog_query(int cgroup, bpf_attach_type type) {
  std::vector<uint32_t> ids(kMaxAttached);
  Attributes attributes;
  attributes->query.target_fd = static_cast<uint32_t>(cgroup);
  attributes->query.attach_type = type;
  attributes->query.prog_ids = address(ids.data());
  attributes->query.prog_cnt = static_cast<uint32_t>(ids.size());
  if (attributes.call(BPF_PROG_QUERY) < 0) return Error::from_errno("bpf(BPF_PROG_QUERY)");
  ids.resize(std::min<size_t>(ids.size(), attributes->query.prog_cnt));
  return ids;
}

Result<std::optional<UniqueFd>> bpf_prog_get_fd_by_id(uint32_t id) {
  Attributes attributes;
  attributes->prog_id = id;
  const long fd = attributes.call(BPF_PROG_GET_FD_BY_ID);
  if (fd < 0 && errno == ENOENT) return std::optional<UniqueFd>();
  if (fd < 0) return Error::from_errno("bpf(BPF_PROG_GET_FD_BY_ID)");
  return std::optional(UniqueFd(static_cast<int>(fd)));
}

Result<std::string> bpf_prog_name(int program) {
  bpf_prog_info info{};
  Attributes attributes;
  attributes->info.bpf_fd = static_cast<uint32_t>(program);
  attributes->info.info_len = sizeof(info);
  attributes->info.info = address(&info);
  const long result = attributes.call(BPF_OBJ_GET_INFO_BY_FD);
  if (result < 0) return Error::from_errno("bpf(BPF_OBJ_GET_INFO_BY_FD)");
  return std::string(info.name, ::strnlen(info.name, sizeof(info.name)));
}

}  // namespace rt::sys
