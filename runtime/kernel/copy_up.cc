#include "runtime/kernel/copy_up.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <string>

#include "runtime/base/unique_fd.h"
#include "runtime/sys/copy.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr mode_t kPermissions = 07777;

/// Where the next object of a directory is copied from and to.
struct Spot {
  int from;
  int to;
  const std::string& name;
};

bool is_copied(std::string_view attribute) {
  return attribute.starts_with("user.") || attribute == "security.capability" ||
         attribute.starts_with("system.posix_acl_");
}

/// What the tmpfs cannot hold, or init may not set, is left out: none of it gives rights away.
Status copy_xattr(int from, int to, const std::string& name) {
  const Result<std::string> value = sys::get_xattr(from, name);
  if (!value && value.error().code() == ENODATA) return ok();
  if (!value) return value.error();
  Status set = sys::set_xattr(to, name, value.value());
  if (!set && (set.error().code() == EOPNOTSUPP || set.error().code() == EPERM)) return ok();
  return set;
}

Status copy_xattrs(int from, int to) {
  const Result<std::vector<std::string>> names = sys::list_xattrs(from);
  if (!names && names.error().code() == EOPNOTSUPP) return ok();
  if (!names) return names.error();
  for (const std::string& name : names.value()) {
    if (is_copied(name)) TRY(copy_xattr(from, to, name), "attribute ", quoted(name));
  }
  return ok();
}

Status explain_owner(Status changed, const struct stat& like) {
  if (changed || changed.error().code() != EINVAL) return changed;
  return std::move(changed).error().with_hint("of uid ", like.st_uid, " or gid ", like.st_gid,
                                              " the user namespace knows nothing");
}

/// Changing the owner takes set-id bits and capabilities away: it comes first.
Status copy_attributes(int from, int to, const struct stat& like, RootAttributes taken) {
  if (taken.owner) TRY(explain_owner(sys::fchown(to, like.st_uid, like.st_gid), like));
  if (taken.mode) TRY(sys::fchmod(to, like.st_mode & kPermissions));
  return copy_xattrs(from, to);
}

Status copy_data(int from, int to, off_t size) {
  TRY(sys::ftruncate(to, size));
  off_t offset = 0;
  while (offset < size) {
    const std::optional<off_t> data = TRY(sys::seek_data(from, offset));
    if (!data || *data >= size) return ok();
    const off_t hole = TRY(sys::seek_hole(from, *data));
    offset = std::min(hole, size);
    TRY(sys::seek(from, *data));
    TRY(sys::seek(to, *data));
    TRY(sys::copy_bytes(from, to, static_cast<size_t>(offset - *data)));
  }
  return ok();
}

Status copy_file(const Spot& spot, const struct stat& seen) {
  // O_NONBLOCK: it may have been replaced by a fifo since it was looked at.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const UniqueFd from = TRY(sys::open_beneath(spot.from, spot.name, kFlags));
  const struct stat info = TRY(sys::fstat(from.get()));
  const bool same = info.st_dev == seen.st_dev && info.st_ino == seen.st_ino;
  if (!same || !S_ISREG(info.st_mode)) return Error("was replaced while it was copied");
  const UniqueFd to =
      TRY(sys::openat(spot.to, spot.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(copy_data(from.get(), to.get(), info.st_size));
  TRY(copy_attributes(from.get(), to.get(), info, {}));
  return sys::set_times(spot.to, spot.name, info);
}

Status copy_link(const Spot& spot, int link, const struct stat& info) {
  const std::string target = TRY(sys::readlinkat(link, ""));
  TRY(sys::symlinkat(target, spot.to, spot.name));
  TRY(explain_owner(
      sys::fchownat(spot.to, spot.name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW), info));
  return sys::set_times(spot.to, spot.name, info);
}

/// A device, a fifo or a socket: a name for the kernel, without content.
Status copy_node(const Spot& spot, const struct stat& info) {
  Status made = sys::mknodat(spot.to, spot.name, info.st_mode & S_IFMT, info.st_rdev);
  if (!made && made.error().code() == EPERM) return ok();
  TRY(std::move(made));
  TRY(explain_owner(
      sys::fchownat(spot.to, spot.name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW), info));
  TRY(sys::fchmodat(spot.to, spot.name, info.st_mode & kPermissions));
  return sys::set_times(spot.to, spot.name, info);
}

/// One directory after the other, the upper ones first, each by its path below both roots: however
/// deep the tree, only two of them are open.
class Copier {
 public:
  Copier(UniqueFd source, UniqueFd destination)
      : source_(std::move(source)), destination_(std::move(destination)) {}

  Status run(RootAttributes taken) {
    TRY(copy_directory(".", taken));
    while (!pending_.empty()) {
      const std::string path = std::move(pending_.front());
      pending_.pop_front();
      TRY(copy_directory(path, {}));
    }
    return ok();
  }

 private:
  Status copy_directory(const std::string& path, RootAttributes taken) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    const UniqueFd from = TRY(sys::open_beneath(source_.get(), path, kFlags), quoted(path));
    const UniqueFd to = TRY(sys::open_beneath(destination_.get(), path, kFlags), quoted(path));
    const struct stat info = TRY(sys::fstat(from.get()), quoted(path));
    const std::vector<std::string> names = TRY(sys::list_directory(from.get()), quoted(path));
    for (const std::string& name : names) {
      TRY(copy_entry({from.get(), to.get(), name}, path), quoted(cat(path, '/', name)));
    }
    // Behind its content, which changes its times.
    TRY(copy_attributes(from.get(), to.get(), info, taken), quoted(path));
    return sys::set_times(to.get(), ".", info);
  }

  Status copy_entry(const Spot& spot, const std::string& path) {
    const Result<UniqueFd> entry = sys::open_beneath(spot.from, spot.name, O_PATH | O_NOFOLLOW);
    // EXDEV: something is mounted there. ENOENT: it went away.
    if (!entry && (entry.error().code() == EXDEV || entry.error().code() == ENOENT)) return ok();
    if (!entry) return entry.error();
    const struct stat info = TRY(sys::fstat(entry.value().get()));
    if (S_ISDIR(info.st_mode)) {
      pending_.push_back(cat(path, '/', spot.name));
      return sys::mkdirat(spot.to, spot.name, 0700);
    }
    if (S_ISREG(info.st_mode)) return copy_file(spot, info);
    if (S_ISLNK(info.st_mode)) return copy_link(spot, entry.value().get(), info);
    return copy_node(spot, info);
  }

  UniqueFd source_;
  UniqueFd destination_;
  std::deque<std::string> pending_;
};

}  // namespace

Status copy_up(int source, int destination, RootAttributes taken) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY;
  UniqueFd from = TRY(sys::openat(source, ".", kFlags));
  UniqueFd to = TRY(sys::openat(destination, ".", kFlags));
  Status copied = Copier(std::move(from), std::move(to)).run(taken);
  if (copied || copied.error().code() != ENOSPC) return copied;
  return std::move(copied).error().with_hint("the options size and nr_inodes say how much fits");
}

}  // namespace rt::kernel
