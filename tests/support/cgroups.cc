#include "tests/support/cgroups.h"

#include <fcntl.h>

#include <algorithm>
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

/// /proc/self/cgroup: what stands between the colons ("freezer", "cpu,cpuacct", "") to our path.
std::map<std::set<std::string>, std::string> own_paths() {
  std::map<std::set<std::string>, std::string> paths;
  const std::string text = sys::read_file("/proc/self/cgroup", kLimit).value();
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

}  // namespace

std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> found;
  const auto paths = own_paths();
  const std::string text = sys::read_file("/proc/self/mountinfo", kLimit).value();
  for (const std::string_view line : split(text, '\n')) {
    Hierarchy hierarchy = read_mount(line);
    for (const auto& [controllers, path] : paths) {
      const bool ours = hierarchy.unified ? controllers == std::set<std::string>{""}
                                          : std::ranges::includes(hierarchy.options, controllers);
      if (hierarchy.mount.empty() || !ours) continue;
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

}  // namespace rt::testing
