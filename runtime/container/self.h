// What the runtime does to its own process before it touches anything of a container.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace rt::container {

/// The caller's descriptors from 3 to 2 + `preserved` stay open, and must be; all above are closed:
/// nothing that we do shall reach what it leaked to us (CVE-2024-21626). Before any of our own is
/// open.
Status close_inherited(uint64_t preserved);

/// How many descriptors from 3 on the caller passes by the protocol of sd_listen_fds(3), if it
/// means this process: LISTEN_PID, LISTEN_FDS.
unsigned listen_descriptors();

/// Whom our caller wants to be told that the container is ready (sd_notify(3)): NOTIFY_SOCKET, a
/// path or an abstract name; empty: nobody.
std::string notify_socket();

/// Host path of a program of ours that does for us what this one is not linked for: beside the
/// runtime's own binary, or in ../libexec/runtime of it. `what` is for the error: "talks to
/// systemd".
Result<std::string> helper_program(const std::string& name, const std::string& what);

/// Host path of CRIU: `name` itself when it is absolute; otherwise the program of that name ("":
/// criu) in the directories of the system, whatever $PATH says.
Result<std::string> criu_program(const std::string& name);

/// Descriptors 0, 1 and 2 are open from here on (/dev/null where the caller closed them), so that
/// no file of ours can take their place and become the container's. Writing to a pipe that nobody
/// reads is an error from here on, not our death.
Status prepare_self();

/// Who calls: the effective user and group.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
};
Caller caller();

}  // namespace rt::container
