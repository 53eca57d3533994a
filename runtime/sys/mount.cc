#include "runtime/sys/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

Result<UniqueFd> checked_fd(std::string_view call, long result) {
  if (result < 0) return Error::from_errno(call);
  return UniqueFd(static_cast<int>(result));
}

/// What the kernel left to read on the fsopen(2) descriptor: "e overlay: missing 'lowerdir'".
std::string explanation(int fs) {
  std::array<char, 512> text{};
  const ssize_t size = ::read(fs, text.data(), text.size());
  if (size <= 2) return {};
  std::string_view line(text.data(), static_cast<size_t>(size));
  line.remove_prefix(2);  // the class of the message: "e ", "w " or "i "
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return std::string(line);
}

Status fsconfig(int fs, unsigned command, const char* key, const char* value) {
  if (retry([&] { return ::syscall(SYS_fsconfig, fs, command, key, value, 0); }) >= 0) return ok();
  Error error = Error::from_errno("fsconfig");
  const std::string why = explanation(fs);
  if (why.empty()) return error;
  return std::move(error).with_hint(why);
}

}  // namespace

Status mount(const char* source, const char* target, const char* type, unsigned long flags,
             const char* data) {
  return check("mount", ::mount(source, target, type, flags, data));
}

Status umount(const char* target, int flags) { return check("umount2", ::umount2(target, flags)); }

Result<UniqueFd> clone_tree(int directory, const std::string& path, bool recursive) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path.empty() ? AT_EMPTY_PATH : 0U) |
                         (recursive ? unsigned{AT_RECURSIVE} : 0U);
  return checked_fd(
      "open_tree", retry([&] { return ::syscall(SYS_open_tree, directory, path.c_str(), flags); }));
}

Result<UniqueFd> fsopen(const std::string& type) {
  return checked_fd("fsopen", ::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC));
}

Result<UniqueFd> fspick(int mount) {
  return checked_fd("fspick", ::syscall(SYS_fspick, mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

Status fsconfig_string(int fs, const std::string& key, const std::string& value) {
  return fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), value.c_str());
}

Status fsconfig_flag(int fs, const std::string& key) {
  return fsconfig(fs, FSCONFIG_SET_FLAG, key.c_str(), nullptr);
}

Status fsconfig_create(int fs) { return fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr); }

Status fsconfig_reconfigure(int fs) {
  return fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr);
}

Result<UniqueFd> fsmount(int fs, uint64_t attributes) {
  return checked_fd("fsmount", ::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
}

Status mount_setattr(int mount, const MountSetattr& change, bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = change.set;
  attributes.attr_clr = change.clear;
  attributes.propagation = change.propagation;
  if (change.user_namespace >= 0) {
    attributes.userns_fd = static_cast<uint64_t>(change.user_namespace);
  }
  const unsigned flags = AT_EMPTY_PATH | (recursive ? unsigned{AT_RECURSIVE} : 0U);
  return check("mount_setattr",
               ::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes));
}

Status attach_tree(int tree, int target) {
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  return check("move_mount", ::syscall(SYS_move_mount, tree, "", target, "", flags));
}

Status pivot_root(const char* new_root, const char* put_old) {
  return check("pivot_root", ::syscall(SYS_pivot_root, new_root, put_old));
}

Status chroot(const char* path) { return check("chroot", ::chroot(path)); }
Status chdir(const char* path) { return check("chdir", ::chdir(path)); }
Status fchdir(int fd) { return check("fchdir", ::fchdir(fd)); }

}  // namespace rt::sys
