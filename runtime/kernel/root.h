// The container's root directory. runtime-spec config.md, "Root"; config-linux.md, "Rootfs Mount
// Propagation".
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// Where the container's root is mounted until it becomes "/".
enum class RootPlace {
  /// On top of "/": the container's root user need not be able to reach its path, and a link in it
  /// can lead nowhere.
  kOverHost,
  /// At its own path, in the working directory: for hooks, which find it there.
  kOwnPath,
};

/// In the runtime: a detached copy of the root file system's mount and all below it, which receives
/// mounts from the host but gives none back. Empty where the plan needs none (kChroot, kJoined), or
/// where the runtime may not clone mounts (EPERM: not root): place_root makes it then.
Result<UniqueFd> clone_root(const plan::RootStep& step);

/// In init: nothing that is mounted from here on shows on the host. The mount namespace must be
/// new.
Status leave_host_propagation();

/// In init: mounts the root file system, and gives back its directory: everything in the container
/// is named below it from here on.
Result<UniqueFd> place_root(const plan::RootStep& step, UniqueFd tree, RootPlace where);

/// In init: makes `root`, from place_root, "/", and the host's root unreachable: pivot_root(".",
/// "."). kMove ends in chroot(2) in its place, since pivot_root(2) refuses to leave an initramfs.
Status enter_root(const plan::RootStep& step, int root, RootPlace where);

/// In init, last of all mounts: "/" becomes shared or unbindable, and read-only, where the plan
/// says so. Mounts below it keep their own attributes.
Status finish_root(const plan::RootStep& step, int root);

}  // namespace rt::kernel
