// docker run: what a user asks for reaches the container, and its exit code comes back.
#include <sys/stat.h>

#include "runtime/base/text.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

using DockerRun = Docker;

class DockerRunOption : public Docker, public ::testing::WithParamInterface<CommandRow> {};

TEST_P(DockerRunOption, IsHonoured) {
  const Outcome outcome = run(GetParam().options, GetParam().command);
  expect_as_in(GetParam(), outcome);
}

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }

INSTANTIATE_TEST_SUITE_P(
    Row, DockerRunOption,
    ::testing::Values(
        CommandRow{"Nothing", {}, {"echo", "hi"}, "hi\n"},
        CommandRow{"Arguments", {}, {"sh", "-c", "echo $#:$1:$2", "x", "a b", ""}, "2:a b:\n"},
        CommandRow{"Env", {"--env=GREETING=a b"}, shell("echo \"$GREETING\""), "a b\n"},
        CommandRow{"Workdir", {"--workdir=/tmp"}, {"pwd"}, "/tmp\n"},
        CommandRow{"WorkdirThatIsMissing", {"--workdir=/new/one"}, {"pwd"}, "/new/one\n"},
        CommandRow{
            "User", {"--user=1000:2000"}, shell("id -u; id -g; id -G"), "1000\n2000\n2000\n"},
        CommandRow{"GroupAdd", {"--user=1000", "--group-add=3000"}, shell("id -G"), "0 3000\n"},
        CommandRow{
            "Hostname", {"--hostname=box"}, shell("hostname; cat /etc/hostname"), "box\nbox\n"},
        CommandRow{"Domainname",
                   {"--domainname=example"},
                   {"cat", "/proc/sys/kernel/domainname"},
                   "example\n"},
        CommandRow{"Entrypoint", {"--entrypoint=echo"}, {"-n", "hi"}, "hi"},
        CommandRow{
            "Tty", {"--tty"}, shell("tty; stat -c %t /dev/console"), "/dev/pts/0\r\n88\r\n"}),
    kNameOfRow);

INSTANTIATE_TEST_SUITE_P(
    ExitCode, DockerRunOption,
    ::testing::Values(CommandRow{"Success", {}, {"true"}, "", 0},
                      CommandRow{"Failure", {}, {"false"}, "", 1},
                      CommandRow{"OfTheUser", {}, shell("exit 42"), "", 42},
                      CommandRow{"Highest", {}, shell("exit 255"), "", 255},
                      CommandRow{"Killed", {"--init"}, shell("kill -KILL $$"), "", 137},
                      CommandRow{"Segfault", {"--init"}, shell("kill -SEGV $$"), "", 139},
                      CommandRow{"Terminated", {"--init"}, shell("kill -TERM $$"), "", 143}),
    kNameOfRow);

TEST_F(DockerRun, TakesAUserByName) {
  ASSERT_TRUE(succeeds(docker({"create", "--name", name(), "--network=none", "--user=worker", "bb",
                               "sh", "-c", "id -u; id -g; echo $HOME"})));
  Call archive;
  archive.input = call_program("sh", {"-c",
                                      "mkdir -p /tmp/users && cd /tmp/users && "
                                      "echo worker:x:1234:77::/w:/bin/sh >passwd && tar c passwd"})
                      .out;
  ASSERT_TRUE(succeeds(docker({"cp", "-", name() + ":/etc"}, archive)));
  EXPECT_EQ(docker({"start", "--attach", name()}).out, "1234\n77\n/w\n");
  remove();
}

TEST_F(DockerRun, PassesItsInputOnToTheEnd) {
  Call call;
  call.input = "one\ntwo\n";
  const Outcome outcome =
      docker({"run", "--rm", "--interactive", "--network=none", "bb", "cat"}, call);
  EXPECT_EQ(outcome.out, "one\ntwo\n") << outcome.err;
}

TEST_F(DockerRun, PassesAMegabyteThrough) {
  Call call;
  call.input = std::string(size_t{1} << 20, 'x');
  const Outcome outcome =
      docker({"run", "--rm", "--interactive", "--network=none", "bb", "cat"}, call);
  EXPECT_TRUE(outcome.out == call.input) << outcome.out.size() << outcome.err;
}

