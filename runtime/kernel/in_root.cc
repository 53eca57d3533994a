#include "runtime/kernel/in_root.h"

#include <fcntl.h>

#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's own walk: path_resolution(7)

struct Split {
  std::string parent;
  std::string name;
};

/// The last component of `path` and what is before it; an empty name for the root itself.
Split split_last(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {.parent = "/", .name = path};
  return {.parent = slash == 0 ? "/" : path.substr(0, slash), .name = path.substr(slash + 1)};
}

Result<UniqueFd> check_kind(UniqueFd fd, Kind kind) {
  const struct stat info = TRY(sys::fstat(fd.get()));
  const bool directory = S_ISDIR(info.st_mode);
  if (directory == (kind == Kind::kDirectory)) return fd;
  // ENOTDIR both ways, as mount(2) has it: orchestrators look for its words.
  const Error error = Error::from_errno("openat2", ENOTDIR);
  if (directory) return Error(error).with_hint("a file cannot be mounted on a directory");
  return error;
}

/// EEXIST where there is something of that name, be it a link that leads nowhere.
Status make(int parent, const std::string& name, Kind kind) {
  if (kind == Kind::kDirectory) return sys::mkdirat(parent, name, 0755);
  TRY(sys::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  return ok();
}

Result<UniqueFd> walk(int root, const std::string& path, Kind kind, int links);

/// `path` does not exist: makes its last component, or what that links to.
Result<UniqueFd> make_last(int root, const std::string& path, Kind kind, int links) {
  const Split split = split_last(path);
  if (split.name.empty() || split.name == "." || split.name == "..") {
    return Error::from_errno("openat2", ENOENT);
  }
  const UniqueFd parent = TRY(walk(root, split.parent, Kind::kDirectory, links));
  const Status made_here = make(parent.get(), split.name, kind);
  if (!made_here && made_here.error().code() != EEXIST) return made_here.error();
  if (!made_here) {
    if (const Result<std::string> link = sys::readlinkat(parent.get(), split.name)) {
      const std::string& target = link.value();
      const std::string next = target.starts_with('/') ? target : cat(split.parent, '/', target);
      return walk(root, next, kind, links + 1);
    }
  }
  UniqueFd made = TRY(sys::openat(parent.get(), split.name, O_PATH | O_NOFOLLOW));
  return check_kind(std::move(made), kind);
}

Result<UniqueFd> walk(int root, const std::string& path, Kind kind, int links) {
  if (links > kMaxLinks) return Error::from_errno("openat2", ELOOP);
  Result<UniqueFd> found = sys::open_in_root(root, path, O_PATH);
  if (found) return check_kind(std::move(found).value(), kind);
  if (found.error().code() != ENOENT) return found;
  return make_last(root, path, kind, links);
}

}  // namespace

Result<UniqueFd> open_or_make(int root, const std::string& path, Kind kind) {
  return walk(root, path, kind, 0);
}

Result<RootMark> RootMark::of(int root) {
  const struct stat info = TRY(sys::fstat(root));
  RootMark mark;
  mark.device_ = info.st_dev;
  mark.inode_ = info.st_ino;
  return mark;
}

Result<bool> RootMark::is_on(int fd) const {
  const struct stat info = TRY(sys::fstat(fd));
  return info.st_dev == device_ && info.st_ino == inode_;
}

Result<Place> Places::find(const std::string& path) {
  Split split = split_last(path);
  if (split.name.empty() || split.name == "." || split.name == "..") {
    return Error(cat(quoted(path), " names no file"));
  }
  if (!parent_ || split.parent != opened_) {
    parent_ = TRY(walk(root_, split.parent, Kind::kDirectory, 0));
    opened_ = std::move(split.parent);
  }
  return Place{.parent = parent_.get(), .name = std::move(split.name)};
}

}  // namespace rt::kernel
