// Finding the program that the payload is. runtime-spec config.md, "Process", field args.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In init, as the container's user, in its working directory: the path to execute. A name without
/// a slash is looked up in the PATH of process.env, and in nothing when there is none. Errors have
/// the words that orchestrators map to exit codes 126 and 127:
///   exec: "x": executable file not found in $PATH
///   exec: "/x": stat /x: no such file or directory
///   exec: "/x": permission denied
Result<std::string> find_executable(const plan::ProcessStep& process);

}  // namespace rt::kernel
