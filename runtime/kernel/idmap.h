// Id-mapped mounts: the user namespaces that carry the mappings, and the mapping of a mount.
// mount_setattr(2), "ID-mapped mounts". Linux 5.12; which file systems can is said by the kernel
// (ext4, xfs 5.12; btrfs 5.15; overlay 5.19; tmpfs 6.3). Used by mounts.cc alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// The kernel takes a mapping in the form of a user namespace that has it. Mounts with the same
/// mapping share one.
class MappingNamespaces {
 public:
  /// The namespace with this mapping; borrowed from here. Made if no mount before had the same one:
  /// a child unshares it, and ends when it is open here.
  Result<int> find(const plan::MountIdMap& map);

 private:
  std::vector<std::pair<plan::MountIdMap, UniqueFd>> known_;
};

/// Maps the ids of a mount that is still detached. The caller needs CAP_SYS_ADMIN in the user
/// namespace that the file system was mounted in. `type` is the file system's; empty: whatever the
/// host has mounted there.
Status map_ids(int tree, const plan::MountIdMap& map, const std::string& type,
               MappingNamespaces& namespaces);

}  // namespace rt::kernel
