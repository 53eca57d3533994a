// runtime-criu, from outside: what it makes of the runtime's packets and of CRIU's, and what
// becomes of either when the other does not do its part.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"
#include "tests/support/command.h"

namespace rt::testing {
namespace {

constexpr size_t kLongest = size_t{4} << 20;
constexpr const char* kCriu = "/usr/sbin/criu";

std::string built(const std::string& path) {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"), '/', path);
}

std::string file_of_tree(const std::string& path) {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return runfiles == nullptr ? path : cat(runfiles, "/runtime/", path);
}

std::string helper_binary() {
  if (const char* named = std::getenv("CRIU_HELPER")) return named;
  return built("runtime/criu/runtime-criu");
}

bool is_there(pid_t pid) { return ::kill(pid, 0) == 0; }

/// The number behind `key` in the JSON, which has each key once.
pid_t number_in(const std::string& json, const std::string& key) {
  const size_t at = json.find(cat('"', key, "\":"));
  if (at == std::string::npos) return 0;
  return static_cast<pid_t>(std::strtol(json.c_str() + at + key.size() + 3, nullptr, 10));
}

bool has_open(pid_t pid, const std::string& file) {
  const std::string directory = cat("/proc/", pid, "/fd");
  const std::vector<std::string> fds = sys::list_directory(directory).value();
  return std::ranges::any_of(fds, [&](const std::string& fd) {
    const Result<std::string> link = sys::readlinkat(AT_FDCWD, cat(directory, '/', fd));
    return link && link.value().find(file) != std::string::npos;
  });
}

class Helper : public ::testing::Test {
 protected:
  /// What the helper leaves behind becomes ours.
  void SetUp() override { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  void TearDown() override {
    socket_.reset();
    if (helper_) wait();
    EXPECT_LT(::waitpid(-1, nullptr, WNOHANG), 0) << "a process is left";
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  /// Starts the helper, as rudely as a caller may: signals are ignored and blocked. Descriptor 7 is
  /// one that CRIU shall have.
  void start(const std::string& criu, const std::string& behaviour = "") {
    sys::SocketPair pair = sys::socket_pair().value();
    ASSERT_TRUE(sys::set_send_buffer(pair.ours.get(), kLongest).ok());
    Call call;
    call.args = {criu};
    call.env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", cat("FAKE_CRIU=", behaviour)};
    call.before_exec = [&pair] {
      const int above = ::fcntl(pair.theirs.get(), F_DUPFD_CLOEXEC, 20);
      ::dup2(above, 3);
      ::dup2(1, 7);
      ::signal(SIGCHLD, SIG_IGN);
      sigset_t all;
      ::sigfillset(&all);
      ::sigprocmask(SIG_SETMASK, &all, nullptr);
    };
    helper_.emplace(helper_binary(), call);
    socket_ = std::move(pair.ours);
  }

  void start_fake(const std::string& behaviour) { start(built("tests/criu/fake_criu"), behaviour); }

  void send(const std::string& packet) {
    ASSERT_TRUE(sys::send(socket_.get(), packet.data(), packet.size()).ok());
  }

  /// The next packet; "" when the helper has closed its end.
  std::string receive() {
    const auto ready = sys::wait_readable({socket_.get()}, std::chrono::seconds(20)).value();
    EXPECT_TRUE(ready) << "the helper says nothing";
    if (!ready) return "";
    std::string packet(kLongest, '\0');
    sys::Received received = sys::receive(socket_.get(), packet.data(), packet.size()).value();
    packet.resize(received.size);
    descriptor_ = std::move(received.descriptor);
    return packet;
  }

  std::string ask(const std::string& packet) {
    send(packet);
    return receive();
  }

  /// The runtime is gone.
  void close() { socket_.reset(); }

  Outcome wait() {
    const Outcome outcome = helper_->wait();
    helper_.reset();
    return outcome;
  }
  Program& helper() { return *helper_; }
  UniqueFd& descriptor() { return descriptor_; }

 private:
  UniqueFd socket_;
  UniqueFd descriptor_;
  std::optional<Program> helper_;
};

TEST_F(Helper, AsksCriuForItsVersion) {
  if (::access(kCriu, X_OK) != 0) GTEST_SKIP() << kCriu << " is not installed";
  start(kCriu);
  const std::string answer = ask(R"({"type":"VERSION"})");
  EXPECT_TRUE(answer.starts_with(R"({"type":"VERSION","success":true,"version":{"major_number":)"))
      << answer;
  EXPECT_GE(number_in(answer, "major_number"), 3) << answer;
  EXPECT_NE(answer.find("\"minor_number\":"), std::string::npos) << answer;
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 0);
}

TEST_F(Helper, WritesARequestInCriusEncoding) {
  start_fake("echoes");
  // type = 1; opts, of 19 bytes: images_dir_fd = 5, leave_running, external; keep_open.
  EXPECT_EQ(ask(R"({"type":"DUMP","keep_open":true,"opts":{"images_dir_fd":5,"leave_running":true,)"
                R"("external":["mnt[/x]:x"]}})"),
            R"({"type":"EMPTY","success":true,"cr_errmsg":"08011210080518)"
            R"(01aa02096d6e745b2f785d3a782001"})");
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 0);
}

