#include "tests/conformance/conformance.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/cgroups.h"
#include "tests/support/leaks.h"

namespace rt::conformance {
namespace {

constexpr size_t kLimit = size_t{16} << 20;

std::string mount_pointer(const Json& report, std::string_view destination) {
  std::string found = "/mounts/none";
  for (size_t i = 0; i < report.size("/mounts"); ++i) {
    const std::string pointer = cat("/mounts/", i);
    if (report.at(pointer + "/destination") == destination) found = pointer;
  }
  return found;
}

}  // namespace

std::string probe_binary() {
  if (const char* named = std::getenv("PROBE")) return named;
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"),
             "/tests/conformance/probe/probe");
}

void Conformance::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "containers with cgroups and devices need root";
  // Orphans of the runtime become our children, as they become containerd's or conmon's.
  ASSERT_TRUE(sys::set_child_subreaper(true).ok());
  testing::enter_shared_mount_namespace();
  static int number = 0;
  token_ = cat("row-", ::getpid(), '-', ++number);
  directory_ = std::make_unique<testing::PublicDirectory>();
  make_directory(directory() + "/state");
  make_directory(bundle());
  make_directory(rootfs());
  for (const char* name : {"dev", "proc", "sys", "tmp"}) make_directory(cat(rootfs(), '/', name));
  testing::copy_file(probe_binary(), rootfs() + "/probe", 0755);
  config_.args({"/probe"});
  // The oldest version that has all that is asked for by default: some accept no other.
  config_.set_string("/ociVersion", "1.0.2");
}

void Conformance::TearDown() {
  if (directory_ == nullptr) return;
  if (exists()) static_cast<void>(runtime({"delete", "--force", id()}));
  testing::kill_descendants();
  eventually([&] {
    testing::reap_orphans();
    return testing::take_snapshot({.token = token_, .state_root = "", .bundle = ""})
        .processes.empty();
  });
  if (!HasFailure()) return;
  // What a runtime that failed has left.
  const std::set<std::string> cgroups = testing::all_cgroups();
  for (auto path = cgroups.rbegin(); path != cgroups.rend(); ++path) {
    if (path->find(token_) != std::string::npos) ::rmdir(path->c_str());
  }
}

void Conformance::write_config() const { write(bundle() + "/config.json", config_.text()); }

Outcome Conformance::runtime(const std::vector<std::string>& args, Call rest) const {
  rest.args = {"--root", directory() + "/state"};
  rest.args.insert(rest.args.end(), args.begin(), args.end());
  return testing::run_program(testing::runtime_binary(), rest);
}

Program& Conformance::begin_create(Call rest) {
  write_config();
  rest.args.insert(rest.args.begin(), {"--root", directory() + "/state", "create", "--bundle",
                                       bundle(), "--pid-file", directory() + "/pid"});
  rest.args.push_back(id());
  creation_ = std::make_unique<Program>(testing::runtime_binary(), rest);
  return *creation_;
}

Outcome Conformance::run(Call rest) {
  write_config();
  return runtime({"run", "--bundle", bundle(), id()}, std::move(rest));
}

Json Conformance::state() const { return Json(runtime({"state", id()}).out); }

pid_t Conformance::pid() const {
  return static_cast<pid_t>(parse_int(read(directory() + "/pid")).value_or(0));
}

int Conformance::wait_for_end() {
  int status = -1;
  const pid_t process = pid();
  if (process <= 0) return status;
  const bool ended = eventually([&] { return ::waitpid(process, &status, WNOHANG) != 0; });
  EXPECT_TRUE(ended) << "the container's process goes on";
  return status;
}

std::string Conformance::output() const { return creation_ == nullptr ? "" : creation_->out(); }

Json Conformance::report() const {
  EXPECT_TRUE(eventually([&] { return output().ends_with("}\n"); })) << output();
  return Json(output());
}

void Conformance::start_waiting() {
  config_.args({"/probe", "await"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(report().valid());
}

void Conformance::end() {
  const pid_t process = pid();
  // kill(2) takes -1 for everybody: never without a process of the container's.
  ASSERT_GT(process, 1) << "there is no container";
  ::kill(process, SIGKILL);
  wait_for_end();
  EXPECT_TRUE(succeeds(remove()));
}

Json Conformance::look(const std::vector<std::string>& questions, Call rest) {
  std::vector<std::string> words = {"/probe"};
  words.insert(words.end(), questions.begin(), questions.end());
  config_.args(words);
  const Outcome outcome = run(std::move(rest));
  EXPECT_TRUE(succeeds(outcome));
  const Json report(outcome.out);
  EXPECT_TRUE(report.valid()) << "no report: " << outcome.out;
  return report;
}

::testing::AssertionResult Conformance::refuses() {
  const Outcome outcome = create();
  if (outcome.exit_code == 0) return ::testing::AssertionFailure() << "accepted";
  if (outcome.exit_code < 0) {
    return ::testing::AssertionFailure() << "died of signal " << outcome.signal;
  }
  if (outcome.err.empty()) return ::testing::AssertionFailure() << "says nothing";
  if (exists()) return ::testing::AssertionFailure() << "there is a container";
  return ::testing::AssertionSuccess();
}

std::string Conformance::read(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, kLimit);
  return text ? text.value() : "";
}

void Conformance::write(const std::string& path, std::string_view text) {
  const UniqueFd file = sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  sys::write_all(file.get(), text).value();
}

void Conformance::make_directory(const std::string& path) {
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0) << path;
}

::testing::AssertionResult succeeds(const Outcome& outcome) {
  if (outcome.exit_code == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit code " << outcome.exit_code << ", signal "
                                       << outcome.signal << ", error: " << outcome.err;
}

std::string as_key(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c == '~') {
      key += "~0";
    } else if (c == '/') {
      key += "~1";
    } else {
      key += c;
    }
  }
  return key;
}

std::string path_at(const Json& report, std::string_view path, std::string_view field) {
  const std::string asked = cat("/paths/", as_key(path));
  return report.at(cat(report.has(asked) ? asked : cat("/dev/", as_key(path)), '/', field));
}

std::string mount_at(const Json& report, std::string_view destination, std::string_view field) {
  return report.at(cat(mount_pointer(report, destination), '/', field));
}

std::set<std::string> words_at(const Json& report, const std::string& pointer) {
  std::set<std::string> words;
  for (size_t i = 0; i < report.size(pointer); ++i) words.insert(report.at(cat(pointer, '/', i)));
  return words;
}

bool has_word(const Json& report, const std::string& pointer, std::string_view word) {
  return words_at(report, pointer).contains(std::string(word));
}

std::set<std::string> mount_options(const Json& report, std::string_view destination) {
  return words_at(report, mount_pointer(report, destination) + "/options");
}

bool may(int capability) { return (sys::capget().value().effective >> capability & 1U) != 0; }

}  // namespace rt::conformance
