#include "runtime/sys/copy.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "runtime/base/text.h"
#include "runtime/sys/retry.h"

namespace rt::sys {

Result<std::optional<off_t>> seek_data(int fd, off_t offset) {
  const off_t found = ::lseek(fd, offset, SEEK_DATA);
  if (found >= 0) return std::optional<off_t>(found);
  if (errno == ENXIO) return std::optional<off_t>();
  return Error::from_errno("lseek");
}

Result<off_t> seek_hole(int fd, off_t offset) {
  const off_t found = ::lseek(fd, offset, SEEK_HOLE);
  if (found < 0) return Error::from_errno("lseek");
  return found;
}

Status seek(int fd, off_t offset) { return check("lseek", ::lseek(fd, offset, SEEK_SET)); }

Status ftruncate(int fd, off_t size) {
  return check("ftruncate", retry([&] { return ::ftruncate(fd, size); }));
}

Status set_times(int directory, const std::string& name, const struct stat& like) {
  const std::array<timespec, 2> times = {like.st_atim, like.st_mtim};
  return check("utimensat",
               ::utimensat(directory, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW));
}

Result<std::vector<std::string>> list_xattrs(int fd) {
  std::string names(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::flistxattr(fd, names.data(), names.size());
  if (size < 0) return Error::from_errno("flistxattr");
  names.resize(static_cast<size_t>(size));
  std::vector<std::string> list;
  for (const std::string_view name : split(names, '\0')) {
    if (!name.empty()) list.emplace_back(name);
  }
  return list;
}

Result<std::string> get_xattr(int fd, const std::string& name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
  if (size < 0) return Error::from_errno("fgetxattr");
  value.resize(static_cast<size_t>(size));
  return value;
}

Status set_xattr(int fd, const std::string& name, std::string_view value) {
  return check("fsetxattr", ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0));
}

}  // namespace rt::sys
