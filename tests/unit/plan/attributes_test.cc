#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include "runtime/plan/describe.h"
#include "spec/words.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

constexpr uint64_t kAllBits = ~uint64_t{0};

/// What the listing says in the step: one text and origin a line.
std::string listed(const spec::Config& config, Step step) {
  std::string lines;
  for (const Action& action : actions(plan_of(config))) {
    if (action.step == step) lines += cat(action.text, " [", action.origin, "]\n");
  }
  return lines;
}

Result<Plan> plan_with_cpus(std::string list) {
  spec::Config config = small_config();
  config.process->exec_cpu_affinity = {.initial = std::move(list), .final_list = ""};
  return try_plan(config);
}

/// A list as execCPUAffinity has it, as a set.
BitSet cpus(std::string list) {
  const Result<Plan> plan = plan_with_cpus(std::move(list));
  EXPECT_TRUE(is_ok(plan));
  return plan ? plan.value().process->cpu_affinity->initial : BitSet{};
}

TEST(NumberSets, HaveABitForEachNumber) {
  EXPECT_EQ(cpus(""), BitSet());
  EXPECT_EQ(cpus("0-3,7"), (BitSet{0x8f}));
  EXPECT_EQ(cpus("63,64"), (BitSet{uint64_t{1} << 63, 1}));
  EXPECT_EQ(cpus("0-127"), (BitSet{kAllBits, kAllBits}));
  EXPECT_EQ(cpus("130"), (BitSet{0, 0, 4}));
}

TEST(NumberSets, MayBeWrittenInAnyOrderAndOverlap) { EXPECT_EQ(cpus("7, 0-2,1-3"), BitSet{0x8f}); }

TEST(NumberSets, HaveALimit) {
  const char* place = "/process/execCPUAffinity/initial";
  EXPECT_EQ(cpus("0-8191").size(), 128U);
  EXPECT_TRUE(fails_at(plan_with_cpus("0-8192"), place,
                       "process.execCPUAffinity.initial: no number can be above 8191, found 8192"));
  EXPECT_TRUE(fails_at(plan_with_cpus("0-18446744073709551615"), place, ""));
  EXPECT_TRUE(fails_at(plan_with_cpus("0-3;7"), place,
                       "process.execCPUAffinity.initial: not a list such as \"0-3,7\": \"0-3;7\""));
}

TEST(Scheduler, HasTheKernelsNumbers) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_DEADLINE",
                               .flags = {"SCHED_FLAG_RECLAIM", "SCHED_FLAG_RESET_ON_FORK"},
                               .runtime_ns = 2000,
                               .deadline_ns = 3000,
                               .period_ns = 4000};
  const SchedulerStep expected = {.policy = SCHED_DEADLINE,
                                  .flags = SCHED_FLAG_RECLAIM | SCHED_FLAG_RESET_ON_FORK,
                                  .runtime_ns = 2000,
                                  .deadline_ns = 3000,
                                  .period_ns = 4000,
                                  .origin = "/process/scheduler"};
  EXPECT_EQ(plan_of(config).process->scheduler, expected);
}

TEST(Scheduler, WhatIsNotGivenIsZero) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_BATCH", .flags = {}};
  const SchedulerStep expected = {.policy = SCHED_BATCH,
                                  .flags = 0,
                                  .nice = 0,
                                  .priority = 0,
                                  .runtime_ns = 0,
                                  .deadline_ns = 0,
                                  .period_ns = 0,
                                  .origin = "/process/scheduler"};
  EXPECT_EQ(plan_of(config).process->scheduler, expected);
}

TEST(Scheduler, EveryWordOfTheSpecificationIsKnownButOne) {
  for (const std::string_view word : spec::kSchedulerPolicies) {
    spec::Config config = small_config();
    config.process->scheduler = {.policy = std::string(word), .flags = {}};
    EXPECT_EQ(try_plan(config).ok(), word != "SCHED_ISO") << word;
  }
  for (const std::string_view word : spec::kSchedulerFlags) {
    spec::Config config = small_config();
    config.process->scheduler = {.policy = "SCHED_OTHER", .flags = {std::string(word)}};
    EXPECT_TRUE(is_ok(try_plan(config))) << word;
  }
}

TEST(Scheduler, OfNoKernelIsAnErrorBeforeAnythingIsDone) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_ISO", .flags = {}};
  EXPECT_TRUE(fails_at(try_plan(config), "/process/scheduler/policy",
                       "process.scheduler.policy: no Linux kernel has SCHED_ISO"));
}

TEST(Scheduler, AnUnknownFlagIsAnErrorAtItsPlace) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_OTHER",
                               .flags = {"SCHED_FLAG_RECLAIM", "SCHED_FLAG_X"}};
  EXPECT_TRUE(fails_at(try_plan(config), "/process/scheduler/flags/1",
                       "process.scheduler.flags[1]: unknown word \"SCHED_FLAG_X\""));
}

TEST(IoPriority, IsClassAndLevelInOneNumber) {
  spec::Config config = small_config();
  config.process->io_priority = {.class_name = "IOPRIO_CLASS_RT", .priority = 5};
  const IoPriorityStep expected = {IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 5), "/process/ioPriority"};
  EXPECT_EQ(plan_of(config).process->io_priority, expected);
  for (const std::string_view word : spec::kIoPriorityClasses) {
    config.process->io_priority = {.class_name = std::string(word), .priority = 0};
    EXPECT_TRUE(is_ok(try_plan(config))) << word;
  }
}

