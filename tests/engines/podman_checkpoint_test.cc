// `podman container checkpoint` and `restore`.
#include "tests/engines/checkpoint.h"
#include "tests/engines/podman.h"

namespace rt::testing {
namespace {

class PodmanCheckpoint : public Podman {
 protected:
  void SetUp() override {
    const std::string obstacle = obstacle_to_criu();
    if (!obstacle.empty()) GTEST_SKIP() << obstacle;
    Podman::SetUp();
  }

  /// A container that has counted for a while.
  void start_counting() const {
    start_shell({}, kCount);
    ASSERT_TRUE(eventually([&] { return count() > 20; }));
  }
  [[nodiscard]] int64_t count() const { return to_count(exec_shell({}, kReadCount).out); }
  [[nodiscard]] bool goes_on() const {
    const int64_t before = count();
    return before > 20 && eventually([&] { return count() > before; });
  }
};

TEST_F(PodmanCheckpoint, LetsTheContainerGoOnWhereItWas) {
  start_counting();
  ASSERT_TRUE(succeeds(podman({"container", "checkpoint", name()})));
  EXPECT_TRUE(becomes("exited"));
  ASSERT_TRUE(succeeds(podman({"container", "restore", name()})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(goes_on());
  remove();
}

TEST_F(PodmanCheckpoint, LeavesItRunning) {
  start_counting();
  ASSERT_TRUE(succeeds(podman({"container", "checkpoint", "--leave-running", name()})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(goes_on());
  remove();
}

TEST_F(PodmanCheckpoint, MovesToAnotherStoreInAFile) {
  start_counting();
  const std::string archive = directory() + "/saved.tar.gz";
  ASSERT_TRUE(succeeds(podman({"container", "checkpoint", "--export", archive, name()})));
  remove();
  ASSERT_TRUE(succeeds(podman({"container", "restore", "--import", archive})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(goes_on());
  remove();
}

}  // namespace
}  // namespace rt::testing
