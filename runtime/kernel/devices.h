// Device nodes and the standard links of /dev. runtime-spec config-linux.md, "Devices" and "Default
// Devices".
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In the runtime: detached copies of the host's nodes for the devices that are bound, in the order
/// of `devices`; empty for those that are made. Each is checked to be the device that is asked for.
/// All stay empty where the runtime may not clone mounts (EPERM): prepare_devices makes them then.
Result<std::vector<UniqueFd>> clone_devices(const std::vector<plan::DeviceNode>& devices);

/// In init, before it enters its root: what clone_devices left out.
Status prepare_devices(const std::vector<plan::DeviceNode>& devices, std::vector<UniqueFd>& trees);

/// In init, after the mounts: makes or binds each node below `root`. A node that is there already
/// is kept when it is that very device, and an error otherwise.
Status make_devices(const std::vector<plan::DeviceNode>& devices, std::vector<UniqueFd>& trees,
                    int root);

/// In init: makes each link; what is there already, unless it is a directory, is replaced.
Status make_links(const std::vector<plan::Link>& links, int root);

}  // namespace rt::kernel
