#include "runtime/kernel/attributes.h"

#include <linux/mempolicy.h>
#include <linux/sched.h>

#include "runtime/sys/attributes.h"

namespace rt::kernel {
namespace {

bool has_deadline(const plan::SchedulerStep& step) { return step.policy == SCHED_DEADLINE; }

/// What the kernel's short answer means, and what can be done about it. sched_setattr(2), sched(7).
Error explain_scheduler(const plan::SchedulerStep& step, Error error) {
  switch (error.code()) {
    case EPERM:
      if (has_deadline(step)) {
        return std::move(error).with_hint(
            "SCHED_DEADLINE needs CAP_SYS_NICE over the host, which no user namespace gives, and "
            "all of the CPUs");
      }
      if (step.policy == SCHED_FIFO || step.policy == SCHED_RR) {
        return std::move(error).with_hint(
            "a real-time policy needs CAP_SYS_NICE over the host, which no user namespace gives, "
            "or RLIMIT_RTPRIO; and on cgroup v1 a cgroup with real-time budget: "
            "linux.resources.cpu.realtimeRuntime");
      }
      return std::move(error).with_hint("nice ", step.nice,
                                        " needs CAP_SYS_NICE over the host, which no user "
                                        "namespace gives, or RLIMIT_NICE");
    case EINVAL:
      if (!has_deadline(step)) return error;
      return std::move(error).with_hint(
          "runtime ", step.runtime_ns, " ns, deadline ", step.deadline_ns, " ns, period ",
          step.period_ns,
          " ns: the period must be within /proc/sys/kernel/sched_deadline_period_min_us and "
          "_max_us");
    case EBUSY:
      return std::move(error).with_hint(
          "the CPUs have not so much time left to promise: ", step.runtime_ns, " ns in every ",
          step.period_ns != 0 ? step.period_ns : step.deadline_ns,
          " ns; see /proc/sys/kernel/sched_rt_runtime_us");
    case EOPNOTSUPP:
      return std::move(error).with_hint("this kernel has no utilization clamping");
    default:
      return error;
  }
}

Status set_scheduler(const plan::SchedulerStep& step) {
  Status set = sys::sched_setattr({.policy = step.policy,
                                   .flags = step.flags,
                                   .nice = step.nice,
                                   .priority = step.priority,
                                   .runtime_ns = step.runtime_ns,
                                   .deadline_ns = step.deadline_ns,
                                   .period_ns = step.period_ns});
  if (set) return set;
  return explain_scheduler(step, std::move(set).error());
}

Status set_io_priority(const plan::IoPriorityStep& step) {
  Status set = sys::ioprio_set(step.value);
  if (set || set.error().code() != EPERM) return set;
  return std::move(set).error().with_hint(
      "IOPRIO_CLASS_RT needs CAP_SYS_NICE over the host, which no user namespace gives");
}

/// The numbers of `wanted` that `given` lacks: "4,5".
std::string missing_numbers(const plan::BitSet& wanted, const sys::Numbers& given) {
  std::string list;
  for (size_t number = 0; number < wanted.size() * 64; ++number) {
    const uint64_t bit = uint64_t{1} << number % 64;
    if ((wanted[number / 64] & bit) == 0) continue;
    if (number / 64 < given.size() && (given[number / 64] & bit) != 0) continue;
    list += cat(list.empty() ? "" : ",", number);
  }
  return list;
}

Status set_memory_policy(const plan::MemoryPolicyStep& step) {
  Status set = sys::set_mempolicy({.mode = step.mode, .nodes = step.nodes});
  if (!set && set.error().code() == EINVAL) {
    return std::move(set).error().with_hint(
        "the nodes must be of this machine, and allowed by the container's cpuset; "
        "MPOL_WEIGHTED_INTERLEAVE is of Linux 6.9");
  }
  // Relative nodes are counted among those that are allowed, static ones may come later.
  if (!set || (step.mode & (MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES)) != 0) return set;
  // The kernel leaves out what it does not have, as long as one node remains.
  const sys::MemoryPolicy now = TRY(sys::get_mempolicy());
  const std::string missing = missing_numbers(step.nodes, now.nodes);
  if (missing.empty()) return ok();
  return Error(cat("node ", missing, ": not of this machine, or not allowed by the cpuset"));
}

}  // namespace

Status set_process_attributes(const plan::ProcessStep& process) {
  if (process.personality) {
    const plan::PersonalityStep& domain = *process.personality;
    TRY(at(domain.origin, sys::personality(domain.value)), "execution domain");
  }
  if (process.memory_policy) {
    const plan::MemoryPolicyStep& policy = *process.memory_policy;
    TRY(at(policy.origin, set_memory_policy(policy)), "memory policy");
  }
  if (process.io_priority) {
    const plan::IoPriorityStep& priority = *process.io_priority;
    TRY(at(priority.origin, set_io_priority(priority)), "I/O priority");
  }
  // Last: from here on everything may take longer.
  if (process.scheduler) {
    const plan::SchedulerStep& scheduler = *process.scheduler;
    TRY(at(scheduler.origin, set_scheduler(scheduler)), "scheduling");
  }
  return ok();
}

Status set_cpu_affinity(const plan::BitSet& cpus) {
  if (cpus.empty()) return ok();
  Status set = sys::sched_setaffinity(cpus);
  if (set) return set;
  Error error = std::move(set).error().within("CPU affinity");
  if (error.code() != EINVAL) return error;
  return std::move(error).with_hint(
      "none of the CPUs is of this machine and allowed by the cpuset");
}

}  // namespace rt::kernel
