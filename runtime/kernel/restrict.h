// Paths that the container may not write, or not see. runtime-spec config-linux.md, "Readonly
// Paths" and "Masked Paths".
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// What lies over masked paths.
struct Masks {
  UniqueFd null;   // over files: the host's /dev/null, checked to be device 1:3 (CVE-2025-31133)
  UniqueFd empty;  // over directories: an empty, read-only tmpfs
};

/// Masks::null alone: a detached mount.
Result<UniqueFd> make_null_mask();

/// In init, before it enters its root. Nothing is made where `paths` is empty.
Result<Masks> prepare_masks(const std::vector<plan::PathStep>& paths);

/// In init: each path that exists below `root` is hidden. One that does not is passed over; any
/// other failure is an error.
Status mask_paths(const std::vector<plan::PathStep>& paths, Masks masks, int root);

/// In init: each path that exists below `root` becomes read-only, with all mounts below it.
Status make_paths_readonly(const std::vector<plan::PathStep>& paths, int root);

}  // namespace rt::kernel
