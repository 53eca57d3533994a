// The rules of how the kernel shall treat the process: scheduling, I/O priority, CPUs, labels,
// memory policy, execution domain.
#include "spec/number_list.h"
#include "spec/validate.h"
#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using testing::expect_rejected;
using testing::in_linux;
using testing::in_process;
using testing::Rejection;
using testing::Rejects;

std::string scheduler(std::string_view members) {
  return in_process(rt::cat("\"scheduler\": {\n", members, "\n}"));
}

std::string policy(std::string_view members) {
  return in_linux(rt::cat("\"memoryPolicy\": {\n", members, "\n}"));
}

using SchedulerRules = Rejects;
TEST_P(SchedulerRules, AreKept) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Words, SchedulerRules,
    ::testing::Values(
        Rejection{"Policy", scheduler(R"("policy": "SCHED_FIFA", "nice": 0)"),
                  "/process/scheduler/policy", 5, "unknown scheduling policy \"SCHED_FIFA\""},
        Rejection{"NoPolicy", scheduler(R"("nice": 1)"), "/process/scheduler", 4,
                  "missing \"policy\""},
        Rejection{"Flag", scheduler(R"("policy": "SCHED_OTHER", "flags": ["RECLAIM"])"),
                  "/process/scheduler/flags/0", 5, "unknown scheduling flag \"RECLAIM\""},
        Rejection{"FlagsNoList", scheduler(R"("policy": "SCHED_OTHER", "flags": "x")"),
                  "/process/scheduler/flags", 5, "expected an array"},
        Rejection{"NiceNoNumber", scheduler(R"("policy": "SCHED_OTHER", "nice": "1")"),
                  "/process/scheduler/nice", 5, "expected an integer"},
        Rejection{"PeriodNegative",
                  scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 1024, "deadline": 5000,
            "period": -1)"),
                  "/process/scheduler/period", 6, "expected an integer from 0"}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    Importance, SchedulerRules,
    ::testing::Values(
        Rejection{"NiceHigh", scheduler(R"("policy": "SCHED_OTHER", "nice": 20)"),
                  "/process/scheduler/nice", 5, "expected -20 to 19, found 20"},
        Rejection{"NiceLow", scheduler(R"("policy": "SCHED_BATCH", "nice": -21)"),
                  "/process/scheduler/nice", 5, "expected -20 to 19, found -21"},
        Rejection{"NiceOfRealtime", scheduler(R"("policy": "SCHED_RR", "priority": 1, "nice": 1)"),
                  "/process/scheduler/nice", 5, "has no effect: SCHED_RR has no nice value",
                  Severity::kWarning},
        Rejection{"NiceOfIdle", scheduler(R"("policy": "SCHED_IDLE", "nice": 1)"),
                  "/process/scheduler/nice", 5, "has no effect: SCHED_IDLE", Severity::kWarning},
        Rejection{"RealtimeWithoutPriority", scheduler(R"("policy": "SCHED_RR")"),
                  "/process/scheduler", 4, "SCHED_RR needs a priority from 1 to 99"},
        Rejection{"PriorityHigh", scheduler(R"("policy": "SCHED_FIFO", "priority": 100)"),
                  "/process/scheduler/priority", 5, "expected 1 to 99, found 100"},
        Rejection{"PriorityLow", scheduler(R"("policy": "SCHED_RR", "priority": -1)"),
                  "/process/scheduler/priority", 5, "expected 1 to 99, found -1"},
        Rejection{"PriorityOfBatch", scheduler(R"("policy": "SCHED_BATCH", "priority": 5)"),
                  "/process/scheduler/priority", 5, "SCHED_BATCH has no priority"}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    Deadline, SchedulerRules,
    ::testing::Values(
        Rejection{"WithoutRuntime", scheduler(R"("policy": "SCHED_DEADLINE", "deadline": 5)"),
                  "/process/scheduler", 4,
                  "SCHED_DEADLINE needs a runtime of at least 1024 nanoseconds, found 0"},
        Rejection{"ShortRuntime",
                  scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 1023, "deadline": 5000)"),
                  "/process/scheduler", 4, "SCHED_DEADLINE needs a runtime of at least 1024"},
        Rejection{"WithoutDeadline", scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 6000)"),
                  "/process/scheduler", 4, "the runtime 6000 is longer than the deadline 0"},
        Rejection{"RuntimeAboveDeadline",
                  scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 6000, "deadline": 5000)"),
                  "/process/scheduler", 4, "the runtime 6000 is longer than the deadline 5000"},
        Rejection{"DeadlineAbovePeriod", scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 1024,
            "deadline": 5000, "period": 4000)"),
                  "/process/scheduler/deadline", 6,
                  "the deadline 5000 is longer than the period 4000"},
        Rejection{"EndlessPeriod", scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 1024,
            "deadline": 5000, "period": 9223372036854775808)"),
                  "/process/scheduler", 4, "no time can be longer than 9223372036854775807"},
        Rejection{"RuntimeOfOther", scheduler(R"("policy": "SCHED_OTHER",
            "runtime": 1024)"),
                  "/process/scheduler/runtime", 6, "SCHED_OTHER has no runtime"},
        Rejection{"DeadlineOfFifo", scheduler(R"("policy": "SCHED_FIFO", "priority": 1,
            "deadline": 1024)"),
                  "/process/scheduler/deadline", 6, "SCHED_FIFO has no deadline"},
        Rejection{"PeriodOfIdle", scheduler(R"("policy": "SCHED_IDLE", "period": 1)"),
                  "/process/scheduler/period", 5, "SCHED_IDLE has no period"},
        Rejection{"FlagOfOther",
                  scheduler(R"("policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_RECLAIM"])"),
                  "/process/scheduler/flags/0", 5, "SCHED_FLAG_RECLAIM has no effect",
                  Severity::kWarning}),
    testing::name_of);

