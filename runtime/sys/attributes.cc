#include "runtime/sys/attributes.h"

#include <linux/ioprio.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

/// struct sched_attr, SCHED_ATTR_SIZE_VER1 (Linux 5.3). linux/sched/types.h has it, but cannot be
/// included together with <sched.h>.
struct SchedAttr {
  uint32_t size = sizeof(SchedAttr);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
  uint32_t util_min = 0;
  uint32_t util_max = 0;
};
static_assert(sizeof(SchedAttr) == 56);

// Debian 12's headers are older than Linux 6.8. The numbers are the same on all architectures.
constexpr long kLsmGetSelfAttr = 459;
constexpr long kLsmSetSelfAttr = 460;
constexpr uint32_t kLsmFlagSingle = 1;

/// struct lsm_ctx of linux/lsm.h, in front of the text.
struct LsmContext {
  uint64_t id = 0;
  uint64_t flags = 0;
  uint64_t length = 0;       // of all, with the text
  uint64_t text_length = 0;  // bytes
};

/// More than any kernel has CPUs (NR_CPUS is at most 8192) or memory nodes (1024).
constexpr size_t kWords = 8192 / 64;

}  // namespace

Status sched_setattr(const SchedulingAttributes& wanted) {
  SchedAttr attributes;
  attributes.policy = wanted.policy;
  attributes.flags = wanted.flags;
  attributes.nice = wanted.nice;
  attributes.priority = wanted.priority;
  attributes.runtime = wanted.runtime_ns;
  attributes.deadline = wanted.deadline_ns;
  attributes.period = wanted.period_ns;
  return check("sched_setattr", ::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

Result<SchedulingAttributes> sched_getattr() {
  SchedAttr now;
  TRY(check("sched_getattr", ::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0)));
  return SchedulingAttributes{.policy = now.policy,
                              .flags = now.flags,
                              .nice = now.nice,
                              .priority = now.priority,
                              .runtime_ns = now.runtime,
                              .deadline_ns = now.deadline,
                              .period_ns = now.period};
}

Status sched_setaffinity(const Numbers& cpus) {
  const size_t bytes = cpus.size() * sizeof cpus[0];
  return check("sched_setaffinity", ::syscall(SYS_sched_setaffinity, 0, bytes, cpus.data()));
}

Result<Numbers> sched_getaffinity() {
  Numbers cpus(kWords);
  const long bytes = ::syscall(SYS_sched_getaffinity, 0, cpus.size() * sizeof cpus[0], cpus.data());
  if (bytes < 0) return Error::from_errno("sched_getaffinity");
  return cpus;
}

Status ioprio_set(int value) {
  return check("ioprio_set", ::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value));
}

Result<int> ioprio_get() {
  const long value = ::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  if (value < 0) return Error::from_errno("ioprio_get");
  return static_cast<int>(value);
}

Result<unsigned long> personality(unsigned long persona) {
  const int before = ::personality(persona);
  if (before < 0) return Error::from_errno("personality");
  return static_cast<unsigned long>(before);
}

Status set_mempolicy(const MemoryPolicy& policy) {
  // The kernel takes one bit less than it is told of.
  const size_t bits = policy.nodes.size() * 64 + 1;
  const uint64_t* nodes = policy.nodes.empty() ? nullptr : policy.nodes.data();
  return check("set_mempolicy",
               ::syscall(SYS_set_mempolicy, policy.mode, nodes, nodes == nullptr ? 0 : bits));
}

Result<MemoryPolicy> get_mempolicy() {
  MemoryPolicy policy;
  policy.nodes.resize(kWords);
  TRY(check("get_mempolicy", ::syscall(SYS_get_mempolicy, &policy.mode, policy.nodes.data(),
                                       policy.nodes.size() * 64, nullptr, 0)));
  return policy;
}

Result<std::string> lsm_get_self_attr(LabelAttribute attribute, SecurityModule module) {
  LsmContext header;
  header.id = static_cast<uint64_t>(module);
  std::array<char, size_t{2} * 4096> buffer{};
  std::memcpy(buffer.data(), &header, sizeof header);
  auto size = static_cast<uint32_t>(buffer.size());
  TRY(check("lsm_get_self_attr",
            ::syscall(kLsmGetSelfAttr, attribute, buffer.data(), &size, kLsmFlagSingle)));
  std::memcpy(&header, buffer.data(), sizeof header);
  const size_t length = std::min<size_t>(header.text_length, buffer.size() - sizeof header);
  const std::string text(buffer.data() + sizeof header, length);
  return text.substr(0, text.find_last_not_of(std::string_view("\0\n", 2)) + 1);
}

Status lsm_set_self_attr(LabelAttribute attribute, SecurityModule module, const std::string& text) {
  LsmContext header;
  header.id = static_cast<uint64_t>(module);
  header.length = sizeof header + text.size();
  header.text_length = text.size();
  std::string buffer(sizeof header, '\0');
  std::memcpy(buffer.data(), &header, sizeof header);
  buffer += text;
  return check("lsm_set_self_attr",
               ::syscall(kLsmSetSelfAttr, attribute, buffer.data(), buffer.size(), 0));
}

}  // namespace rt::sys
