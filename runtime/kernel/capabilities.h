// The five capability sets. capabilities(7); runtime-spec config.md, "Linux Process".
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In init, still as the namespace's root: nothing outside `bounding` can be had ever again. The
/// kernel's own last capability is asked for, so that one newer than our table is dropped too.
Status drop_bounding_set(const plan::CapabilitySets& sets);

/// In init, as the container's user with the permitted set kept: inheritable, permitted and
/// effective become exactly those of the plan, then ambient. Read back and compared. The permitted
/// set keeps `late` too, for `raise_effective`; the next execve(2) takes it away.
Status set_capabilities(const plan::CapabilitySets& sets, uint64_t late);

/// In init, just before the execution: `capability`, one of those kept, becomes effective.
Status raise_effective(unsigned capability);

}  // namespace rt::kernel