TEST_F(Helper, HandsOnANotificationWithItsDescriptor) {
  start_fake("notifies");
  const std::string asked = ask(R"({"type":"RESTORE"})");
  EXPECT_TRUE(asked.starts_with(
      R"({"type":"NOTIFY","success":true,"notify":{"script":"orphan-pts-master","pid":)"))
      << asked;
  ASSERT_TRUE(descriptor());
  EXPECT_EQ(sys::read_start(descriptor().get(), 64).value(), "of the terminal");
  EXPECT_TRUE(eventually([&] { return !has_open(helper().pid(), "memfd:master"); }));
  // type = 6, notify_success.
  EXPECT_EQ(ask(R"({"type":"NOTIFY","notify_success":true})"),
            R"({"type":"EMPTY","success":true,"cr_errmsg":"08061801"})");
  EXPECT_FALSE(descriptor());
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 0);
}

TEST_F(Helper, HandsOnARefusal) {
  start_fake("refuses");
  EXPECT_EQ(ask(R"({"type":"DUMP"})"),
            R"({"type":"DUMP","success":false,"cr_errno":1,"cr_errmsg":"why?"})");
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 0);
}

TEST_F(Helper, CarriesTheMountsOfALargeContainer) {
  start_fake("counts");
  std::string request = R"({"type":"DUMP","opts":{"images_dir_fd":5,"external":[)";
  for (int i = 0; i < 6000; ++i) request += cat(i == 0 ? "" : ",", '"', std::string(100, 'm'), '"');
  // Each has two bytes of tag and one of length; 13 bytes are about all of them.
  EXPECT_EQ(ask(request + "]}}"), R"({"type":"EMPTY","success":true,"cr_errmsg":"618008"})");
}

TEST_F(Helper, CarriesALongAnswer) {
  start_fake("fills");
  EXPECT_EQ(ask(R"({"type":"DUMP"})"), cat(R"({"type":"EMPTY","success":true,"cr_errmsg":")",
                                           std::string(600'000, 'x'), "\"}"));
}

/// 7, and whatever the test itself was given to hand on.
std::string inherited() {
  std::string numbers;
  for (int fd = 4; fd < 100; ++fd) {
    if (fd == 7 || ::fcntl(fd, F_GETFD) == 0) numbers += cat(' ', fd);
  }
  return numbers;
}

TEST_F(Helper, GivesCriuItsDescriptorsAndPlainSignals) {
  start_fake("looks");
  EXPECT_EQ(ask(R"({"type":"CHECK"})"),
            cat(R"({"type":"EMPTY","success":true,"cr_errmsg":"peer )", helper().pid(),
                " input /dev/null open", inherited(), R"( signals plain"})"));
}

struct FailureRow {
  const char* name;
  const char* behaviour;
  std::string request;
  const char* message;
};

class Failures : public Helper, public ::testing::WithParamInterface<FailureRow> {};

TEST_P(Failures, AreToldInOnePacket) {
  start_fake(GetParam().behaviour);
  EXPECT_EQ(ask(GetParam().request), cat(R"({"helper_error":")", GetParam().message, "\"}"));
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 1);
}

constexpr const char* kDump = R"({"type":"DUMP"})";