TEST(CpuAffinity, IsTwoSets) {
  spec::Config config = small_config();
  config.process->exec_cpu_affinity = {.initial = "0-3,7", .final_list = ""};
  const CpuAffinityStep expected = {{0x8f}, {}, "/process/execCPUAffinity"};
  EXPECT_EQ(plan_of(config).process->cpu_affinity, expected);
  config.process->exec_cpu_affinity->final_list = "9000";
  EXPECT_TRUE(fails_at(try_plan(config), "/process/execCPUAffinity/final",
                       "process.execCPUAffinity.final: no number can be"));
}

TEST(MemoryPolicy, IsModeWithFlagsAndNodes) {
  spec::Config config = small_config();
  config.linux_.memory_policy = {"MPOL_BIND", "0,64", {"MPOL_F_STATIC_NODES"}};
  const MemoryPolicyStep expected = {
      MPOL_BIND | MPOL_F_STATIC_NODES, {1, 1}, "/linux/memoryPolicy"};
  EXPECT_EQ(plan_of(config).process->memory_policy, expected);
  config.linux_.memory_policy->nodes = "0-1024";
  EXPECT_TRUE(fails_at(try_plan(config), "/linux/memoryPolicy/nodes",
                       "linux.memoryPolicy.nodes: no number can be above"));
}

TEST(MemoryPolicy, EveryWordOfTheSpecificationIsKnown) {
  for (const std::string_view mode : spec::kMemoryPolicyModes) {
    spec::Config config = small_config();
    config.linux_.memory_policy = {std::string(mode), "", {}};
    EXPECT_TRUE(is_ok(try_plan(config))) << mode;
  }
  for (const std::string_view flag : spec::kMemoryPolicyFlags) {
    spec::Config config = small_config();
    config.linux_.memory_policy = {"MPOL_BIND", "0", {std::string(flag)}};
    EXPECT_TRUE(is_ok(try_plan(config))) << flag;
  }
}

TEST(Personality, IsTheKernelsNumber) {
  spec::Config config = small_config();
  config.linux_.personality = spec::Personality{"LINUX32", {}};
  const PersonalityStep expected = {PER_LINUX32, "/linux/personality"};
  EXPECT_EQ(plan_of(config).process->personality, expected);
  // Said, it is set: the caller may be in another one.
  config.linux_.personality = spec::Personality{"LINUX", {}};
  EXPECT_EQ(plan_of(config).process->personality->value, 0U);
  config.linux_.personality = spec::Personality{"LINUX", {"ADDR_NO_RANDOMIZE"}};
  EXPECT_TRUE(fails_at(try_plan(config), "/linux/personality/flags/0",
                       "linux.personality.flags[0]: no flags are defined"));
}

TEST(Labels, AreThoseThatTheDocumentNames) {
  spec::Config config = small_config();
  config.process->apparmor_profile = "a profile";
  config.process->selinux_label = "u:r:t:s0";
  const std::vector<LabelStep> expected = {
      {LabelStep::Module::kAppArmor, "a profile", "/process/apparmorProfile"},
      {LabelStep::Module::kSelinux, "u:r:t:s0", "/process/selinuxLabel"}};
  EXPECT_EQ(plan_of(config).process->labels, expected);
  EXPECT_EQ(listed(config, Step::kLabel),
            "AppArmor profile \"a profile\" from the execution on [/process/apparmorProfile]\n"
            "SELinux label u:r:t:s0 from the execution on [/process/selinuxLabel]\n");
}

TEST(Attributes, AreNothingWithoutASection) {
  const ProcessStep process = plan_of(small_config()).process.value();
  EXPECT_FALSE(process.scheduler || process.io_priority || process.cpu_affinity);
  EXPECT_FALSE(process.memory_policy || process.personality);
  EXPECT_TRUE(process.labels.empty());
  EXPECT_EQ(listed(small_config(), Step::kProcessAttributes), "");
  EXPECT_EQ(listed(small_config(), Step::kLabel), "");
}

TEST(Attributes, AreListedInTheWordsOfTheDocument) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_FIFO", .priority = 7, .flags = {}};
  config.process->io_priority = {.class_name = "IOPRIO_CLASS_BE", .priority = 3};
  config.linux_.memory_policy = {"MPOL_INTERLEAVE", "7,0-2,64", {"MPOL_F_RELATIVE_NODES"}};
  config.linux_.personality = spec::Personality{"LINUX32", {}};
  EXPECT_EQ(listed(config, Step::kProcessAttributes),
            "execution domain LINUX32 [/linux/personality]\n"
            "memory policy MPOL_INTERLEAVE MPOL_F_RELATIVE_NODES on nodes 0-2,7,64 "
            "[/linux/memoryPolicy]\n"
            "I/O priority IOPRIO_CLASS_BE level 3 [/process/ioPriority]\n"
            "scheduling SCHED_FIFO priority 7 [/process/scheduler]\n");
}

TEST(Attributes, OfTheSchedulerAreListedByPolicy) {
  spec::Config config = small_config();
  config.process->scheduler = {.policy = "SCHED_BATCH", .nice = -5, .flags = {}};
  EXPECT_EQ(listed(config, Step::kProcessAttributes),
            "scheduling SCHED_BATCH nice -5 [/process/scheduler]\n");
  config.process->scheduler = {.policy = "SCHED_DEADLINE",
                               .flags = {"SCHED_FLAG_RECLAIM"},
                               .runtime_ns = 1,
                               .deadline_ns = 2,
                               .period_ns = 3};
  EXPECT_EQ(listed(config, Step::kProcessAttributes),
            "scheduling SCHED_DEADLINE runtime 1 ns deadline 2 ns period 3 ns "
            "SCHED_FLAG_RECLAIM [/process/scheduler]\n");
}

}  // namespace
}  // namespace rt::plan::testing