using AttributeRules = Rejects;
TEST_P(AttributeRules, AreKept) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    OfTheProcess, AttributeRules,
    ::testing::Values(
        Rejection{"IoClass", in_process(R"("ioPriority": {"class": "BE", "priority": 0})"),
                  "/process/ioPriority/class", 4, "unknown I/O scheduling class \"BE\""},
        Rejection{"IoPriorityHigh",
                  in_process(R"("ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8})"),
                  "/process/ioPriority/priority", 4, "expected 0 to 7, found 8"},
        Rejection{"IoPriorityLow",
                  in_process(R"("ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": -1})"),
                  "/process/ioPriority/priority", 4, "expected 0 to 7, found -1"},
        Rejection{"IoWithoutClass", in_process(R"("ioPriority": {"priority": 1})"),
                  "/process/ioPriority", 4, "missing \"class\""},
        Rejection{"IoWithoutPriority", in_process(R"("ioPriority": {"class": "IOPRIO_CLASS_BE"})"),
                  "/process/ioPriority", 4, "missing \"priority\""},
        Rejection{"InitialCpus", in_process(R"("execCPUAffinity": {"initial": "3-1"})"),
                  "/process/execCPUAffinity/initial", 4, "not a list such as \"0-3,7\": \"3-1\""},
        Rejection{"FinalCpus", in_process(R"("execCPUAffinity": {"final": "0,,1"})"),
                  "/process/execCPUAffinity/final", 4, "not a list such as"},
        Rejection{"ManyCpus", in_process(R"("execCPUAffinity": {"final": "0-8192"})"),
                  "/process/execCPUAffinity/final", 4, "no number can be above 8191, found 8192"},
        Rejection{"ProfileOfTwoLines", in_process(R"("apparmorProfile": "a\nb")"),
                  "/process/apparmorProfile", 4, "a control character in the label \"a\\x0ab\""},
        Rejection{"ProfileWithBlank", in_process(R"("apparmorProfile": "a ")"),
                  "/process/apparmorProfile", 4, "a blank around the label \"a \""},
        Rejection{"LabelOfTwoLines", in_process(R"("selinuxLabel": "u:r:t\n")"),
                  "/process/selinuxLabel", 4, "a control character in the label"},
        Rejection{"LongLabel",
                  in_process(rt::cat(R"("selinuxLabel": ")", std::string(4091, 'a'), "\"")),
                  "/process/selinuxLabel", 4, "longer than 4090 bytes: 4091"}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    MemoryPolicies, AttributeRules,
    ::testing::Values(
        Rejection{"NoMode", policy(R"("nodes": "0")"), "/linux/memoryPolicy", 4,
                  "missing \"mode\""},
        Rejection{"Mode", policy(R"("mode": "BIND", "nodes": "0")"), "/linux/memoryPolicy/mode", 5,
                  "unknown memory policy \"BIND\""},
        Rejection{"BindWithoutNodes", policy(R"("mode": "MPOL_BIND")"), "/linux/memoryPolicy", 4,
                  "MPOL_BIND needs at least one node"},
        Rejection{"ManyWithoutNodes", policy(R"("mode": "MPOL_PREFERRED_MANY", "nodes": "")"),
                  "/linux/memoryPolicy", 4, "MPOL_PREFERRED_MANY needs at least one node"},
        Rejection{"LocalWithNodes", policy(R"("mode": "MPOL_LOCAL", "nodes": "0")"),
                  "/linux/memoryPolicy/nodes", 5, "MPOL_LOCAL has no nodes"},
        Rejection{"DefaultWithNodes", policy(R"("mode": "MPOL_DEFAULT", "nodes": "0")"),
                  "/linux/memoryPolicy/nodes", 5, "MPOL_DEFAULT has no nodes"},
        Rejection{"Nodes", policy(R"("mode": "MPOL_BIND", "nodes": "0-")"),
                  "/linux/memoryPolicy/nodes", 5, "not a list such as"},
        Rejection{"HighNode", policy(R"("mode": "MPOL_BIND", "nodes": "0,1024")"),
                  "/linux/memoryPolicy/nodes", 5, "no number can be above 1023, found 1024"},
        Rejection{"Flag", policy(R"("mode": "MPOL_BIND", "nodes": "0",
            "flags": ["STATIC"])"),
                  "/linux/memoryPolicy/flags/0", 6, "unknown memory policy flag \"STATIC\""},
        Rejection{"BothFlags", policy(R"("mode": "MPOL_BIND", "nodes": "0",
            "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"])"),
                  "/linux/memoryPolicy/flags", 6, "MPOL_F_STATIC_NODES and"},
        Rejection{"FlagWithoutNodes", policy(R"("mode": "MPOL_PREFERRED",
            "flags": ["MPOL_F_STATIC_NODES"])"),
                  "/linux/memoryPolicy/flags", 6, "MPOL_F_STATIC_NODES needs nodes"},
        Rejection{"BalancingInterleave", policy(R"("mode": "MPOL_INTERLEAVE", "nodes": "0",
            "flags": ["MPOL_F_NUMA_BALANCING"])"),
                  "/linux/memoryPolicy/flags", 6, "MPOL_F_NUMA_BALANCING is for MPOL_BIND and"}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    Domains, AttributeRules,
    ::testing::Values(Rejection{"NoDomain", in_linux(R"("personality": {})"), "/linux/personality",
                                4, "missing \"domain\""},
                      Rejection{"Domain", in_linux(R"("personality": {"domain": "BSD"})"),
                                "/linux/personality/domain", 4, "unknown execution domain \"BSD\""},
                      Rejection{"Flag", in_linux(R"("personality": {"domain": "LINUX",
            "flags": ["ADDR_NO_RANDOMIZE"]})"),
                                "/linux/personality/flags/0", 5, "no flags are defined"}),
    testing::name_of);

