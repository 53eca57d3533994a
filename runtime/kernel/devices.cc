#include "runtime/kernel/devices.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "runtime/kernel/in_root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"

namespace rt::kernel {
namespace {

mode_t type_bits(const plan::DeviceNode& device) {
  if (device.type == 'b') return S_IFBLK;
  if (device.type == 'p') return S_IFIFO;
  return S_IFCHR;
}

Status check_is(const plan::DeviceNode& device, const struct stat& info) {
  const bool same_type = (info.st_mode & S_IFMT) == type_bits(device);
  const bool same_device =
      device.type == 'p' || info.st_rdev == makedev(device.major, device.minor);
  if (same_type && same_device) return ok();
  return Error(
      cat("what is there is not the device ", device.type, ' ', device.major, ':', device.minor));
}

Result<UniqueFd> clone_device(const plan::DeviceNode& device) {
  UniqueFd tree = TRY(sys::clone_tree(AT_FDCWD, device.bind, false), quoted(device.bind));
  const struct stat info = TRY(sys::fstat(tree.get()), quoted(device.bind));
  TRY(check_is(device, info), quoted(device.bind));
  const sys::MountSetattr change{.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                 .propagation = MS_PRIVATE};
  TRY(sys::mount_setattr(tree.get(), change, false), quoted(device.bind));
  return tree;
}

Status bind_node(const plan::DeviceNode& device, int tree, int root) {
  const UniqueFd target = TRY(open_or_make(root, device.path, Kind::kFile));
  TRY(sys::attach_tree(tree, target.get()));
  return ok();
}

Status make_node(const plan::DeviceNode& device, Places& places) {
  const auto [parent, name] = TRY(places.find(device.path));
  const dev_t number = device.type == 'p' ? 0 : makedev(device.major, device.minor);
  Status made = sys::mknodat(parent, name, type_bits(device) | device.mode, number);
  if (!made && made.error().code() == EPERM) {
    return Error(made.error()).with_hint("CAP_MKNOD over the host is needed");
  }
  if (!made && made.error().code() != EEXIST) return made;
  const struct stat info = TRY(sys::fstatat(parent, name, AT_SYMLINK_NOFOLLOW));
  TRY(check_is(device, info));
  if (!made || (device.uid == 0 && device.gid == 0)) return ok();
  return sys::fchownat(parent, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW);
}

Status make_link(const plan::Link& link, Places& places) {
  const auto [parent, name] = TRY(places.find(link.path));
  Status made = sys::symlinkat(link.target, parent, name);
  if (made || made.error().code() != EEXIST) return made;
  const Result<std::string> there = sys::readlinkat(parent, name);
  if (there && there.value() == link.target) return ok();
  TRY(sys::unlinkat(parent, name, 0));
  return sys::symlinkat(link.target, parent, name);
}

}  // namespace

Result<std::vector<UniqueFd>> clone_devices(const std::vector<plan::DeviceNode>& devices) {
  std::vector<UniqueFd> trees(devices.size());
  for (size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].bind.empty()) continue;
    Result<UniqueFd> tree = clone_device(devices[i]);
    if (!tree && tree.error().code() == EPERM) return std::vector<UniqueFd>(devices.size());
    trees[i] = TRY(at(devices[i].origin, std::move(tree)), "device ", devices[i].path);
  }
  return trees;
}

Status prepare_devices(const std::vector<plan::DeviceNode>& devices, std::vector<UniqueFd>& trees) {
  for (size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].bind.empty() || trees[i]) continue;
    trees[i] = TRY(at(devices[i].origin, clone_device(devices[i])), "device ", devices[i].path);
  }
  return ok();
}

Status make_devices(const std::vector<plan::DeviceNode>& devices, std::vector<UniqueFd>& trees,
                    int root) {
  Places places(root);
  for (size_t i = 0; i < devices.size(); ++i) {
    const plan::DeviceNode& device = devices[i];
    Status done =
        device.bind.empty() ? make_node(device, places) : bind_node(device, trees[i].get(), root);
    TRY(at(device.origin, std::move(done)), "device ", device.path);
    trees[i].reset();
  }
  return ok();
}

Status make_links(const std::vector<plan::Link>& links, int root) {
  Places places(root);
  for (const plan::Link& link : links) {
    TRY(at(link.origin, make_link(link, places)), "link ", link.path);
  }
  return ok();
}

}  // namespace rt::kernel
