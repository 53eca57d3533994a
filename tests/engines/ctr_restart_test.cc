// What happens to containers when those that watch over them die: the shim, containerd.
#include <signal.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/containerd.h"

namespace rt::testing {
namespace {

class CtrRestart : public Containerd {
 protected:
  [[nodiscard]] bool ends() const {
    return eventually([&] { return status() == "STOPPED" || status().empty(); });
  }
  /// The parent of the container's init.
  [[nodiscard]] pid_t shim() const {
    const std::string stat = text_of(cat("/proc/", pid(), "/stat"));
    // "12 (sleep) S 7 ..."
    const std::vector<std::string_view> fields = split(stat, ' ');
    return fields.size() > 3 ? static_cast<pid_t>(parse_int(fields[3]).value_or(0)) : 0;
  }
};

TEST_F(CtrRestart, ContainerWhoseShimWasKilledIsCleanedUp) {
  start_shell({}, "sleep 1001 & sleep 1000");
  ASSERT_GT(shim(), 1);
  ASSERT_EQ(::kill(shim(), SIGKILL), 0);
  EXPECT_TRUE(ends());
  remove();
}

TEST_F(CtrRestart, PausedContainerWhoseShimWasKilledIsCleanedUp) {
  start_shell({}, "sleep 1001 & sleep 1000");
  EXPECT_TRUE(succeeds(task("pause")));
  ASSERT_GT(shim(), 1);
  ASSERT_EQ(::kill(shim(), SIGKILL), 0);
  EXPECT_TRUE(ends());
  remove();
}

TEST_F(CtrRestart, ContainerWhoseInitWasKilledFromOutsideIsStopped) {
  start();
  ASSERT_EQ(::kill(pid(), SIGKILL), 0);
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 137);
  remove();
}

/// Containers outlive it, however it ends.
class CtrRestartOfContainerd : public CtrRestart, public ::testing::WithParamInterface<int> {
 protected:
  static void restart() {
    stop_server(GetParam());
    start_server();
  }
};

TEST_P(CtrRestartOfContainerd, LeavesTheContainerRunning) {
  start();
  const pid_t before = pid();
  restart();
  EXPECT_EQ(status(), "RUNNING");
  EXPECT_EQ(pid(), before);
  EXPECT_EQ(exec({}, {"echo", "hi"}).out, "hi\n");
  EXPECT_TRUE(succeeds(task("pause")));
  EXPECT_TRUE(succeeds(task("resume")));
  EXPECT_TRUE(succeeds(task("kill", {"--signal", "KILL"})));
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 137);
  remove();
}

TEST_P(CtrRestartOfContainerd, LearnsOfTheContainersThatEndedMeanwhile) {
  start();
  const pid_t init = pid();
  stop_server(GetParam());
  EXPECT_EQ(::kill(init, SIGKILL), 0);
  start_server();
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 137);
  remove();
}

TEST_P(CtrRestartOfContainerd, CleansUpAfterAShimThatDiedMeanwhile) {
  start_shell({}, "sleep 1001 & sleep 1000");
  const pid_t watcher = shim();
  stop_server(GetParam());
  EXPECT_EQ(::kill(watcher, SIGKILL), 0);
  start_server();
  EXPECT_TRUE(ends());
  remove();
}

INSTANTIATE_TEST_SUITE_P(All, CtrRestartOfContainerd, ::testing::Values(SIGTERM, SIGKILL),
                         [](const auto& about) {
                           return std::string(about.param == SIGTERM ? "ByTerm" : "ByKill");
                         });

}  // namespace
}  // namespace rt::testing
