// run: a container in the foreground, as a program of its own.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Run : public Container {};

TEST_F(Run, PrintsWhatThePayloadPrintsAndReturnsItsExitCode) {
  const Outcome outcome = run_shell("echo hi; echo oops >&2; exit 7");
  EXPECT_EQ(outcome.out, "hi\n");
  EXPECT_EQ(outcome.err, "oops\n");
  EXPECT_EQ(outcome.exit_code, 7);
}

TEST_F(Run, HandsItsInputOn) {
  config_.args({"/bin/cat"});
  Call call;
  call.input = "a\nb\n";
  const Outcome outcome = run(call);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "a\nb\n");
}

TEST_F(Run, ReturnsTheSignalThatEndedThePayload) {
  // A shell that is not init of its pid namespace can be killed by its own signals.
  config_.without_namespace("pid");
  EXPECT_EQ(run_shell("kill -TERM $$").exit_code, 128 + SIGTERM);
  EXPECT_EQ(run_shell("kill -KILL $$").exit_code, 128 + SIGKILL);
}

TEST_F(Run, ForwardsSignals) {
  config_.shell(
      "trap 'echo got it; exit 3' USR1; touch /tmp/started; "
      "while :; do sleep 1000 & wait; done");
  write_config();
  Program program(runtime_binary(), call({"run", id(), bundle()}));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); })) << program.err();
  program.signal(SIGUSR1);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.out, "got it\n");
}

TEST_F(Run, IsSeenByTheOtherCommands) {
  config_.shell("touch /tmp/started; exec sleep 1000");
  write_config();
  Program program(runtime_binary(), call({"run", id(), bundle()}));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); })) << program.err();
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(fails_saying(start(), "cannot start an already running container"));
  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
}

TEST_F(Run, SurvivesThatItsContainerIsDeletedByForce) {
  config_.shell("touch /tmp/started; exec sleep 1000");
  write_config();
  Program program(runtime_binary(), call({"run", id(), bundle()}));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); })) << program.err();
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
}

TEST_F(Run, DetachedReturnsAtOnce) {
  config_.shell("touch /tmp/started; exec sleep 1000");
  write_config();
  const std::string pid_file = directory() + "/pid";
  ASSERT_TRUE(succeeds(runtime({"run", "--detach", "--pid-file", pid_file, "-b", bundle(), id()})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_EQ(read(pid_file), cat(pid()));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Run, KeepsTheContainerWhenAskedTo) {
  config_.args({"/bin/true"});
  write_config();
  ASSERT_TRUE(succeeds(runtime({"run", "--keep", id(), bundle()})));
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Run, KillsWhatOutlivesInitInASharedPidNamespace) {
  config_.without_namespace("pid");
  EXPECT_TRUE(succeeds(run_shell("sleep 1000 & exit 0")));
}

TEST_F(Run, ShortPayloadsAreNotMissed) {
  config_.args({"/bin/true"});
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(succeeds(run())) << i;
}

TEST_F(Run, WorksWithoutStandardStreams) {
  config_.shell("ls -l /proc/self/fd | wc -l; exit 5");
  for (int closed = 1; closed < 8; ++closed) {
    Call call;
    call.before_exec = [closed] {
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed & (1 << fd)) != 0) ::close(fd);
      }
    };
    EXPECT_EQ(run(call).exit_code, 5) << "closed: " << closed;
  }
}

TEST_F(Run, WorksFromADirectoryThatIsGone) {
  Call call;
  call.before_exec = [] {
    char gone[] = "/tmp/runtime-test-gone.XXXXXX";
    if (::mkdtemp(gone) == nullptr || ::chdir(gone) != 0 || ::rmdir(gone) != 0) ::_exit(9);
  };
  EXPECT_TRUE(succeeds(run(call)));
}

TEST_F(Run, WorksWhenTheCallerIgnoresItsChildren) {
  Call call;
  call.before_exec = [] { ::signal(SIGCHLD, SIG_IGN); };
  EXPECT_TRUE(succeeds(run(call)));
}

TEST_F(Run, WorksWithAnEmptyEnvironment) {
  Call call;
  call.env = {};
  EXPECT_TRUE(succeeds(run(call)));
}

}  // namespace
}  // namespace rt::testing
