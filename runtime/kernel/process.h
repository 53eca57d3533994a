// What the payload's process is: its ids, descriptors and limits. runtime-spec config.md,
// "Process".
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In init as its root, or in the runtime: pipes and terminals on descriptors 0 to 2 become the
/// container user's, so that it may open /dev/stdout again. Regular files and devices of the host
/// keep their owner.
Status give_stdio(uid_t uid);

/// A session keyring of the container's own: our caller's keys are not its. EDQUOT when the user
/// has no room for one more. Nothing where the kernel has no keyrings.
Status join_session_keyring(const std::string& id);

/// In init: group list, gid and uid, each exactly as the plan has it, read back. The permitted
/// capabilities are kept over the change.
Status become_user(const plan::ProcessStep& process);

/// In init: chdir to the working directory. A directory outside the container's root, reached
/// through a leaked descriptor, is an error (CVE-2024-21626).
Status enter_working_directory(const std::string& cwd);

/// In init: makes the working directory below `root` when it is missing.
Status make_working_directory(const std::string& cwd, int root);

/// prlimit(2) of `pid`; 0 is this process. An error says what was wanted and what is allowed.
Status set_rlimits(const std::vector<plan::Rlimit>& limits, pid_t pid);

/// In stage 1, while it may still write its own /proc files.
Status set_oom_score_adj(int32_t score);

}  // namespace rt::kernel
