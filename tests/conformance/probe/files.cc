// Files: what they are, and what can really be done with them.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

const char* type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "link";
    case S_IFCHR:
      return "c";
    case S_IFBLK:
      return "b";
    case S_IFIFO:
      return "p";
    case S_IFSOCK:
      return "socket";
    default:
      return "unknown";
  }
}

/// Names in a directory, sorted; nothing when it cannot be read.
std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

/// "" when the file can be opened and a first byte, or its end, be read; else why not.
std::string read_error(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno_name(errno);
  char byte = 0;
  const ssize_t count = ::read(fd, &byte, 1);
  const int error = count < 0 && errno != EAGAIN && errno != EISDIR ? errno : 0;
  ::close(fd);
  return errno_name(error);
}

/// Nothing is written into a file, which may be the kernel's; in a directory an entry is made.
std::string write_error(const std::string& path, bool directory) {
  if (directory) {
    const std::string inside = path + "/.probe";
    if (::mkdir(inside.c_str(), 0700) < 0) return errno_name(errno);
    ::rmdir(inside.c_str());
    return "";
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno_name(errno);
  ::close(fd);
  return "";
}

/// Why execve(2) would refuse the file; "" when it would not.
std::string execute_error(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0 ? "" : errno_name(errno);
}

void write_file(Writer& out, const std::string& path) {
  struct stat info{};
  out.key(path).open('{');
  if (::lstat(path.c_str(), &info) < 0) {
    out.member("type", "none").member("error", errno_name(errno)).close('}');
    return;
  }
  out.member("type", type_of(info.st_mode)).member("mode", info.st_mode & 07777);
  out.member("uid", info.st_uid).member("gid", info.st_gid);
  if (S_ISLNK(info.st_mode)) out.member("target", link_target(path));
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    out.member("major", major(info.st_rdev)).member("minor", minor(info.st_rdev));
  }
  const bool directory = S_ISDIR(info.st_mode);
  if (directory) {
    out.key("entries").open('[');
    for (const std::string& name : names_in(path)) out.string(name);
    out.close(']');
  }
  if (S_ISREG(info.st_mode)) out.member("text", read_text(path).substr(0, 256));
  out.member("read", read_error(path)).member("write", write_error(path, directory));
  out.member("execute", execute_error(path)).close('}');
}

}  // namespace

void write_descriptors(Writer& out) {
  constexpr int kHighest = 1024;
  out.key("descriptors").open('{');
  for (int fd = 0; fd < kHighest; ++fd) {
    struct stat info{};
    if (::fstat(fd, &info) < 0) continue;
    const std::string number = std::to_string(fd);
    out.key(number).open('{').member("type", type_of(info.st_mode));
    out.member("target", link_target("/proc/self/fd/" + number)).close('}');
  }
  out.close('}');
}

void write_devices(Writer& out) {
  out.key("dev").open('{');
  for (const std::string& name : names_in("/dev")) write_file(out, "/dev/" + name);
  out.close('}');
}

void write_paths(Writer& out, const std::vector<std::string>& paths) {
  out.key("paths").open('{');
  for (const std::string& path : paths) write_file(out, path);
  out.close('}');
}

}  // namespace probe
