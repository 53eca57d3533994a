// Limits that systemd has set too early. For this package alone.
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// systemd sets every limit when it makes the scope. Takes back those that setting the container up
/// could exceed: write_limits sets them when that is done (plan::LimitTime::kLast).
Status lift_limits(const plan::ScopeStep& scope, const std::vector<Directory>& directories);

}  // namespace rt::cgroup
