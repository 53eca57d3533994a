// What this version of the runtime can do: features.md and features-linux.md of runtime-spec.
#pragma once

#include <string>
#include <vector>

#include "spec/features.h"

namespace rt::plan {

/// Made of the tables that documents are validated and planned by, and so the same on every
/// machine, but for `seccomp_flags`: those that the kernel here takes.
spec::Features features(std::vector<std::string> seccomp_flags);

}  // namespace rt::plan
