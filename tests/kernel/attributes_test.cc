// What the kernel says of a process after its attributes were set: each test in a child of its own.
#include "runtime/kernel/attributes.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "runtime/sys/attributes.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/matchers.h"
#include "tests/support/namespaces.h"

namespace rt::kernel {
namespace {

using plan::ProcessStep;
using rt::testing::fails_with;
using rt::testing::in_new_namespaces;
using rt::testing::is_ok;

/// Runs `body` in a child, whose attributes nobody else has. Its failures are printed there and
/// fail the test here.
void in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body();
    ::_exit(::testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) << "see above";
}

Status schedule(const sys::SchedulingAttributes& wanted) {
  plan::SchedulerStep step;
  step.policy = wanted.policy;
  step.flags = wanted.flags;
  step.nice = wanted.nice;
  step.priority = wanted.priority;
  step.runtime_ns = wanted.runtime_ns;
  step.deadline_ns = wanted.deadline_ns;
  step.period_ns = wanted.period_ns;
  step.origin = "/process/scheduler";
  ProcessStep process;
  process.scheduler = step;
  return set_process_attributes(process);
}

ProcessStep with_memory_policy(int mode, plan::BitSet nodes) {
  ProcessStep process;
  process.memory_policy = {mode, std::move(nodes), "/linux/memoryPolicy"};
  return process;
}

sys::SchedulingAttributes scheduling() {
  const Result<sys::SchedulingAttributes> now = sys::sched_getattr();
  EXPECT_TRUE(is_ok(now));
  return now ? now.value() : sys::SchedulingAttributes();
}

/// Real-time and deadline policies are for those who have CAP_SYS_NICE over the host.
bool may_be_realtime() {
  const Result<sys::CapabilityState> own = sys::capget();
  return own && (own.value().effective >> CAP_SYS_NICE & 1) != 0 && ::geteuid() == 0;
}

TEST(Scheduling, PolicyAndNiceAreSet) {
  in_child([] {
    ASSERT_TRUE(is_ok(schedule({.policy = SCHED_BATCH, .nice = 7})));
    EXPECT_EQ(scheduling().policy, uint32_t{SCHED_BATCH});
    EXPECT_EQ(scheduling().nice, 7);
    ASSERT_TRUE(is_ok(schedule({.policy = SCHED_IDLE})));
    EXPECT_EQ(scheduling().policy, uint32_t{SCHED_IDLE});
  });
}

TEST(Scheduling, FlagsAreSet) {
  in_child([] {
    ASSERT_TRUE(
        is_ok(schedule({.policy = SCHED_OTHER, .flags = SCHED_FLAG_RESET_ON_FORK, .nice = 3})));
    EXPECT_EQ(scheduling().flags, uint64_t{SCHED_FLAG_RESET_ON_FORK});
    // With KEEP_PARAMS the new value is not taken.
    ASSERT_TRUE(
        is_ok(schedule({.policy = SCHED_OTHER, .flags = SCHED_FLAG_KEEP_PARAMS, .nice = 9})));
    EXPECT_EQ(scheduling().nice, 3);
  });
}

TEST(Scheduling, RealtimePrioritiesAreSet) {
  if (!may_be_realtime()) GTEST_SKIP() << "needs CAP_SYS_NICE";
  in_child([] {
    const Status set = schedule({.policy = SCHED_FIFO, .priority = 5});
    if (!set && set.error().code() == EPERM) {
      // cgroup v1: a group without real-time budget. The reason is said.
      EXPECT_NE(set.error().message().find("realtimeRuntime"), std::string::npos);
      return;
    }
    ASSERT_TRUE(is_ok(set));
    EXPECT_EQ(scheduling().policy, uint32_t{SCHED_FIFO});
    EXPECT_EQ(scheduling().priority, 5U);
  });
}

TEST(Scheduling, DeadlinesAreSet) {
  if (!may_be_realtime()) GTEST_SKIP() << "needs CAP_SYS_NICE";
  in_child([] {
    ASSERT_TRUE(is_ok(schedule({.policy = SCHED_DEADLINE,
                                .flags = SCHED_FLAG_RECLAIM,
                                .runtime_ns = 1'000'000,
                                .deadline_ns = 50'000'000,
                                .period_ns = 100'000'000})));
    const sys::SchedulingAttributes now = scheduling();
    EXPECT_EQ(now.policy, uint32_t{SCHED_DEADLINE});
    EXPECT_EQ(now.flags, uint64_t{SCHED_FLAG_RECLAIM});
    EXPECT_EQ(now.runtime_ns, 1'000'000U);
    EXPECT_EQ(now.deadline_ns, 50'000'000U);
    EXPECT_EQ(now.period_ns, 100'000'000U);
  });
}

TEST(Scheduling, ADeadlineThatTheKernelRefusesIsExplained) {
  if (!may_be_realtime()) GTEST_SKIP() << "needs CAP_SYS_NICE";
  in_child([] {
    // A period of more than sched_deadline_period_max_us.
    const Status endless = schedule({.policy = SCHED_DEADLINE,
                                     .runtime_ns = 1'000'000,
                                     .deadline_ns = 1'000'000,
                                     .period_ns = 1'000'000'000'000});
    EXPECT_TRUE(fails_with(endless,
                           "scheduling: sched_setattr: invalid argument (runtime 1000000 ns, "
                           "deadline 1000000 ns, period 1000000000000 ns: the period must be"));
    EXPECT_EQ(endless.error().pointer(), "/process/scheduler");
  });
}

TEST(Scheduling, WhatAUserNamespaceDoesNotGiveIsExplained) {
  in_new_namespaces([] {
    EXPECT_TRUE(fails_with(schedule({.policy = SCHED_RR, .priority = 1}),
                           "scheduling: sched_setattr: operation not permitted (a real-time "
                           "policy needs CAP_SYS_NICE over the host, which no user namespace"));
    EXPECT_TRUE(fails_with(schedule({.policy = SCHED_OTHER, .nice = -5}),
                           "scheduling: sched_setattr: operation not permitted (nice -5 needs "
                           "CAP_SYS_NICE over the host"));
    EXPECT_TRUE(fails_with(schedule({.policy = SCHED_DEADLINE,
                                     .runtime_ns = 1'000'000,
                                     .deadline_ns = 50'000'000,
                                     .period_ns = 50'000'000}),
                           "scheduling: sched_setattr: operation not permitted (SCHED_DEADLINE "
                           "needs CAP_SYS_NICE over the host"));
    ProcessStep urgent;
    urgent.io_priority = {IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0), "/process/ioPriority"};
    EXPECT_TRUE(fails_with(set_process_attributes(urgent),
                           "I/O priority: ioprio_set: operation not permitted (IOPRIO_CLASS_RT "
                           "needs CAP_SYS_NICE over the host"));
    // What takes nothing from others is allowed.
    EXPECT_TRUE(is_ok(schedule({.policy = SCHED_BATCH, .nice = 5})));
  });
}

