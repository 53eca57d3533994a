// Hooks: programs that the config names, run at a moment of the container's life. runtime-spec
// config.md, "POSIX-platform Hooks".
//
// Which process calls these, and when, decides the namespaces that a hook has: its caller's.
// Precondition of all: descriptors 0, 1 and 2 are open, and SIGCHLD is not ignored
// (container::prepare_self).
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// What all hooks of one moment are given.
struct HookInput {
  std::string state;  // for descriptor 0: spec::to_hook_json
  /// Their working directory, or "/" when it is not there (any more); empty: the caller's.
  std::string directory;
};

/// Runs `hook` and waits for its end: exit status 0 is success. It gets exactly the arguments and
/// the environment of the plan, and a session of its own, in which no signal is blocked or ignored,
/// the umask is 022 and no descriptor but three is open. It dies with the caller. What it writes is
/// only kept for the error, the last 4 KiB of it:
///   hook "/x": exit status 3: "the output"
///   hook "/x": killed by signal 9
///   hook "/x": timed out after 2 s
///   hook "/x": fork/exec: no such file or directory
/// One that takes longer than its timeout is killed with all of its process group. Processes that
/// it leaves behind are not waited for; they lose their standard output.
Status run_hook(const plan::HookStep& hook, const HookInput& input);

/// Runs the hooks of this kind, in their order, up to the first that fails.
Status run_hooks(const std::vector<plan::HookStep>& hooks, plan::HookKind kind,
                 const HookInput& input);

/// Runs all hooks of this kind, in their order, also after one has failed; what failed.
std::vector<Error> run_all_hooks(const std::vector<plan::HookStep>& hooks, plan::HookKind kind,
                                 const HookInput& input);

}  // namespace rt::kernel
