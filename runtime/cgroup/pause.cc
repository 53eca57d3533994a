// Stopping the container's processes and letting them go on.
#include <fcntl.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/freezer.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;

struct Freezer {
  const Directory* directory = nullptr;
  UniqueFd fd;
};

/// The v1 freezer where there is one, since that is where others look for the state; else v2's.
/// Without a directory when there is neither.
Result<Freezer> look_for_freezer(const std::vector<Directory>& directories) {
  Freezer unified;
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    std::optional<UniqueFd> fd = TRY(open_directory(directory));
    if (!fd) return Error::from_errno("open", ENOENT).within("cgroup ", quoted(directory.path));
    if (!TRY(has_freezer(fd->get(), directory.unified), "cgroup ", quoted(directory.path))) {
      continue;
    }
    Freezer found{.directory = &directory, .fd = *std::move(fd)};
    if (!directory.unified) return found;
    unified = std::move(found);
  }
  return unified;
}

Result<Freezer> find_freezer(const std::vector<Directory>& directories) {
  Freezer freezer = TRY(look_for_freezer(directories));
  if (freezer.directory != nullptr) return freezer;
  return Error("the container has no cgroup with a freezer")
      .with_hint("it needs the v1 controller freezer, or cgroup v2 and Linux 5.2");
}

/// What a process waits for in the kernel when it is frozen. proc(5), /proc/PID/wchan. One that
/// slept already may stop where it is, from Linux 6.1 on, and looks like one that cannot.
bool has_stopped(pid_t pid) {
  // v1's; v2's; and what that one is part of, where the compiler has put it there: Debian's
  // Linux 6.1.
  constexpr std::string_view kPlaces[] = {"__refrigerator", "do_freezer_trap", "get_signal"};
  const Result<std::string> place = sys::read_file(cat("/proc/", pid, "/wchan"), 256);
  return !place || std::ranges::find(kPlaces, place.value()) != std::end(kPlaces);
}

Error not_stopped(const Directory& directory) {
  Error error = Error::from_wire(ETIMEDOUT, "", "not all processes stop");
  const Result<std::vector<pid_t>> pids = processes({directory});
  std::vector<pid_t> running;
  for (const pid_t pid : pids ? pids.value() : std::vector<pid_t>()) {
    if (!has_stopped(pid)) running.push_back(pid);
  }
  if (running.empty()) return error;
  return std::move(error).with_hint("not seen to stop: ", join(running));
}

Status pause_in(const Freezer& freezer, milliseconds patience) {
  const bool unified = freezer.directory->unified;
  Status frozen = freeze_and_wait(freezer.fd.get(), unified, Deadline(patience));
  if (frozen) return ok();
  // Who runs is looked at before it is lost in those that go on again.
  const bool late = frozen.error().code() == ETIMEDOUT;
  Error error = late ? not_stopped(*freezer.directory) : std::move(frozen).error();
  const Status thawed = thaw(freezer.fd.get(), unified);
  if (thawed) return error;
  return std::move(error).with_hint("and cannot be thawed: ", thawed.error().message());
}

Status resume_in(const Freezer& freezer, milliseconds patience) {
  const bool unified = freezer.directory->unified;
  const std::string above = TRY(frozen_above(freezer.fd.get(), unified, freezer.directory->path));
  if (!above.empty()) return Error(cat("is kept frozen by the cgroup above it, ", quoted(above)));
  return thaw_and_wait(freezer.fd.get(), unified, Deadline(patience));
}

}  // namespace

Result<bool> frozen(const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (directory.leaf && TRY(is_frozen(directory))) return true;
  }
  return false;
}

Result<std::string> freezer_path(const std::vector<Directory>& directories) {
  const Freezer freezer = TRY(look_for_freezer(directories));
  return freezer.directory == nullptr ? std::string() : freezer.directory->path;
}

Status pause(const std::vector<Directory>& directories, milliseconds patience) {
  const Freezer freezer = TRY(find_freezer(directories));
  TRY(pause_in(freezer, patience), "cgroup ", quoted(freezer.directory->path));
  return ok();
}

Status resume(const std::vector<Directory>& directories, milliseconds patience) {
  const Freezer freezer = TRY(find_freezer(directories));
  TRY(resume_in(freezer, patience), "cgroup ", quoted(freezer.directory->path));
  return ok();
}

}  // namespace rt::cgroup
