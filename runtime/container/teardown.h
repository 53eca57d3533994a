// Taking a container apart: what `delete`, a failed create and the end of `run` have in common.
#pragma once

#include <chrono>

#include "runtime/base/result.h"
#include "runtime/container/record.h"
#include "runtime/container/store.h"

namespace rt::container {

/// How long killed processes may take to go away.
inline constexpr std::chrono::milliseconds kKillPatience{10000};

/// Kills every process in the container's cgroup, and waits until they are gone. What was only
/// announced is left alone.
Status kill_processes(const Record& record);

/// Removes the cgroup, then the container's directory. An error leaves the directory, so that
/// `delete` can be tried again. Precondition: `entry` is locked.
Status remove_traces(Entry& entry, const Record& record);

}  // namespace rt::container
