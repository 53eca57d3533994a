// seccomp(2), one function an operation, and what fetches a listener from another process.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// SECCOMP_SET_MODE_FILTER: from now on this process and what it starts are under the program. The
/// listener, closed on exec, with SECCOMP_FILTER_FLAG_NEW_LISTENER in `flags` (Linux 5.0); without
/// it no descriptor. Needs no_new_privs, or CAP_SYS_ADMIN in this process's user namespace
/// (EACCES).
Result<UniqueFd> seccomp_set_filter(const sock_filter* program, size_t count, uint64_t flags);

/// Whether the kernel knows all of the SECCOMP_FILTER_FLAG_*.
bool seccomp_knows_flags(uint64_t flags);

/// pidfd_getfd(2): our own copy of descriptor `fd` of another process, closed on exec. Linux 5.6.
Result<UniqueFd> pidfd_getfd(int pidfd, int fd);

}  // namespace rt::sys
