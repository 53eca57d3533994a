// The calls of file.h that look at files and directories, and those that copy them.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>

#include "runtime/sys/file.h"
#include "runtime/sys/retry.h"

namespace rt::sys {

Result<struct stat> fstat(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) < 0) return Error::from_errno("fstat");
  return info;
}

Result<struct stat> stat(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return Error::from_errno("stat");
  return info;
}

Status access_execute(const std::string& path) {
  return check("access", ::access(path.c_str(), X_OK));
}

Status access_write(const std::string& path) {
  return check("access", ::access(path.c_str(), W_OK));
}

Result<struct stat> fstatat(int directory, const std::string& name, int flags) {
  struct stat info{};
  if (::fstatat(directory, name.c_str(), &info, flags) < 0) return Error::from_errno("fstatat");
  return info;
}

Result<int64_t> filesystem_type(int fd) {
  struct statfs info{};
  if (retry([&] { return ::fstatfs(fd, &info); }) < 0) return Error::from_errno("fstatfs");
  return static_cast<int64_t>(info.f_type);
}

Result<int64_t> filesystem_type(const std::string& path) {
  struct statfs info{};
  if (retry([&] { return ::statfs(path.c_str(), &info); }) < 0) return Error::from_errno("statfs");
  return static_cast<int64_t>(info.f_type);
}

Result<uint64_t> mount_id(int fd) {
  struct statx info{};
  TRY(check("statx", ::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info)));
  return info.stx_mnt_id;
}

Result<unsigned long> mount_flags(int fd) {
  struct statvfs info{};
  if (retry([&] { return ::fstatvfs(fd, &info); }) < 0) return Error::from_errno("fstatvfs");
  return info.f_flag;
}

Result<std::vector<std::string>> list_directory(int fd) {
  UniqueFd again = TRY(openat(fd, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(again.get()), ::closedir);
  if (stream == nullptr) return Error::from_errno("fdopendir");
  // The stream owns the descriptor from here on.
  static_cast<void>(again.release());
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return Error::from_errno("getdents");
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const UniqueFd directory = TRY(open(path, O_PATH | O_DIRECTORY));
  return list_directory(directory.get());
}

Result<std::string> realpath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr),
                                                        std::free);
  if (resolved == nullptr) return Error::from_errno("realpath");
  return std::string(resolved.get());
}

Result<std::string> getcwd() {
  std::string path(PATH_MAX, '\0');
  if (::getcwd(path.data(), path.size()) == nullptr) return Error::from_errno("getcwd");
  path.resize(path.find('\0'));
  return path;
}

Result<UniqueFd> memfd_create(const std::string& name) {
  UniqueFd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return Error::from_errno("memfd_create");
  return fd;
}

Status add_seals(int fd, int seals) { return check("fcntl", ::fcntl(fd, F_ADD_SEALS, seals)); }

int seals_of(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals < 0 ? 0 : seals;
}

Status copy_bytes(int from, int to, size_t size) {
  while (size > 0) {
    const ssize_t copied = retry([&] { return ::sendfile(to, from, nullptr, size); });
    if (copied < 0) return Error::from_errno("sendfile");
    if (copied == 0) return Error("sendfile: the file became shorter");
    size -= static_cast<size_t>(copied);
  }
  return ok();
}

}  // namespace rt::sys