TEST(IoPriority, IsSet) {
  in_child([] {
    ProcessStep process;
    process.io_priority = {IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6), "/process/ioPriority"};
    ASSERT_TRUE(is_ok(set_process_attributes(process)));
    EXPECT_EQ(sys::ioprio_get().value(), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
    process.io_priority->value = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);
    ASSERT_TRUE(is_ok(set_process_attributes(process)));
    EXPECT_EQ(sys::ioprio_get().value() >> IOPRIO_CLASS_SHIFT, int{IOPRIO_CLASS_IDLE});
  });
}

TEST(Personality, IsSetAndTakenBack) {
  constexpr unsigned long kAsk = 0xffffffff;
  in_child([] {
    ProcessStep process;
    process.personality = {PER_LINUX32, "/linux/personality"};
    ASSERT_TRUE(is_ok(set_process_attributes(process)));
    EXPECT_EQ(sys::personality(kAsk).value(), static_cast<unsigned long>(PER_LINUX32));
    struct utsname name{};
    ASSERT_EQ(::uname(&name), 0);
    EXPECT_STREQ(name.machine, "i686");
    process.personality->value = PER_LINUX;
    ASSERT_TRUE(is_ok(set_process_attributes(process)));
    EXPECT_EQ(sys::personality(kAsk).value(), 0U);
  });
}

