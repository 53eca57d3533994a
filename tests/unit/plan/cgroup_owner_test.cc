#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

/// A container of user 1000 that may write to its cgroup and sees no other.
spec::Config delegating_config() {
  spec::Config config = small_config();
  config.linux_.namespaces.push_back({"cgroup", ""});
  config.process->user.uid = 1000;
  config.mounts.push_back({.destination = "/sys/fs/cgroup",
                           .type = "cgroup",
                           .source = "cgroup",
                           .options = {"rw", "nosuid"},
                           .uid_mappings = {},
                           .gid_mappings = {}});
  return config;
}

void map_ids(spec::Config& config) {
  config.linux_.namespaces.push_back({"user", ""});
  config.linux_.uid_mappings = {{0, 100000, 1000}, {1000, 200000, 10}};
  config.linux_.gid_mappings = {{0, 100000, 1000}};
}

TEST(CgroupOwner, IsTheUserWhoRunsThePayload) {
  const Plan plan = plan_of(delegating_config());
  EXPECT_EQ(plan.cgroup.owner, 1000U);
  EXPECT_EQ(plan.cgroup.owner_origin, "/mounts/0");
}

TEST(CgroupOwner, IsTheIdThatTheHostKnowsHimBy) {
  spec::Config config = delegating_config();
  map_ids(config);
  config.process->user.uid = 1003;
  EXPECT_EQ(plan_of(config).cgroup.owner, 200003U);
  config.process->user.uid = 0;
  EXPECT_EQ(plan_of(config).cgroup.owner, 100000U);
}

TEST(CgroupOwner, IsAlsoGivenByAMountOfOtherWords) {
  spec::Config config = delegating_config();
  config.mounts[0].destination = "/sys/fs/cgroup/";
  config.mounts[0].source = "none";
  EXPECT_EQ(plan_of(config).cgroup.owner, 1000U);
  config.mounts[0].source = "cgroup";
  config.mounts[0].type = "cgroup2";
  EXPECT_EQ(plan_of(config).cgroup.owner, 1000U);
}

struct KeptRow {
  const char* name;
  void (*change)(spec::Config& config, HostFacts& host);
};

class KeptCgroups : public ::testing::TestWithParam<KeptRow> {};

TEST_P(KeptCgroups, StayTheRuntimes) {
  spec::Config config = delegating_config();
  HostFacts host = root_host();
  GetParam().change(config, host);
  const Result<Plan> plan = try_plan(config, host);
  ASSERT_TRUE(is_ok(plan));
  EXPECT_EQ(plan.value().cgroup.owner, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    Table, KeptCgroups,
    ::testing::Values(
        KeptRow{"ReadOnly", [](auto& config, auto&) { config.mounts[0].options = {"ro"}; }},
        KeptRow{"ReadOnlyAllBelow",
                [](auto& config, auto&) { config.mounts[0].options = {"rro"}; }},
        KeptRow{"NoMount", [](auto& config, auto&) { config.mounts.clear(); }},
        KeptRow{"MountedElsewhere",
                [](auto& config, auto&) { config.mounts[0].destination = "/cgroup"; }},
        KeptRow{"NoNamespace", [](auto& config, auto&) { config.linux_.namespaces.pop_back(); }},
        KeptRow{"JoinedNamespace",
                [](auto& config, auto&) { config.linux_.namespaces.back().path = "/ns"; }},
        KeptRow{"UserOfTheRuntime", [](auto& config, auto&) { config.process->user.uid = 0; }},
        KeptRow{"NoProcess", [](auto& config, auto&) { config.process.reset(); }},
        KeptRow{"VersionOne", [](auto&, auto& host) { host = v1_host(); }},
        KeptRow{"NoCgroup", [](auto&, auto& host) { host.cgroups.clear(); }},
        KeptRow{"Rootless",
                [](auto& config, auto& host) {
                  map_ids(config);
                  host = user_host();
                }}),
    row_name<KeptRow>);

}  // namespace
}  // namespace rt::plan::testing
