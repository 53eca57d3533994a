#include "tests/support/container.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

constexpr size_t kLimit = size_t{16} << 20;

Watched watched(const std::string& token, const std::string& directory) {
  return {.token = token, .state_root = directory + "/state", .bundle = directory + "/bundle"};
}

/// Ends what a test that failed half-way left running, so that it does not disturb those that
/// follow.
void remove_all(const std::string& state_root, const std::string& token) {
  std::set<std::string> cgroups =
      take_snapshot({.token = token, .state_root = "", .bundle = ""}).cgroups;
  for (const std::string& path : cgroups) {
    // SIGKILL waits in a frozen cgroup.
    static_cast<void>(sys::write_file(path + "/freezer.state", "THAWED"));
    static_cast<void>(sys::write_file(path + "/cgroup.freeze", "0"));
  }
  const Result<std::vector<std::string>> ids = sys::list_directory(state_root);
  for (const std::string& id : ids ? ids.value() : std::vector<std::string>()) {
    Call call;
    call.args = {"--root", state_root, "delete", "--force", id};
    run_program(runtime_binary(), call);
  }
  kill_descendants();
  eventually([&] {
    reap_orphans();
    return take_snapshot({.token = token, .state_root = "", .bundle = ""}).processes.empty();
  });
  for (auto path = cgroups.rbegin(); path != cgroups.rend(); ++path) ::rmdir(path->c_str());
}

}  // namespace

void Container::SetUp() {
  if (::geteuid() != 0 && !rootless()) {
    GTEST_SKIP() << "containers with cgroups and devices need root";
  }
  ASSERT_TRUE(exists(runtime_binary())) << runtime_binary() << ": set RUNTIME to the binary";
  // Orphans of the runtime become our children, as they become containerd's or conmon's.
  ASSERT_TRUE(sys::set_child_subreaper(true).ok());
  if (::geteuid() == 0) enter_shared_mount_namespace();
  if (rootless()) {
    config_.user_namespace(with_range("/etc/subuid", ::geteuid()),
                           with_range("/etc/subgid", ::getegid()));
  }
  static int number = 0;
  token_ = cat("e2e-", ::getpid(), '-', ++number);
  directory_ = std::make_unique<PublicDirectory>();
  ASSERT_EQ(::mkdir(state_root().c_str(), 0700), 0);
  ASSERT_EQ(::mkdir(bundle().c_str(), 0755), 0);
  make_busybox_root(rootfs());
  write_config();
  before_ = take_snapshot(watched(token_, directory()));
}

void Container::TearDown() {
  if (directory_ == nullptr) return;
  check_nothing_is_left();
  if (HasFailure()) remove_all(state_root(), token_);
}

std::string Container::id(int number) const { return cat(token_, '-', number); }

void Container::write_config(std::string_view text) const {
  write(bundle() + "/config.json", text);
}

Call Container::call(const std::vector<std::string>& args, Call rest) const {
  rest.args = {"--root", state_root()};
  const std::vector<std::string> flags = runtime_flags();
  rest.args.insert(rest.args.end(), flags.begin(), flags.end());
  rest.args.insert(rest.args.end(), args.begin(), args.end());
  if (with_systemd()) {
    const std::vector<std::string> variables = session_variables();
    rest.env.insert(rest.env.end(), variables.begin(), variables.end());
  }
  return rest;
}

Outcome Container::runtime(const std::vector<std::string>& args, Call rest) const {
  return run_program(runtime_binary(), call(args, std::move(rest)));
}

Outcome Container::runtime_as(uid_t user, const std::vector<std::string>& args, Call rest) const {
  return program_as(user, call(args, std::move(rest)));
}

Outcome Container::program_as(uid_t user, Call call) const {
  const std::string copy = directory() + "/runtime-binary";
  if (!exists(copy)) copy_file(runtime_binary(), copy, 0755);
  call.before_exec = [user, first = std::move(call.before_exec)] {
    if (first) first();
    const bool done = ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
                      ::setresuid(user, user, user) == 0;
    if (!done) ::_exit(124);
  };
  return run_program(copy, call);
}

Outcome Container::create() const {
  write_config();
  return runtime({"create", "--bundle", bundle(), id()});
}

Outcome Container::run(Call rest) const {
  write_config();
  return runtime({"run", id(), bundle()}, std::move(rest));
}

Outcome Container::run_shell(std::string_view script) {
  config_.shell(script);
  return run();
}

std::string Container::status() const {
  const Outcome state = runtime({"state", id()});
  return state.exit_code == 0 ? Json(state.out).at("/status") : state.err;
}

pid_t Container::pid() const {
  const Outcome state = runtime({"state", id()});
  return static_cast<pid_t>(parse_int(Json(state.out).at("/pid")).value_or(0));
}

bool Container::becomes(std::string_view wanted) const {
  return eventually([&] { return status() == wanted; });
}

void Container::start_sleeping(std::string_view before) {
  config_.shell(cat(before, "\n: >/tmp/started; exec sleep 1000"));
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
}

std::string Container::read(const std::string& path) const {
  const Result<std::string> text = sys::read_file(path, kLimit);
  return text ? text.value() : cat("cannot read ", path, ": ", text.error().message());
}

void Container::write(const std::string& path, std::string_view text) const {
  const UniqueFd file = sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  sys::write_all(file.get(), text).value();
}

bool Container::exists(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void Container::check_nothing_is_left() const {
  // The kernel takes keyrings and namespaces away a little after their last process; of one that it
  // has killed for its memory two seconds later (OOM_REAPER_DELAY, Linux 5.18).
  constexpr std::chrono::seconds kSettling(6);
  Snapshot after;
  const bool clean = eventually(
      [&] {
        reap_orphans();
        after = take_snapshot(watched(token_, directory()));
        return after == before_;
      },
      kSettling);
  if (!clean) ADD_FAILURE() << "left behind or changed:\n" << difference(before_, after);
}

::testing::AssertionResult succeeds(const Outcome& outcome) {
  if (outcome.exit_code == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit code " << outcome.exit_code << ", signal "
                                       << outcome.signal << ", error: " << outcome.err;
}

::testing::AssertionResult fails_saying(const Outcome& outcome, std::string_view words) {
  if (outcome.exit_code != 1) {
    return ::testing::AssertionFailure() << "exit code " << outcome.exit_code << ", signal "
                                         << outcome.signal << ", error: " << outcome.err;
  }
  if (outcome.err.find(words) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "says: " << outcome.err;
}

}  // namespace rt::testing
