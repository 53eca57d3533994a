// Pods when those that watch over them die: the shim, containerd.
#include <signal.h>

#include "runtime/base/text.h"
#include "tests/engines/cri.h"

namespace rt::testing {
namespace {

class CriRestart : public Cri {
 protected:
  /// One shim watches over all of a pod.
  static pid_t shim(const std::string& pod) {
    const std::string stat = text_of(cat("/proc/", pause_pid(pod), "/stat"));
    const std::vector<std::string_view> fields = split(stat, ' ');  // "12 (sleep) S 7 ..."
    return fields.size() > 3 ? static_cast<pid_t>(parse_int(fields[3]).value_or(0)) : 0;
  }
  static bool is_lost(const std::string& pod) {
    return eventually([&] { return pod_status(pod).at("/status/state") == "SANDBOX_NOTREADY"; });
  }
  static void restart(int signal) {
    stop_server(signal);
    start_server();
    EXPECT_TRUE(eventually([] { return try_call("Status", "{}").error.empty(); }));
  }
};

TEST_F(CriRestart, PodWhoseShimWasKilledIsReplaced) {
  const std::string lost = run_pod();
  const std::string container = start(lost);
  ASSERT_GT(shim(lost), 1);
  ASSERT_EQ(::kill(shim(lost), SIGKILL), 0);
  EXPECT_TRUE(is_lost(lost));
  EXPECT_TRUE(exits(container));
  call("StopPodSandbox", cat("{\"pod_sandbox_id\": \"", lost, "\"}"));
  pod_.set("/metadata/attempt", "1");
  container_.set("/metadata/attempt", "1");
  EXPECT_EQ(exec(start(run_pod()), "echo hi").out, "hi\n");
}

TEST_F(CriRestart, PodWhosePauseWasKilledIsNotReady) {
  const std::string pod = run_pod();
  const std::string container = start(pod);
  ASSERT_EQ(::kill(pause_pid(pod), SIGKILL), 0);
  EXPECT_TRUE(is_lost(pod));
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_RUNNING");
}

class CriRestartOfContainerd : public CriRestart, public ::testing::WithParamInterface<int> {};

TEST_P(CriRestartOfContainerd, LeavesThePodRunning) {
  const std::string pod = run_pod();
  const std::string container =
      start(pod, "trap 'exit 9' TERM; echo ready; while :; do sleep .1; done");
  EXPECT_TRUE(says("ready"));
  const pid_t before = pid(container);
  restart(GetParam());
  EXPECT_EQ(pod_status(pod).at("/status/state"), "SANDBOX_READY");
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_RUNNING");
  EXPECT_EQ(pid(container), before);
  EXPECT_EQ(exec(container, "echo hi").out, "hi\n");
  stop(container, 60);
  EXPECT_EQ(status(container).at("/status/exit_code"), "9");
}

TEST_P(CriRestartOfContainerd, LearnsOfTheContainersThatEndedMeanwhile) {
  const std::string pod = run_pod();
  const std::string container = start(pod);
  const pid_t init = pid(container);
  stop_server(GetParam());
  EXPECT_EQ(::kill(init, SIGKILL), 0);
  start_server();
  EXPECT_TRUE(eventually([] { return try_call("Status", "{}").error.empty(); }));
  EXPECT_TRUE(exits(container));
  EXPECT_EQ(status(container).at("/status/exit_code"), "137");
}

INSTANTIATE_TEST_SUITE_P(All, CriRestartOfContainerd, ::testing::Values(SIGTERM, SIGKILL),
                         [](const auto& about) {
                           return std::string(about.param == SIGTERM ? "ByTerm" : "ByKill");
                         });

}  // namespace
}  // namespace rt::testing
