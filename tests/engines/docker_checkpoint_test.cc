// `docker checkpoint`, which is an experiment of Docker's.
#include "tests/engines/checkpoint.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

class DockerCheckpoint : public Docker {
 protected:
  DockerCheckpoint() : Docker({"--experimental"}) {}
  void SetUp() override {
    const std::string obstacle = obstacle_to_criu();
    if (!obstacle.empty()) GTEST_SKIP() << obstacle;
    Docker::SetUp();
  }

  [[nodiscard]] int64_t count() const { return to_count(said_inside(kReadCount)); }
};

TEST_F(DockerCheckpoint, LetsTheContainerGoOnWhereItWas) {
  start({}, {"sh", "-c", kCount});
  ASSERT_TRUE(eventually([&] { return count() > 20; }));
  ASSERT_TRUE(succeeds(docker({"checkpoint", "create", name(), "one"})));
  EXPECT_TRUE(is("exited"));
  ASSERT_TRUE(succeeds(docker({"start", "--checkpoint", "one", name()})));
  EXPECT_TRUE(is("running"));
  const int64_t before = count();
  EXPECT_GT(before, 20);
  EXPECT_TRUE(eventually([&] { return count() > before; }));
  remove();
}

TEST_F(DockerCheckpoint, LeavesItRunning) {
  start({}, {"sh", "-c", kCount});
  ASSERT_TRUE(eventually([&] { return count() > 0; }));
  ASSERT_TRUE(succeeds(docker({"checkpoint", "create", "--leave-running", name(), "one"})));
  EXPECT_TRUE(is("running"));
  const int64_t before = count();
  EXPECT_TRUE(eventually([&] { return count() > before; }));
  EXPECT_TRUE(succeeds(docker({"checkpoint", "rm", name(), "one"})));
  remove();
}

}  // namespace
}  // namespace rt::testing
