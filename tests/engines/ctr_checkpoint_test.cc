// Checkpoints of containerd, by ctr.
#include <filesystem>

#include "tests/engines/checkpoint.h"
#include "tests/engines/containerd.h"

namespace rt::testing {
namespace {

class CtrCheckpoint : public Containerd {
 protected:
  void SetUp() override {
    const std::string obstacle = obstacle_to_criu();
    if (!obstacle.empty()) GTEST_SKIP() << obstacle;
    Containerd::SetUp();
  }

  [[nodiscard]] int64_t count() const {
    return to_count(exec({"--exec-id", "count"}, {"sh", "-c", kReadCount}).out);
  }
};

TEST_F(CtrCheckpoint, LeavesATaskRunning) {
  start_shell({}, kCount);
  ASSERT_TRUE(eventually([&] { return count() > 0; }));
  const std::string images = "/tmp/" + name() + "-saved";
  std::filesystem::create_directory(images);
  std::filesystem::permissions(images, std::filesystem::perms::owner_all);
  EXPECT_TRUE(succeeds(task("checkpoint", {"--image-path", images})));
  EXPECT_TRUE(std::filesystem::exists(images + "/pstree.img"));
  EXPECT_EQ(status(), "RUNNING");
  const int64_t before = count();
  EXPECT_TRUE(eventually([&] { return count() > before; }));
  remove();
}

TEST_F(CtrCheckpoint, LetsAContainerGoOnWhereItWas) {
  const std::string saved = "docker.io/library/" + name() + ":saved";
  start_shell({}, kCount);
  ASSERT_TRUE(eventually([&] { return count() > 20; }));
  ASSERT_TRUE(succeeds(ctr({"container", "checkpoint", "--rw", "--task", name(), saved})));
  remove();
  ASSERT_TRUE(succeeds(ctr({"container", "restore", "--rw", "--live", name(), saved})));
  EXPECT_EQ(status(), "RUNNING");
  EXPECT_GT(count(), 20);
  remove();
  EXPECT_TRUE(succeeds(ctr({"image", "rm", saved})));
}

}  // namespace
}  // namespace rt::testing
