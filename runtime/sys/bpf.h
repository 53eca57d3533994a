// bpf(2) for programs of cgroups, one function a command.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

struct BpfProgram {
  uint32_t type = 0;                   // BPF_PROG_TYPE_*
  std::vector<bpf_insn> instructions;  // in the order of execution
  std::string name;                    // up to 15 letters, digits, "_" and "."
  std::string license;
};

/// BPF_PROG_LOAD. EINVAL or EACCES: the verifier refuses the program.
Result<UniqueFd> bpf_prog_load(const BpfProgram& program);

/// BPF_PROG_LOAD for what the verifier says of the program; empty where it takes it.
std::string bpf_verifier_log(const BpfProgram& program);

/// BPF_PROG_ATTACH to the cgroup v2 directory `cgroup`. `type` is BPF_CGROUP_*; `replaced`, with
/// BPF_F_REPLACE in `flags`, the program whose place is taken at once. Linux 5.6.
Status bpf_prog_attach(int cgroup, int program, bpf_attach_type type, uint32_t flags,
                       int replaced = 0);

/// BPF_PROG_DETACH. ENOENT: is not attached there.
Status bpf_prog_detach(int cgroup, int program, bpf_attach_type type);

/// BPF_PROG_QUERY: the ids of the programs attached to the directory itself.
Result<std::vector<uint32_t>> bpf_prog_query(int cgroup, bpf_attach_type type);

/// BPF_PROG_GET_FD_BY_ID; nothing when the program is gone.
Result<std::optional<UniqueFd>> bpf_prog_get_fd_by_id(uint32_t id);

/// BPF_OBJ_GET_INFO_BY_FD, field name. Linux 4.15.
Result<std::string> bpf_prog_name(int program);

}  // namespace rt::sys
