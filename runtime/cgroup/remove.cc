// Removing the container's cgroup, with whatever the payload made below it.
#include <fcntl.h>

#include <algorithm>

#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/directory.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;

bool is_busy(const Error& error) { return error.code() == EBUSY || error.code() == ENOTEMPTY; }

/// Whether it is gone now; false when something is in it.
Result<bool> try_remove(const std::string& path) {
  Status removed = sys::rmdir(path);
  if (removed || is_gone(removed.error())) return true;
  if (is_busy(removed.error())) return false;
  return std::move(removed).error();
}

/// Removes the directories below, as far as they are empty.
Status remove_children(int top, const Deadline& deadline) {
  Walk walk;
  walk.leave = [](int parent, const std::string& name) -> Status {
    Status removed = sys::unlinkat(parent, name, AT_REMOVEDIR);
    if (removed || is_gone(removed.error()) || is_busy(removed.error())) return ok();
    return std::move(removed).error().within(quoted(name));
  };
  Status walked = walk_tree(top, walk, deadline);
  // The top went away meanwhile, or it is still growing: the caller's next rmdir tells.
  if (!walked && (is_gone(walked.error()) || walked.error().code() == ETIMEDOUT)) return ok();
  return walked;
}

Error busy(const Directory& directory) {
  Error error = Error::from_errno("rmdir", EBUSY);
  const Result<std::vector<pid_t>> pids = processes({directory});
  if (!pids || pids.value().empty()) return error;
  return std::move(error).with_hint("processes in it: ", join(pids.value()));
}

/// Waits until systemd has removed its scope. The kernel tells of changes of cgroup.events every 10
/// ms at most, the next one by a timer; rmdir takes that away, and systemd would never hear that
/// the scope is empty: the unit would stay.
Status leave_to_systemd(const Directory& directory, const Deadline& whole) {
  const Deadline deadline(std::min(whole.left(), milliseconds(5000)));
  milliseconds pause(1);
  static constexpr milliseconds kLongestPause(20);
  while (!deadline.passed()) {
    const std::optional<UniqueFd> opened = TRY(open_directory(directory));
    if (!opened) return ok();
    TRY(sys::wait_readable({}, std::min(pause, deadline.left())));
    pause = std::min(pause * 2, kLongestPause);
  }
  return ok();
}

/// Processes that were killed are out of their cgroup a little later than they are out of sight.
Status remove_leaf(const Directory& directory, const Deadline& deadline) {
  if (directory.scope) TRY(leave_to_systemd(directory, deadline));
  const std::optional<UniqueFd> opened = TRY(open_directory(directory));
  if (!opened) return ok();
  milliseconds pause(1);
  static constexpr milliseconds kLongestPause(100);
  while (true) {
    if (TRY(try_remove(directory.path), "cgroup ", quoted(directory.path))) return ok();
    TRY(remove_children(opened->get(), deadline), "cgroup ", quoted(directory.path));
    if (TRY(try_remove(directory.path), "cgroup ", quoted(directory.path))) return ok();
    if (deadline.passed()) return busy(directory).within("cgroup ", quoted(directory.path));
    TRY(sys::wait_readable({}, std::min(pause, deadline.left())));
    pause = std::min(pause * 2, kLongestPause);
  }
}

/// A parent stays as long as another container uses it.
Status remove_parent(const Directory& directory) {
  const std::optional<UniqueFd> opened = TRY(open_directory(directory));
  if (!opened) return ok();
  TRY(try_remove(directory.path), "cgroup ", quoted(directory.path));
  return ok();
}

}  // namespace

Result<bool> remove_empty(const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    if (!directory.made || directory.scope) return false;
    const std::optional<UniqueFd> opened = TRY(open_directory(directory));
    const bool gone = !opened || TRY(try_remove(directory.path), "cgroup ", quoted(directory.path));
    if (!gone) return false;
  }
  return true;
}

Status remove(const std::vector<Directory>& directories, milliseconds patience) {
  const Deadline deadline(patience);
  Status first_failure;
  for (const Directory& directory : directories) {
    if (!directory.made) continue;
    Status removed = directory.leaf ? remove_leaf(directory, deadline) : remove_parent(directory);
    // The others are removed all the same: less is left behind.
    if (!removed && first_failure) first_failure = std::move(removed);
  }
  return first_failure;
}

}  // namespace rt::cgroup
