// How the kernel treats this process: scheduling, I/O priority, execution domain, memory policy,
// and the labels of security modules. One function a call. Children inherit all of it, and
// execve(2) keeps it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace rt::sys {

/// What sched_setattr(2) takes: SCHED_* and SCHED_FLAG_*, times in nanoseconds.
struct SchedulingAttributes {
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

/// sched_setattr(2), sched_getattr(2). Linux 5.3 for the flags SCHED_FLAG_UTIL_CLAMP_*.
Status sched_setattr(const SchedulingAttributes& wanted);
Result<SchedulingAttributes> sched_getattr();

/// A set of CPUs or memory nodes: bit n % 64 of word n / 64.
using Numbers = std::vector<uint64_t>;

/// sched_setaffinity(2), sched_getaffinity(2).
Status sched_setaffinity(const Numbers& cpus);
Result<Numbers> sched_getaffinity();

/// ioprio_set(2), ioprio_get(2) with IOPRIO_WHO_PROCESS: IOPRIO_PRIO_VALUE(class, level).
Status ioprio_set(int value);
Result<int> ioprio_get();

/// personality(2): PER_* and flags. Returns what it was before.
Result<unsigned long> personality(unsigned long persona);

/// set_mempolicy(2), get_mempolicy(2) of the process: MPOL_* with MPOL_F_* flags.
struct MemoryPolicy {
  int mode = 0;
  Numbers nodes;
};
Status set_mempolicy(const MemoryPolicy& policy);
Result<MemoryPolicy> get_mempolicy();

/// LSM_ID_* and LSM_ATTR_* of linux/lsm.h.
enum class SecurityModule : uint64_t { kSelinux = 101, kAppArmor = 104 };
enum class LabelAttribute : unsigned { kCurrent = 100, kExec = 101 };

/// lsm_get_self_attr(2) with LSM_FLAG_SINGLE, without the NUL and line feed at its end. EOPNOTSUPP:
/// the module is not active. Linux 6.8; ENOSYS before.
Result<std::string> lsm_get_self_attr(LabelAttribute attribute, SecurityModule module);

/// lsm_set_self_attr(2). Linux 6.8.
Status lsm_set_self_attr(LabelAttribute attribute, SecurityModule module, const std::string& text);

}  // namespace rt::sys
