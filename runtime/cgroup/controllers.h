// v2 controllers: switched on from the top of the hierarchy down to the container's cgroup. For
// this package alone. Kernel documentation, cgroup-v2.rst, "Controlling Controllers".
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// What to configure so that a controller can be had in the cgroup `path`, where systemd has given
/// that to somebody or could.
std::string delegation(const std::string& path, const std::string& name);

/// Those that a directory has: cgroup.controllers.
Result<std::vector<std::string>> read_controllers(int directory);

/// Switches controllers on for the children of `directory` (cgroup.subtree_control): those of
/// `needs` in any case, the others of `available` where that can be done. `available` are those
/// that the directory has; returned are those that its children have then. `path` is for messages.
Result<std::vector<std::string>> enable_controllers(int directory, const std::string& path,
                                                    const std::vector<plan::ControllerNeed>& needs,
                                                    const std::vector<std::string>& available);

}  // namespace rt::cgroup