TEST_F(DockerRun, ClosesAnInputThatIsEmpty) {
  EXPECT_EQ(run({"--interactive"}, shell("cat; echo end")).out, "end\n");
}

TEST_F(DockerRun, HasNoInputWithoutBeingAskedFor) {
  Call call;
  call.input = "unasked\n";
  EXPECT_EQ(docker({"run", "--rm", "--network=none", "bb", "cat"}, call).out, "");
}

TEST_F(DockerRun, KeepsOutputAndErrorsApart) {
  const Outcome outcome = run_shell({}, "echo out; echo err >&2");
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST_F(DockerRun, LogsKeepThemApartToo) {
  start({}, shell("echo out; echo err >&2; exec sleep 1000"));
  EXPECT_TRUE(eventually([&] {
    const Outcome logs = docker({"logs", name()});
    return logs.out == "out\n" && logs.err == "err\n";
  }));
  remove();
}

TEST_F(DockerRun, LogsCanBeFollowedToTheEnd) {
  start({"--interactive"}, shell("echo first; read -r line; echo last"));
  Program logs = begin({"logs", "--follow", name()});
  EXPECT_TRUE(eventually([&] { return logs.out() == "first\n"; }));
  Call call;
  call.input = "go on\n";
  EXPECT_TRUE(succeeds(docker({"attach", name()}, call)));
  EXPECT_EQ(logs.wait().out, "first\nlast\n");
  remove();
}

TEST_F(DockerRun, TheContainersUserMayReopenItsOutput) {
  const Outcome outcome =
      run_shell({"--user=1000"}, "echo out >/dev/stdout; echo err >/proc/self/fd/2");
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST_F(DockerRun, DetachedPrintsTheIdAndGoesOn) {
  const Outcome outcome =
      docker({"run", "--detach", "--name", name(), "--network=none", "bb", "sleep", "1000"});
  EXPECT_EQ(outcome.out.size(), 65U) << outcome.out;  // 64 digits and the line's end
  EXPECT_TRUE(is("running"));
  EXPECT_EQ(said_inside("cat /proc/1/comm"), "sleep\n");
  remove();
}

TEST_F(DockerRun, RmRemovesTheContainer) {
  EXPECT_TRUE(succeeds(run({"--name", name()}, {"true"})));
  EXPECT_EQ(docker({"ps", "--all", "--quiet", "--filter", "name=" + name()}).out, "");
}

TEST_F(DockerRun, RmRemovesADetachedContainerAtItsEnd) {
  start({"--rm"}, {"true"});
  EXPECT_TRUE(eventually([&] {
    return docker({"ps", "--all", "--quiet", "--filter", "name=" + name()}).out.empty();
  }));
}

TEST_F(DockerRun, InitReapsOrphans) {
  start({"--init"}, shell("(sleep 0.1 &); exec sleep 1000"));
  const auto processes = [&] {
    const Outcome top = docker({"top", name(), "-o", "pid,comm"});
    return split(stripped(top.out), '\n').size() - 1;
  };
  // docker-init and the payload: without it, the orphan would stay as a zombie.
  EXPECT_TRUE(eventually([&] { return processes() == 2; })) << processes();
  EXPECT_EQ(said_inside("cat /proc/1/comm"), "docker-init\n");
  remove();
}

TEST_F(DockerRun, InitPassesSignalsOn) {
  start({"--init"});
  EXPECT_TRUE(succeeds(docker({"kill", "--signal=TERM", name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "143\n");
  remove();
}

TEST_F(DockerRun, TheClientPassesSignalsOn) {
  Program client = begin({"run", "--name", name(), "--network=none", "bb", "sh", "-c",
                          "trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done"});
  EXPECT_TRUE(eventually([&] { return client.out() == "ready\n"; }));
  client.signal(SIGTERM);
  EXPECT_EQ(client.wait().exit_code, 9);
  remove();
}

TEST_F(DockerRun, ReadsNothingOfTheClientsEnvironment) {
  Call call;
  call.env.emplace_back("SECRET=of the host");
  const Outcome outcome = docker({"run", "--rm", "--network=none", "bb", "env"}, call);
  EXPECT_EQ(outcome.out.find("SECRET"), std::string::npos);
  EXPECT_NE(outcome.out.find("PATH="), std::string::npos);
}

}  // namespace
}  // namespace rt::testing
