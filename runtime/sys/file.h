// File system calls, one function each. Errors name the call; callers add what it was for.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// open(2) with O_CLOEXEC always added.
Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0);

/// openat(2) with O_CLOEXEC always added.
Result<UniqueFd> openat(int directory, const std::string& path, int flags, mode_t mode = 0);

/// `open` where absence is an answer: nothing on ENOENT.
Result<std::optional<UniqueFd>> open_if_exists(const std::string& path, int flags);

/// openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: "..", absolute links and magic links
/// cannot leave `root`. EAGAIN (a rename raced with the walk) is repeated up to 128 times.
/// Linux 5.6.
Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode = 0);

/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS: neither a link nor
/// something mounted over a part of the path can lead away from `directory` and its mount.
/// Linux 5.6.
Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags);

/// Bytes read by one read(2); 0 at the end of the file.
Result<size_t> read(int fd, void* data, size_t size);

/// The rest of the file; an error (EFBIG) when it is longer than `limit` bytes.
Result<std::string> read_all(int fd, size_t limit);

/// One pread(2) at the beginning of the file: up to `limit` bytes, wherever its position is.
Result<std::string> read_start(int fd, size_t limit);

/// open(2) and read_all.
Result<std::string> read_file(const std::string& path, size_t limit);

/// Writes all of `text` in one write(2), as /proc and cgroup files require.
Status write_once(int fd, std::string_view text);

/// Writes all of `text`, in as many write(2) as it takes.
Status write_all(int fd, std::string_view text);

/// One write(2); the bytes it took.
Result<size_t> write_some(int fd, std::string_view text);

/// pipe2(2) with O_CLOEXEC.
struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
Result<Pipe> pipe();

/// fcntl(F_SETPIPE_SZ): room for `size` bytes at least. More than /proc/sys/fs/pipe-max-size needs
/// CAP_SYS_RESOURCE.
Status set_pipe_size(int fd, size_t size);
/// fcntl(F_GETPIPE_SZ): how many bytes a writer can leave in it before it waits for the reader.
Result<size_t> pipe_size(int fd);

/// fcntl(F_SETFL, O_NONBLOCK).
Status set_nonblocking(int fd);
/// The same without it.
Status set_blocking(int fd);

/// open(2) for writing only, and write_once: for files of /proc and cgroups.
Status write_file(const std::string& path, std::string_view text);

/// rename(2): `to` is replaced at once or not at all.
Status rename(const std::string& from, const std::string& to);

/// renameat(2).
Status renameat(int from_directory, const std::string& from, int to_directory,
                const std::string& to);

/// mkdir(2).
Status mkdir(const std::string& path, mode_t mode);

/// mkdirat(2).
Status mkdirat(int directory, const std::string& name, mode_t mode);

/// mknodat(2). `mode` holds the type (S_IFCHR, ...) and permissions.
Status mknodat(int directory, const std::string& name, mode_t mode, dev_t device);

/// mkfifo(3).
Status mkfifo(const std::string& path, mode_t mode);

/// symlinkat(2).
Status symlinkat(const std::string& target, int directory, const std::string& name);

/// readlinkat(2).
Result<std::string> readlinkat(int directory, const std::string& name);

/// fcntl(F_DUPFD_CLOEXEC): a copy with a number above those that programs expect something at.
Result<UniqueFd> duplicate(int fd);

/// unlink(2), unlinkat(2) and rmdir(2).
Status unlink(const std::string& path);
Status unlinkat(int directory, const std::string& name, int flags);
Status rmdir(const std::string& path);

/// unlink(2), where it does not matter whether it succeeds.
void try_unlink(const std::string& path);

/// fstat(2), and fstatat(2) with the flags given (AT_SYMLINK_NOFOLLOW, ...).
Result<struct stat> fstat(int fd);
Result<struct stat> fstatat(int directory, const std::string& name, int flags);

/// access(2): may this process, by its real ids, execute the file, or write to it?
Status access_execute(const std::string& path);
Status access_write(const std::string& path);

/// stat(2).
Result<struct stat> stat(const std::string& path);

/// fchmodat(2) of a name that is not a link, fchmod(2), fchown(2), fchownat(2) of the descriptor
/// itself.
Status fchmod(int fd, mode_t mode);
Status fchmodat(int directory, const std::string& name, mode_t mode);
Status fchown(int fd, uid_t uid, gid_t gid);
Status fchownat(int directory, const std::string& name, uid_t uid, gid_t gid, int flags);

/// fstatfs(2), field f_type: PROC_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, ... (linux/magic.h).
Result<int64_t> filesystem_type(int fd);
Result<int64_t> filesystem_type(const std::string& path);

/// statx(2), stx_mnt_id: the id in /proc/PID/mountinfo of the mount that the descriptor is in.
/// Linux 5.8.
Result<uint64_t> mount_id(int fd);

/// fstatvfs(3), field f_flag: ST_RDONLY, ST_NOSUID, ...
Result<unsigned long> mount_flags(int fd);

/// Names in a directory, without "." and "..", in the order of the directory. `fd` is opened
/// again: its own position stays.
Result<std::vector<std::string>> list_directory(int fd);
Result<std::vector<std::string>> list_directory(const std::string& path);

/// fcntl(F_SETLK / F_SETLKW) of a write lock on the whole file. The lock belongs to this process,
/// not to the descriptor: children do not inherit it, and closing any descriptor of that file drops
/// it. Without `wait`, EAGAIN tells that another process holds it.
Status lock(int fd, bool wait);

/// fcntl(F_GETLK): another process that holds the write lock of `lock`; its pid is 0 when it is in
/// a pid namespace that we cannot see. Nothing when nobody else holds it.
Result<std::optional<pid_t>> lock_holder(int fd);

/// realpath(3): absolute, without links, "." and "..".
Result<std::string> realpath(const std::string& path);

/// getcwd(2).
Result<std::string> getcwd();

/// memfd_create(2) with MFD_CLOEXEC | MFD_ALLOW_SEALING, and F_ADD_SEALS.
Result<UniqueFd> memfd_create(const std::string& name);
Status add_seals(int fd, int seals);
/// F_GET_SEALS; 0 where the file cannot have any.
int seals_of(int fd);

/// sendfile(2), repeated until `size` bytes are copied.
Status copy_bytes(int from, int to, size_t size);

}  // namespace rt::sys
