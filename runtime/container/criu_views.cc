#include "runtime/container/criu_views.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <set>
#include <variant>

#include "runtime/sys/file.h"

namespace rt::container {
namespace {

using kernel::MountInfo;

constexpr uint64_t kRestrictions = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                   MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

constexpr std::string_view kDeleted = "//deleted";

/// `path`, which lies at or below `top`, from there on.
std::string_view behind(std::string_view path, std::string_view top) {
  return path.substr(top == "/" ? 0 : top.size());
}

}  // namespace

std::vector<View> views_of(const plan::Plan& plan) {
  std::vector<View> views;
  for (const plan::MountStep& step : plan.mounts) {
    const auto* bind = std::get_if<plan::BindMount>(&step.what);
    if (bind == nullptr) continue;
    const uint64_t below = step.recursive_attributes.set & kRestrictions;
    const uint64_t own = step.attributes.set & kRestrictions;
    views.push_back({.target = step.target,
                     .source = bind->source,
                     .recursive = bind->recursive,
                     .restrictions = (below & ~step.attributes.clear) | own,
                     .restrictions_below = below});
  }
  for (const plan::DeviceNode& device : plan.devices) {
    if (!device.bind.empty()) views.push_back({.target = device.path, .source = device.bind});
  }
  for (const plan::PathStep& masked : plan.masked_paths) {
    views.push_back({.target = masked.path, .source = "/dev/null"});
  }
  return views;
}

bool is_deleted(const MountInfo& mount) { return mount.root.ends_with(kDeleted); }

Location location_of(const MountInfo& mount) {
  std::string_view path = mount.root;
  if (is_deleted(mount)) path.remove_suffix(kDeleted.size());
  return {.device = mount.device, .path = std::string(path)};
}

Result<Location> locate(const std::string& path, const std::vector<MountInfo>& mounts) {
  const UniqueFd file = TRY(sys::open(path, O_PATH), path);
  const uint64_t id = TRY(sys::mount_id(file.get()), path);
  const auto mount = std::ranges::find(mounts, id, &MountInfo::id);
  if (mount == mounts.end()) return Error(cat(path, ": its mount is not to be seen"));
  const std::string real = TRY(sys::readlinkat(AT_FDCWD, cat("/proc/self/fd/", file.get())), path);
  if (!real.starts_with(mount->point)) return Error(cat(path, ": not below its mount"));
  Location location = location_of(*mount);
  const std::string_view rest = behind(real, mount->point);
  if (rest.empty() || rest == "/") return location;
  location.path = location.path == "/" ? std::string(rest) : cat(location.path, rest);
  return location;
}

std::vector<std::string> parts_below(const std::vector<MountInfo>& mounts, const std::string& top) {
  std::set<std::string> parts;
  const std::string beginning = top == "/" ? top : top + '/';
  for (const MountInfo& mount : mounts) {
    if (!mount.point.starts_with(beginning)) continue;
    parts.insert(cat('/', std::string_view(mount.point).substr(beginning.size())));
  }
  return {parts.begin(), parts.end()};
}

}  // namespace rt::container
