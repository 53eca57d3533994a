#include "runtime/cgroup/directory.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <utility>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
// pid_max is 2^22, and a line has at most eight characters.
constexpr size_t kMaxPids = size_t{64} << 20;
constexpr size_t kMaxControl = size_t{1} << 20;

/// A directory on the way from the top to where the walk is.
struct Level {
  std::string name;
  std::vector<std::string> left;  // entries still to be looked at
};

/// Entries that may be directories; none when the directory is gone or has only files in it.
Result<std::vector<std::string>> candidates(int directory) {
  // kernfs counts a directory's link for each child directory, so that most need not be listed.
  const struct stat info = TRY(sys::fstat(directory));
  if (info.st_nlink <= 2) return std::vector<std::string>();
  Result<std::vector<std::string>> names = sys::list_directory(directory);
  if (!names && is_gone(names.error())) return std::vector<std::string>();
  return names;
}

Result<std::optional<UniqueFd>> open_child(int directory, const std::string& name) {
  Result<UniqueFd> child = sys::openat(directory, name, kOpenDirectory);
  if (child) return std::optional<UniqueFd>(std::move(child).value());
  const int code = child.error().code();
  if (is_gone(child.error()) || code == ENOTDIR || code == ELOOP) return std::optional<UniqueFd>();
  return std::move(child).error();
}

/// Takes the next entry of the innermost level that is a directory; nothing when there is none
/// left.
Result<std::optional<UniqueFd>> next_child(int directory, Level& level, std::string& name) {
  while (!level.left.empty()) {
    name = std::move(level.left.back());
    level.left.pop_back();
    std::optional<UniqueFd> child = TRY(open_child(directory, name));
    if (child) return child;
  }
  return std::optional<UniqueFd>();
}

}  // namespace

Deadline::Deadline(std::chrono::milliseconds patience) : end_(sys::monotonic_clock() + patience) {}

std::chrono::milliseconds Deadline::left() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - sys::monotonic_clock());
  return std::max(left, std::chrono::milliseconds(0));
}

bool is_gone(const Error& error) { return error.code() == ENOENT || error.code() == ENODEV; }

Status check_filesystem(int fd, bool unified) {
  const int64_t wanted = unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
  const int64_t found = TRY(sys::filesystem_type(fd));
  if (found == wanted) return ok();
  return Error(unified ? "not in a cgroup v2 file system" : "not in a cgroup v1 file system");
}

Result<std::optional<UniqueFd>> open_directory(const Directory& directory) {
  Result<UniqueFd> opened = sys::open(directory.path, kOpenDirectory);
  if (!opened && is_gone(opened.error())) return std::optional<UniqueFd>();
  if (!opened) return std::move(opened).error().within("cgroup ", quoted(directory.path));
  TRY(check_filesystem(opened.value().get(), directory.unified), "cgroup ", quoted(directory.path));
  return std::optional<UniqueFd>(std::move(opened).value());
}

Result<std::optional<std::string>> read_control(int directory, const std::string& file) {
  const Result<UniqueFd> opened = sys::openat(directory, file, O_RDONLY | O_NOFOLLOW);
  if (!opened && is_gone(opened.error())) return std::optional<std::string>();
  if (!opened) return Error(opened.error()).within(file);
  Result<std::string> text = sys::read_all(opened.value().get(), kMaxControl);
  if (!text && is_gone(text.error())) return std::optional<std::string>();
  if (!text) return std::move(text).error().within(file);
  std::string trimmed = std::move(text).value();
  while (trimmed.ends_with('\n')) trimmed.pop_back();
  return std::optional<std::string>(std::move(trimmed));
}

Result<bool> write_control(int directory, const std::string& file, std::string_view text) {
  const Result<UniqueFd> opened = sys::openat(directory, file, O_WRONLY | O_NOFOLLOW);
  if (!opened && is_gone(opened.error())) return false;
  if (!opened) return Error(opened.error()).within(file);
  Status written = sys::write_once(opened.value().get(), text);
  if (!written && is_gone(written.error())) return false;
  if (!written) return std::move(written).error().within(file);
  return true;
}

Result<std::vector<pid_t>> read_pids(int directory) {
  const Result<UniqueFd> file = sys::openat(directory, "cgroup.procs", O_RDONLY | O_NOFOLLOW);
  if (!file && is_gone(file.error())) return std::vector<pid_t>();
  if (!file) return Error(file.error()).within("cgroup.procs");
  const Result<std::string> text = sys::read_all(file.value().get(), kMaxPids);
  const bool none = !text && (is_gone(text.error()) || text.error().code() == EOPNOTSUPP);
  if (none) return std::vector<pid_t>();
  if (!text) return Error(text.error()).within("cgroup.procs");
  std::vector<pid_t> pids;
  for (const std::string_view line : split(text.value(), '\n')) {
    const std::optional<int64_t> pid = parse_int(line);
    if (pid) pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

std::string join(const std::vector<pid_t>& pids) {
  std::string text;
  for (const pid_t pid : pids) text += cat(text.empty() ? "" : ", ", pid);
  return text;
}

Status walk_tree(int top, const Walk& walk, const Deadline& deadline) {
  UniqueFd below;  // where the walk is, unless it is at the top
  if (walk.enter) TRY(walk.enter(top));
  std::vector<Level> levels(1);
  levels.back().left = TRY(candidates(top));
  while (true) {
    const int here = below ? below.get() : top;
    std::string name;
    std::optional<UniqueFd> child = TRY(next_child(here, levels.back(), name));
    if (child) {
      if (deadline.passed()) return Error::from_errno("walk", ETIMEDOUT);
      below = *std::move(child);
      if (walk.enter) TRY(walk.enter(below.get()));
      std::vector<std::string> entries = TRY(candidates(below.get()));
      levels.push_back({.name = std::move(name), .left = std::move(entries)});
      continue;
    }
    if (levels.size() == 1) return ok();
    // A cgroup never gets another parent, so ".." is where we came from.
    below = TRY(sys::openat(here, "..", kOpenDirectory));
    if (walk.leave) TRY(walk.leave(below.get(), levels.back().name));
    levels.pop_back();
  }
}

}  // namespace rt::cgroup
