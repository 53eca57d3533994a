// The runtime's own binary, out of the container's reach (CVE-2019-5736).
#pragma once

#include "runtime/base/result.h"

namespace rt::kernel {

/// Executes this program again from a copy that cannot be written: a detached read-only clone of
/// its mount, or a sealed memfd. Returns when it already runs from one. Called before anything of a
/// container exists; `args` and `environment` are main's.
Status seal_binary(char* const* args, char* const* environment);

}  // namespace rt::kernel
