#include <linux/mount.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Config config_with_cgroup_mount(std::vector<std::string> options) {
  spec::Config config = small_config();
  config.linux_.cgroups_path = "/box";
  config.mounts = {{"/sys/fs/cgroup", "cgroup", "cgroup", std::move(options), {}, {}}};
  return config;
}

TEST(CgroupMounts, OnAUnifiedHostAreCgroup2) {
  spec::Config config = config_with_cgroup_mount({"ro", "nosuid"});
  config.linux_.namespaces.push_back({"cgroup", ""});
  const Plan plan = plan_of(config);
  ASSERT_EQ(plan.mounts.size(), 1U);
  EXPECT_EQ(std::get<NewFilesystem>(plan.mounts[0].what).type, "cgroup2");
  EXPECT_EQ(plan.mounts[0].attributes.set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID});
}

// A new mount would take the host's own options (nsdelegate) away from it.
TEST(CgroupMounts, WithoutACgroupNamespaceAreAViewOfTheHosts) {
  const Plan plan = plan_of(config_with_cgroup_mount({"ro"}));
  EXPECT_EQ(std::get<BindMount>(plan.mounts.at(0).what), (BindMount{"/sys/fs/cgroup", true}));
  EXPECT_FALSE(make_plan(config_with_cgroup_mount({"nsdelegate"}), small_request(), root_host()));
}

TEST(CgroupMounts, AUserNamespaceWithoutCgroupNamespaceGetsTheHosts) {
  spec::Config config = user_namespace_config();
  config.mounts = config_with_cgroup_mount({"ro"}).mounts;
  const Plan bound = plan_of(config);
  EXPECT_EQ(std::get<BindMount>(bound.mounts.at(0).what), (BindMount{"/sys/fs/cgroup", true}));
  config.linux_.namespaces.push_back({"cgroup", ""});
  EXPECT_TRUE(std::holds_alternative<NewFilesystem>(plan_of(config).mounts.at(0).what));
}

TEST(CgroupMounts, OnV1BindTheContainersOwnDirectories) {
  const Plan plan = plan_of(config_with_cgroup_mount({"nosuid", "ro"}), v1_host());
  ASSERT_EQ(plan.mounts.size(), 7U);
  const MountStep& holder = plan.mounts.front();
  EXPECT_EQ(std::get<NewFilesystem>(holder.what).type, "tmpfs");
  EXPECT_EQ(holder.attributes.set & MOUNT_ATTR_RDONLY, 0U);
  const MountStep& memory = plan.mounts[3];
  EXPECT_EQ(memory.target, "/sys/fs/cgroup/memory");
  EXPECT_EQ(std::get<BindMount>(memory.what), (BindMount{"/sys/fs/cgroup/memory/box", false}));
  EXPECT_EQ(memory.attributes.set, uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID});
  const MountStep& seal = plan.mounts.back();
  EXPECT_EQ(seal.target, "/sys/fs/cgroup");
  EXPECT_EQ(std::get<Remount>(seal.what), Remount{});
  EXPECT_EQ(seal.attributes, (MountAttributes{MOUNT_ATTR_RDONLY, 0}));
  for (const MountStep& step : plan.mounts) EXPECT_EQ(step.origin, "/mounts/0");
}

TEST(CgroupMounts, OnV1WithoutReadOnlyAreNotSealed) {
  const Plan plan = plan_of(config_with_cgroup_mount({}), v1_host());
  EXPECT_EQ(plan.mounts.size(), 6U);
  EXPECT_FALSE(std::holds_alternative<Remount>(plan.mounts.back().what));
}

TEST(CgroupMounts, OnV1WithACgroupNamespaceAreMountedAnew) {
  spec::Config config = config_with_cgroup_mount({});
  config.linux_.namespaces.push_back({"cgroup", ""});
  const Plan plan = plan_of(config, v1_host());
  ASSERT_EQ(plan.mounts.size(), 6U);
  const NewFilesystem cpu{"cgroup", "cgroup", {{"cpu", std::nullopt}, {"cpuacct", std::nullopt}}};
  const NewFilesystem systemd{"cgroup", "cgroup", {{"none", std::nullopt}, {"name", "systemd"}}};
  EXPECT_EQ(plan.mounts[2].target, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(std::get<NewFilesystem>(plan.mounts[2].what), cpu);
  EXPECT_EQ(std::get<NewFilesystem>(plan.mounts[4].what), systemd);
  EXPECT_EQ(std::get<NewFilesystem>(plan.mounts[5].what).type, "cgroup2");
}

TEST(CgroupMounts, OnV1BindTheRuntimesOwnDirectoryWhereNoneIsSureToBeMade) {
  HostFacts host = v1_host();
  host.initial_user_namespace = false;
  spec::Config config = config_with_cgroup_mount({});
  config.linux_.cgroups_path.clear();
  const Plan plan = plan_of(config, host);
  EXPECT_EQ(std::get<BindMount>(plan.mounts.at(3).what).source, "/sys/fs/cgroup/memory/session");
  EXPECT_EQ(std::get<BindMount>(plan.mounts.at(1).what).source, "/sys/fs/cgroup/cpuset");
}

TEST(CgroupMounts, OnV1TakeNoOptionsOfAHierarchy) {
  EXPECT_TRUE(fails_at(try_plan(config_with_cgroup_mount({"xattr"}), v1_host()), "/mounts/0",
                       "mounts[0] /sys/fs/cgroup: option \"xattr\""));
}

}  // namespace
}  // namespace rt::plan::testing
