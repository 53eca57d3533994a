// Mount system calls, one function each. Errors name the call; callers add what it was for.
//
// Detached mounts are descriptors: they are gone when closed unless they were attached.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// mount(2). `source`, `type` and `data` may be null.
Status mount(const char* source, const char* target, const char* type, unsigned long flags,
             const char* data);

/// umount2(2).
Status umount(const char* target, int flags);

/// open_tree(2) with OPEN_TREE_CLONE: a detached copy of the mount at `path`, relative to
/// `directory`; "" is the descriptor itself. Linux 5.2.
Result<UniqueFd> clone_tree(int directory, const std::string& path, bool recursive);

/// A new file system being configured. Linux 5.2.
Result<UniqueFd> fsopen(const std::string& type);
/// fspick(2) of the mount at the descriptor, to reconfigure its file system.
Result<UniqueFd> fspick(int mount);
/// fsconfig(2): FSCONFIG_SET_STRING, SET_FLAG, CMD_CREATE and CMD_RECONFIGURE. A failure carries
/// the kernel's own explanation, when it left one.
Status fsconfig_string(int fs, const std::string& key, const std::string& value);
Status fsconfig_flag(int fs, const std::string& key);
Status fsconfig_create(int fs);
Status fsconfig_reconfigure(int fs);
/// fsmount(2): the detached mount of a created file system. `attributes` are MOUNT_ATTR_*.
Result<UniqueFd> fsmount(int fs, uint64_t attributes);

/// What mount_setattr(2) changes.
struct MountSetattr {
  uint64_t set = 0;
  uint64_t clear = 0;
  uint64_t propagation = 0;  // MS_PRIVATE, ...; 0: as it is
  int user_namespace = -1;   // for MOUNT_ATTR_IDMAP
};
/// mount_setattr(2) of the mount at `mount`; with `recursive`, of all below it too. Linux 5.12.
Status mount_setattr(int mount, const MountSetattr& change, bool recursive);

/// move_mount(2) of the detached mount `tree` onto the directory or file `target`. Linux 5.2.
Status attach_tree(int tree, int target);

/// pivot_root(2): `new_root` becomes "/", and the old root is mounted at `put_old`.
Status pivot_root(const char* new_root, const char* put_old);

/// chroot(2), chdir(2), fchdir(2).
Status chroot(const char* path);
Status chdir(const char* path);
Status fchdir(int fd);

}  // namespace rt::sys
