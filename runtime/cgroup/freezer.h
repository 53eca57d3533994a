// Stopping a cgroup's processes, and letting them go on: freezer.state (v1), cgroup.freeze (v2).
#pragma once

#include "runtime/base/result.h"

namespace rt::cgroup {

/// Whether a process put into the directory would be frozen, by its own state or an ancestor's.
Result<bool> is_frozen(int directory, bool unified);

/// Asks the kernel to freeze all below the directory, without waiting until it has. Nothing happens
/// where the hierarchy has no freezer.
Status freeze(int directory, bool unified);

/// Thaws the directory itself. What an ancestor froze stays frozen.
Status thaw(int directory, bool unified);

}  // namespace rt::cgroup
