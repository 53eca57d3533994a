#include "runtime/kernel/root.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"

namespace rt::kernel {
namespace {

bool has_own_mounts(const plan::RootStep& step) {
  return step.method == plan::RootMethod::kPivot || step.method == plan::RootMethod::kMove;
}

Result<UniqueFd> clone_checked(const plan::RootStep& step) {
  const UniqueFd directory = TRY(sys::open(step.path, O_PATH | O_DIRECTORY));
  UniqueFd tree = TRY(sys::clone_tree(directory.get(), "", true));
  TRY(sys::mount_setattr(tree.get(), {.propagation = MS_SLAVE}, true));
  return tree;
}

Status pivot() {
  const Status pivoted = sys::pivot_root(".", ".");
  if (!pivoted && pivoted.error().code() == EINVAL) {
    return Error(pivoted.error())
        .with_hint("is the host's root an initramfs? then --no-pivot is needed");
  }
  TRY(pivoted);
  // The old root now lies on top of the new one.
  return sys::umount(".", MNT_DETACH);
}

Status enter_tree(const plan::RootStep& step, UniqueFd tree) {
  if (!tree) tree = TRY(clone_checked(step));
  const UniqueFd host_root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  TRY(sys::attach_tree(tree.get(), host_root.get()));
  TRY(sys::fchdir(tree.get()));
  TRY(step.method == plan::RootMethod::kPivot ? pivot() : sys::chroot("."));
  TRY(sys::chdir("/"));
  const bool recursive = (step.propagation & MS_REC) != 0;
  const unsigned long propagation = step.propagation & ~static_cast<unsigned long>(MS_REC);
  // Only now: pivot_root(2) refuses a shared root.
  return at(step.propagation_origin,
            sys::mount_setattr(tree.get(), {.propagation = propagation}, recursive));
}

Status enter_by_chroot(const plan::RootStep& step) {
  TRY(sys::chdir(step.path.c_str()));
  TRY(sys::chroot("."));
  return sys::chdir("/");
}

}  // namespace

Result<UniqueFd> clone_root(const plan::RootStep& step) {
  if (!has_own_mounts(step)) return UniqueFd();
  Result<UniqueFd> tree = clone_checked(step);
  if (!tree && tree.error().code() == EPERM) return UniqueFd();
  UniqueFd copy = TRY(at(step.origin, std::move(tree)), "root ", quoted(step.path));
  return copy;
}

Status leave_host_propagation() {
  Status left = sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
  if (left || left.error().code() != EINVAL) return left;
  return std::move(left).error().within("/").with_hint(
      "it is no mount point: the runtime cannot work in a plain chroot");
}

Status enter_root(const plan::RootStep& step, UniqueFd tree) {
  switch (step.method) {
    case plan::RootMethod::kPivot:
    case plan::RootMethod::kMove:
      TRY(at(step.origin, enter_tree(step, std::move(tree))), "root ", quoted(step.path));
      return ok();
    case plan::RootMethod::kChroot:
      TRY(at(step.origin, enter_by_chroot(step)), "root ", quoted(step.path));
      return ok();
    case plan::RootMethod::kJoined:
      return sys::chdir("/");
  }
  return Error("unknown root method");
}

Status make_root_readonly(int root) {
  return sys::mount_setattr(root, {.set = MOUNT_ATTR_RDONLY}, false);
}

}  // namespace rt::kernel