TEST(Attributes, ThatFollowTheRulesAreAccepted) {
  for (const std::string& text :
       {scheduler(R"("policy": "SCHED_OTHER", "nice": -20, "flags": ["SCHED_FLAG_KEEP_PARAMS"])"),
        scheduler(R"("policy": "SCHED_FIFO", "priority": 99)"),
        scheduler(R"("policy": "SCHED_DEADLINE", "runtime": 1024, "deadline": 1024, "period": 0,
                     "flags": ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_RESET_ON_FORK"])"),
        in_process(R"("ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 7})"),
        in_process(R"("execCPUAffinity": {"initial": "0-8191", "final": ""})"),
        in_process(R"("apparmorProfile": "a profile//&:ns://b", "selinuxLabel": "u:r:t:s0")"),
        policy(R"("mode": "MPOL_PREFERRED")"),
        policy(R"("mode": "MPOL_BIND", "nodes": "0,1023", "flags": ["MPOL_F_NUMA_BALANCING"])"),
        in_linux(R"("personality": {"domain": "LINUX32", "flags": []})")}) {
    const Loaded loaded = load_config(text);
    EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, text, "c");
  }
}

TEST(NumberLists, AreRangesAsWritten) {
  using Ranges = std::vector<NumberRange>;
  EXPECT_EQ(parse_number_list(""), Ranges());
  EXPECT_EQ(parse_number_list("0"), (Ranges{{0, 0}}));
  EXPECT_EQ(parse_number_list("0-3,7"), (Ranges{{0, 3}, {7, 7}}));
  EXPECT_EQ(parse_number_list("5,1-9, 2 "), (Ranges{{5, 5}, {1, 9}, {2, 2}}));
  EXPECT_EQ(parse_number_list("18446744073709551615"),
            (Ranges{{18446744073709551615U, 18446744073709551615U}}));
}

TEST(NumberLists, OfAnotherFormAreNone) {
  for (const char* text : {" ", ",", "0,", ",0", "0,,1", "-", "-1", "1-", "3-1", "1-2-3", "a",
                           "0x1", "1 2", "+1", "1.5", "0-3:2", "18446744073709551616", "1\n"}) {
    EXPECT_FALSE(parse_number_list(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace spec
