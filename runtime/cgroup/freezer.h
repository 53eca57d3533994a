// Stopping a cgroup's processes, and letting them go on: freezer.state (v1), cgroup.freeze (v2,
// Linux 5.2). For this package alone.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/directory.h"

namespace rt::cgroup {

/// Whether the directory is one that can be frozen.
Result<bool> has_freezer(int directory, bool unified);

/// Whether a process put into the directory would be frozen, by its own state or an ancestor's.
Result<bool> is_frozen(int directory, bool unified);
/// The same by the directory's name: one open(2) where its hierarchy has no freezer.
Result<bool> is_frozen(const Directory& directory);

/// Asks the kernel to freeze all below the directory, without waiting until it has. Nothing happens
/// where the hierarchy has no freezer.
Status freeze(int directory, bool unified);

/// Thaws the directory itself. What an ancestor froze stays frozen.
Status thaw(int directory, bool unified);

/// Freezes, and waits until every process has stopped; ETIMEDOUT when that takes too long.
Status freeze_and_wait(int directory, bool unified, const Deadline& deadline);

/// Thaws, and waits until the kernel says so; ETIMEDOUT when that takes too long.
Status thaw_and_wait(int directory, bool unified, const Deadline& deadline);

/// The path of a cgroup above the directory that is frozen; "" when none is. `path` is the
/// directory's own.
Result<std::string> frozen_above(int directory, bool unified, const std::string& path);

}  // namespace rt::cgroup
