// What the plan says of one process: the payload, or one that joins its container.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/plan/origin.h"

namespace rt::plan {

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  std::string name;  // "RLIMIT_NOFILE"
  uint64_t soft = 0;
  uint64_t hard = 0;
  Origin origin;
  bool operator==(const Rlimit&) const = default;
};

/// Bit n is capability number n. capabilities(7).
struct CapabilitySets {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
  bool operator==(const CapabilitySets&) const = default;
};

/// sched_setattr(2).
struct SchedulerStep {
  uint32_t policy = 0;  // SCHED_*
  uint64_t flags = 0;   // SCHED_FLAG_*
  int32_t nice = 0;
  uint32_t priority = 0;  // of the real-time policies
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
  Origin origin;
  bool operator==(const SchedulerStep&) const = default;
};

/// ioprio_set(2): class and level as the kernel packs them.
struct IoPriorityStep {
  int value = 0;
  Origin origin;
  bool operator==(const IoPriorityStep&) const = default;
};

/// personality(2).
struct PersonalityStep {
  unsigned long value = 0;  // PER_*
  Origin origin;
  bool operator==(const PersonalityStep&) const = default;
};

/// A set of small numbers (CPUs, memory nodes): bit n % 64 of word n / 64.
using BitSet = std::vector<uint64_t>;

/// set_mempolicy(2).
struct MemoryPolicyStep {
  int mode = 0;  // MPOL_* with the MPOL_F_* flags
  BitSet nodes;
  Origin origin;
  bool operator==(const MemoryPolicyStep&) const = default;
};

/// sched_setaffinity(2) of a process that joins a running container. config.md, "Linux Process",
/// execCPUAffinity. An empty set: the affinity stays as it is.
struct CpuAffinityStep {
  BitSet initial;  // of the runtime's child, before it is moved to the container's cgroup
  BitSet final;    // after that
  Origin origin;
  bool operator==(const CpuAffinityStep&) const = default;
};

/// What the security module shall do with the payload: proc(5), attr/exec.
struct LabelStep {
  enum class Module { kAppArmor, kSelinux };
  Module module = Module::kAppArmor;
  std::string label;
  Origin origin;
  bool operator==(const LabelStep&) const = default;
};

enum class SeccompOperator { kNe, kLt, kLe, kEq, kGe, kGt, kMaskedEq };

struct SeccompArgument {
  uint32_t index = 0;
  SeccompOperator op = SeccompOperator::kEq;
  uint64_t value = 0;      // kMaskedEq: the mask
  uint64_t value_two = 0;  // kMaskedEq: the value
  bool operator==(const SeccompArgument&) const = default;
};

/// One rule: all of the arguments must match.
struct SeccompRule {
  std::vector<std::string> syscalls;  // names; one that nobody knows here is passed over
  uint32_t action = 0;                // SECCOMP_RET_*, with the errno where it has one
  std::vector<SeccompArgument> arguments;
  Origin origin;
  bool operator==(const SeccompRule&) const = default;
};

/// The system call filter. seccomp(2).
struct SeccompStep {
  uint32_t default_action = 0;             // SECCOMP_RET_*, with the errno where it has one
  std::vector<std::string> architectures;  // "SCMP_ARCH_X86_64"; the native one is always there
  uint64_t flags = 0;                      // SECCOMP_FILTER_FLAG_*
  std::vector<SeccompRule> rules;
  bool notifies = false;          // a rule asks an agent: SECCOMP_RET_USER_NOTIF
  std::string listener_path;      // host path of the agent's socket
  std::string listener_metadata;  // for it
  Origin origin;
  bool operator==(const SeccompStep&) const = default;
};

/// The payload, or a process that joins it.
struct ProcessStep {
  std::vector<std::string> args;
  std::vector<std::string> env;  // exactly as the document has it
  std::string cwd;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  bool may_set_groups = true;  // false where the user namespace forbids setgroups(2)
  uint32_t umask = 022;
  CapabilitySets capabilities;
  bool no_new_privileges = false;
  std::optional<int32_t> oom_score_adj;  // absent: what the runtime itself has
  std::vector<Rlimit> rlimits;
  std::optional<SchedulerStep> scheduler;
  std::optional<IoPriorityStep> io_priority;
  std::optional<PersonalityStep> personality;
  std::optional<MemoryPolicyStep> memory_policy;
  std::optional<CpuAffinityStep> cpu_affinity;  // of exec only
  std::vector<LabelStep> labels;
  std::optional<SeccompStep> seccomp;
  Origin origin;  // "/process"
  Origin capabilities_origin;
  bool operator==(const ProcessStep&) const = default;
};

}  // namespace rt::plan
