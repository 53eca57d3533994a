#include "runtime/container/exec_cgroup.h"

#include <algorithm>

#include "runtime/sys/file.h"

namespace rt::container {
namespace {

using plan::CgroupHierarchy;

/// A --cgroup in its parts.
struct Wish {
  std::vector<std::string_view> controllers;  // empty: all
  std::string_view path;
};

Result<Wish> parse_wish(std::string_view text) {
  Wish wish;
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) wish.controllers = split(text.substr(0, colon), ',');
  wish.path = colon == std::string_view::npos ? text : text.substr(colon + 1);
  for (const std::string_view part : split(wish.path, '/')) {
    if (part == "..") return Error(cat("--cgroup ", quoted(text), ": leads out of the container"));
  }
  return wish;
}

bool is_below(const cgroup::Directory& directory, const CgroupHierarchy& hierarchy) {
  return directory.path.starts_with(cat(hierarchy.mount_point, '/'));
}

/// Whether the hierarchy of `directory` has one of the controllers.
bool has_controller(const cgroup::Directory& directory, const Wish& wish,
                    const plan::HostFacts& host) {
  return std::ranges::any_of(host.cgroups, [&](const CgroupHierarchy& hierarchy) {
    const bool asked = std::ranges::any_of(wish.controllers, [&](std::string_view name) {
      return std::ranges::find(hierarchy.controllers, name) != hierarchy.controllers.end();
    });
    return asked && !hierarchy.unified && is_below(directory, hierarchy);
  });
}

Status apply(std::string_view text, std::vector<cgroup::Directory>& directories,
             const plan::HostFacts& host) {
  const Wish wish = TRY(parse_wish(text));
  bool used = false;
  for (cgroup::Directory& directory : directories) {
    if (!wish.controllers.empty() && !has_controller(directory, wish, host)) continue;
    directory.path += cat('/', wish.path);
    used = true;
  }
  if (used) return ok();
  return Error(cat("--cgroup ", quoted(text), ": the container has no such cgroup"));
}

/// "0::/path" of /proc/PID/cgroup: cgroups(7).
Result<std::string> unified_path(pid_t pid) {
  constexpr size_t kLimit = 64UL * 1024;
  const std::string text = TRY(sys::read_file(cat("/proc/", pid, "/cgroup"), kLimit));
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return Error(cat("/proc/", pid, "/cgroup: no cgroup of version 2"));
}

}  // namespace

Result<std::vector<cgroup::Directory>> exec_cgroups(const Record& record,
                                                    const std::vector<std::string>& wishes,
                                                    const plan::HostFacts& host) {
  std::vector<cgroup::Directory> directories = record.cgroups;
  std::erase_if(directories, [](const cgroup::Directory& one) { return !one.leaf; });
  for (const std::string& wish : wishes) TRY(apply(wish, directories, host));
  return directories;
}

Result<std::vector<cgroup::Directory>> beside_init(std::vector<cgroup::Directory> directories,
                                                   pid_t init, const plan::HostFacts& host) {
  const std::string path = TRY(unified_path(init));
  for (cgroup::Directory& directory : directories) {
    if (!directory.unified) continue;
    for (const CgroupHierarchy& hierarchy : host.cgroups) {
      if (hierarchy.unified && is_below(directory, hierarchy)) {
        directory.path = cat(hierarchy.mount_point, path);
      }
    }
  }
  return directories;
}

}  // namespace rt::container
