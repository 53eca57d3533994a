// A cgroup that systemd makes, through the program that talks to it. For this package alone.
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// Starts the unit, with a process in it that only holds the place, and waits until systemd has
/// done it. Closing the descriptor ends that process. On failure, also when systemd does not answer
/// in time, the unit is gone again.
Result<UniqueFd> start_scope(const plan::ScopeStep& step);

}  // namespace rt::cgroup
