// A process of a container, told apart from a later one with the same number.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::container {

/// What /proc/PID/stat says. proc(5).
struct ProcessStat {
  std::string name;         // field 2, without the brackets
  char state = '?';         // field 3: 'R', 'S', 'Z', ...
  pid_t parent = 0;         // field 4
  uint64_t cpu_time = 0;    // fields 14 and 15, user and system: in clock ticks
  uint64_t start_time = 0;  // field 22: clock ticks since boot
};

/// The kernel counts processor time for us in ticks of a hundredth of a second: time(7), USER_HZ.
inline constexpr uint64_t kTicksPerSecond = 100;

/// Reads the text of a /proc/PID/stat. The name in it may hold anything, brackets too.
Result<ProcessStat> parse_stat(std::string_view text);

/// /proc/PID/stat. ESRCH or ENOENT when there is no such process.
Result<ProcessStat> read_stat(pid_t pid);

/// Whether the process has been sent a SIGKILL that it could not follow yet, being frozen.
/// /proc/PID/status, SigPnd and ShdPnd.
Result<bool> has_pending_kill(pid_t pid);

/// When the live process `pid` was started, for `open_process` later.
Result<uint64_t> start_time_of(pid_t pid);

/// A pidfd of the process `pid` that was started at `start_time`; nothing when it is gone, is a
/// zombie, or when its number belongs to another process now.
Result<std::optional<UniqueFd>> open_process(pid_t pid, uint64_t start_time);

/// The text of /proc/sys/kernel/random/boot_id: which boot of the machine this is.
Result<std::string> boot_id();

}  // namespace rt::container
