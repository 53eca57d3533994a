// docker run -it and what a person at a terminal does with it.
#include <signal.h>

#include "runtime/base/text.h"
#include "tests/engines/docker.h"
#include "tests/engines/terminal.h"

namespace rt::testing {
namespace {

constexpr const char* kCtrlC = "\x03";
constexpr const char* kCtrlD = "\x04";
constexpr const char* kDetach = "\x10\x11";  // ctrl-p ctrl-q

/// A script that waits until its terminal has this size. (The client tells it after the start.)
std::string wait_for_size(const char* size) {
  return cat("until test \"$(busybox stty size)\" = '", size, "'; do sleep 0.01; done; ");
}

class DockerTerminal : public Docker {
 protected:
  /// `docker run --interactive --tty --name name() OPTIONS... bb sh -c SCRIPT`
  [[nodiscard]] Terminal run_on_terminal(const std::string& script,
                                         const std::vector<std::string>& options = {}) const {
    Call call;
    call.args = {"run", "--interactive", "--tty", "--name", name(), "--network=none"};
    call.args.insert(call.args.end(), options.begin(), options.end());
    call.args.insert(call.args.end(), {"bb", "sh", "-c", script});
    return {"docker", call};
  }

  /// `docker ARGS...` on a terminal.
  [[nodiscard]] static Terminal on_terminal(const std::vector<std::string>& args) {
    Call call;
    call.args = args;
    return {"docker", call};
  }
};

TEST_F(DockerTerminal, IsOneForThePayload) {
  Terminal client = run_on_terminal("tty; for fd in 0 1 2; do test -t $fd && echo $fd; done");
  EXPECT_TRUE(client.shows("/dev/pts/0\r\n0\r\n1\r\n2\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  remove();
}

TEST_F(DockerTerminal, IsTheControllingTerminalOfThePayload) {
  Terminal client = run_on_terminal("echo seen >/dev/tty; exit 3");
  EXPECT_TRUE(client.shows("seen\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 3);
  remove();
}

TEST_F(DockerTerminal, BelongsToTheContainersUser) {
  Terminal client =
      run_on_terminal("stat -c %u /dev/pts/0; echo seen >/dev/console", {"--user=1000"});
  EXPECT_TRUE(client.shows("1000\r\nseen\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  remove();
}

TEST_F(DockerTerminal, HasTheClientsSizeAndFollowsIt) {
  Terminal client = run_on_terminal(
      cat(wait_for_size("33 77"), "echo first; ", wait_for_size("50 132"), "echo second"));
  client.resize(33, 77);
  EXPECT_TRUE(client.shows("first\r\n")) << client.shown();
  client.resize(50, 132);
  EXPECT_TRUE(client.shows("second\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  remove();
}

TEST_F(DockerTerminal, TellsThePayloadOfANewSize) {
  Terminal client = run_on_terminal(cat("trap 'busybox stty size' WINCH; ", wait_for_size("24 80"),
                                        "echo ready; while :; do sleep 0.01; done"));
  client.resize(24, 80);
  EXPECT_TRUE(client.shows("ready\r\n")) << client.shown();
  client.resize(10, 20);
  EXPECT_TRUE(client.shows("10 20\r\n")) << client.shown();
  remove();
  EXPECT_EQ(client.wait().exit_code, 137);
}

TEST_F(DockerTerminal, CtrlCInterruptsThePayload) {
  Terminal client =
      run_on_terminal("trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.01; done");
  EXPECT_TRUE(client.shows("ready\r\n")) << client.shown();
  client.type(kCtrlC);
  EXPECT_TRUE(client.shows("caught\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 5);
  remove();
}

TEST_F(DockerTerminal, TakesLinesAndTheirEnd) {
  Terminal client = run_on_terminal("echo ready; cat; echo end");
  EXPECT_TRUE(client.shows("ready\r\n"));
  client.type("typed\r");
  EXPECT_TRUE(client.shows("typed\r\ntyped\r\n")) << client.shown();  // echo, then cat
  client.type(kCtrlD);
  EXPECT_TRUE(client.shows("end\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  remove();
}

TEST_F(DockerTerminal, ShowsAllThatIsWrittenBeforeTheEnd) {
  Terminal client = run_on_terminal("busybox seq 1 5000");
  EXPECT_TRUE(client.shows("\n4999\r\n5000\r\n"));
  EXPECT_EQ(client.wait().out.size(), 28893U);  // 23893 and a \r for each line
  remove();
}

TEST_F(DockerTerminal, CanBeLeftAndReturnedTo) {
  Terminal client = run_on_terminal("echo ready; read -r line; echo got $line; exit 6");
  EXPECT_TRUE(client.shows("ready\r\n"));
  client.type(kDetach);
  EXPECT_EQ(client.wait().exit_code, 0);
  EXPECT_TRUE(is("running"));
  Terminal again = on_terminal({"attach", name()});
  again.type("it\r");
  EXPECT_TRUE(again.shows("got it\r\n")) << again.shown();
  EXPECT_EQ(again.wait().exit_code, 6);
  remove();
}

TEST_F(DockerTerminal, HasTheDetachKeysThatTheUserChose) {
  Terminal client = run_on_terminal("echo ready; exec sleep 1000", {"--detach-keys=ctrl-x,x"});
  EXPECT_TRUE(client.shows("ready\r\n"));
  client.type("\x18x");
  EXPECT_EQ(client.wait().exit_code, 0);
  EXPECT_TRUE(is("running"));
  remove();
}

TEST_F(DockerTerminal, IsKeptWhenTheContainerRunsDetached) {
  start({"--interactive", "--tty"}, {"sh", "-c", "tty; read -r line; echo got $line"});
  Terminal client = on_terminal({"attach", name()});
  client.type("it\r");
  EXPECT_TRUE(client.shows("got it\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  EXPECT_TRUE(docker({"logs", name()}).out.starts_with("/dev/pts/0\r\n"));
  remove();
}

TEST_F(DockerTerminal, OfAnExecIsAnotherOne) {
  start({"--interactive", "--tty"});
  Terminal client = on_terminal({"exec", "--interactive", "--tty", name(), "sh", "-c",
                                 cat(wait_for_size("33 77"), "tty; echo seen >/dev/tty; exit 4")});
  client.resize(33, 77);
  EXPECT_TRUE(client.shows("/dev/pts/1\r\nseen\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 4);
  remove();
}

TEST_F(DockerTerminal, OfAnExecBelongsToTheExecsUser) {
  start();
  Terminal client = on_terminal({"exec", "--interactive", "--tty", "--user=1000", name(), "sh",
                                 "-c", "stat -c %u $(tty); echo seen >/dev/tty"});
  EXPECT_TRUE(client.shows("1000\r\nseen\r\n")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 0);
  remove();
}

TEST_F(DockerTerminal, OfAnExecInterruptsWhatRunsThere) {
  start();
  Terminal client = on_terminal(
      {"exec", "--interactive", "--tty", name(), "sh", "-c", "echo ready; exec sleep 1000"});
  EXPECT_TRUE(client.shows("ready\r\n"));
  client.type(kCtrlC);
  EXPECT_EQ(client.wait().exit_code, 128 + SIGINT);
  EXPECT_TRUE(is("running"));
  remove();
}

TEST_F(DockerTerminal, OfAnExecShowsWhyThereIsNone) {
  start();
  Terminal client = on_terminal({"exec", "--interactive", "--tty", name(), "/nope"});
  EXPECT_TRUE(client.shows("/nope: no such file or directory")) << client.shown();
  const int code = client.wait().exit_code;
  EXPECT_TRUE(code == 126 || code == 127) << code;  // newer daemons tell the two apart
  remove();
}

TEST_F(DockerTerminal, OfAPayloadThatCannotBeStartedShowsWhy) {
  Terminal client = on_terminal(
      {"run", "--interactive", "--tty", "--name", name(), "--network=none", "bb", "/nope"});
  EXPECT_TRUE(client.shows("/nope: no such file or directory")) << client.shown();
  EXPECT_EQ(client.wait().exit_code, 127);
  remove();
}

}  // namespace
}  // namespace rt::testing
