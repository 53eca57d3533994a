// config.md, "Process", terminal and consoleSize; config-linux.md, "Default Devices", console.
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/listener.h"

namespace rt::conformance {
namespace {

using testing::Delivery;
using testing::Listener;
using testing::read_terminal;
using testing::receive_all;

class Terminal : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    config_.set("/process/terminal", "true");
  }

  /// Runs the probe on a terminal; its report, read from the terminal's other end.
  Json look_at_terminal(const std::vector<std::string>& questions = {}) {
    std::vector<std::string> words = {"/probe"};
    words.insert(words.end(), questions.begin(), questions.end());
    config_.args(words);
    const std::string path = directory() + "/console";
    const Listener listener(path);
    Call call;
    call.args = {"--console-socket", path};
    const Outcome created = create(call);
    EXPECT_TRUE(succeeds(created));
    if (created.exit_code != 0) return Json("null");
    const UniqueFd connection = listener.accept();
    const Delivery delivery = receive_all(connection.get());
    EXPECT_EQ(::isatty(delivery.descriptor.get()), 1) << "no terminal came";
    EXPECT_TRUE(succeeds(start()));
    Json report(read_terminal(delivery.descriptor.get()));
    EXPECT_TRUE(report.valid());
    wait_for_end();
    EXPECT_TRUE(succeeds(remove()));
    return report;
  }
};

TEST_F(Terminal, IsAllStandardStreams) {
  EXPECT_EQ(look_at_terminal().at("/terminal/streams"), "[true,true,true]");
}

TEST_F(Terminal, IsTheControllingTerminalOfASession) {
  const Json report = look_at_terminal();
  EXPECT_EQ(report.at("/terminal/controlling"), "true");
  EXPECT_EQ(report.at("/session/session"), report.at("/session/pid"));
}

TEST_F(Terminal, IsOfTheContainersOwnDevpts) {
  EXPECT_EQ(look_at_terminal().at("/terminal/name"), "/dev/pts/0");
}

TEST_F(Terminal, HasTheSizeOfTheDocument) {
  config_.set("/process/consoleSize", R"({"height": 33, "width": 77})");
  const Json report = look_at_terminal();
  EXPECT_EQ(report.at("/terminal/height"), "33");
  EXPECT_EQ(report.at("/terminal/width"), "77");
}

TEST_F(Terminal, IsDevConsole) {
  const Json report = look_at_terminal();
  EXPECT_EQ(path_at(report, "/dev/console", "type"), "c");
  EXPECT_EQ(path_at(report, "/dev/console", "major"), "136");
  EXPECT_EQ(path_at(report, "/dev/console", "minor"), "0");
  EXPECT_EQ(path_at(report, "/dev/console", "write"), "");
}

TEST_F(Terminal, BelongsToTheUser) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  EXPECT_EQ(look_at_terminal().at("/terminal/owner"), "1000");
}

TEST_F(Terminal, WorksInAUserNamespace) {
  config_.user_namespace();
  const Json report = look_at_terminal();
  EXPECT_EQ(report.at("/terminal/streams"), "[true,true,true]");
  EXPECT_EQ(report.at("/terminal/owner"), "0");
}

class NoTerminal : public Conformance {};

TEST_F(NoTerminal, MeansTheCallersStreams) {
  const Json report = look();
  EXPECT_EQ(report.at("/terminal/streams"), "[false,false,false]");
  EXPECT_EQ(report.at("/terminal/controlling"), "false");
}

TEST_F(NoTerminal, MeansNoDevConsole) {
  EXPECT_EQ(path_at(look({"path=/dev/console"}), "/dev/console", "type"), "none");
}

}  // namespace
}  // namespace rt::conformance
