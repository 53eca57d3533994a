// The mounts of the plan: each is made detached, with all its attributes, while the host is in
// sight, and attached when only the container's root is. runtime-spec config.md, "Mounts".
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// One detached mount for each step, in order; empty where there is none (yet).
using Trees = std::vector<UniqueFd>;

/// In the runtime: detached copies of all bind sources, and all mounts that are id-mapped. They are
/// made with the runtime's rights: the container's root need not be able to reach the sources, and
/// has no rights over the file systems whose ids are mapped. Where the runtime may not clone mounts
/// (EPERM: not root) the copies stay empty and prepare_mounts makes them.
Result<Trees> clone_sources(const std::vector<plan::MountStep>& steps);

/// In init, before it enters its root: makes what clone_sources left out. New file systems belong
/// to the namespaces of the caller (pid for proc, network for sysfs, ipc for mqueue, cgroup).
Status prepare_mounts(const std::vector<plan::MountStep>& steps, Trees& trees);

/// In init, after it entered its root: attaches each mount at its target below `root`, in order.
/// Missing targets are made. A tmpfs with tmpcopyup is filled before it covers its target. The
/// targets of proc and sysfs must not be symbolic links (CVE-2023-27561).
Status attach_mounts(const std::vector<plan::MountStep>& steps, Trees& trees, int root);

}  // namespace rt::kernel