TEST(MemoryPolicy, ModeFlagsAndNodesAreSet) {
  in_child([] {
    ASSERT_TRUE(is_ok(set_process_attributes(with_memory_policy(MPOL_BIND, {1}))));
    Result<sys::MemoryPolicy> now = sys::get_mempolicy();
    ASSERT_TRUE(is_ok(now));
    EXPECT_EQ(now.value().mode, MPOL_BIND);
    EXPECT_EQ(now.value().nodes[0], 1U);
    const int fixed = MPOL_INTERLEAVE | MPOL_F_STATIC_NODES;
    ASSERT_TRUE(is_ok(set_process_attributes(with_memory_policy(fixed, {1}))));
    now = sys::get_mempolicy();
    ASSERT_TRUE(is_ok(now));
    EXPECT_EQ(now.value().mode, fixed);
    ASSERT_TRUE(is_ok(set_process_attributes(with_memory_policy(MPOL_DEFAULT, {}))));
    EXPECT_EQ(sys::get_mempolicy().value().mode, MPOL_DEFAULT);
  });
}

TEST(MemoryPolicy, ANodeThatIsNotThereIsAnError) {
  in_child([] {
    plan::BitSet nodes(16);  // 1024 nodes: more than the machines of these tests have
    nodes[15] = uint64_t{1} << 63;
    EXPECT_TRUE(fails_with(set_process_attributes(with_memory_policy(MPOL_BIND, nodes)),
                           "memory policy: set_mempolicy: invalid argument (the nodes must be of "
                           "this machine"));
    // Beside one that is there the kernel would pass over it.
    const Status partly = set_process_attributes(with_memory_policy(MPOL_BIND, {1U | 1U << 20}));
    EXPECT_TRUE(fails_with(partly, "memory policy: node 20: not of this machine, or not allowed"));
    EXPECT_EQ(partly.error().pointer(), "/linux/memoryPolicy");
  });
}

TEST(CpuAffinity, IsSetAndEmptyLeavesIt) {
  in_child([] {
    const Result<sys::Numbers> before = sys::sched_getaffinity();
    ASSERT_TRUE(is_ok(before));
    ASSERT_TRUE(is_ok(set_cpu_affinity({})));
    EXPECT_EQ(sys::sched_getaffinity().value(), before.value());
    // The lowest of those that we have.
    const uint64_t one = before.value()[0] & (~before.value()[0] + 1);
    ASSERT_NE(one, 0U);
    ASSERT_TRUE(is_ok(set_cpu_affinity({one})));
    EXPECT_EQ(sys::sched_getaffinity().value()[0], one);
  });
}

TEST(CpuAffinity, OfNoCpuOfTheMachineIsAnError) {
  in_child([] {
    plan::BitSet cpus(128);
    cpus[127] = uint64_t{1} << 63;
    EXPECT_TRUE(
        fails_with(set_cpu_affinity(cpus),
                   "CPU affinity: sched_setaffinity: invalid argument (none of the CPUs is"));
  });
}

TEST(Attributes, NoneAskedForChangeNothing) {
  in_child([] {
    ASSERT_TRUE(is_ok(schedule({.policy = SCHED_BATCH, .nice = 4})));
    ASSERT_TRUE(is_ok(set_process_attributes(ProcessStep())));
    EXPECT_EQ(scheduling().policy, uint32_t{SCHED_BATCH});
    EXPECT_EQ(scheduling().nice, 4);
  });
}

}  // namespace
}  // namespace rt::kernel
