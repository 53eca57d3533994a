// docker stop, kill, pause and restart: signals that reach the payload, and those that it does not
// heed.
#include <signal.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

/// Does nothing but wait for signals.
constexpr const char* kLoop = "echo ready; while :; do sleep 0.01; done";

class DockerKill : public Docker {
 protected:
  /// A container whose shell runs `script` and then kLoop; waits until it has come there.
  void start_shell(const std::string& script, const std::vector<std::string>& options = {}) const {
    start(options, {"sh", "-c", script + kLoop});
    ASSERT_TRUE(eventually([&] { return docker({"logs", name()}).out == "ready\n"; }));
  }
  [[nodiscard]] std::string exit_code() const { return inspect("{{.State.ExitCode}}"); }
};

struct Signal {
  const char* name;
  const char* given;    // to docker kill
  const char* trapped;  // by the shell
};

class DockerKillSignal : public DockerKill, public ::testing::WithParamInterface<Signal> {};

TEST_P(DockerKillSignal, ReachesThePayload) {
  start_shell(cat("trap 'exit 77' ", GetParam().trapped, "; "));
  EXPECT_TRUE(succeeds(docker({"kill", "--signal", GetParam().given, name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "77\n");
  remove();
}

INSTANTIATE_TEST_SUITE_P(Row, DockerKillSignal,
                         ::testing::Values(Signal{"Hup", "HUP", "HUP"},
                                           Signal{"WithSig", "SIGUSR1", "USR1"},
                                           Signal{"Number", "12", "USR2"},
                                           Signal{"RealTime", "RTMIN+3", "37"},
                                           Signal{"Quit", "QUIT", "QUIT"}),
                         [](const auto& info) { return info.param.name; });

TEST_F(DockerKill, KillsByDefault) {
  start_shell("trap 'echo no' TERM HUP INT; ");
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "137\n");
  EXPECT_TRUE(is("exited"));
  remove();
}

TEST_F(DockerKill, KillsTheChildrenToo) {
  start_shell("sleep 998 & ");
  const pid_t init = pid();
  const std::string children = cat("/proc/", init, "/task/", init, "/children");
  EXPECT_TRUE(eventually([&] {
    const Result<std::string> text = sys::read_file(children, 4096);
    return text && !text.value().empty();
  }));
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  remove();  // TearDown looks for processes
}

TEST_F(DockerKill, EndsAPausedContainer) {
  start();
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "137\n");
  remove();
}

TEST_F(DockerKill, OfAStoppedContainerSaysSo) {
  start({}, {"true"});
  ASSERT_TRUE(becomes("{{.State.Status}}", "exited"));
  const Outcome outcome = docker({"kill", name()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("is not running"), std::string::npos) << outcome.err;
  remove();
}

class DockerStop : public DockerKill {};

TEST_F(DockerStop, LetsThePayloadEndItself) {
  start_shell("trap 'exit 7' TERM; ");
  EXPECT_TRUE(succeeds(docker({"stop", name()})));
  EXPECT_EQ(exit_code(), "7");
  remove();
}

TEST_F(DockerStop, KillsAPayloadThatDoesNotHeedIt) {
  start_shell("trap '' TERM; ");
  EXPECT_TRUE(succeeds(docker({"stop", "--time=1", name()})));
  EXPECT_EQ(exit_code(), "137");
  remove();
}

TEST_F(DockerStop, SendsTheSignalThatTheContainerNames) {
  start_shell("trap 'exit 8' USR1; trap '' TERM; ", {"--stop-signal=USR1"});
  EXPECT_TRUE(succeeds(docker({"stop", name()})));
  EXPECT_EQ(exit_code(), "8");
  remove();
}

TEST_F(DockerStop, EndsAPausedContainer) {
  start();
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(docker({"stop", "--time=1", name()})));
  EXPECT_TRUE(is("exited"));
  remove();
}

TEST_F(DockerStop, OfAStoppedContainerChangesNothing) {
  start({}, {"sh", "-c", "exit 9"});
  ASSERT_TRUE(becomes("{{.State.Status}}", "exited"));
  EXPECT_TRUE(succeeds(docker({"stop", name()})));
  EXPECT_EQ(exit_code(), "9");
  remove();
}

TEST_F(DockerStop, RemovalByForceEndsWhatRuns) {
  start();
  EXPECT_NE(docker({"rm", name()}).exit_code, 0);
  EXPECT_TRUE(is("running"));
  EXPECT_TRUE(succeeds(docker({"rm", "--force", name()})));
  EXPECT_NE(docker({"inspect", name()}).exit_code, 0);
}

class DockerPause : public DockerKill {
 protected:
  /// What the kernel's freezer says of the container's cgroup.
  [[nodiscard]] std::string freezer() const {
    const std::optional<Hierarchy> v1 = hierarchy_with("freezer");
    for (const Hierarchy& one : hierarchies()) {
      const bool mine = v1 && !v1->unified ? one.mount == v1->mount : one.unified;
      if (!mine) continue;
      const char* file = one.unified ? "/cgroup.freeze" : "/freezer.state";
      const Result<std::string> text = sys::read_file(cgroup_of(pid(), one) + file, 4096);
      return text ? stripped(text.value()) : text.error().message();
    }
    return "no freezer";
  }
  [[nodiscard]] bool is_frozen() const {
    const std::string state = freezer();
    return state == "FROZEN" || state == "1";
  }
};

TEST_F(DockerPause, FreezesTheProcesses) {
  start();
  EXPECT_FALSE(is_frozen()) << freezer();
  EXPECT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(is_frozen()) << freezer();
  EXPECT_TRUE(is("paused"));
  EXPECT_TRUE(succeeds(docker({"unpause", name()})));
  EXPECT_FALSE(is_frozen()) << freezer();
  EXPECT_TRUE(is("running"));
  remove();
}

/// Docker sends the signal first, and then lets the container go on.
TEST_F(DockerPause, KeepsASignalUntilThePayloadGoesOn) {
  start_shell("trap 'exit 6' HUP; ");
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(docker({"kill", "--signal=HUP", name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "6\n");
  remove();
}

TEST_F(DockerPause, OfAPausedContainerSaysSo) {
  start();
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  const Outcome outcome = docker({"pause", name()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("already paused"), std::string::npos) << outcome.err;
  remove();
}

class DockerRestart : public DockerKill {};

TEST_F(DockerRestart, MakesANewProcessAndKeepsTheFiles) {
  start();
  const pid_t first = pid();
  EXPECT_EQ(said_inside("touch /kept && echo made"), "made\n");
  EXPECT_TRUE(succeeds(docker({"restart", "--time=0", name()})));
  EXPECT_TRUE(is("running"));
  EXPECT_NE(pid(), first);
  EXPECT_EQ(said_inside("ls /kept"), "/kept\n");
  remove();
}

TEST_F(DockerRestart, AStoppedContainerCanBeStartedAgainAndAgain) {
  start({}, {"sh", "-c", "echo x >>/count; exit 5"});
  ASSERT_TRUE(becomes("{{.State.Status}}", "exited"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(docker({"start", "--attach", name()}).exit_code, 5);
  const Outcome count = docker({"cp", name() + ":/count", "-"});
  EXPECT_NE(count.out.find("x\nx\nx\nx\n"), std::string::npos);
  remove();
}

TEST_F(DockerRestart, OnFailureCountsTheTimes) {
  start({"--restart=on-failure:2"}, {"sh", "-c", "exit 3"});
  EXPECT_TRUE(becomes("{{.RestartCount}} {{.State.Status}}", "2 exited"));
  EXPECT_EQ(exit_code(), "3");
  remove();
}

TEST_F(DockerRestart, OnFailureLeavesASuccessAlone) {
  start({"--restart=on-failure:2"}, {"true"});
  EXPECT_TRUE(becomes("{{.State.Status}}", "exited"));
  EXPECT_EQ(inspect("{{.RestartCount}}"), "0");
  remove();
}

TEST_F(DockerRestart, AlwaysBringsAKilledPayloadBack) {
  start({"--restart=always"});
  const pid_t first = pid();
  ASSERT_GT(first, 0);                   // 0 would be our own process group
  ASSERT_EQ(::kill(first, SIGKILL), 0);  // not by Docker: that would count as the user's wish
  EXPECT_TRUE(eventually([&] { return pid() != first && is("running"); }));
  remove();
}

TEST_F(DockerRestart, UpdateChangesThePolicyOfWhatRuns) {
  start();
  const pid_t first = pid();
  EXPECT_TRUE(succeeds(docker({"update", "--restart=on-failure:1", name()})));
  EXPECT_EQ(inspect("{{.HostConfig.RestartPolicy.Name}}"), "on-failure");
  EXPECT_EQ(pid(), first);
  ASSERT_GT(first, 0);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return inspect("{{.RestartCount}}") == "1" && is("running"); }));
  remove();
}

}  // namespace
}  // namespace rt::testing
