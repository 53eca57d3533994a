#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

using Ids = std::vector<spec::IdMapping>;
const Ids kIds = {{0, 1000, 1}, {1, 2000, 10}};
const Ids kOther = {{0, 3000, 5}};

spec::Mount bound(std::vector<std::string> options, Ids uids = {}, Ids gids = {}) {
  return {"/data", "bind", "/src", std::move(options), std::move(uids), std::move(gids)};
}

spec::Config with(spec::Config config, spec::Mount mount) {
  config.mounts = {std::move(mount)};
  return config;
}

MountIdMap map_of(const spec::Config& config) {
  const Plan plan = plan_of(config);
  EXPECT_TRUE(!plan.mounts.empty() && plan.mounts[0].id_map.has_value());
  return plan.mounts.empty() ? MountIdMap{} : plan.mounts[0].id_map.value_or(MountIdMap{});
}

TEST(MountIdMap, IsTheMountsOwn) {
  const MountIdMap map = map_of(with(small_config(), bound({"idmap"}, kIds, kOther)));
  EXPECT_EQ(map.uids, (std::vector<IdRange>{{0, 1000, 1}, {1, 2000, 10}}));
  EXPECT_EQ(map.gids, (std::vector<IdRange>{{0, 3000, 5}}));
  EXPECT_EQ(map.user_namespace, "");
  EXPECT_FALSE(map.recursive);
  EXPECT_EQ(map.origin, "/mounts/0/uidMappings");
}

TEST(MountIdMap, NeedsNoWordButOneThatSaysHowFar) {
  EXPECT_FALSE(map_of(with(small_config(), bound({}, kIds, kIds))).recursive);
  EXPECT_TRUE(map_of(with(small_config(), bound({"ridmap"}, kIds, kIds))).recursive);
  EXPECT_TRUE(map_of(with(small_config(), bound({"idmap", "ridmap"}, kIds, kIds))).recursive);
  EXPECT_FALSE(map_of(with(small_config(), bound({"ridmap", "idmap"}, kIds, kIds))).recursive);
}

TEST(MountIdMap, ComesBeforeThatOfTheContainer) {
  const MountIdMap map = map_of(with(user_namespace_config(), bound({"idmap"}, kIds, kIds)));
  EXPECT_EQ(map.uids.front().host_id, 1000U);
}

TEST(MountIdMap, IsTheContainersWhereTheMountHasNone) {
  const MountIdMap map = map_of(with(user_namespace_config(), bound({"nosuid", "idmap"})));
  EXPECT_EQ(map.uids, (std::vector<IdRange>{{0, 100000, 65536}}));
  EXPECT_EQ(map.gids, (std::vector<IdRange>{{0, 100000, 65536}}));
  EXPECT_EQ(map.origin, "/mounts/0/options/1");
}

TEST(MountIdMap, IsThatOfAJoinedUserNamespace) {
  spec::Config config = with(small_config(), bound({"ridmap"}));
  config.linux_.namespaces.push_back({"user", "/proc/7/ns/user"});
  const MountIdMap map = map_of(config);
  EXPECT_EQ(map.user_namespace, "/proc/7/ns/user");
  EXPECT_TRUE(map.uids.empty());
  EXPECT_TRUE(map.recursive);
}

TEST(MountIdMap, IsForNewFileSystemsToo) {
  const MountIdMap map =
      map_of(with(small_config(), {"/data", "tmpfs", "tmpfs", {"idmap"}, kIds, kIds}));
  EXPECT_EQ(map.uids.size(), 2U);
}

TEST(MountIdMap, IsAbsentWhereNobodyAsksForIt) {
  EXPECT_FALSE(plan_of(with(user_namespace_config(), bound({}))).mounts[0].id_map.has_value());
}

struct Refused {
  const char* name;
  spec::Config config;
  const char* pointer;
  const char* message;
};

class RefusedMaps : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedMaps, SayWhy) {
  const Refused& row = GetParam();
  EXPECT_TRUE(fails_at(try_plan(row.config), row.pointer, row.message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedMaps,
    ::testing::Values(
        Refused{"NoMapping", with(small_config(), bound({"nosuid", "idmap"})),
                "/mounts/0/options/1",
                "mounts[0] /data: option \"idmap\": needs uidMappings and gidMappings, or a user"},
        Refused{"OnlyUids", with(small_config(), bound({"idmap"}, kIds)), "/mounts/0/uidMappings",
                "mounts[0] /data: uidMappings and gidMappings: a mount has both or neither"},
        Refused{"OnlyGids", with(user_namespace_config(), bound({"idmap"}, {}, kIds)),
                "/mounts/0/gidMappings", "mounts[0] /data: uidMappings and gidMappings"},
        Refused{"Remount", with(small_config(), {"/data", "", "", {"remount"}, kIds, kIds}),
                "/mounts/0/uidMappings",
                "mounts[0] /data: a mount that is there already cannot be id-mapped"},
        Refused{"Cgroup", with(small_config(), {"/data", "cgroup", "cgroup", {}, kIds, kIds}),
                "/mounts/0/uidMappings",
                "mounts[0] /data: a cgroup file system cannot be id-mapped"}),
    row_name<Refused>);

TEST(MountIdMap, NeedsPrivilege) {
  EXPECT_TRUE(fails_at(try_plan(with(small_config(), bound({}, kIds, kIds)), user_host()),
                       "/mounts/0/uidMappings",
                       "mounts[0] /data: id-mapped mounts need CAP_SYS_ADMIN"));
}

}  // namespace
}  // namespace rt::plan::testing
