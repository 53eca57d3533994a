// The program that stands for a v2 cgroup's device rules. Linux 4.15, BPF_PROG_TYPE_CGROUP_DEVICE.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// Whether the rules end with one that allows everything, and only allow more behind it: no program
/// is needed then.
bool allows_everything(const std::vector<plan::DeviceRule>& rules);

/// Returns 1 for an access that the rules allow, 0 for one that they do not; the access is
/// struct bpf_cgroup_dev_ctx.
std::vector<bpf_insn> device_program(const std::vector<plan::DeviceRule>& rules);

}  // namespace rt::cgroup
