#include "runtime/kernel/restrict.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <optional>

#include "runtime/kernel/in_root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"

namespace rt::kernel {
namespace {

constexpr uint64_t kHarmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Result<UniqueFd> make_empty() {
  const UniqueFd fs = TRY(sys::fsopen("tmpfs"));
  TRY(sys::fsconfig_string(fs.get(), "mode", "0555"));
  TRY(sys::fsconfig_string(fs.get(), "nr_blocks", "1"));
  TRY(sys::fsconfig_create(fs.get()));
  UniqueFd tree = TRY(sys::fsmount(fs.get(), MOUNT_ATTR_RDONLY | kHarmless));
  TRY(sys::mount_setattr(tree.get(), {.propagation = MS_PRIVATE}, false));
  return tree;
}

/// The path's descriptor, or nothing when there is no such path in the container.
Result<std::optional<UniqueFd>> find(int root, const std::string& path) {
  Result<UniqueFd> found = sys::open_in_root(root, path, O_PATH);
  if (found) return std::optional<UniqueFd>(std::move(found).value());
  const int code = found.error().code();
  if (code == ENOENT || code == ENOTDIR) return std::optional<UniqueFd>();
  return std::move(found).error();
}

/// Covers one path after another with the same mount: the first time itself, then copies of it.
class Cover {
 public:
  explicit Cover(UniqueFd tree) : tree_(std::move(tree)) {}

  Status put_on(int target) {
    if (!attached_) {
      TRY(sys::attach_tree(tree_.get(), target));
      attached_ = true;
      return ok();
    }
    const UniqueFd copy = TRY(sys::clone_tree(tree_.get(), "", false));
    return sys::attach_tree(copy.get(), target);
  }

 private:
  UniqueFd tree_;
  bool attached_ = false;
};

Status mask(const RootMark& top, int target, Cover& null, Cover& empty) {
  if (TRY(top.is_on(target))) return Error("would hide the container's root");
  const struct stat info = TRY(sys::fstat(target));
  return S_ISDIR(info.st_mode) ? empty.put_on(target) : null.put_on(target);
}

Status make_readonly(int root, const RootMark& top, int target) {
  if (TRY(top.is_on(target))) {
    return sys::mount_setattr(root, {.set = MOUNT_ATTR_RDONLY}, true);
  }
  const UniqueFd tree = TRY(sys::clone_tree(target, "", true));
  TRY(sys::mount_setattr(tree.get(), {.set = MOUNT_ATTR_RDONLY}, true));
  return sys::attach_tree(tree.get(), target);
}

}  // namespace

Result<UniqueFd> make_null_mask() {
  UniqueFd tree = TRY(sys::clone_tree(AT_FDCWD, "/dev/null", false));
  const struct stat info = TRY(sys::fstat(tree.get()));
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    return Error("the host's /dev/null is not the device c 1:3");
  }
  const sys::MountSetattr change{.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                 .propagation = MS_PRIVATE};
  TRY(sys::mount_setattr(tree.get(), change, false));
  return tree;
}

Result<Masks> prepare_masks(const std::vector<plan::PathStep>& paths) {
  Masks masks;
  if (paths.empty()) return masks;
  masks.null = TRY(make_null_mask(), "mask for files");
  masks.empty = TRY(make_empty(), "mask for directories");
  return masks;
}

Status mask_paths(const std::vector<plan::PathStep>& paths, Masks masks, int root) {
  const RootMark top = TRY(RootMark::of(root));
  Cover null(std::move(masks.null));
  Cover empty(std::move(masks.empty));
  for (const plan::PathStep& step : paths) {
    const std::optional<UniqueFd> target =
        TRY(at(step.origin, find(root, step.path)), "masked path ", quoted(step.path));
    if (!target) continue;
    TRY(at(step.origin, mask(top, target->get(), null, empty)), "masked path ", quoted(step.path));
  }
  return ok();
}

Status make_paths_readonly(const std::vector<plan::PathStep>& paths, int root) {
  const RootMark top = TRY(RootMark::of(root));
  for (const plan::PathStep& step : paths) {
    const std::optional<UniqueFd> target =
        TRY(at(step.origin, find(root, step.path)), "read-only path ", quoted(step.path));
    if (!target) continue;
    TRY(at(step.origin, make_readonly(root, top, target->get())), "read-only path ",
        quoted(step.path));
  }
  return ok();
}

}  // namespace rt::kernel