INSTANTIATE_TEST_SUITE_P(
    Table, Failures,
    ::testing::Values(FailureRow{"Exits", "exits", kDump,
                                 "criu ended without an answer: exit status 7"},
                      FailureRow{"Dies", "dies", kDump, "criu ended without an answer: signal 9"},
                      FailureRow{"Babbles", "babbles", kDump,
                                 "criu's answer of 3 bytes is not one of its protocol"},
                      FailureRow{"Floods", "floods", kDump,
                                 "criu: a packet of 1048585 bytes, where 1048576 are the most"},
                      FailureRow{"LongRequest", "echoes", std::string((size_t{1} << 20) + 1, ' '),
                                 "request: a packet of 1048577 bytes, where 1048576 are the most"},
                      FailureRow{"UnknownField", "echoes",
                                 R"({"type":"DUMP","opts":{"images_dir_fd":5,"image":5}})",
                                 R"(request: \"(opts) image: Cannot find field.\")"},
                      FailureRow{"UnknownType", "echoes", R"({"type":"DUMB"})",
                                 R"(request: \"(type): invalid value \\\"DUMB\\\" for type )"
                                 R"(type.googleapis.com/rt.criu.rpc.criu_req_type\")"},
                      FailureRow{"MissingField", "echoes", R"({"type":"DUMP","opts":{"pid":5}})",
                                 R"(request: \"(opts): missing field images_dir_fd\")"},
                      FailureRow{"NotJson", "echoes", "dump",
                                 R"(request: \"Unexpected token.\\x0adump\\x0a^\")"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Helper, SaysThatThereIsNoCriu) {
  start("/nonexistent/criu");
  EXPECT_EQ(receive(),
            R"({"helper_error":"\"/nonexistent/criu\": execve: no such file or directory"})");
  EXPECT_EQ(wait().exit_code, 1);
}

TEST_F(Helper, SeesTheEndOfCriuWhoseChildHoldsTheSocket) {
  start_fake("leaves_a_child");
  EXPECT_EQ(ask(kDump), R"({"helper_error":"criu ended without an answer: exit status 0"})");
  EXPECT_EQ(wait().exit_code, 1);
  // The child is ours now.
  EXPECT_TRUE(eventually([] { return ::waitpid(-1, nullptr, WNOHANG) > 0; }));
}

TEST_F(Helper, HearsWhatCriuSaidBeforeItEndedEvenIfNothingCanBeSentToIt) {
  start_fake("is_deaf");
  EXPECT_TRUE(ask(kDump).starts_with(R"({"type":"NOTIFY")"));
  EXPECT_EQ(ask(R"({"type":"NOTIFY","notify_success":true})"),
            R"({"type":"DUMP","success":false})");
  // Only what comes after that one is an error.
  EXPECT_TRUE(ask("no json").starts_with(R"({"helper_error":"request: \"Unexpected token)"));
}

TEST_F(Helper, WantsAnAnswerToASecondRequestToo) {
  start_fake("answers_once");
  EXPECT_EQ(ask(R"({"type":"CHECK","keep_open":true})"), R"({"type":"EMPTY","success":true})");
  EXPECT_EQ(ask(kDump), R"({"helper_error":"criu ended without an answer: exit status 5"})");
  EXPECT_EQ(wait().exit_code, 1);
}

TEST_F(Helper, LetsCriuTakeBackWhatItHasBegunWhenTheRuntimeIsGone) {
  start_fake("takes_back");
  const pid_t criu = number_in(ask(kDump), "pid");
  ASSERT_GT(criu, 0);
  close();
  EXPECT_EQ(wait().out, "taken back");
  EXPECT_FALSE(is_there(criu));
}

TEST_F(Helper, KillsCriuThatDoesNotEndWhenTheRuntimeIsGone) {
  start_fake("stays");
  const pid_t criu = number_in(ask(kDump), "pid");
  ASSERT_GT(criu, 0);
  close();
  wait();
  EXPECT_FALSE(is_there(criu));
}

TEST_F(Helper, TakesCriuWithItWhenItIsKilled) {
  start_fake("stays");
  const pid_t criu = number_in(ask(kDump), "pid");
  ASSERT_GT(criu, 0);
  helper().signal(SIGKILL);
  EXPECT_EQ(wait().signal, SIGKILL);
  // The kernel has given it to us.
  int status = 0;
  EXPECT_TRUE(eventually([&] { return ::waitpid(criu, &status, WNOHANG) == criu; }));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(Helper, LeavesAloneWhatCriuHasRestored) {
  start_fake("restores");
  const std::string answer = ask(R"({"type":"RESTORE"})");
  const pid_t restored = number_in(answer, "pid");
  ASSERT_GT(restored, 0) << answer;
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(wait().exit_code, 0);
  EXPECT_EQ(::waitpid(restored, nullptr, WNOHANG), 0) << "it is not our running child";
  ::kill(restored, SIGKILL);
  EXPECT_EQ(::waitpid(restored, nullptr, 0), restored);
}

/// Each field and value of a .proto file: "criu_opts: optional int32 pid = 2". Files are as both of
/// ours: one to a line, nothing nested.
std::set<std::string> definitions(const std::string& path) {
  std::set<std::string> found;
  std::string message;
  const std::string text = sys::read_file(path, kLongest).value();
  for (std::string_view line : split(text, '\n')) {
    std::string words;
    for (const char c : line.substr(0, line.find_first_of("/[;"))) {
      const bool space = c == ' ' || c == '\t';
      if (!space)
        words += c;
      else if (!words.empty() && words.back() != ' ')
        words += ' ';
    }
    while (words.ends_with(' ')) words.pop_back();
    if (words.ends_with('{'))
      message = split(words, ' ')[1];
    else if (words.find('=') != std::string::npos)
      found.insert(cat(message, ": ", words));
  }
  return found;
}

TEST(Protocol, IsThatOfTheInstalledCriu) {
  const std::string theirs = "/usr/include/criu/rpc.proto";
  if (::access(theirs.c_str(), R_OK) != 0) GTEST_SKIP() << theirs << " is not installed";
  const std::set<std::string> known = definitions(theirs);
  const std::set<std::string> ours = definitions(file_of_tree("runtime/criu/rpc.proto"));
  EXPECT_GT(ours.size(), 100U);
  for (const std::string& definition : ours) {
    EXPECT_TRUE(known.contains(definition) || definition == ": syntax = \"proto2\"") << definition;
  }
}

}  // namespace
}  // namespace rt::testing
