#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

const char* const kLabel = "system_u:object_r:container_file_t:s0:c1,c2";

MountStep labelled(spec::Mount mount) {
  spec::Config config = small_config();
  config.linux_.mount_label = kLabel;
  config.mounts = {std::move(mount)};
  const Plan plan = plan_of(config);
  return plan.mounts.empty() ? MountStep{} : plan.mounts[0];
}

std::vector<FilesystemParameter> parameters(spec::Mount mount) {
  return std::get<NewFilesystem>(labelled(std::move(mount)).what).parameters;
}

TEST(MountLabel, IsTheContextOfNewFileSystems) {
  const std::vector<FilesystemParameter> expected = {{"size", "1m"}, {"context", kLabel}};
  for (const char* type : {"tmpfs", "devpts", "ext4", "overlay", "ramfs"}) {
    EXPECT_EQ(parameters({"/x", type, type, {"size=1m"}, {}, {}}), expected) << type;
  }
}

TEST(MountLabel, IsNotForFileSystemsThatThePolicyLabels) {
  for (const char* type : {"proc", "sysfs", "cgroup2"}) {
    const char* const target = std::string_view(type) == "proc" ? "/proc" : "/x";
    EXPECT_TRUE(parameters({target, type, type, {}, {}, {}}).empty()) << type;
  }
}

TEST(MountLabel, IsThatOfTheRootDirectoryWhereNoContextIsTaken) {
  const MountStep step = labelled({"/dev/mqueue", "mqueue", "mqueue", {}, {}, {}});
  EXPECT_EQ(step.root_label, kLabel);
  EXPECT_TRUE(std::get<NewFilesystem>(step.what).parameters.empty());
}

TEST(MountLabel, GivesWayToTheMountsOwn) {
  const std::vector<FilesystemParameter> own = {{"context", "other"}};
  EXPECT_EQ(parameters({"/x", "tmpfs", "", {"context=other"}, {}, {}}), own);
}

TEST(MountLabel, LeavesFilesOfTheHostAlone) {
  const MountStep step = labelled({"/x", "bind", "/src", {}, {}, {}});
  EXPECT_EQ(step.root_label, "");
  EXPECT_EQ(std::get<BindMount>(step.what), (BindMount{"/src", false}));
}

TEST(MountLabel, IsOnTheTmpfsThatHoldsTheHierarchiesToo) {
  spec::Config config = small_config();
  config.linux_.mount_label = kLabel;
  config.mounts = {{"/sys/fs/cgroup", "cgroup", "cgroup", {}, {}, {}}};
  const Plan plan = plan_of(config, v1_host());
  const auto& holder = std::get<NewFilesystem>(plan.mounts.front().what);
  EXPECT_EQ(holder.parameters.back(), (FilesystemParameter{"context", kLabel}));
}

TEST(MountLabel, IsNotThereUnlessAsked) {
  spec::Config config = small_config();
  config.mounts = {{"/x", "tmpfs", "", {}, {}, {}}, {"/m", "mqueue", "", {}, {}, {}}};
  const Plan plan = plan_of(config);
  EXPECT_TRUE(std::get<NewFilesystem>(plan.mounts[0].what).parameters.empty());
  EXPECT_EQ(plan.mounts[1].root_label, "");
}

}  // namespace
}  // namespace rt::plan::testing
