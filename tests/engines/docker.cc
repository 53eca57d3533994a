#include "tests/engines/docker.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "runtime/base/text.h"

namespace rt::testing {
namespace {

std::unique_ptr<Daemon> daemon;
std::vector<std::string> daemon_options;

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// With no network where the options name none: a container has one of these options only.
std::vector<std::string> with_network(std::vector<std::string> options) {
  const auto names = [](const std::string& option) { return option.starts_with("--network="); };
  if (std::ranges::none_of(options, names)) options.emplace_back("--network=none");
  return options;
}

/// BuildKit looks for "runc" in the daemon's PATH. The runtime, for that name.
const std::string& runc_directory() {
  static const std::string kPath = [] {
    std::string made = "/run/tested";
    std::filesystem::create_directory(made);
    std::filesystem::create_symlink(std::filesystem::absolute(runtime_binary()), made + "/runc");
    return made;
  }();
  return kPath;
}

}  // namespace

void Docker::start_server(const std::vector<std::string>& options) {
  const std::vector<std::string> usual = {
      cat("PATH=", runc_directory(), ":/usr/sbin:/usr/bin:/sbin:/bin"),
      "dockerd",
      cat("--add-runtime=tested=", std::filesystem::absolute(runtime_binary()).native()),
      "--default-runtime=tested",
      cat("--exec-opt=native.cgroupdriver=", cgroup_driver()),
      "--storage-driver=overlay2",
      "--bridge=none",
      "--iptables=false"};
  daemon_options = options;
  daemon = std::make_unique<Daemon>("env", joined(usual, options), [] {
    return call_program("docker", {"version"}).exit_code == 0;
  });
  if (docker({"image", "inspect", "bb"}).exit_code == 0) return;
  EXPECT_TRUE(succeeds(docker({"import", root_archive(), "bb"}))) << daemon->log();
}

void Docker::stop_server() { daemon.reset(); }

const Daemon& Docker::server() { return *daemon; }

void Docker::SetUp() {
  Engine::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  if (!daemon || daemon_options != options_) {
    stop_server();
    start_server(options_);
  }
  watch();
}

Outcome Docker::docker(const std::vector<std::string>& args, Call rest) {
  return call_program("docker", args, std::move(rest));
}

Outcome Docker::run(std::vector<std::string> options, const std::vector<std::string>& command) {
  const std::vector<std::string> all = joined({"run", "--rm"}, with_network(std::move(options)));
  return docker(joined(joined(all, {"bb"}), command));
}

Outcome Docker::run_shell(std::vector<std::string> options, const std::string& script) {
  return run(std::move(options), {"sh", "-c", script});
}

void Docker::start(std::vector<std::string> options,
                   const std::vector<std::string>& command) const {
  const std::vector<std::string> all =
      joined({"run", "--detach", "--name=" + name()}, with_network(std::move(options)));
  ASSERT_TRUE(succeeds(docker(joined(joined(all, {"bb"}), command))));
}

Outcome Docker::exec(const std::vector<std::string>& command, std::vector<std::string> options,
                     Call rest) const {
  options.insert(options.begin(), "exec");
  options.push_back(name());
  return docker(joined(std::move(options), command), std::move(rest));
}

std::string Docker::said_inside(const std::string& script) const {
  const Outcome outcome = exec({"sh", "-c", script});
  EXPECT_TRUE(succeeds(outcome)) << script;
  return outcome.out;
}

Program Docker::begin(const std::vector<std::string>& args) {
  Call call;
  call.args = args;
  return {find_program("docker"), call};
}

void Docker::remove() const {
  EXPECT_TRUE(succeeds(docker({"rm", "--force", "--volumes", name()})));
}

std::string Docker::inspect(const std::string& format) const {
  return stripped(docker({"inspect", "--format", format, name()}).out);
}

bool Docker::becomes(const std::string& format, const std::string& wanted) const {
  return eventually([&] { return inspect(format) == wanted; }, std::chrono::minutes(1));
}

pid_t Docker::pid() const {
  return static_cast<pid_t>(parse_int(inspect("{{.State.Pid}}")).value_or(0));
}

bool Docker::is(const std::string& status) const { return inspect("{{.State.Status}}") == status; }

bool Docker::tests_ours() {
  Call call;
  call.args = {"--version"};
  return run_program(runtime_binary(), call).out.starts_with("runtime version");
}

}  // namespace rt::testing
