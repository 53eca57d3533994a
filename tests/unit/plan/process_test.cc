#include <sys/resource.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

constexpr uint64_t bit(unsigned number) { return uint64_t{1} << number; }

constexpr uint64_t kChown = bit(0);
constexpr uint64_t kKill = bit(5);
constexpr uint64_t kNetRaw = bit(13);
constexpr uint64_t kSysAdmin = bit(21);

spec::Config config_with(spec::Capabilities capabilities) {
  spec::Config config = small_config();
  config.process->capabilities = std::move(capabilities);
  return config;
}

/// The same names in all five sets.
spec::Capabilities in_all_sets(const std::vector<std::string>& names) {
  return {names, names, names, names, names};
}

TEST(Process, MayBeAbsentUntilStart) {
  spec::Config config = small_config();
  config.process.reset();
  EXPECT_FALSE(plan_of(config).process.has_value());
}

TEST(Process, HasDefaults) {
  spec::Config config = small_config();
  config.process->cwd.clear();
  const ProcessStep process = plan_of(config).process.value();
  EXPECT_EQ(process.cwd, "/");
  EXPECT_EQ(process.umask, 022U);
  EXPECT_EQ(process.capabilities, CapabilitySets{});
  EXPECT_EQ(process.capabilities_origin, "default: capabilities");
  EXPECT_FALSE(process.no_new_privileges);
  EXPECT_FALSE(process.oom_score_adj.has_value());
  EXPECT_TRUE(process.may_set_groups);
}

TEST(Process, KeepsWhatTheDocumentSays) {
  spec::Config config = small_config();
  spec::Process& wanted = *config.process;
  wanted.args = {"sh", "-c", "exit 7"};
  wanted.env = {"A=1", "A=2", "B"};
  wanted.cwd = "/srv/../tmp";
  wanted.user = {1000, 100, 077, {10, 20}};
  wanted.no_new_privileges = true;
  wanted.oom_score_adj = -5;
  const ProcessStep process = plan_of(config).process.value();
  EXPECT_EQ(process.args, wanted.args);
  EXPECT_EQ(process.env, wanted.env);
  EXPECT_EQ(process.cwd, "/srv/../tmp");
  EXPECT_EQ(process.uid, 1000U);
  EXPECT_EQ(process.gid, 100U);
  EXPECT_EQ(process.umask, 077U);
  EXPECT_EQ(process.groups, (std::vector<uint32_t>{10, 20}));
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.oom_score_adj, -5);
}

TEST(Rlimits, GetTheKernelsNumbers) {
  spec::Config config = small_config();
  config.process->rlimits = {{"RLIMIT_NOFILE", 10, 20}, {"RLIMIT_CORE", 0, RLIM_INFINITY}};
  const std::vector<Rlimit> expected = {
      {RLIMIT_NOFILE, "RLIMIT_NOFILE", 10, 20, "/process/rlimits/0"},
      {RLIMIT_CORE, "RLIMIT_CORE", 0, RLIM_INFINITY, "/process/rlimits/1"},
  };
  EXPECT_EQ(plan_of(config).process->rlimits, expected);
}

TEST(Rlimits, AllSixteenAreKnown) {
  for (const char* name :
       {"AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE",
        "NPROC", "RSS", "RTPRIO", "RTTIME", "SIGPENDING", "STACK"}) {
    spec::Config config = small_config();
    config.process->rlimits = {{cat("RLIMIT_", name), 1, 1}};
    EXPECT_TRUE(is_ok(try_plan(config))) << name;
  }
}

TEST(Rlimits, AnUnknownOneIsAnError) {
  spec::Config config = small_config();
  config.process->rlimits = {{"RLIMIT_BEER", 1, 1}};
  EXPECT_TRUE(fails_at(try_plan(config), "/process/rlimits/0",
                       "process.rlimits[0]: unknown limit \"RLIMIT_BEER\""));
}

