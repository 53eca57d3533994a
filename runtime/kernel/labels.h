// The labels under which security modules confine the payload. runtime-spec config.md, "Linux
// Process": apparmorProfile, selinuxLabel.
//
// A label is asked for in advance and takes effect with the next execve(2): LSM_ATTR_EXEC, the file
// attr/exec of proc(5). lsm_set_self_attr(2) does it without any path (Linux 6.8). Before, the file
// is written: that of the host's /proc, which is opened before there is anything of the image that
// could stand in for it (CVE-2019-16884, CVE-2025-52881).
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// In the runtime, before its child changes or joins a namespace: /proc, for set_labels. Nothing
/// where there are no labels.
Result<UniqueFd> open_proc_for_labels(const std::vector<plan::LabelStep>& steps);

/// In the process that will be the payload, after ids, capabilities and no_new_privs, before the
/// system call filter: sets the labels and compares what the kernel has then. Every later execve(2)
/// is under them, that of children too: startContainer hooks.
///
/// A module that is not active is an error: the payload would run unconfined. Only the AppArmor
/// profile "unconfined" is what it then has already.
Status set_labels(const std::vector<plan::LabelStep>& steps, int proc);

}  // namespace rt::kernel
