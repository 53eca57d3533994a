#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Config config_with(const std::string& path) {
  spec::Config config = small_config();
  config.linux_.cgroups_path = path;
  return config;
}

struct PathRow {
  const char* name;
  const char* path;
  const char* directory;  // with the host's own cgroup at /runtime.slice
};

class CgroupPaths : public ::testing::TestWithParam<PathRow> {};

TEST_P(CgroupPaths, AreBelowTheHierarchy) {
  const Plan plan = plan_of(config_with(GetParam().path));
  ASSERT_EQ(plan.cgroup.directories.size(), 1U);
  EXPECT_EQ(plan.cgroup.directories[0].path, GetParam().directory);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CgroupPaths,
    ::testing::Values(PathRow{"Absolute", "/pod/box", "/sys/fs/cgroup/pod/box"},
                      PathRow{"Relative", "pod/box", "/sys/fs/cgroup/pod/box"},
                      PathRow{"Absent", "", "/sys/fs/cgroup/runtime-demo"},
                      PathRow{"NotClean", "//pod/./a/..//box/", "/sys/fs/cgroup/pod/box"},
                      PathRow{"UpAndOut", "/../../etc", "/sys/fs/cgroup/etc"},
                      PathRow{"RelativeUpAndOut", "../../x", "/sys/fs/cgroup/x"}),
    row_name<PathRow>);

TEST(Cgroup, HasADirectoryInEachHierarchy) {
  const Plan plan = plan_of(config_with("box"), v1_host());
  const std::vector<CgroupDirectory> expected = {
      {"/sys/fs/cgroup/cpuset", "/sys/fs/cgroup/cpuset/box", false, true, {}},
      {"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/box", false, false, {}},
      {"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/session/box", false, false, {}},
      {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd/box", false, false, {}},
      {"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/box", true, false, {}},
  };
  EXPECT_EQ(plan.cgroup.directories, expected);
  EXPECT_EQ(plan.cgroup.origin, "/linux/cgroupsPath");
}

struct OwnRow {
  const char* name;
  const char* own;
  bool only_below_own;
  const char* directory;
};

class CgroupsOfVersionTwo : public ::testing::TestWithParam<OwnRow> {};

TEST_P(CgroupsOfVersionTwo, AreBesideTheOwnOneWhichHasProcesses) {
  HostFacts host = root_host();
  host.cgroups[0].own_path = GetParam().own;
  host.cgroups[0].only_below_own = GetParam().only_below_own;
  EXPECT_EQ(plan_of(config_with("box"), host).cgroup.directories[0].path, GetParam().directory);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CgroupsOfVersionTwo,
    ::testing::Values(OwnRow{"Root", "/", false, "/sys/fs/cgroup/box"},
                      OwnRow{"Child", "/own", false, "/sys/fs/cgroup/box"},
                      OwnRow{"Deep", "/a/b/own", false, "/sys/fs/cgroup/a/b/box"},
                      OwnRow{"NothingElseIsTheUsers", "/a/own", true, "/sys/fs/cgroup/a/own/box"}),
    row_name<OwnRow>);

TEST(Cgroup, InVersionOneIsBelowTheOwnOne) {
  HostFacts host = v1_host();
  for (CgroupHierarchy& hierarchy : host.cgroups) hierarchy.own_path = "/a/own";
  const Plan plan = plan_of(config_with("box"), host);
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    EXPECT_TRUE(directory.path.ends_with(directory.unified ? "/a/box" : "/a/own/box"))
        << directory.path;
  }
}

TEST(Cgroup, OfVersionTwoNeedsNoCpusFilledIn) {
  HostFacts host = root_host();
  host.cgroups[0].controllers = {"cpuset", "cpu"};
  EXPECT_FALSE(plan_of(config_with("box"), host).cgroup.directories[0].cpuset);
}

TEST(Cgroup, IsNoneWhereTheManagerIsDisabled) {
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kDisabled;
  for (const char* path : {"", "/box", "system.slice:docker:demo"}) {
    const Result<Plan> plan = make_plan(config_with(path), request, root_host());
    ASSERT_TRUE(is_ok(plan));
    EXPECT_TRUE(plan.value().cgroup.directories.empty());
    EXPECT_FALSE(plan.value().cgroup.scope);
  }
}

TEST(Cgroup, APathIsNotForSystemd) {
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kSystemd;
  EXPECT_TRUE(fails_at(make_plan(config_with("/pod/box"), request, root_host()),
                       "/linux/cgroupsPath",
                       "linux.cgroupsPath: \"/pod/box\": systemd is to make "));
}

TEST(Cgroup, IsOptionalOnlyWhenNobodyAskedAndTheRuntimeIsNotPrivileged) {
  EXPECT_TRUE(plan_of(small_config(), user_host()).cgroup.optional);
  EXPECT_EQ(plan_of(small_config()).cgroup.origin, "default: cgroupsPath");
  EXPECT_FALSE(plan_of(small_config()).cgroup.optional);
  EXPECT_FALSE(plan_of(config_with("box"), user_host()).cgroup.optional);
}

struct RefusedRow {
  const char* name;
  const char* path;
  const char* message;
};

class RefusedCgroups : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedCgroups, SayWhy) {
  EXPECT_TRUE(
      fails_at(try_plan(config_with(GetParam().path)), "/linux/cgroupsPath", GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedCgroups,
    ::testing::Values(
        RefusedRow{"Systemd", "system.slice:docker:demo",
                   "linux.cgroupsPath: \"system.slice:docker:demo\": slice:prefix:name is for "
                   "systemd: it needs --systemd-cgroup"},
        RefusedRow{"Root", "/", "linux.cgroupsPath: \"/\": not a cgroup below another"},
        RefusedRow{"RootInDisguise", "/a/..", "linux.cgroupsPath: \"/a/..\": not a cgroup"},
        RefusedRow{"OwnCgroup", ".", "linux.cgroupsPath: \".\": not a cgroup below another"}),
    row_name<RefusedRow>);

TEST(Cgroup, OutsideTheCgroupNamespaceNothingIsRelative) {
  HostFacts host = root_host();
  host.cgroups[0].own_path = "/../other";
  EXPECT_TRUE(fails_at(try_plan(config_with("box"), host), "/linux/cgroupsPath",
                       "linux.cgroupsPath: /sys/fs/cgroup: the runtime's own cgroup is outside"));
  EXPECT_TRUE(is_ok(try_plan(config_with("/box"), host)));
  host.euid = 1000;
  EXPECT_TRUE(plan_of(small_config(), host).cgroup.directories.empty());
}

TEST(Cgroup, APathWithColonsInADirectoryIsAPath) {
  EXPECT_TRUE(is_ok(try_plan(config_with("/a:b:c"))));
}

}  // namespace
}  // namespace rt::plan::testing
