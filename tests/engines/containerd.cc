#include "tests/engines/containerd.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

constexpr const char* kImageName = "docker.io/library/bb";  // the archive says ":latest"

std::unique_ptr<Daemon> daemon;

std::vector<std::string> joined(const std::vector<std::vector<std::string>>& parts) {
  std::vector<std::string> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string runtime_table(const std::string& name, const std::string& records) {
  const std::string table =
      cat("[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.", name, "]\n");
  const std::string options =
      cat("[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.", name, ".options]\n");
  const std::string root = records.empty() ? "" : cat("Root = \"", records, "\"\n");
  return cat(table, "runtime_type = \"io.containerd.runc.v2\"\n", options, "BinaryName = \"",
             tested_runtime(),
             "\"\nSystemdCgroup = ", cgroup_driver() == "systemd" ? "true\n" : "false\n", root);
}

/// Pods want a lower oom_score_adj than a machine without CAP_SYS_RESOURCE may give: the
/// restriction makes containerd ask for what it has itself.
std::string configuration(const std::string& other_records) {
  return cat(R"(version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/library/pause:latest"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "tested"
)",
             runtime_table("tested", ""), runtime_table("other", other_records));
}

constexpr const char* kNetwork = R"({"cniVersion": "0.4.0", "name": "engine", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {"type": "host-local",
   "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]})";

/// The image "pause:latest": the same files, and a command that waits to be killed.
std::string pause_archive() {
  const std::string layout = "/tmp/pause-layout";
  std::filesystem::create_directory(layout);
  std::string made = "/tmp/pause.tar";
  EXPECT_TRUE(succeeds(call_program("tar", {"-xf", image_archive(), "-C", layout})));
  EXPECT_TRUE(succeeds(call_program("umoci", {"config", "--image", layout + ":latest",
                                              "--config.cmd", "sleep", "--config.cmd", "100000"})));
  EXPECT_TRUE(succeeds(call_program("tar", {"-cf", made, "-C", layout, "."})));
  return made;
}

void import_image(const std::string& space, const std::string& name, const std::string& archive) {
  EXPECT_TRUE(succeeds(call_program(
      "ctr", {"--namespace", space, "image", "import", "--base-name", name, archive})));
}

/// ctr knows no other name for the runtime where it maps ids.
void put_runtime_into_path() {
  if (tested_runtime() == "/usr/sbin/runc") return;
  ::unlink("/usr/sbin/runc");
  EXPECT_EQ(::symlink(tested_runtime().c_str(), "/usr/sbin/runc"), 0);
}

/// Of `ctr task ls`: name, pid and status.
std::vector<std::string> task_row(const std::string& container) {
  const std::string table = call_program("ctr", {"task", "ls"}).out;
  for (const std::string_view line : split(table, '\n')) {
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
    if (words.size() == 3 && words[0] == container) return words;
  }
  return {"", "", ""};
}

}  // namespace

Containerd::Containerd(const std::vector<std::string>& programs)
    : Engine(joined({{"containerd", "ctr", "umoci"}, programs})) {}

void Containerd::start_server() {
  daemon = std::make_unique<Daemon>("containerd", std::vector<std::string>(),
                                    [] { return ctr({"version"}).exit_code == 0; });
}

void Containerd::stop_server(int signal) {
  daemon->signal(signal);
  daemon.reset();
}

const Daemon& Containerd::server() { return *daemon; }

void Containerd::SetUp() {
  Engine::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  if (!daemon) {
    std::filesystem::create_directories("/etc/containerd");
    std::filesystem::create_directories("/etc/cni/net.d");
    write_text_file("/etc/containerd/config.toml", configuration(kOtherRecords));
    write_text_file("/etc/cni/net.d/10-engine.conflist", kNetwork);
    put_runtime_into_path();
    start_server();
    import_image("default", kImageName, image_archive());
    import_image("k8s.io", kImageName, image_archive());
    import_image("k8s.io", "docker.io/library/pause", pause_archive());
  }
  watch();
}

Outcome Containerd::ctr(const std::vector<std::string>& args, Call rest) {
  return call_program("ctr", args, std::move(rest));
}

std::vector<std::string> Containerd::runtime_options(const std::string& container) {
  std::vector<std::string> options = {"--runc-binary", tested_runtime()};
  if (cgroup_driver() == "systemd") {
    const std::string unit = cat("system.slice:ctr:", container);  // slice, prefix, name
    options.insert(options.end(), {"--runc-systemd-cgroup", "--cgroup", unit});
  }
  return options;
}

