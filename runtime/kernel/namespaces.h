// Namespaces: joined, made, and given their id maps and time offsets. runtime-spec config-linux.md,
// "Namespaces", "User namespace mappings", "Offset for Time Namespace".
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// A namespace to be joined.
struct OpenNamespace {
  plan::NamespaceStep step;
  UniqueFd fd;
};

/// In the runtime: opens every namespace that is joined by path, and checks that it is one of the
/// kind that the document says.
Result<std::vector<OpenNamespace>> open_namespaces(const std::vector<plan::NamespaceStep>& steps);

/// In the runtime: whether a joined namespace is the runtime's own, so that it is not the
/// container's to change.
Result<bool> is_own(const OpenNamespace& target);

/// In the runtime: the CLONE_NEW* flags of the namespaces of process `pid` that are not our own.
Result<int> foreign_namespaces(pid_t pid);

/// In stage 1. Those that our own rights do not open are entered after the user namespace, whose
/// rights may. The pid and time namespaces take effect for the next child.
Status join_namespaces(const std::vector<OpenNamespace>& namespaces);

/// In stage 1: unshares the new user namespace. Its maps are still to be written.
Status make_user_namespace();

/// In stage 1, once the maps are written: the ids of the namespace's root, and no groups.
Status become_namespace_root(bool may_set_groups);

/// In stage 1: unshares all other new namespaces. The cgroup namespace's root is the cgroup the
/// caller is in.
Status make_namespaces(const std::vector<plan::NamespaceStep>& steps);

/// In the runtime: writes setgroups, uid_map and gid_map of `pid`, or has newuidmap(1) and
/// newgidmap(1) do it.
Status write_id_maps(const plan::IdMaps& maps, pid_t pid);

/// In stage 1, after the time namespace is made and before its first process exists.
Status write_time_offsets(const std::vector<plan::TimeOffset>& offsets);

}  // namespace rt::kernel
