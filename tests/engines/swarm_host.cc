#include "tests/engines/swarm_host.h"

#include <signal.h>
#include <sys/stat.h>

#include <optional>
#include <string_view>
#include <utility>

#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

constexpr size_t kLengthOfId = 64;

void ip(const std::vector<std::string>& args) { EXPECT_TRUE(succeeds(call_program("ip", args))); }

bool is_container_id(std::string_view name) {
  return name.size() == kLengthOfId &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Directories of containers: of the runtime, of shims.
void add_records(std::string& found, const std::string& directory, int depth) {
  for (const std::string& name : names_in(directory)) {
    const std::string path = cat(directory, "/", name);
    struct stat about{};
    if (::lstat(path.c_str(), &about) < 0 || !S_ISDIR(about.st_mode)) continue;
    if (is_container_id(name)) {
      found += cat("record: ", path, '\n');
    } else if (depth > 0) {
      add_records(found, path, depth - 1);
    }
  }
}

/// The data of containers, and what they have in /dev/shm.
void add_mounts(std::string& found, const std::string& data_root) {
  for (const std::string& line : lines_of(text_of("/proc/self/mountinfo"))) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() < 5) continue;
    if (fields[4].starts_with(data_root + "/overlay2/") ||
        fields[4].starts_with(data_root + "/containers/")) {
      found += cat("mount: ", fields[4], '\n');
    }
  }
}

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

SwarmHost::SwarmHost(int number) : name_(cat("host-", number)), address_(cat("10.9.0.", number)) {
  const std::string plug = cat("plug-", number);
  ip({"netns", "add", name_});
  ip({"link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", name_});
  ip({"link", "set", plug, "master", "swarm", "up"});
  ip({"-n", name_, "address", "add", address_ + "/24", "dev", "eth0"});
  ip({"-n", name_, "link", "set", "eth0", "up"});
  ip({"-n", name_, "link", "set", "lo", "up"});
}

void SwarmHost::start() {
  // Not by `ip netns exec`, which hides the cgroups.
  const std::vector<std::string> args = {
      cat("--net=/run/netns/", name_),
      "unshare",
      "--uts",
      "sh",
      "-c",
      R"(hostname "$0" && exec "$@")",
      name_,
      "dockerd",
      "--data-root=" + data_root(),
      "--exec-root=" + exec_root(),
      "--host=" + socket(),
      cat("--pidfile=/run/", name_, ".pid"),
      "--cgroup-parent=/" + name_,
      "--add-runtime=tested=" + runtime_binary(),
      "--default-runtime=tested",
      "--storage-driver=overlay2",
      "--bridge=none",
      "--iptables=false",
  };
  daemon_ =
      std::make_unique<Daemon>("nsenter", args, [&] { return docker({"version"}).exit_code == 0; });
  if (docker({"image", "inspect", "bb"}).exit_code == 0) return;
  EXPECT_TRUE(succeeds(docker({"import", root_archive(), "bb"}))) << daemon_->log();
}

Outcome SwarmHost::docker(std::vector<std::string> args, Call rest) const {
  args.insert(args.begin(), "--host=" + socket());
  return call_program("docker", args, std::move(rest));
}

std::multimap<std::string, pid_t> SwarmHost::processes() const {
  struct stat network{};
  if (::stat(cat("/run/netns/", name_).c_str(), &network) < 0) return {};
  std::multimap<std::string, pid_t> found;
  for (const std::string& process : names_in("/proc")) {
    const std::optional<int64_t> pid = parse_int(process);
    struct stat about{};
    if (!pid || ::stat(cat("/proc/", process, "/ns/net").c_str(), &about) < 0) continue;
    if (about.st_ino != network.st_ino || about.st_dev != network.st_dev) continue;
    found.emplace(stripped(text_of(cat("/proc/", process, "/comm"))), static_cast<pid_t>(*pid));
  }
  return found;
}

void SwarmHost::crash() {
  for (const auto& [program, pid] : processes()) {
    if (program == "dockerd" || program == "containerd") ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([&] {
    const auto left = processes();
    return !left.contains("dockerd") && !left.contains("containerd");
  }));
  daemon_.reset();
}

void SwarmHost::lose_power() {
  // dockerd first: it would begin to tidy up.
  daemon_->signal(SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const auto left = processes();
    for (const auto& [program, pid] : left) ::kill(pid, SIGKILL);
    return left.empty();
  }));
  daemon_.reset();
}

std::vector<std::string> SwarmHost::containers() const {
  std::vector<std::string> args = {"inspect", "--format", "{{.State.Pid}}"};
  const std::vector<std::string> ids = lines_of(docker({"ps", "--quiet"}).out);
  if (ids.empty()) return {};
  args.insert(args.end(), ids.begin(), ids.end());
  return lines_of(docker(args).out);
}

std::string SwarmHost::remains() const {
  std::string found;
  for (const auto& [program, pid] : processes()) {
    if (program != "dockerd" && program != "containerd") {
      found += cat("process: ", program, " ", pid, '\n');
    }
  }
  for (const std::string& cgroup : all_cgroups()) {
    if (cgroup.find(cat("/", name_, "/")) != std::string::npos) {
      found += cat("cgroup: ", cgroup, '\n');
    }
  }
  add_records(found, exec_root(), 4);
  add_mounts(found, data_root());
  const Outcome unended =
      docker({"ps", "--all", "--filter=status=created", "--filter=status=running",
              "--filter=status=dead", "--format", "{{.ID}} {{.Status}}"});
  for (const std::string& container : lines_of(unended.out)) {
    found += cat("container: ", container, '\n');
  }
  return found;
}

}  // namespace rt::testing
