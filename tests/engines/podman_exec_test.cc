// podman exec, and podman on a terminal.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"
#include "tests/engines/terminal.h"

namespace rt::testing {
namespace {

class PodmanExecOption : public Podman, public ::testing::WithParamInterface<ScriptRow> {};

TEST_P(PodmanExecOption, ReachesTheProcess) {
  const ScriptRow& row = GetParam();
  start({"--env=OF=container", "--group-add=77"});
  const Outcome outcome = exec_shell(row.options, row.script);
  expect_as_in(row, outcome);
  remove();
}

const ScriptRow kRows[] = {
    {"Output", {}, "echo hi", "hi\n"},
    {"ExitCode", {}, "exit 9", "", 9},
    {"OfASignal", {}, "kill -9 $$", "", 137},
    {"Env", {"--env=A=b"}, "echo $A $OF", "b container\n"},
    {"User", {"--user=33:44"}, "id -u; id -g", "33\n44\n"},
    {"Workdir", {"--workdir=/tmp"}, "pwd", "/tmp\n"},
    {"Privileged",
     {"--privileged"},
     "test $(grep CapEff /proc/self/status | cut -f2) != 00000000800405fb && echo more",
     "more\n"},
    {"NotPrivileged", {}, "grep CapEff /proc/self/status", "CapEff:\t00000000800405fb\n"},
    {"Namespaces",
     {},
     "for kind in cgroup ipc mnt net pid uts; do "
     "test $(readlink /proc/1/ns/$kind) = $(readlink /proc/self/ns/$kind) || echo $kind; done",
     ""},
    {"Cgroups",
     {},
     "cat /proc/1/cgroup >/tmp/1; cat /proc/self/cgroup >/tmp/2; test \"$(cat /tmp/1)\" = "
     "\"$(cat /tmp/2)\" && echo same",
     "same\n"},
    {"Seccomp", {}, "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"},
};

INSTANTIATE_TEST_SUITE_P(Exec, PodmanExecOption, ::testing::ValuesIn(kRows), kNameOfRow);

using PodmanExec = Podman;

TEST_F(PodmanExec, SaysWhatIsMissing) {
  start();
  const Outcome missing = exec({}, {"nope"});
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_NE(missing.err.find("nope"), std::string::npos) << missing.err;
  EXPECT_EQ(exec({}, {"/etc"}).exit_code, 126);
  EXPECT_EQ(exec({"--tty"}, {"nope"}).exit_code, 127);
  EXPECT_NE(exec({"--workdir=/nodir"}, {"true"}).exit_code, 0);
  remove();
}

TEST_F(PodmanExec, GoesOnInTheBackground) {
  start();
  EXPECT_TRUE(succeeds(exec({"--detach"}, {"sh", "-c", "echo x >/tmp/done; sleep 1000"})));
  EXPECT_TRUE(eventually([&] { return exec({}, {"cat", "/tmp/done"}).out == "x\n"; }));
  remove();
}

TEST_F(PodmanExec, EndsWithItsContainer) {
  start_shell({}, "until test -e /tmp/end; do sleep 0.05; done; exit 4");
  Call call;
  call.args = {"exec", name(), "sh", "-c", "touch /tmp/end; sleep 1000"};
  Program program(find_program("podman"), call);
  EXPECT_NE(program.wait(std::chrono::seconds(60)).exit_code, 0);
  EXPECT_EQ(podman({"wait", name()}).out, "4\n");
  remove();
}

TEST_F(PodmanExec, TakesInput) {
  start();
  Call call;
  call.input = "typed\n";
  EXPECT_EQ(podman({"exec", "--interactive", name(), "cat"}, std::move(call)).out, "typed\n");
  remove();
}

/// Gives the program /etc/hostname and /etc/passwd as descriptors 3 and 4.
Call with_two_files() {
  Call call;
  call.before_exec = [] {
    ::dup2(::open("/etc/hostname", O_RDONLY | O_CLOEXEC), 3);
    ::dup2(::open("/etc/passwd", O_RDONLY | O_CLOEXEC), 4);
  };
  return call;
}

TEST_F(PodmanExec, PassesDescriptorsOn) {
  start();
  const Outcome outcome =
      podman({"exec", "--preserve-fds=2", name(), "sh", "-c",
              "cat <&3; head -n 1 <&4; test -e /proc/self/fd/5 || echo no more"},
             with_two_files());
  EXPECT_EQ(outcome.out, read("/etc/hostname") + "root:x:0:0:root:/root:/bin/bash\nno more\n")
      << outcome.err;
  remove();
}

TEST_F(PodmanExec, SoDoesRun) {
  const Outcome outcome = podman({"run", "--rm", "--network=none", "--preserve-fds=2", "bb", "sh",
                                  "-c", "cat <&3; test -e /proc/self/fd/5 || echo no more"},
                                 with_two_files());
  EXPECT_EQ(outcome.out, read("/etc/hostname") + "no more\n") << outcome.err;
}

Call with_args(std::vector<std::string> args) {
  Call call;
  call.args = std::move(args);
  return call;
}

TEST_F(PodmanExec, HasATerminal) {
  start();
  Terminal terminal("podman", with_args({"exec", "-it", name(), "sh"}));
  ASSERT_TRUE(terminal.shows("#"));
  terminal.resize(33, 77);
  terminal.type("tty; echo $((6 * 7))\r");
  EXPECT_TRUE(terminal.shows("/dev/pts/"));
  EXPECT_TRUE(terminal.shows("\r\n42\r\n"));
  terminal.type("until test \"$(stty size)\" = '33 77'; do :; done; exit 5\r");
  EXPECT_EQ(terminal.wait().exit_code, 5);
  remove();
}

TEST_F(PodmanExec, RunHasATerminal) {
  Terminal terminal("podman", with_args({"run", "--rm", "-it", "--network=none", "bb", "sh"}));
  ASSERT_TRUE(terminal.shows("#"));
  terminal.resize(33, 77);
  terminal.type("tty; stat -c %t /dev/console; echo $((6 * 7))\r");
  EXPECT_TRUE(terminal.shows("/dev/pts/0\r\n88\r\n42\r\n"));
  terminal.type("until test \"$(stty size)\" = '33 77'; do :; done; exit 5\r");
  EXPECT_EQ(terminal.wait().exit_code, 5);
}

TEST_F(PodmanExec, ATerminalSendsItsSignals) {
  Terminal terminal("podman", with_args({"run", "--rm", "-it", "--network=none", "bb", "sh", "-c",
                                         "trap 'exit 6' INT; echo up; "
                                         "while :; do sleep 0.05; done"}));
  ASSERT_TRUE(terminal.shows("up"));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait().exit_code, 6);
}

TEST_F(PodmanExec, ATerminalCanBeLeftAndAttachedAgain) {
  Terminal first("podman", with_args({"run", "-it", "--detach-keys=ctrl-x", "--name", name(),
                                      "--network=none", "bb", "sh"}));
  ASSERT_TRUE(first.shows("#"));
  ASSERT_TRUE(first.becomes_raw());
  first.type("\x18");
  EXPECT_EQ(first.wait().exit_code, 0);
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  Terminal second("podman", with_args({"attach", name()}));
  second.type("\r");
  ASSERT_TRUE(second.shows("#"));
  second.type("exit 5\r");
  second.wait();
  EXPECT_TRUE(becomes("exited"));
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "5");
  remove();
}

TEST_F(PodmanExec, ATerminalBelongsToTheUser) {
  Terminal terminal("podman", with_args({"run", "--rm", "-it", "--network=none", "--user=33",
                                         "--uidmap=0:100000:1000", "bb", "sh"}));
  ASSERT_TRUE(terminal.shows("$"));
  terminal.type("stat -c %u $(tty); echo again >/dev/tty; exit 5\r");
  EXPECT_TRUE(terminal.shows("\r\n33\r\nagain\r\n"));
  EXPECT_EQ(terminal.wait().exit_code, 5);
}

TEST_F(PodmanExec, SignalsOfTheCallerReachTheContainer) {
  Call call = with_args({"run", "--name", name(), "--network=none", "bb", "sh", "-c",
                         "trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done"});
  Program program(find_program("podman"), call);
  ASSERT_TRUE(eventually([&] { return program.out() == "up\n"; }, std::chrono::seconds(30)));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(std::chrono::seconds(60)).exit_code, 6);
  remove();
}

}  // namespace
}  // namespace rt::testing
