// Looks at the machine: what plan::HostFacts says. Reads only.
#pragma once

#include "runtime/base/result.h"
#include "runtime/plan/host.h"

namespace rt::kernel {

/// Probes the machine this process runs on. Its cost does not grow with the number of mounts or
/// containers.
Result<plan::HostFacts> probe_host();

/// Whether user ids here are the machine's own. user_namespaces(7).
Result<bool> in_initial_user_namespace();

}  // namespace rt::kernel
