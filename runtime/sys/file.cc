#include "runtime/sys/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

Result<UniqueFd> checked_fd(std::string_view call, long result) {
  if (result < 0) return Error::from_errno(call);
  return UniqueFd(static_cast<int>(result));
}

}  // namespace

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode) {
  return checked_fd("open", retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
}

Result<UniqueFd> openat(int directory, const std::string& path, int flags, mode_t mode) {
  return checked_fd(
      "openat", retry([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); }));
}

Result<std::optional<UniqueFd>> open_if_exists(const std::string& path, int flags) {
  Result<UniqueFd> file = open(path, flags);
  if (file) return std::optional<UniqueFd>(std::move(file).value());
  if (file.error().code() == ENOENT) return std::optional<UniqueFd>();
  return std::move(file).error();
}

Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // The kernel gives up with EAGAIN when a rename somewhere raced with a ".." of the walk. Somebody
  // who renames without pause must not hold us for ever.
  for (int tries = 0; tries < 128; ++tries) {
    const long result =
        retry([&] { return ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how); });
    if (result >= 0 || errno != EAGAIN) return checked_fd("openat2", result);
  }
  return Error::from_errno("openat2", EAGAIN);
}

Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  return checked_fd("openat2", retry([&] {
                      return ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
                    }));
}

Result<size_t> read(int fd, void* data, size_t size) {
  const ssize_t count = retry([&] { return ::read(fd, data, size); });
  if (count < 0) return Error::from_errno("read");
  return static_cast<size_t>(count);
}

Result<std::string> read_all(int fd, size_t limit) {
  std::string text;
  constexpr size_t kBlock = 16384;
  while (true) {
    const size_t used = text.size();
    text.resize(used + kBlock);
    const size_t count = TRY(read(fd, text.data() + used, kBlock));
    text.resize(used + count);
    if (count == 0) return text;
    if (text.size() > limit) return Error::from_errno("read", EFBIG);
  }
}

Result<std::string> read_start(int fd, size_t limit) {
  std::string text(limit, '\0');
  const ssize_t count = retry([&] { return ::pread(fd, text.data(), text.size(), 0); });
  if (count < 0) return Error::from_errno("pread");
  text.resize(static_cast<size_t>(count));
  return text;
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  const UniqueFd file = TRY(open(path, O_RDONLY));
  return read_all(file.get(), limit);
}

Status write_once(int fd, std::string_view text) {
  const ssize_t written = retry([&] { return ::write(fd, text.data(), text.size()); });
  if (written < 0) return Error::from_errno("write");
  if (static_cast<size_t>(written) != text.size()) return Error("write: short write");
  return ok();
}

Result<size_t> write_some(int fd, std::string_view text) {
  const ssize_t written = retry([&] { return ::write(fd, text.data(), text.size()); });
  if (written < 0) return Error::from_errno("write");
  return static_cast<size_t>(written);
}

Result<Pipe> pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return Error::from_errno("pipe2");
  Pipe pipe;
  pipe.read = UniqueFd(ends[0]);
  pipe.write = UniqueFd(ends[1]);
  return pipe;
}

Result<size_t> pipe_size(int fd) {
  const int size = ::fcntl(fd, F_GETPIPE_SZ);
  if (size < 0) return Error::from_errno("fcntl F_GETPIPE_SZ");
  return static_cast<size_t>(size);
}

Status set_pipe_size(int fd, size_t size) {
  return check("fcntl F_SETPIPE_SZ", ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(size)));
}

Status set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return Error::from_errno("fcntl");
  return check("fcntl", ::fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

Status set_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return Error::from_errno("fcntl");
  return check("fcntl", ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = retry([&] { return ::write(fd, text.data(), text.size()); });
    if (written < 0) return Error::from_errno("write");
    text.remove_prefix(static_cast<size_t>(written));
  }
  return ok();
}

Status write_file(const std::string& path, std::string_view text) {
  const UniqueFd file = TRY(open(path, O_WRONLY));
  return write_once(file.get(), text);
}

Status rename(const std::string& from, const std::string& to) {
  return check("rename", ::rename(from.c_str(), to.c_str()));
}

Status renameat(int from_directory, const std::string& from, int to_directory,
                const std::string& to) {
  return check("renameat", ::renameat(from_directory, from.c_str(), to_directory, to.c_str()));
}

Status mkdir(const std::string& path, mode_t mode) {
  return check("mkdir", ::mkdir(path.c_str(), mode));
}

Status mkdirat(int directory, const std::string& name, mode_t mode) {
  return check("mkdirat", ::mkdirat(directory, name.c_str(), mode));
}

Status mknodat(int directory, const std::string& name, mode_t mode, dev_t device) {
  return check("mknodat", ::mknodat(directory, name.c_str(), mode, device));
}

Status mkfifo(const std::string& path, mode_t mode) {
  return check("mkfifo", ::mkfifo(path.c_str(), mode));
}

Status symlinkat(const std::string& target, int directory, const std::string& name) {
  return check("symlinkat", ::symlinkat(target.c_str(), directory, name.c_str()));
}

Result<std::string> readlinkat(int directory, const std::string& name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (length < 0) return Error::from_errno("readlinkat");
    if (static_cast<size_t>(length) < target.size()) {
      target.resize(static_cast<size_t>(length));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Result<UniqueFd> duplicate(int fd) {
  constexpr int kLowest = 10;
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kLowest));
  if (!copy) return Error::from_errno("fcntl");
  return copy;
}

Status unlink(const std::string& path) { return check("unlink", ::unlink(path.c_str())); }

Status unlinkat(int directory, const std::string& name, int flags) {
  return check("unlinkat", ::unlinkat(directory, name.c_str(), flags));
}

Status rmdir(const std::string& path) { return check("rmdir", ::rmdir(path.c_str())); }

void try_unlink(const std::string& path) { ::unlink(path.c_str()); }

Status fchmod(int fd, mode_t mode) { return check("fchmod", ::fchmod(fd, mode)); }

Status fchmodat(int directory, const std::string& name, mode_t mode) {
  return check("fchmodat", ::fchmodat(directory, name.c_str(), mode, 0));
}

Status fchown(int fd, uid_t uid, gid_t gid) { return check("fchown", ::fchown(fd, uid, gid)); }

Status fchownat(int directory, const std::string& name, uid_t uid, gid_t gid, int flags) {
  return check("fchownat", ::fchownat(directory, name.c_str(), uid, gid, flags));
}

Status lock(int fd, bool wait) {
  struct flock how{};
  how.l_type = F_WRLCK;
  how.l_whence = SEEK_SET;
  const int result = retry([&] { return ::fcntl(fd, wait ? F_SETLKW : F_SETLK, &how); });
  // EACCES and EAGAIN mean the same here: fcntl(2).
  if (result < 0 && errno == EACCES) return Error::from_errno("fcntl", EAGAIN);
  return check("fcntl", result);
}

Result<std::optional<pid_t>> lock_holder(int fd) {
  struct flock how{};
  how.l_type = F_WRLCK;
  how.l_whence = SEEK_SET;
  TRY(check("fcntl", ::fcntl(fd, F_GETLK, &how)));
  if (how.l_type == F_UNLCK) return std::optional<pid_t>();
  return std::optional<pid_t>(how.l_pid);
}

}  // namespace rt::sys
