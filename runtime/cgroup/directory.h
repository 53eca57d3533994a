// Directories of the cgroup file system, by descriptor. Shared by the files of this package.
//
// Everything below a container's cgroup may be the payload's work: names, depth and number of the
// directories are hostile, and all of it may vanish or grow while we look.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/cgroup/cgroup.h"

namespace rt::cgroup {

/// A moment of the monotonic clock after which we give up.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds patience);
  /// Never negative.
  [[nodiscard]] std::chrono::milliseconds left() const;
  [[nodiscard]] bool passed() const { return left().count() == 0; }

 private:
  std::chrono::nanoseconds end_;
};

/// Whether an error says that the cgroup is not there any more: ENOENT, or ENODEV from a file of a
/// directory that was removed while we held it open.
bool is_gone(const Error& error);

/// Opens a cgroup directory without following a link at its end; refuses what is not a directory
/// of the right cgroup file system. Nothing when it is gone.
Result<std::optional<UniqueFd>> open_directory(const Directory& directory);

/// Refuses a descriptor that is not of the cgroup (or cgroup2) file system.
Status check_filesystem(int fd, bool unified);

/// The pids in a directory itself; 0 is a process of a pid namespace that we cannot see into. None
/// when it is gone, and in a threaded v2 cgroup, whose processes are its domain's.
Result<std::vector<pid_t>> read_pids(int directory);

/// "12, 13", for messages.
std::string join(const std::vector<pid_t>& pids);

/// A control file: its text without the last newline; nothing when there is no such file.
Result<std::optional<std::string>> read_control(int directory, const std::string& file);
/// Whether there was such a file to write to.
Result<bool> write_control(int directory, const std::string& file, std::string_view text);

/// A walk through all directories below one, with two descriptors at a time however deep it goes.
struct Walk {
  /// Called on the way down, for the top too.
  std::function<Status(int directory)> enter;
  /// Called on the way up, for all but the top.
  std::function<Status(int parent, const std::string& name)> leave;
};
/// ETIMEDOUT when the tree grows faster than we walk.
Status walk_tree(int top, const Walk& walk, const Deadline& deadline);

}  // namespace rt::cgroup
