// Which of a container's mounts show files of the host, and how such a mount is known again: by
// what it shows, not by the place where links of an image lead. For this package alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/kernel/mountinfo.h"
#include "runtime/plan/plan.h"

namespace rt::container {

/// A mount that the plan makes of something of the host.
struct View {
  std::string target;
  std::string source;
  bool recursive = false;
  /// MOUNT_ATTR_* that take rights away, of those that the plan gives it, and what is mounted below
  /// it.
  uint64_t restrictions = 0;
  uint64_t restrictions_below = 0;
};

std::vector<View> views_of(const plan::Plan& plan);

/// A file or directory of a file system, whatever the names are by which it is reached.
struct Location {
  dev_t device = 0;
  std::string path;  // below the file system's root
  bool operator==(const Location&) const = default;
};

/// Whether what the mount shows has no name any more.
bool is_deleted(const kernel::MountInfo& mount);

/// What a mount shows. A file that was replaced since counts as the one that has its name now.
Location location_of(const kernel::MountInfo& mount);

/// What is at a path of the host, whose mounts are given.
Result<Location> locate(const std::string& path, const std::vector<kernel::MountInfo>& mounts);

/// How the paths of mounts below `top` go on from there: "/a" and "/a/b".
std::vector<std::string> parts_below(const std::vector<kernel::MountInfo>& mounts,
                                     const std::string& top);

}  // namespace rt::container
