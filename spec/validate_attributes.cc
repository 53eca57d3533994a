// The rules of how the kernel shall treat the process: of config.json's "process" the scheduling,
// I/O priority, CPUs and labels; of its "linux" the memory policy and the execution domain.
#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/text.h"
#include "spec/number_list.h"
#include "spec/validate_parts.h"
#include "spec/words.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

bool has_flag(const std::vector<std::string>& flags, std::string_view flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

/// sched(7), "SCHED_DEADLINE": 1024 <= runtime <= deadline <= period, a period of 0 being the
/// deadline.
void check_deadline(const Path& at, const Scheduler& scheduler, Findings findings) {
  constexpr uint64_t kShortest = 1024;  // nanoseconds
  constexpr uint64_t kLongest = std::numeric_limits<int64_t>::max();
  if (scheduler.runtime_ns < kShortest) {
    findings.error(at, cat("SCHED_DEADLINE needs a runtime of at least ", kShortest,
                           " nanoseconds, found ", scheduler.runtime_ns));
  } else if (scheduler.runtime_ns > scheduler.deadline_ns) {
    findings.error(at, cat("the runtime ", scheduler.runtime_ns, " is longer than the deadline ",
                           scheduler.deadline_ns));
  }
  if (scheduler.period_ns != 0 && scheduler.deadline_ns > scheduler.period_ns) {
    findings.error(at.member("deadline"), cat("the deadline ", scheduler.deadline_ns,
                                              " is longer than the period ", scheduler.period_ns));
  }
  if (std::max(scheduler.deadline_ns, scheduler.period_ns) > kLongest) {
    findings.error(at, cat("no time can be longer than ", kLongest, " nanoseconds"));
  }
}

/// What only SCHED_DEADLINE reads: the kernel would pass over it, or take the runtime for the
/// length of a time slice (Linux 6.12).
void check_no_deadline(const Path& at, const Scheduler& scheduler, Findings findings) {
  const std::pair<std::string_view, uint64_t> times[] = {{"runtime", scheduler.runtime_ns},
                                                         {"deadline", scheduler.deadline_ns},
                                                         {"period", scheduler.period_ns}};
  for (const auto& [name, time] : times) {
    if (time == 0) continue;
    findings.error(at.member(name),
                   cat(scheduler.policy, " has no ", name, ": it is of SCHED_DEADLINE"));
  }
  const Path flags = at.member("flags");
  for (size_t i = 0; i < scheduler.flags.size(); ++i) {
    const std::string& flag = scheduler.flags[i];
    if (flag != "SCHED_FLAG_RECLAIM" && flag != "SCHED_FLAG_DL_OVERRUN") continue;
    findings.warning(flags.element(i),
                     cat(flag, " has no effect: it is of SCHED_DEADLINE, not ", scheduler.policy));
  }
}

/// A nice value is of the policies that share the time, a priority of those that do not.
void check_importance(const Path& at, const Scheduler& scheduler, Findings findings) {
  const std::string& policy = scheduler.policy;
  findings.expect_range(at.member("nice"), scheduler.nice, -20, 19);
  const bool nice = policy == "SCHED_OTHER" || policy == "SCHED_BATCH";
  if (!nice && scheduler.nice != 0) {
    findings.warning(at.member("nice"), cat("has no effect: ", policy, " has no nice value"));
  }
  const bool realtime = policy == "SCHED_FIFO" || policy == "SCHED_RR";
  if (realtime && scheduler.priority == 0) {
    findings.error(at, cat(policy, " needs a priority from 1 to 99"));
  } else if (realtime) {
    findings.expect_range(at.member("priority"), scheduler.priority, 1, 99);
  } else if (scheduler.priority != 0) {
    findings.error(at.member("priority"), cat(policy, " has no priority: expected 0"));
  }
}

void check_scheduler(const Path& at, const Scheduler& scheduler, Findings findings) {
  const Path flags = at.member("flags");
  for (size_t i = 0; i < scheduler.flags.size(); ++i) {
    findings.expect_word(flags.element(i), scheduler.flags[i], "scheduling flag", kSchedulerFlags);
  }
  const bool known = findings.expect_word(at.member("policy"), scheduler.policy,
                                          "scheduling policy", kSchedulerPolicies);
  if (!known) return;
  check_importance(at, scheduler, findings);
  if (scheduler.policy == "SCHED_DEADLINE") {
    check_deadline(at, scheduler, findings);
  } else {
    check_no_deadline(at, scheduler, findings);
  }
}

void check_io_priority(const Path& at, const IoPriority& priority, Findings findings) {
  findings.expect_word(at.member("class"), priority.class_name, "I/O scheduling class",
                       kIoPriorityClasses);
  findings.expect_range(at.member("priority"), priority.priority, 0, 7);
}

/// The kernel takes a label with one write(2) of at most a page, and ends it at a line feed.
void check_label(const Path& at, std::string_view label, Findings findings) {
  constexpr size_t kLongest = 4095 - std::string_view("exec ").size();
  const bool printable = std::all_of(label.begin(), label.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
  if (!printable) findings.error(at, cat("a control character in the label ", quoted(label)));
  if (label.starts_with(' ') || label.ends_with(' ')) {
    findings.error(at, cat("a blank around the label ", quoted(label)));
  }
  if (label.size() > kLongest) {
    findings.error(at, cat("longer than ", kLongest, " bytes: ", label.size()));
  }
}

/// Which modes need nodes, and which have none.
void check_policy_nodes(const Path& at, const MemoryPolicy& policy, Findings findings) {
  static constexpr std::string_view kWithNodes[] = {
      "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY"};
  static constexpr std::string_view kWithoutNodes[] = {"MPOL_DEFAULT", "MPOL_LOCAL"};
  findings.expect_list(at.member("nodes"), policy.nodes, kHighestNode);
  if (policy.nodes.empty() && is_one_of(policy.mode, kWithNodes)) {
    findings.error(at, cat(policy.mode, " needs at least one node"));
  }
  if (!policy.nodes.empty() && is_one_of(policy.mode, kWithoutNodes)) {
    findings.error(at.member("nodes"), cat(policy.mode, " has no nodes"));
  }
}

/// Which flags exclude each other, and which are about something that is not there.
void check_policy_flags(const Path& at, const MemoryPolicy& policy, Findings findings) {
  for (size_t i = 0; i < policy.flags.size(); ++i) {
    findings.expect_word(at.element(i), policy.flags[i], "memory policy flag", kMemoryPolicyFlags);
  }
  const bool fixed = has_flag(policy.flags, "MPOL_F_STATIC_NODES");
  const bool relative = has_flag(policy.flags, "MPOL_F_RELATIVE_NODES");
  if (fixed && relative) {
    findings.error(at, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
  } else if ((fixed || relative) && policy.nodes.empty()) {
    findings.error(at,
                   cat(fixed ? "MPOL_F_STATIC_NODES" : "MPOL_F_RELATIVE_NODES", " needs nodes"));
  }
  const bool balances = policy.mode == "MPOL_BIND" || policy.mode == "MPOL_PREFERRED_MANY";
  if (has_flag(policy.flags, "MPOL_F_NUMA_BALANCING") && !balances) {
    findings.error(at, "MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY");
  }
}

}  // namespace

void check_process_attributes(const Path& at, const Process& process, Findings findings) {
  if (process.scheduler) check_scheduler(at.member("scheduler"), *process.scheduler, findings);
  if (process.io_priority) {
    check_io_priority(at.member("ioPriority"), *process.io_priority, findings);
  }
  if (process.exec_cpu_affinity) {
    const Path affinity = at.member("execCPUAffinity");
    const ExecCpuAffinity& cpus = *process.exec_cpu_affinity;
    findings.expect_list(affinity.member("initial"), cpus.initial, kHighestCpu);
    findings.expect_list(affinity.member("final"), cpus.final_list, kHighestCpu);
  }
  check_label(at.member("apparmorProfile"), process.apparmor_profile, findings);
  check_label(at.member("selinuxLabel"), process.selinux_label, findings);
}

void check_memory_policy(const Path& at, const MemoryPolicy& policy, Findings findings) {
  const bool known =
      findings.expect_word(at.member("mode"), policy.mode, "memory policy", kMemoryPolicyModes);
  if (!known) return;
  check_policy_nodes(at, policy, findings);
  check_policy_flags(at.member("flags"), policy, findings);
}

void check_personality(const Path& at, const Personality& personality, Findings findings) {
  findings.expect_word(at.member("domain"), personality.domain, "execution domain",
                       kPersonalityDomains);
  const Path flags = at.member("flags");
  for (size_t i = 0; i < personality.flags.size(); ++i) {
    findings.error(flags.element(i),
                   cat("no flags are defined, found ", quoted(personality.flags[i])));
  }
}

}  // namespace spec
