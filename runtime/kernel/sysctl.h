// Kernel parameters of the container's namespaces. runtime-spec config-linux.md, "Sysctl".
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In init, while the host's /proc is in sight and checked to be one: writes each parameter. Files
/// below /proc/sys show the namespaces of whoever opens them.
Status write_sysctls(const std::vector<plan::Sysctl>& sysctls);

}  // namespace rt::kernel
