// Handing a v2 cgroup over to the container's user. For this package alone.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"

namespace rt::cgroup {

/// Gives the directory, and those of its files that /sys/kernel/cgroup/delegate lists, to `uid`.
/// config-linux.md, "Cgroup ownership".
Status hand_over(int directory, uint32_t uid);

}  // namespace rt::cgroup
