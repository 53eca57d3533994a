#include "tests/engines/podman.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {
namespace {

using Words = std::vector<std::string>;

// The limits below: the usual ones are above what a machine without CAP_SYS_RESOURCE may give.
constexpr const char* kConfiguration = R"([containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

[engine]
runtime = "tested"
events_logger = "file"
runtime_supports_json = ["tested"]
runtime_supports_nocgroup = ["tested"]
cgroup_manager = ")";

constexpr const char* kRuntimes = R"("

[engine.runtimes]
tested = ["/usr/local/bin/tested"]
)";

constexpr std::chrono::minutes kLogin{1};
constexpr const char* kHome = "/home/podman-user";

Words joined(const std::vector<Words>& parts) {
  Words all;
  for (const Words& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Unless the options name a network.
Words without_network(const Words& options) {
  for (const std::string& option : options) {
    if (option.starts_with("--network") || option.starts_with("--pod=")) return {};
  }
  return {"--network=none"};
}

void write_file(const std::string& path, std::string_view text, mode_t mode) {
  const UniqueFd file = sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, mode).value();
  sys::write_all(file.get(), text).value();
}

void prepare_machine() {
  copy_file(runtime_binary(), "/usr/local/bin/tested", 0755);
  write_file("/etc/containers/containers.conf", cat(kConfiguration, cgroup_driver(), kRuntimes),
             0644);
  copy_file(root_archive(), "/srv/root.tar", 0644);
}

/// With the first ids that are free in /etc/subuid and /etc/subgid. Where there is a service
/// manager the user gets one too, as after a login.
void add_user(uid_t user) {
  const std::string id = std::to_string(user);
  const std::string runtime_directory = cat("/run/user/", user);
  if (::getpwuid(user) == nullptr) {
    ASSERT_TRUE(succeeds(call_program("useradd", {"--uid", id, "--create-home", "--home-dir", kHome,
                                                  "--shell", "/bin/sh", "podman-user"})));
  }
  if (::access("/run/systemd/system", F_OK) == 0) {
    ASSERT_TRUE(succeeds(call_program("loginctl", {"enable-linger", "podman-user"})));
    const std::string bus = runtime_directory + "/bus";
    ASSERT_TRUE(eventually([&] { return ::access(bus.c_str(), F_OK) == 0; }, kLogin));
    return;
  }
  ASSERT_EQ(::mkdir("/run/user", 0755), 0);
  ASSERT_EQ(::mkdir(runtime_directory.c_str(), 0700), 0);
  ASSERT_EQ(::chown(runtime_directory.c_str(), user, user), 0);
}

}  // namespace

Podman::Podman(uid_t user, const std::vector<std::string>& programs)
    : Engine(joined({{"podman", "conmon", "setsid"}, programs})), user_(user) {}

void Podman::SetUp() {
  Engine::SetUp();
  if (IsSkipped()) return;
  static const bool kPrepared = [] {
    prepare_machine();
    return true;
  }();
  ASSERT_TRUE(kPrepared);
  static std::set<uid_t> users;
  if (users.insert(user_).second) prepare_user();
  ASSERT_FALSE(HasFailure());
  ASSERT_EQ(::mkdir(directory().c_str(), 0755), 0);
  ASSERT_EQ(::chown(directory().c_str(), user_, user_), 0);
  watch();
}

/// What stays from the first container on: mounts of the storage and of network namespaces, and the
/// process that keeps a user's namespaces.
void Podman::prepare_user() const {
  if (user_ != 0) add_user(user_);
  ASSERT_TRUE(succeeds(podman({"import", "--quiet", "--change", R"(CMD ["sh"])", "--change",
                               "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/srv/root.tar", "bb"})));
  const Words network = user_ == 0 ? Words() : Words{"--network=none"};
  ASSERT_TRUE(succeeds(podman(joined({{"run", "--rm"}, network, {"bb", "true"}}))));
}

void Podman::TearDown() {
  if (IsSkipped() && name().empty()) return;  // before there was anything
  if (HasFailure()) {
    static_cast<void>(podman({"pod", "rm", "--all", "--force", "--time=0"}));
    static_cast<void>(podman({"rm", "--all", "--force", "--time=0"}));
  }
  Engine::TearDown();
  remove_tree(directory());
}

