// Podman: the life of a container that runs in the background.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"

namespace rt::testing {
namespace {

using PodmanLife = Podman;

/// Ends with 5 on TERM, and says so.
constexpr const char* kListening =
    "trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.05; done";
/// Ignores TERM.
constexpr const char* kDeaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";

TEST_F(PodmanLife, BeginsInTheBackground) {
  start();
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.Running}}"), "running true");
  EXPECT_EQ(podman({"ps", "--format", "{{.Names}}"}).out, name() + "\n");
  EXPECT_EQ(::kill(pid(), 0), 0);
  remove();
}

TEST_F(PodmanLife, IsCreatedThenStarted) {
  ASSERT_TRUE(succeeds(podman({"create", "--name", name(), "--network=none", "bb", "echo", "hi"})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "created");
  EXPECT_TRUE(succeeds(podman({"start", name()})));
  EXPECT_EQ(podman({"wait", name()}).out, "0\n");
  EXPECT_EQ(logs(), "hi\n");
  remove();
}

TEST_F(PodmanLife, InitialisedThenStarted) {
  ASSERT_TRUE(succeeds(podman({"create", "--name", name(), "--network=none", "bb", "echo", "hi"})));
  EXPECT_TRUE(succeeds(podman({"init", name()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "initialized");
  EXPECT_EQ(logs(), "");
  EXPECT_EQ(podman({"start", "--attach", name()}).out, "hi\n");
  remove();
}

TEST_F(PodmanLife, CanBeRemovedBeforeItBegins) {
  ASSERT_TRUE(succeeds(podman({"create", "--name", name(), "--network=none", "bb", "true"})));
  EXPECT_TRUE(succeeds(podman({"init", name()})));
  remove();
}

TEST_F(PodmanLife, StopsOnTheFirstSignal) {
  start_shell({}, kListening);
  ASSERT_TRUE(says("up"));
  EXPECT_TRUE(succeeds(podman({"stop", name()})));
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
  EXPECT_EQ(logs(), "up\nterm\n");
  remove();
}

TEST_F(PodmanLife, IsKilledWhenItDoesNotStop) {
  start_shell({}, kDeaf);
  ASSERT_TRUE(says("up"));
  EXPECT_TRUE(succeeds(podman({"stop", "--time=0", name()})));
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "137");
  remove();
}

TEST_F(PodmanLife, StopsWithItsOwnSignal) {
  start_shell({"--stop-signal=USR1"}, "trap 'exit 6' USR1; echo up; while :; do sleep 0.05; done");
  ASSERT_TRUE(says("up"));
  EXPECT_TRUE(succeeds(podman({"stop", name()})));
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "6");
  remove();
}

TEST_F(PodmanLife, TakesASignalByItsName) {
  start_shell({},
              "trap 'echo usr1' USR1; trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done");
  ASSERT_TRUE(says("up"));
  EXPECT_TRUE(succeeds(podman({"kill", "--signal=USR1", name()})));
  EXPECT_TRUE(says("usr1"));
  EXPECT_TRUE(succeeds(podman({"kill", "--signal=15", name()})));
  EXPECT_EQ(podman({"wait", name()}).out, "3\n");
  remove();
}

TEST_F(PodmanLife, KillEndsWith137) {
  start();
  EXPECT_TRUE(succeeds(podman({"kill", name()})));
  EXPECT_EQ(podman({"wait", name()}).out, "137\n");
  EXPECT_NE(podman({"kill", name()}).exit_code, 0);
  remove();
}

TEST_F(PodmanLife, KillsAllOfAContainerWithoutPidsOfItsOwn) {
  start_shell({"--pid=host"}, "sleep 1000 & echo $! >/tmp/child; echo up; exec sleep 1000");
  ASSERT_TRUE(says("up"));
  const auto child = parse_int(stripped(exec({}, {"cat", "/tmp/child"}).out));
  ASSERT_TRUE(child.has_value());
  EXPECT_TRUE(succeeds(podman({"stop", "--time=0", name()})));
  EXPECT_TRUE(eventually([&] { return ::kill(static_cast<pid_t>(*child), 0) != 0; }));
  remove();
}

TEST_F(PodmanLife, StandsStillWhilePaused) { check_pausing(); }

TEST_F(PodmanLife, CanBeRemovedWhilePaused) {
  start();
  EXPECT_TRUE(succeeds(podman({"pause", name()})));
  remove();
}

TEST_F(PodmanLife, BeginsAgain) {
  start_shell({}, kListening);
  ASSERT_TRUE(says("up"));
  const pid_t first = pid();
  EXPECT_TRUE(succeeds(podman({"restart", "--time=5", name()})));
  EXPECT_NE(pid(), first);
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  EXPECT_TRUE(succeeds(podman({"kill", name()})));
  EXPECT_TRUE(becomes("exited"));
  EXPECT_TRUE(succeeds(podman({"start", name()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  remove();
}

TEST_F(PodmanLife, IsStartedAgainOnFailure) {
  const Outcome outcome =
      podman({"run", "--name", name(), "--network=none", "--restart=on-failure:2", "bb", "sh", "-c",
              "echo again; exit 3"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_TRUE(
      eventually([&] { return inspect("{{.RestartCount}} {{.State.Status}}") == "2 exited"; }));
  EXPECT_EQ(logs(), "again\nagain\nagain\n");
  remove();
}

TEST_F(PodmanLife, ShowsItsProcesses) {
  start();
  const Outcome outcome = podman({"top", name(), "pid", "comm"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.out.find("1           sleep"), std::string::npos) << outcome.out;
  remove();
}

TEST_F(PodmanLife, ShowsWhatItUses) { check_stats(); }

TEST_F(PodmanLife, FilesAreCopiedBothWays) {
  start();
  EXPECT_TRUE(succeeds(podman({"cp", file("here", "text\n"), name() + ":/tmp/there"})));
  EXPECT_EQ(exec({}, {"cat", "/tmp/there"}).out, "text\n");
  const std::string back = directory() + "/back";
  EXPECT_TRUE(succeeds(podman({"cp", name() + ":/tmp/there", back})));
  EXPECT_EQ(read(back), "text\n");
  remove();
}

TEST_F(PodmanLife, ItsHealthIsWhatTheCommandSays) {
  start({"--health-cmd=test -e /tmp/well", "--health-interval=disable"});
  EXPECT_EQ(podman({"healthcheck", "run", name()}).exit_code, 1);
  EXPECT_TRUE(succeeds(exec({}, {"touch", "/tmp/well"})));
  EXPECT_TRUE(succeeds(podman({"healthcheck", "run", name()})));
  EXPECT_EQ(inspect("{{.State.Health.Status}}"), "healthy");
  remove();
}

TEST_F(PodmanLife, FailsToStartAndCanBeRemoved) {
  ASSERT_TRUE(succeeds(podman({"create", "--name", name(), "--network=none", "bb", "nope"})));
  EXPECT_EQ(podman({"start", name()}).exit_code, 125);
  EXPECT_EQ(podman({"start", name()}).exit_code, 125);
  remove();
}

/// The one that watches over the container.
pid_t conmon_of(const std::string& pid_file) {
  const Result<std::string> text = sys::read_file(pid_file, 64);
  return text ? static_cast<pid_t>(parse_int(stripped(text.value())).value_or(0)) : 0;
}

/// Podman 4.3 forgets a container whose conmon was killed without a word to the runtime.
void delete_from_runtime(const std::string& id, const char* runtime) {
  Call call;
  call.args = {"delete", "--force", id};
  EXPECT_TRUE(succeeds(run_program(runtime, call)));
}

TEST_F(PodmanLife, EndsAfterItsConmonWasKilled) {
  const std::string pid_file = directory() + "/conmon.pid";
  start({"--conmon-pidfile=" + pid_file});
  const pid_t conmon = conmon_of(pid_file);
  ASSERT_GT(conmon, 1);
  const pid_t init = pid();
  const std::string id = inspect("{{.Id}}");
  ASSERT_EQ(::kill(conmon, SIGKILL), 0);
  EXPECT_TRUE(succeeds(podman({"stop", "--time=0", name()})));
  EXPECT_TRUE(eventually([&] { return ::kill(init, 0) != 0; }));
  remove();
  delete_from_runtime(id, kRuntime);
}

TEST_F(PodmanLife, IsSeenAsEndedAfterItsConmonWasKilledToo) {
  const std::string pid_file = directory() + "/conmon.pid";
  start({"--conmon-pidfile=" + pid_file});
  const pid_t conmon = conmon_of(pid_file);
  ASSERT_GT(conmon, 1);
  const pid_t init = pid();
  const std::string id = inspect("{{.Id}}");
  ASSERT_EQ(::kill(conmon, SIGKILL), 0);
  ASSERT_EQ(::kill(init, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return ::kill(init, 0) != 0; }));
  // The kill fails, and the runtime is asked why.
  const Outcome outcome = podman({"kill", name()});
  EXPECT_NE(outcome.err.find("container state improper"), std::string::npos) << outcome.err;
  remove();
  delete_from_runtime(id, kRuntime);
}

TEST_F(PodmanLife, PruneTakesWhatHasEnded) {
  start({}, {"true"});
  EXPECT_EQ(podman({"wait", name()}).out, "0\n");
  EXPECT_TRUE(becomes("exited"));
  EXPECT_TRUE(succeeds(podman({"container", "prune", "--force"})));
  EXPECT_EQ(podman({"ps", "--all", "--quiet"}).out, "");
}

TEST_F(PodmanLife, TwentyBeginAndEndAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back(cat(name(), "-", i));
    ASSERT_TRUE(succeeds(
        podman({"create", "--name", names.back(), "--network=none", "bb", "sleep", "1000"})));
  }
  std::vector<std::string> start = {"start"};
  start.insert(start.end(), names.begin(), names.end());
  EXPECT_TRUE(succeeds(podman(start)));
  EXPECT_TRUE(succeeds(podman({"kill", "--all"})));
  EXPECT_TRUE(succeeds(podman({"rm", "--all", "--force", "--time=0"})));
}

}  // namespace
}  // namespace rt::testing
