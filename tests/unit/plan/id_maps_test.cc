#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

/// Maps the container's root to `id` alone.
spec::Config single_id_config(uint32_t id) {
  spec::Config config = user_namespace_config();
  config.linux_.uid_mappings = {{0, id, 1}};
  config.linux_.gid_mappings = {{0, id, 1}};
  return config;
}

TEST(IdMaps, AreThereOnlyForANewUserNamespace) {
  EXPECT_FALSE(plan_of(small_config()).id_maps.has_value());
  const Plan plan = plan_of(user_namespace_config());
  ASSERT_TRUE(plan.id_maps.has_value());
  EXPECT_EQ(plan.id_maps->uids, (std::vector<IdRange>{{0, 100000, 65536}}));
  EXPECT_EQ(plan.id_maps->writer, IdMaps::Writer::kDirectly);
  EXPECT_FALSE(plan.id_maps->deny_setgroups);
  EXPECT_TRUE(plan.process->may_set_groups);
}

TEST(IdMaps, OfAJoinedUserNamespaceAreItsOwn) {
  spec::Config config = user_namespace_config();
  config.linux_.namespaces.back().path = "/proc/7/ns/user";
  const Plan plan = plan_of(config);
  EXPECT_FALSE(plan.id_maps.has_value());
  EXPECT_TRUE(warns(plan, "/linux/uidMappings", "not used"));
  EXPECT_TRUE(warns(plan, "/linux/gidMappings", "not used"));
}

TEST(IdMaps, AUserMapsHisOwnIdHimself) {
  const Plan plan = plan_of(single_id_config(1000), user_host());
  EXPECT_EQ(plan.id_maps->writer, IdMaps::Writer::kDirectly);
  EXPECT_TRUE(plan.id_maps->deny_setgroups);
  EXPECT_FALSE(plan.process->may_set_groups);
}

TEST(IdMaps, AUserMapsMoreWithTheHelpers) {
  for (const spec::Config& config : {user_namespace_config(), single_id_config(1001)}) {
    const Plan plan = plan_of(config, user_host());
    EXPECT_EQ(plan.id_maps->writer, IdMaps::Writer::kHelpers);
    EXPECT_EQ(plan.id_maps->newuidmap, "/usr/bin/newuidmap");
    EXPECT_EQ(plan.id_maps->newgidmap, "/usr/bin/newgidmap");
    EXPECT_FALSE(plan.id_maps->deny_setgroups);
  }
}

TEST(IdMaps, TheCapabilitiesCountAndNotTheUserId) {
  HostFacts host = user_host();
  host.effective_capabilities = uint64_t{1} << 7 | uint64_t{1} << 6;  // CAP_SETUID, CAP_SETGID
  EXPECT_EQ(plan_of(user_namespace_config(), host).id_maps->writer, IdMaps::Writer::kDirectly);
  host.effective_capabilities = uint64_t{1} << 7;
  EXPECT_EQ(plan_of(user_namespace_config(), host).id_maps->writer, IdMaps::Writer::kHelpers);
}

struct RefusedRow {
  const char* name;
  void (*change)(spec::Config&, HostFacts&);
  const char* pointer;
  const char* message;
};

class RefusedIdMaps : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedIdMaps, SayWhy) {
  spec::Config config = user_namespace_config();
  HostFacts host = root_host();
  GetParam().change(config, host);
  EXPECT_TRUE(fails_at(try_plan(config, host), GetParam().pointer, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedIdMaps,
    ::testing::Values(
        RefusedRow{"NoUids", [](auto& config, auto&) { config.linux_.uid_mappings.clear(); },
                   "/linux/uidMappings", "linux.uidMappings: a new user namespace needs a mapping"},
        RefusedRow{"NoGids", [](auto& config, auto&) { config.linux_.gid_mappings.clear(); },
                   "/linux/gidMappings", "linux.gidMappings: a new user namespace needs a mapping"},
        RefusedRow{"RootIsNotMapped",
                   [](auto& config, auto&) { config.linux_.uid_mappings = {{1, 100000, 9}}; },
                   "/linux/uidMappings", "linux.uidMappings: container id 0 is not mapped"},
        RefusedRow{"UserIsNotMapped", [](auto& config, auto&) { config.process->user.uid = 65536; },
                   "/process/user/uid",
                   "process.user.uid: 65536 is not mapped in linux.uidMappings"},
        RefusedRow{
            "GroupIsNotMapped", [](auto& config, auto&) { config.process->user.gid = 70000; },
            "/process/user/gid", "process.user.gid: 70000 is not mapped in linux.gidMappings"},
        RefusedRow{"AdditionalGroupIsNotMapped",
                   [](auto& config, auto&) { config.process->user.additional_gids = {1, 70000}; },
                   "/process/user/additionalGids/1",
                   "process.user.additionalGids[1]: 70000 is not mapped"},
        RefusedRow{"SetgroupsIsDenied",
                   [](auto& config, auto& host) {
                     config = single_id_config(1000);
                     config.process->user.additional_gids = {0};
                     host = user_host();
                   },
                   "/process/user/additionalGids",
                   "process.user.additionalGids: setgroups is denied"},
        RefusedRow{"HelperIsMissing",
                   [](auto&, auto& host) {
                     host = user_host();
                     host.newgidmap.clear();
                   },
                   "/linux/uidMappings",
                   "linux.uidMappings: mapping more than one's own id without root needs "
                   "newgidmap, which is not installed (package uidmap)"}),
    row_name<RefusedRow>);

TEST(IdMaps, ARangeEndsBeforeItsSize) {
  spec::Config config = user_namespace_config();
  config.process->user.uid = 65535;
  EXPECT_TRUE(is_ok(try_plan(config)));
}

}  // namespace
}  // namespace rt::plan::testing
