#include "tests/support/cgroups.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {
namespace {

constexpr size_t kLimit = size_t{16} << 20;

std::set<std::string> words(std::string_view text) {
  std::set<std::string> out;
  for (const std::string_view word : split(text, ',')) out.emplace(word);
  return out;
}

/// /proc/PID/cgroup: what stands between the colons ("freezer", "cpu,cpuacct", "") to its path.
std::map<std::set<std::string>, std::string> paths_of(const std::string& process) {
  std::map<std::set<std::string>, std::string> paths;
  const Result<std::string> read = sys::read_file(cat("/proc/", process, "/cgroup"), kLimit);
  const std::string text = read ? read.value() : "";
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() >= 3) paths[words(fields[1])] = fields[2];
  }
  return paths;
}

/// A line of /proc/self/mountinfo; `mount` stays empty when it is no cgroup hierarchy. proc(5).
Hierarchy read_mount(std::string_view line) {
  Hierarchy hierarchy;
  const std::vector<std::string_view> fields = split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 5 || fields.end() - dash < 4) return hierarchy;
  if (dash[1] != "cgroup" && dash[1] != "cgroup2") return hierarchy;
  hierarchy.unified = dash[1] == "cgroup2";
  hierarchy.mount = fields[4];
  hierarchy.options = words(dash[3]);
  return hierarchy;
}

void add_below(const std::string& directory, std::set<std::string>& all) {
  const Result<UniqueFd> opened = sys::open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return;
  all.insert(directory);
  const Result<std::vector<std::string>> names = sys::list_directory(opened.value().get());
  if (!names) return;
  for (const std::string& name : names.value()) add_below(cat(directory, '/', name), all);
}

bool is_of(const Hierarchy& hierarchy, const std::set<std::string>& controllers) {
  return hierarchy.unified ? controllers == std::set<std::string>{""}
                           : std::ranges::includes(hierarchy.options, controllers);
}

/// Host path of the cgroup below which this process can make others: with privileges the top, else
/// the one that its own is in, since processes would be in the way of those below theirs.
std::string workplace(const Hierarchy& hierarchy) {
  if (::geteuid() == 0 || hierarchy.own == hierarchy.mount) return hierarchy.mount;
  return hierarchy.own.substr(0, hierarchy.own.rfind('/'));
}

bool has_controller(const std::string& cgroup, const std::string& controller) {
  const Result<std::string> text = sys::read_file(cgroup + "/cgroup.controllers", kLimit);
  if (!text) return false;
  const std::string_view line = std::string_view(text.value()).substr(0, text.value().find('\n'));
  return std::ranges::count(split(line, ' '), controller) != 0;
}

}  // namespace

std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> found;
  const auto paths = paths_of("self");
  const std::string text = sys::read_file("/proc/self/mountinfo", kLimit).value();
  for (const std::string_view line : split(text, '\n')) {
    Hierarchy hierarchy = read_mount(line);
    for (const auto& [controllers, path] : paths) {
      if (hierarchy.mount.empty() || !is_of(hierarchy, controllers)) continue;
      hierarchy.own = path == "/" ? hierarchy.mount : cat(hierarchy.mount, path);
      found.push_back(hierarchy);
    }
  }
  return found;
}

std::set<std::string> all_cgroups() {
  std::set<std::string> all;
  for (const Hierarchy& hierarchy : hierarchies()) add_below(hierarchy.mount, all);
  return all;
}

std::string workplace_path(const std::string& name) {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (!hierarchy.unified) continue;
    return cat(workplace(hierarchy).substr(hierarchy.mount.size()), '/', name);
  }
  return cat('/', name);
}

std::optional<Hierarchy> hierarchy_with(const std::string& controller) {
  std::optional<Hierarchy> found;
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.options.contains(controller) && !hierarchy.unified && ::geteuid() == 0) {
      return hierarchy;
    }
    const bool usable = ::access(workplace(hierarchy).c_str(), W_OK) == 0;
    if (hierarchy.unified && usable && has_controller(workplace(hierarchy), controller)) {
      found = hierarchy;
    }
  }
  return found;
}

std::string cgroup_of(pid_t process, const Hierarchy& hierarchy) {
  for (const auto& [controllers, path] : paths_of(std::to_string(process))) {
    if (is_of(hierarchy, controllers)) return cat(hierarchy.mount, path);
  }
  return "";
}

std::optional<unsigned> device_programs(const std::string& cgroup) {
  const Result<UniqueFd> directory = sys::open(cgroup, O_RDONLY | O_DIRECTORY);
  if (!directory) return std::nullopt;
  std::array<uint32_t, 128> ids{};
  union bpf_attr attributes{};
  attributes.query.target_fd = static_cast<uint32_t>(directory.value().get());
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = reinterpret_cast<uintptr_t>(ids.data());
  attributes.query.prog_cnt = ids.size();
  if (::syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes) < 0) return std::nullopt;
  return attributes.query.prog_cnt;
}

}  // namespace rt::testing
