// Taking a container apart: what `delete`, a failed create and the end of `run` have in common.
#pragma once

#include <chrono>

#include "runtime/base/result.h"
#include "runtime/container/record.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"

namespace rt::container {

/// How long killed processes may take to go away.
inline constexpr std::chrono::milliseconds kKillPatience{10000};

/// How long the kernel may take to freeze a container, or to let it go on.
inline constexpr std::chrono::milliseconds kFreezePatience{10000};

/// Kills every process in the container's cgroup, and waits until they are gone. What was only
/// announced is left alone.
Status kill_processes(const Record& record);

/// Init gets SIGKILL, through its pidfd. A frozen one ends when it is thawed.
Status kill_init(const Observed& seen);

/// Whether processes of the container may be left.
enum class Processes { kNone, kPerhaps };

/// Kills what is left of a container, removes everything that `create` made, and runs the poststop
/// hooks. Precondition: `entry` is locked.
Status take_down(Entry& entry, const Observed& seen, Processes left, const Warn& warn);

/// What an attempt that failed leaves is removed; whether nothing is left. An error here must not
/// hide the one that brought us here; the record stays for `delete --force`. Precondition: `entry`
/// is locked.
bool take_back(Entry& entry, const Record& record);

/// Removes the cgroup, the group of resctrl, then the container's directory. An error leaves the
/// directory, so that `delete` can be tried again. Precondition: `entry` is locked.
Status remove_traces(Entry& entry, const Record& record);

}  // namespace rt::container
