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

unsigned long kind_of(const plan::RootStep& step) {
  return step.propagation & ~static_cast<unsigned long>(MS_REC);
}

/// Of the root and what the host has mounted below it. A mount of the document has its own, which
/// must not be changed by this later.
Status set_early_propagation(const plan::RootStep& step, int root) {
  const bool recursive = (step.propagation & MS_REC) != 0;
  if (step.propagation_last && !recursive) return ok();
  TRY(sys::mount_setattr(root, {.propagation = kind_of(step)}, recursive));
  if (!step.propagation_last) return ok();
  return sys::mount_setattr(root, {.propagation = MS_SLAVE}, false);
}

/// "." is the root's own path: the working directory came along into the new mount namespace, where
/// the path itself may be out of reach for the container's root user.
Result<UniqueFd> mount_tree(const plan::RootStep& step, UniqueFd tree, RootPlace where) {
  if (!tree) tree = TRY(clone_checked(step));
  const char* target = where == RootPlace::kOwnPath ? "." : "/";
  const UniqueFd directory = TRY(sys::open(target, O_PATH | O_DIRECTORY));
  TRY(sys::attach_tree(tree.get(), directory.get()));
  TRY(at(step.propagation_origin, set_early_propagation(step, tree.get())));
  return tree;
}

Status enter_mount(const plan::RootStep& step, int root, RootPlace where) {
  if (where == RootPlace::kOwnPath) {
    const UniqueFd host_root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
    TRY(sys::attach_tree(root, host_root.get()));
  }
  TRY(sys::fchdir(root));
  TRY(step.method == plan::RootMethod::kPivot ? pivot() : sys::chroot("."));
  return sys::chdir("/");
}

Status enter_by_chroot(int root) {
  TRY(sys::fchdir(root));
  TRY(sys::chroot("."));
  return sys::chdir("/");
}

Result<UniqueFd> place(const plan::RootStep& step, UniqueFd tree, RootPlace where) {
  if (has_own_mounts(step)) return mount_tree(step, std::move(tree), where);
  const bool joined = step.method == plan::RootMethod::kJoined;
  return sys::open(joined ? "/" : step.path, O_PATH | O_DIRECTORY);
}

Status enter(const plan::RootStep& step, int root, RootPlace where) {
  if (has_own_mounts(step)) return enter_mount(step, root, where);
  return step.method == plan::RootMethod::kJoined ? sys::chdir("/") : enter_by_chroot(root);
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

Result<UniqueFd> place_root(const plan::RootStep& step, UniqueFd tree, RootPlace where) {
  UniqueFd root =
      TRY(at(step.origin, place(step, std::move(tree), where)), "root ", quoted(step.path));
  return root;
}

Status enter_root(const plan::RootStep& step, int root, RootPlace where) {
  TRY(at(step.origin, enter(step, root, where)), "root ", quoted(step.path));
  return ok();
}

Status finish_root(const plan::RootStep& step, int root) {
  if (step.propagation_last) {
    TRY(at(step.propagation_origin,
           sys::mount_setattr(root, {.propagation = kind_of(step)}, false)),
        "root propagation");
  }
  if (!step.readonly) return ok();
  return at(step.readonly_origin, sys::mount_setattr(root, {.set = MOUNT_ATTR_RDONLY}, false));
}

}  // namespace rt::kernel