Call Podman::as_user(Call call) const {
  if (user_ == 0) return call;
  const std::string session = cat("/run/user/", user_);
  call.env.insert(call.env.end(),
                  {cat("HOME=", kHome), "USER=podman-user", cat("XDG_RUNTIME_DIR=", session),
                   cat("DBUS_SESSION_BUS_ADDRESS=unix:path=", session, "/bus")});
  if (call.cwd.empty()) call.cwd = kHome;
  call.before_exec = [user = user_, first = std::move(call.before_exec)] {
    if (first) first();
    const bool done = ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
                      ::setresuid(user, user, user) == 0;
    if (!done) ::_exit(124);
  };
  return call;
}

Outcome Podman::podman(const std::vector<std::string>& args, Call rest) const {
  return call_program("podman", args, as_user(std::move(rest)));
}

Outcome Podman::run(const std::vector<std::string>& options,
                    const std::vector<std::string>& command) const {
  return podman(joined({{"run", "--rm"}, without_network(options), options, {"bb"}, command}));
}

Outcome Podman::run_shell(const std::vector<std::string>& options,
                          const std::string& script) const {
  return run(options, {"sh", "-c", script});
}

void Podman::start(const std::vector<std::string>& options,
                   const std::vector<std::string>& command) const {
  const Words usual =
      joined({{"run", "--detach", cat("--name=", name())}, without_network(options)});
  ASSERT_TRUE(succeeds(podman(joined({usual, options, {"bb"}, command}))));
}

void Podman::start_shell(const std::vector<std::string>& options, const std::string& script) const {
  start(options, {"sh", "-c", script});
}

Outcome Podman::exec(const std::vector<std::string>& options,
                     const std::vector<std::string>& command) const {
  return podman(joined({{"exec"}, options, {name()}, command}));
}

Outcome Podman::exec_shell(const std::vector<std::string>& options,
                           const std::string& script) const {
  return exec(options, {"sh", "-c", script});
}

void Podman::remove() const {
  EXPECT_TRUE(succeeds(podman({"rm", "--force", "--volumes", "--time=0", name()})));
}

std::string Podman::inspect(const std::string& format) const {
  return stripped(podman({"inspect", "--format", format, name()}).out);
}

bool Podman::becomes(const std::string& status) const {
  return eventually([&] { return inspect("{{.State.Status}}") == status; },
                    std::chrono::seconds(30));
}

void Podman::check_pausing() const {
  start_shell({}, "while :; do echo again; sleep 0.05; done");
  ASSERT_TRUE(says("again"));
  EXPECT_TRUE(succeeds(podman({"pause", name()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "paused");
  // conmon may still have some of it to write.
  std::string before;
  EXPECT_TRUE(eventually([&] { return std::exchange(before, logs()) == before; }));
  EXPECT_NE(exec({}, {"true"}).exit_code, 0);
  EXPECT_TRUE(succeeds(podman({"unpause", name()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  EXPECT_TRUE(eventually([&] { return logs().size() > before.size(); }));
  remove();
}

void Podman::check_stats() const {
  start();
  const Outcome outcome =
      podman({"stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name()});
  EXPECT_EQ(outcome.out, name() + " 1\n") << outcome.err;
  remove();
}

std::string Podman::logs() const { return podman({"logs", name()}).out; }

bool Podman::says(const std::string& text) const {
  return eventually([&] { return logs().find(text) != std::string::npos; },
                    std::chrono::seconds(30));
}

pid_t Podman::pid() const {
  return static_cast<pid_t>(parse_int(inspect("{{.State.Pid}}")).value_or(0));
}

std::string Podman::directory() const { return cat("/srv/", name()); }

std::string Podman::file(const std::string& file_name, const std::string& text, mode_t mode) const {
  std::string path = cat(directory(), "/", file_name);
  write_file(path, text, mode);
  return path;
}

std::string Podman::read(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, size_t{1} << 20);
  return text ? text.value() : "";
}

}  // namespace rt::testing