TEST(Capabilities, AreBitsByNumber) {
  const Plan plan = plan_of(config_with({{"CAP_CHOWN", "CAP_NET_RAW", "CAP_SYS_ADMIN"},
                                         {"CAP_CHOWN"},
                                         {"CAP_NET_RAW"},
                                         {"CAP_CHOWN", "CAP_NET_RAW"},
                                         {"CAP_NET_RAW"}}));
  EXPECT_EQ(plan.process->capabilities, (CapabilitySets{kChown | kNetRaw | kSysAdmin, kChown,
                                                        kNetRaw, kChown | kNetRaw, kNetRaw}));
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(Capabilities, UnknownOnesAreWarnedAboutAndNotGranted) {
  const Plan plan = plan_of(config_with({{"CAP_KILL", "CAP_FLY", "kill"}, {}, {}, {}, {}}));
  EXPECT_EQ(plan.process->capabilities.bounding, kKill);
  EXPECT_TRUE(warns(plan, "/process/capabilities/bounding/1", "not granted: \"CAP_FLY\": unknown"));
  EXPECT_TRUE(warns(plan, "/process/capabilities/bounding/2", "not granted: \"kill\": unknown"));
}

TEST(Capabilities, WhatTheRuntimeLacksIsWarnedAboutOnce) {
  HostFacts host = root_host();
  host.bounding_capabilities = ~(kKill | kSysAdmin);
  const Plan plan =
      plan_of(config_with(in_all_sets({"CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN"})), host);
  EXPECT_EQ(plan.process->capabilities, (CapabilitySets{kChown, kChown, kChown, kChown, kChown}));
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_TRUE(
      warns(plan, "/process/capabilities", "not granted: CAP_KILL, CAP_SYS_ADMIN: the runtime"));
}

TEST(Capabilities, AUserNamespaceGivesWhatTheRuntimeLacks) {
  HostFacts host = root_host();
  host.bounding_capabilities = ~kKill;
  spec::Config config = user_namespace_config();
  config.process->capabilities = in_all_sets({"CAP_KILL"});
  const Plan plan = plan_of(config, host);
  EXPECT_EQ(plan.process->capabilities.effective, kKill);
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(Capabilities, OfANewerKernelAreNotGranted) {
  HostFacts host = root_host();
  host.last_capability = 37;
  const Plan plan = plan_of(config_with(in_all_sets({"CAP_KILL", "CAP_BPF"})), host);
  EXPECT_EQ(plan.process->capabilities.bounding, kKill);
  EXPECT_TRUE(warns(plan, "/process/capabilities", "not granted: CAP_BPF: "));
}

TEST(Capabilities, TheKernelsRulesAreKept) {
  const std::vector<std::string> chown = {"CAP_CHOWN"};
  const std::vector<std::string> both = {"CAP_CHOWN", "CAP_KILL"};
  const Plan plan = plan_of(config_with({chown, both, both, chown, both}));
  EXPECT_EQ(plan.process->capabilities, (CapabilitySets{kChown, kChown, kChown, kChown, kChown}));
  EXPECT_TRUE(warns(plan, "/process/capabilities/effective",
                    "not granted: CAP_KILL: not in the permitted set"));
  EXPECT_TRUE(warns(plan, "/process/capabilities/inheritable",
                    "not granted: CAP_KILL: not in the bounding set"));
  EXPECT_TRUE(warns(plan, "/process/capabilities/ambient",
                    "not granted: CAP_KILL: not in both the permitted and the inheritable set"));
}

TEST(Capabilities, AmbientOnesThatRootHasAnywayAreNoReasonToWarn) {
  const std::vector<std::string> both = {"CAP_CHOWN", "CAP_KILL"};
  const spec::Capabilities capabilities = {both, both, {"CAP_CHOWN"}, both, both};
  const Plan plan = plan_of(config_with(capabilities));
  EXPECT_EQ(plan.process->capabilities.ambient, kChown);
  EXPECT_TRUE(plan.warnings.empty());
  EXPECT_TRUE(holds(plan.notes, "/process/capabilities/ambient", "without effect: CAP_KILL"));

  spec::Config config = config_with(capabilities);
  config.process->user.uid = 1000;
  EXPECT_TRUE(warns(plan_of(config), "/process/capabilities/ambient", "not granted: CAP_KILL"));
}

}  // namespace
}  // namespace rt::plan::testing
