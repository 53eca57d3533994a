// Runs one command and says what it cost.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace bench {

/// What one command cost. Processes that outlive it (the container's init after `create`) are not
/// in the processor time, but their system calls up to then are in the count.
struct Cost {
  double wall_ms = 0;  // from before the fork to after the wait
  double cpu_ms = 0;   // user and system, with the children it waited for
};

/// What a command does, seen with a tracer: too slow to be timed at once.
struct Work {
  long system_calls = 0;
  long peak_kib = 0;  // resident memory of the biggest process, at its end
};

/// Runs `command` with /dev/null for its descriptors. An error when it does not end with 0.
rt::Result<Cost> run_timed(const std::vector<std::string>& command);

/// The same under ptrace(2), with all its descendants. Those that are left when it ends go on
/// untraced.
rt::Result<Work> run_traced(const std::vector<std::string>& command);

/// Memory that `pid` has for itself, in KiB: private pages, clean or dirty. Linux 4.14.
rt::Result<long> private_memory(pid_t pid);

}  // namespace bench
