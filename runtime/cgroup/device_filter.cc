// Device rules put into force: a program on the v2 directory, or entries of v1's controller.
#include "runtime/cgroup/limits.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/cgroup/device_program.h"
#include "runtime/cgroup/directory.h"
#include "runtime/sys/bpf.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

// v2: BPF_CGROUP_DEVICE. All programs on the directory, and on those above it, must allow an
// access; ours is known by its name. Those of others, systemd's for one, are left where they are.

constexpr const char* kProgramName = "runtime_devices";
constexpr size_t kMaxLog = 400;

/// The end of what the verifier says, on one line.
std::string complaint(const sys::BpfProgram& program) {
  std::string log = sys::bpf_verifier_log(program);
  while (log.ends_with('\n')) log.pop_back();
  if (log.size() > kMaxLog) log.erase(0, log.size() - kMaxLog);
  std::replace(log.begin(), log.end(), '\n', ';');
  return quoted(log);
}

Result<UniqueFd> load(const std::vector<plan::DeviceRule>& rules) {
  sys::BpfProgram program;
  program.type = BPF_PROG_TYPE_CGROUP_DEVICE;
  program.instructions = device_program(rules);
  program.name = kProgramName;
  // It calls no function of the kernel, for which it would have to be GPL.
  program.license = "Apache-2.0";
  Result<UniqueFd> loaded = sys::bpf_prog_load(program);
  if (loaded) return loaded;
  return std::move(loaded).error().with_hint("the verifier says: ", complaint(program));
}

/// Our programs on the directory: one, none, or, when somebody was killed while removing it, more.
Result<std::vector<UniqueFd>> attached(int directory) {
  const std::vector<uint32_t> ids = TRY(sys::bpf_prog_query(directory, BPF_CGROUP_DEVICE));
  std::vector<UniqueFd> programs;
  for (const uint32_t id : ids) {
    std::optional<UniqueFd> program = TRY(sys::bpf_prog_get_fd_by_id(id));
    if (!program) continue;
    const std::string name = TRY(sys::bpf_prog_name(program->get()));
    if (name == kProgramName) programs.push_back(*std::move(program));
  }
  return programs;
}

Status detach(int directory, const UniqueFd& program) {
  Status status = sys::bpf_prog_detach(directory, program.get(), BPF_CGROUP_DEVICE);
  return !status && status.error().code() == ENOENT ? ok() : std::move(status);
}

Status attach(int directory, const UniqueFd& program) {
  Status status =
      sys::bpf_prog_attach(directory, program.get(), BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
  if (status || status.error().code() != EPERM) return status;
  return std::move(status).error().with_hint(
      "needs CAP_NET_ADMIN and CAP_BPF, and no program of another kind above it");
}

/// The directory has the old program up to some moment, and the new one from then on.
Status set_program(int directory, const plan::DeviceFilter& filter) {
  std::vector<UniqueFd> old = TRY(attached(directory));
  if (!allows_everything(filter.rules)) {
    const UniqueFd program = TRY(load(filter.rules));
    if (old.empty()) return attach(directory, program);
    TRY(sys::bpf_prog_attach(directory, program.get(), BPF_CGROUP_DEVICE,
                             BPF_F_ALLOW_MULTI | BPF_F_REPLACE, old.back().get()));
    old.pop_back();
  }
  for (const UniqueFd& program : old) TRY(detach(directory, program));
  return ok();
}

// v1: the controller "devices". The plan has brought the rules into its form.

constexpr std::string_view kEverything = "a *:* rwm";

/// Devices ("c 1:3", "b *:*") and the letters of what is allowed, or denied.
using Entries = std::map<std::string, std::string>;

/// The letters of `accesses` that are not in `others`.
std::string without(std::string_view accesses, std::string_view others) {
  std::string left;
  for (const char access : accesses) {
    if (others.find(access) == others.npos) left += access;
  }
  return left;
}

/// What `entries` have beyond `others`.
Entries difference(const Entries& entries, const Entries& others) {
  Entries left;
  for (const auto& [device, accesses] : entries) {
    const auto other = others.find(device);
    std::string rest = other == others.end() ? accesses : without(accesses, other->second);
    if (!rest.empty()) left[device] = std::move(rest);
  }
  return left;
}

std::string device_of(const plan::DeviceRule& rule) {
  const auto number = [](std::optional<uint32_t> value) { return value ? cat(*value) : "*"; };
  return cat(rule.type, ' ', number(rule.major), ':', number(rule.minor));
}

Entries entries_of(const std::vector<plan::DeviceRule>& rules, bool allow) {
  Entries entries;
  for (const plan::DeviceRule& rule : rules) {
    if (rule.type == 'a' || rule.allow != allow) continue;
    entries[device_of(rule)] =
        cat(rule.read ? "r" : "", rule.write ? "w" : "", rule.mknod ? "m" : "");
  }
  return entries;
}

Result<Entries> parse_list(std::string_view text) {
  Entries entries;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const size_t space = line.rfind(' ');
    if (space == line.npos) return Error(cat("devices.list: not understood: ", quoted(line)));
    entries[std::string(line.substr(0, space))] = line.substr(space + 1);
  }
  return entries;
}

