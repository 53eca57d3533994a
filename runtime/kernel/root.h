// The container's root directory. runtime-spec config.md, "Root"; config-linux.md, "Rootfs Mount
// Propagation".
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In the runtime: a detached copy of the root file system's mount and all below it, which receives
/// mounts from the host but gives none back. Empty where the plan needs none (kChroot, kJoined), or
/// where the runtime may not clone mounts (EPERM: not root): enter_root makes it then.
Result<UniqueFd> clone_root(const plan::RootStep& step);

/// In init: nothing that is mounted from here on shows on the host. The mount namespace must be
/// new.
Status leave_host_propagation();

/// In init: makes the root file system "/", and the host's root unreachable.
///
/// The copy is attached on top of "/", not at its own path: the container's root need not be able
/// to reach that path, and a link in it can lead nowhere. Then pivot_root(".", "."). kMove ends in
/// chroot(2) in its place, since pivot_root(2) refuses to leave an initramfs.
Status enter_root(const plan::RootStep& step, UniqueFd tree);

/// In init, last of all mounts: "/" becomes read-only. Mounts below it keep their own attribute.
Status make_root_readonly(int root);

}  // namespace rt::kernel
