// The runtime's own binary, out of the container's reach (CVE-2019-5736).
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace rt::kernel {

/// Executes this program again from a copy that cannot be written: a detached read-only clone of
/// its mount, or a sealed memfd. Returns when it already runs from one. Called before anything of a
/// container exists; `args` and `environment` are main's.
Status seal_binary(char* const* args, char* const* environment);

/// Host path of the binary that was started, also in the copy.
Result<std::string> binary_path();

}  // namespace rt::kernel
