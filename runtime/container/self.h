// What the runtime does to its own process before it touches anything of a container.
#pragma once

#include <sys/types.h>

#include "runtime/base/result.h"

namespace rt::container {

/// Descriptors 0, 1 and 2 are open from here on (/dev/null where the caller closed them), so that
/// no file of ours can take their place and become the container's. Writing to a pipe that nobody
/// reads is an error from here on, not our death.
Status prepare_self();

/// Who calls: the effective user and group.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
};
Caller caller();

}  // namespace rt::container