/// One of the two files that change the list, each a write(2) for an entry.
struct ListFile {
  const char* name;
  UniqueFd fd;
};

Result<ListFile> open_list(int directory, const char* name) {
  UniqueFd fd = TRY(sys::openat(directory, name, O_WRONLY | O_NOFOLLOW), name);
  return ListFile{.name = name, .fd = std::move(fd)};
}

Status write_entry(const ListFile& file, std::string_view entry) {
  Status written = sys::write_once(file.fd.get(), entry);
  if (written) return ok();
  const int code = written.error().code();
  Error error = std::move(written).error().within(file.name).within(quoted(entry));
  if (code == EPERM) {
    return std::move(error).with_hint("a cgroup cannot allow what the one above it does not");
  }
  if (code == EINVAL && entry == "a") {
    return std::move(error).with_hint(
        "the default cannot be changed while there are cgroups below");
  }
  return error;
}

Status write_entries(const ListFile& file, const Entries& entries) {
  for (const auto& [device, accesses] : entries) {
    TRY(write_entry(file, cat(device, ' ', accesses)));
  }
  return ok();
}

/// Denied is what is not in `wanted`. What both lists allow is allowed all the time: first comes
/// what is new, then goes what is old. On failure the list is again as it was.
Status change_list(const ListFile& allow, const ListFile& deny, const Entries& now,
                   const Entries& wanted) {
  Rollback undo;
  for (const auto& [device, accesses] : difference(wanted, now)) {
    const std::string entry = cat(device, ' ', accesses);
    TRY(write_entry(allow, entry));
    undo.add([&deny, entry] { (void)write_entry(deny, entry); });
  }
  undo.commit();
  return write_entries(deny, difference(now, wanted));
}

/// Allowed is what is not in `denied`. v1 does not show what is denied now, and forgets it only
/// together with everything: with processes in the cgroup, all would be allowed for a moment.
Status allow_by_default(int directory, const ListFile& allow, const ListFile& deny,
                        const Entries& denied, Payload payload) {
  if (!denied.empty() && payload == Payload::kRuns) {
    const std::vector<pid_t> pids = TRY(read_pids(directory));
    if (!pids.empty()) {
      return Error(
          "rules that allow everything but some devices can only be set before a process "
          "runs: cgroup v1 would allow everything for a moment");
    }
  }
  TRY(write_entry(allow, "a"));
  return write_entries(deny, denied);
}

Status set_entries(int directory, const plan::DeviceFilter& filter, Payload payload) {
  const ListFile allow = TRY(open_list(directory, "devices.allow"));
  const ListFile deny = TRY(open_list(directory, "devices.deny"));
  const bool open = !filter.rules.empty() && filter.rules.front().type == 'a';
  if (open) {
    return allow_by_default(directory, allow, deny, entries_of(filter.rules, false), payload);
  }
  const std::optional<std::string> text = TRY(read_control(directory, "devices.list"));
  if (!text) return Error::from_errno("open", ENOENT).within("devices.list");
  // A new cgroup, with nobody in it yet; or a privileged container that gets limits: for a moment
  // it can open nothing, which is better than everything.
  const bool afresh = *text == kEverything;
  if (afresh) TRY(write_entry(deny, "a"));
  const Entries now = TRY(parse_list(afresh ? "" : *text));
  return change_list(allow, deny, now, entries_of(filter.rules, true));
}

Status set(const plan::DeviceFilter& filter, Payload payload) {
  const Directory place = {.path = filter.directory, .unified = filter.unified};
  const std::optional<UniqueFd> directory = TRY(open_directory(place));
  const std::string name = cat("cgroup ", quoted(filter.directory));
  if (!directory) return Error::from_errno("open", ENOENT).within(name);
  const int fd = directory->get();
  TRY(filter.unified ? set_program(fd, filter) : set_entries(fd, filter, payload), name);
  return ok();
}

}  // namespace

Status set_device_filter(const plan::DeviceFilter& filter, Payload payload) {
  TRY(at("/linux/resources/devices", set(filter, payload)), "linux.resources.devices");
  return ok();
}

}  // namespace rt::cgroup
