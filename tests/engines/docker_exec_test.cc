// docker exec: one more process in a container, confined as the container is.
#include <list>

#include "runtime/base/text.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }

/// The runtime fails; Docker 20.10 calls every such failure 126, newer ones tell 127 apart.
::testing::AssertionResult cannot_execute(const Outcome& outcome) {
  if (outcome.exit_code == 126 || outcome.exit_code == 127) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit code " << outcome.exit_code << ", " << outcome.err;
}

using DockerExec = Docker;

class DockerExecOption : public Docker, public ::testing::WithParamInterface<CommandRow> {};

TEST_P(DockerExecOption, IsHonoured) {
  start({"--user=7:8", "--env=A=container", "--workdir=/etc", "--hostname=box"});
  const Outcome outcome = exec(GetParam().command, GetParam().options);
  expect_as_in(GetParam(), outcome);
  remove();
}

INSTANTIATE_TEST_SUITE_P(
    Row, DockerExecOption,
    ::testing::Values(
        CommandRow{"Nothing",
                   {},
                   shell("id -u; id -g; echo $A; pwd; hostname"),
                   "7\n8\ncontainer\n/etc\nbox\n"},
        CommandRow{"User", {"--user=1000:2000"}, shell("id -u; id -g"), "1000\n2000\n"},
        CommandRow{"Root", {"--user=0"}, shell("id -u; touch /made && echo made"), "0\nmade\n"},
        CommandRow{
            "Env", {"--env=A=exec", "--env=B=b c"}, shell("echo $A; echo $B"), "exec\nb c\n"},
        CommandRow{"Workdir", {"--workdir=/tmp"}, {"pwd"}, "/tmp\n"},
        CommandRow{"Tty", {"--tty"}, {"tty"}, "/dev/pts/0\r\n"},
        CommandRow{"ExitCode", {}, shell("exit 42"), "", 42},
        CommandRow{"Killed", {}, shell("kill -KILL $$"), "", 137},
        CommandRow{"Segfault", {}, shell("kill -SEGV $$"), "", 139}),
    kNameOfRow);

TEST_F(DockerExec, SharesTheContainersNamespacesAndCgroups) {
  start();
  const std::string script =
      "for ns in cgroup ipc mnt net pid uts; do "
      "test $(readlink /proc/self/ns/$ns) = $(readlink /proc/1/ns/$ns) || echo $ns; done; "
      "busybox cmp /proc/self/cgroup /proc/1/cgroup && echo same";
  EXPECT_EQ(said_inside(script), "same\n");
  remove();
}

TEST_F(DockerExec, HasTheContainersCapabilitiesAndFilter) {
  start({"--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE"});
  const std::string of_init = said_inside("grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/1/status");
  EXPECT_EQ(said_inside("grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/self/status"), of_init);
  EXPECT_NE(of_init.find("CapEff:\t0000000000000400\n"), std::string::npos) << of_init;
  EXPECT_NE(of_init.find("Seccomp:\t2\n"), std::string::npos) << of_init;
  remove();
}

TEST_F(DockerExec, PrivilegedMayDoWhatTheContainerMayNot) {
  start();
  const std::vector<std::string> command = {"ip", "link", "set", "lo", "down"};
  EXPECT_NE(exec(command).exit_code, 0);
  EXPECT_TRUE(succeeds(exec(command, {"--privileged"})));
  remove();
}

TEST_F(DockerExec, PassesItsInputOnToTheEnd) {
  start();
  Call call;
  call.input = std::string(size_t{1} << 20, 'x');
  const Outcome outcome = exec({"cat"}, {"--interactive"}, call);
  EXPECT_TRUE(outcome.out == call.input) << outcome.out.size() << outcome.err;
  remove();
}

TEST_F(DockerExec, KeepsOutputAndErrorsApart) {
  start();
  const Outcome outcome = exec(shell("echo out; echo err >&2"));
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  remove();
}

TEST_F(DockerExec, DetachedGoesOnAlone) {
  start({"--user=1000"});
  const Outcome outcome = exec(shell("echo made >/tmp/made"), {"--detach"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(eventually([&] { return exec({"cat", "/tmp/made"}).out == "made\n"; }));
  remove();
}

TEST_F(DockerExec, EndsWithTheContainer) {
  start({"--init"});
  Program client = begin({"exec", name(), "sh", "-c", "echo ready; exec sleep 1000"});
  EXPECT_TRUE(eventually([&] { return client.out() == "ready\n"; }));
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  EXPECT_EQ(client.wait().exit_code, 137);
  remove();
}

TEST_F(DockerExec, MayLeaveAProcessBehind) {
  start();
  EXPECT_TRUE(succeeds(exec(shell("sleep 999 >/dev/null 2>&1 &"))));
  EXPECT_NE(docker({"top", name(), "-o", "pid,args"}).out.find("sleep 999"), std::string::npos);
  remove();
}

TEST_F(DockerExec, OfACommandThatIsMissingSaysSo) {
  start();
  const Outcome no_name = exec({"nope"});
  EXPECT_TRUE(cannot_execute(no_name));
  EXPECT_NE(cat(no_name.out, no_name.err).find("executable file not found in $PATH"),
            std::string::npos)
      << no_name.err;
  const Outcome no_file = exec({"/nope"});
  EXPECT_TRUE(cannot_execute(no_file));
  EXPECT_NE(cat(no_file.out, no_file.err).find("stat /nope: no such file or directory"),
            std::string::npos)
      << no_file.err;
  EXPECT_TRUE(cannot_execute(exec({"/etc"})));
  remove();
}

TEST_F(DockerExec, OfAWorkdirThatIsMissingSaysSo) {
  start();
  const Outcome outcome = exec({"true"}, {"--workdir=/gone"});
  EXPECT_TRUE(cannot_execute(outcome));
  EXPECT_NE(cat(outcome.out, outcome.err).find("no such file or directory"), std::string::npos)
      << outcome.err;
  remove();
}

TEST_F(DockerExec, IsRefusedWhereNothingRuns) {
  start({}, {"true"});
  EXPECT_TRUE(becomes("{{.State.Status}}", "exited"));
  const Outcome outcome = exec({"true"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("is not running"), std::string::npos) << outcome.err;
  remove();
}

TEST_F(DockerExec, IsRefusedWhileTheContainerIsPaused) {
  start();
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  const Outcome outcome = exec({"true"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("is paused"), std::string::npos) << outcome.err;
  ASSERT_TRUE(succeeds(docker({"unpause", name()})));
  EXPECT_TRUE(succeeds(exec({"true"})));
  remove();
}

TEST_F(DockerExec, TwentyAtOnceAllAnswer) {
  start();
  std::list<Program> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(begin({"exec", name(), "sh", "-c", cat("echo ", i, "; exit ", i)}));
  }
  int number = 0;
  for (Program& client : clients) {
    const Outcome outcome = client.wait(std::chrono::minutes(2));
    EXPECT_EQ(outcome.out, cat(number, '\n')) << outcome.err;
    EXPECT_EQ(outcome.exit_code, number);
    ++number;
  }
  EXPECT_EQ(split(stripped(docker({"top", name()}).out), '\n').size(), 2U);
  remove();
}

}  // namespace
}  // namespace rt::testing
