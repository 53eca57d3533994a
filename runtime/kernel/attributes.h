// How the kernel treats the payload's process: scheduling, I/O priority, execution domain, memory
// policy, CPUs. runtime-spec config.md, "Linux Process"; config-linux.md, "Personality" and "Memory
// policy".
#pragma once

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In the process that will be the payload, while it has all of the runtime's capabilities: what
/// the plan says of scheduling, I/O priority, execution domain and memory policy. Children, and
/// with them all of the container, inherit it.
///
/// In a user namespace CAP_SYS_NICE is of no use here: the kernel wants it over the host, for a
/// real-time or deadline policy, a nice value below the caller's, and the I/O class RT. Afterwards
/// a process with SCHED_DEADLINE cannot fork, unless it has SCHED_FLAG_RESET_ON_FORK.
Status set_process_attributes(const plan::ProcessStep& process);

/// In the process that joins a container: the CPUs it may run on. None: as it is.
Status set_cpu_affinity(const plan::BitSet& cpus);

}  // namespace rt::kernel
