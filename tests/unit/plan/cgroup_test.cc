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
                      PathRow{"Relative", "pod/box", "/sys/fs/cgroup/runtime.slice/pod/box"},
                      PathRow{"Absent", "", "/sys/fs/cgroup/runtime.slice/runtime-demo"},
                      PathRow{"NotClean", "//pod/./a/..//box/", "/sys/fs/cgroup/pod/box"},
                      PathRow{"UpAndOut", "/../../etc", "/sys/fs/cgroup/etc"},
                      PathRow{"RelativeUpAndOut", "../../x", "/sys/fs/cgroup/runtime.slice/x"}),
    row_name<PathRow>);

TEST(Cgroup, HasADirectoryInEachHierarchy) {
  const Plan plan = plan_of(config_with("box"), v1_host());
  const std::vector<CgroupDirectory> expected = {
      {"/sys/fs/cgroup/cpuset", "/sys/fs/cgroup/cpuset/box", false, true},
      {"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/box", false, false},
      {"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/session/box", false, false},
      {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd/box", false, false},
      {"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified/box", true, false},
  };
  EXPECT_EQ(plan.cgroup.directories, expected);
  EXPECT_EQ(plan.cgroup.origin, "/linux/cgroupsPath");
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
