#include "runtime/cgroup/freezer.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxEvents = 4096;

bool says_frozen(std::string_view events) {
  for (const std::string_view line : split(events, '\n')) {
    if (line == "frozen 1") return true;
  }
  return false;
}

/// v2: the kernel tells when it is done.
Status wait_v2(int directory, bool frozen, const Deadline& deadline) {
  const UniqueFd events = TRY(sys::openat(directory, "cgroup.events", O_RDONLY | O_NOFOLLOW));
  while (true) {
    // What changes after this read wakes the wait.
    const std::string text = TRY(sys::read_start(events.get(), kMaxEvents));
    if (says_frozen(text) == frozen) return ok();
    if (deadline.passed()) return Error::from_errno("cgroup.events", ETIMEDOUT);
    TRY(sys::wait_notified(events.get(), deadline.left()));
  }
}

/// v1: the kernel looks at the processes when the file is read, and only then. A process that waits
/// for one that has stopped already (vfork, ptrace) stops when both are let go on for a moment.
Status freeze_v1(int directory, const Deadline& deadline) {
  static constexpr int kReadsBeforeThaw = 20;
  static constexpr milliseconds kLongestPause(10);
  milliseconds pause(0);
  for (int reads = 1;; ++reads) {
    if (reads % kReadsBeforeThaw == 1) {
      // Not before: who has just been let go on is not one that cannot stop.
      if (reads > 1 && deadline.passed()) return Error::from_errno("freezer.state", ETIMEDOUT);
      if (reads > 1) TRY(write_control(directory, "freezer.state", "THAWED"));
      TRY(write_control(directory, "freezer.state", "FROZEN"));
    }
    const std::optional<std::string> state = TRY(read_control(directory, "freezer.state"));
    if (!state) return Error::from_errno("freezer.state", ENOENT);
    if (*state == "FROZEN") return ok();
    TRY(sys::wait_readable({}, pause));
    pause = std::min(pause + milliseconds(1), kLongestPause);
  }
}

Result<bool> says_one(int directory, const char* file) {
  const std::optional<std::string> text = TRY(read_control(directory, file));
  return text && *text == "1";
}

const char* state_file(bool unified) { return unified ? "cgroup.events" : "freezer.state"; }

/// v1 says FREEZING while some process has not stopped yet.
bool is_frozen_state(std::string_view text, bool unified) {
  return unified ? says_frozen(text) : text != "THAWED";
}

}  // namespace

Result<bool> has_freezer(int directory, bool unified) {
  const std::optional<std::string> text =
      TRY(read_control(directory, unified ? "cgroup.freeze" : "freezer.state"));
  return text.has_value();
}

Result<bool> is_frozen(int directory, bool unified) {
  const std::optional<std::string> text = TRY(read_control(directory, state_file(unified)));
  return text && is_frozen_state(*text, unified);
}

Result<bool> is_frozen(const Directory& directory) {
  const std::string file = cat(directory.path, '/', state_file(directory.unified));
  const std::optional<std::string> text = TRY(read_control(AT_FDCWD, file));
  return text && is_frozen_state(*text, directory.unified);
}

Status freeze(int directory, bool unified) {
  if (unified) {
    TRY(write_control(directory, "cgroup.freeze", "1"));
  } else {
    TRY(write_control(directory, "freezer.state", "FROZEN"));
  }
  return ok();
}

Status thaw(int directory, bool unified) {
  if (unified) {
    TRY(write_control(directory, "cgroup.freeze", "0"));
  } else {
    TRY(write_control(directory, "freezer.state", "THAWED"));
  }
  return ok();
}

Status freeze_and_wait(int directory, bool unified, const Deadline& deadline) {
  if (!unified) return freeze_v1(directory, deadline);
  TRY(freeze(directory, true));
  return wait_v2(directory, true, deadline);
}

Status thaw_and_wait(int directory, bool unified, const Deadline& deadline) {
  TRY(thaw(directory, unified));
  // v1 is done when the write returns.
  return unified ? wait_v2(directory, false, deadline) : ok();
}

Result<std::string> frozen_above(int directory, bool unified, const std::string& path) {
  if (!unified && !TRY(says_one(directory, "freezer.parent_freezing"))) return std::string();
  const char* file = unified ? "cgroup.freeze" : "freezer.self_freezing";
  UniqueFd here = TRY(sys::openat(directory, "..", O_RDONLY | O_DIRECTORY));
  std::string above = path.substr(0, path.rfind('/'));
  // The top of a hierarchy has no such file.
  while (true) {
    const std::optional<std::string> text = TRY(read_control(here.get(), file));
    if (!text) return std::string();
    if (*text == "1") return above;
    here = TRY(sys::openat(here.get(), "..", O_RDONLY | O_DIRECTORY));
    above.resize(std::min(above.rfind('/'), above.size()));
  }
}

}  // namespace rt::cgroup
