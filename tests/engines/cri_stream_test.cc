// kubectl exec and kubectl attach: the streams of a process through the plugin's own server.
#include "runtime/base/text.h"
#include "tests/engines/cri.h"

namespace rt::testing {
namespace {

class CriStream : public Cri {
 protected:
  /// What comes out of the process at the URL that Exec or Attach gives.
  static Json stream(const std::string& method, const std::string& request,
                     const std::string& input = "") {
    const std::string url = call(method, request).at("/url");
    return call("Stream",
                cat("{\"url\": ", json_string(url), ", \"input\": ", json_string(input), '}'));
  }
  static std::string wanted(const std::string& container, const std::string& script, bool tty) {
    return cat("{\"container_id\": \"", container, R"(", "cmd": ["sh", "-c", )",
               json_string(script), "], \"stdin\": true, \"stdout\": true, ",
               tty ? "\"tty\": true}" : "\"stderr\": true}");
  }
};

TEST_F(CriStream, ExecTakesInputAndGivesBothOutputs) {
  const std::string container = start(run_pod());
  const Json said = stream(
      "Exec", wanted(container, "read line; echo got $line; echo err >&2", false), "something\n");
  EXPECT_EQ(said.at("/stdout"), "got something\n");
  EXPECT_EQ(said.at("/stderr"), "err\n");
  EXPECT_EQ(said.at("/status/status"), "Success") << said.text();
}

TEST_F(CriStream, ExecTellsTheExitCode) {
  const std::string container = start(run_pod());
  const Json said = stream("Exec", wanted(container, "exit 7", false));
  EXPECT_EQ(said.at("/status/status"), "Failure");
  EXPECT_EQ(said.at("/status/reason"), "NonZeroExitCode");
  EXPECT_EQ(said.at("/status/details/causes/0/message"), "7") << said.text();
}

TEST_F(CriStream, ExecHasATerminal) {
  const std::string container = start(run_pod());
  const Json said = stream(
      "Exec", wanted(container, "tty; stty -echo; read line; echo got $line", true), "something\n");
  EXPECT_NE(said.at("/stdout").find("/dev/pts/0\r\n"), std::string::npos) << said.text();
  EXPECT_NE(said.at("/stdout").find("got something\r\n"), std::string::npos) << said.text();
}

TEST_F(CriStream, ExecOfAMissingCommandSaysSo) {
  const std::string container = start(run_pod());
  const Json said = stream(
      "Exec", cat("{\"container_id\": \"", container, R"(", "cmd": ["nope"], "stdout": true})"));
  EXPECT_NE(said.at("/status/message").find("not found in $PATH"), std::string::npos)
      << said.text();
}

TEST_F(CriStream, AttachReachesTheInputOfTheContainer) {
  container_.set("/stdin", "true");
  const std::string container = start(run_pod(), "read line; echo got $line");
  const Json said = stream("Attach",
                           cat("{\"container_id\": \"", container,
                               R"(", "stdin": true, "stdout": true, "stderr": true})"),
                           "something\n");
  EXPECT_EQ(said.at("/stdout"), "got something\n");
  EXPECT_TRUE(exits(container));
  EXPECT_TRUE(says("stdout F got something\n"));
}

TEST_F(CriStream, AttachReachesTheTerminalOfTheContainer) {
  container_.set("/stdin", "true");
  container_.set("/tty", "true");
  const std::string container = start(run_pod(), "stty -echo; read line; tty; echo got $line");
  const Json said = stream(
      "Attach",
      cat("{\"container_id\": \"", container, R"(", "stdin": true, "stdout": true, "tty": true})"),
      "something\n");
  EXPECT_NE(said.at("/stdout").find("/dev/pts/0\r\ngot something\r\n"), std::string::npos)
      << said.text();
  EXPECT_TRUE(exits(container));
}

}  // namespace
}  // namespace rt::testing