/// ctr opens its ends of the pipes only after the task has been started, and loses what a short one
/// says before that; with a log, the shim has written all of it when the task is deleted.
Outcome Containerd::ctr_with_log(const std::vector<std::string>& verbs,
                                 const std::vector<std::string>& rest) {
  static std::atomic<int> number = 0;
  const std::string path = cat("/tmp/said-", number++);
  Outcome outcome = ctr(joined({verbs, {"--log-uri", "file://" + path}, rest}));
  outcome.out = text_of(path);
  return outcome;
}

Outcome Containerd::run(const std::vector<std::string>& options,
                        const std::vector<std::string>& command) const {
  return ctr_with_log(joined({{"run", "--rm"}, runtime_options(name())}),
                      joined({options, {kImage, name()}, command}));
}

Outcome Containerd::run_shell(const std::vector<std::string>& options,
                              const std::string& script) const {
  return run(options, {"sh", "-c", script});
}

void Containerd::start(const std::vector<std::string>& options,
                       const std::vector<std::string>& command) const {
  const std::vector<std::string> usual = {"run", "--detach", "--log-uri", "file://" + log_path()};
  ASSERT_TRUE(
      succeeds(ctr(joined({usual, runtime_options(name()), options, {kImage, name()}, command}))));
}

Outcome Containerd::exec(const std::vector<std::string>& options,
                         const std::vector<std::string>& command) const {
  static std::atomic<int> number = 0;
  const std::string id = cat("exec-", number++);
  return ctr_with_log({"task", "exec", "--exec-id", id}, joined({options, {name()}, command}));
}

Outcome Containerd::task(const std::string& verb, const std::vector<std::string>& options) const {
  return ctr(joined({{"task", verb}, options, {name()}}));
}

int Containerd::delete_task(const std::vector<std::string>& options) const {
  const Outcome outcome = task("delete", options);
  EXPECT_TRUE(succeeds(outcome));
  // It warns of every other code than 0.
  constexpr std::string_view kWarning = "exit with non-zero exit code ";
  const size_t start = outcome.err.find(kWarning);
  if (start == std::string::npos) return 0;
  const std::string code = outcome.err.substr(start + kWarning.size());
  return static_cast<int>(parse_int(code.substr(0, code.find('"'))).value_or(-1));
}

void Containerd::remove(const std::string& container) {
  if (!status(container).empty()) {
    const Outcome outcome = ctr({"task", "delete", "--force", container});
    // The exit code is the task's, and what went wrong is on standard error.
    EXPECT_EQ(outcome.err.find("ctr: "), std::string::npos) << outcome.err;
  }
  EXPECT_TRUE(succeeds(ctr({"container", "delete", container})));
}

std::string Containerd::status(const std::string& container) { return task_row(container)[2]; }

pid_t Containerd::pid(const std::string& container) {
  return static_cast<pid_t>(parse_int(task_row(container)[1]).value_or(0));
}

bool Containerd::becomes(const std::string& wanted) const {
  return eventually([&] { return status() == wanted; }, std::chrono::seconds(30));
}

std::string Containerd::log() const { return text_of(log_path()); }

bool Containerd::says(const std::string& text) const {
  const bool said = eventually([&] { return log().find(text) != std::string::npos; });
  EXPECT_TRUE(said) << log();
  return said;
}

std::string tested_runtime() { return std::filesystem::absolute(runtime_binary()); }

std::string namespace_of(pid_t process, const std::string& kind) {
  const Result<std::string> link = sys::readlinkat(-1, cat("/proc/", process, "/ns/", kind));
  return link ? link.value() : "";
}

void write_text_file(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  EXPECT_TRUE(file && sys::write_all(file.get(), text).ok()) << path;
}

std::string cgroup_value(pid_t process, const std::string& controller, const std::string& v1,
                         const std::string& v2) {
  const std::optional<Hierarchy> hierarchy = hierarchy_with(controller);
  if (!hierarchy) return cat("no controller ", controller);
  const std::string cgroup = cgroup_of(process, *hierarchy);
  return stripped(text_of(cat(cgroup, '/', hierarchy->unified ? v2 : v1)));
}

bool is_unified(const std::string& controller) {
  const std::optional<Hierarchy> hierarchy = hierarchy_with(controller);
  return hierarchy && hierarchy->unified;
}

}  // namespace rt::testing
