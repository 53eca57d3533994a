// The cgroups of a process that joins a container.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/container/record.h"
#include "runtime/plan/host.h"

namespace rt::container {

/// The container's own, or what --cgroup names below them: "PATH" for all hierarchies,
/// "CONTROLLER[,CONTROLLER...]:PATH" for those of v1 that have them.
Result<std::vector<cgroup::Directory>> exec_cgroups(const Record& record,
                                                    const std::vector<std::string>& wishes,
                                                    const plan::HostFacts& host);

/// The same with the v2 cgroup that `init` is in by now. A payload that has handed its controllers
/// on has left the container's own cgroup, which can hold no process any more (EBUSY): cgroups(7),
/// "no internal processes".
Result<std::vector<cgroup::Directory>> beside_init(std::vector<cgroup::Directory> directories,
                                                   pid_t init, const plan::HostFacts& host);

}  // namespace rt::container
