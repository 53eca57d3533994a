// Kernel parameters of the container's namespaces. runtime-spec config-linux.md, "Sysctl".
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In init, while the host's /proc is in sight: its /proc/sys, checked to be one. Empty where there
/// are no parameters to write.
Result<UniqueFd> open_sysctls(const std::vector<plan::Sysctl>& sysctls);

/// In init: writes each parameter below `directory`, from open_sysctls. Files there show the
/// namespaces of whoever opens them.
Status write_sysctls(const std::vector<plan::Sysctl>& sysctls, int directory);

}  // namespace rt::kernel
