// A container's hooks, and its state as they read it. runtime-spec config.md, "POSIX-platform
// Hooks"; runtime.md, "Lifecycle".
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/record.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"
#include "spec/state.h"

namespace rt::container {

/// The state that hooks and seccomp agents get. `pid` is init's, as the reader sees it; 0: none.
spec::State state_of(const Record& record, ContainerStatus status, pid_t pid);

/// The document that the container was created from.
Result<spec::Config> load_config(const Entry& entry);

/// Runs the poststop hooks: each, whatever becomes of the others. What fails is a warning.
void run_poststop_hooks(const std::vector<plan::HookStep>& hooks, const Record& record,
                        const Warn& warn);

}  // namespace rt::container
