// Socket system calls.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

/// socketpair(2): SOCK_SEQPACKET, message by message, closed on exec. SO_PASSCRED is set on `ours`:
/// the kernel says who sent a message.
Result<SocketPair> socket_pair();

/// send(2) of one message; no SIGPIPE when the peer is gone.
Status send(int socket, const void* data, size_t size);

/// sendmsg(2) of one message with one descriptor (SCM_RIGHTS).
Status send_descriptor(int socket, const void* data, size_t size, int descriptor);

/// One message.
struct Received {
  size_t size = 0;   // 0: the peer closed the socket
  pid_t sender = 0;  // in our own pid namespace, as the kernel vouches (SCM_CREDENTIALS); 0 unknown
  UniqueFd descriptor;  // the one that came along, if any; closed on exec
};
/// recvmsg(2) of one message into `data`.
Result<Received> receive(int socket, void* data, size_t size);

}  // namespace rt::sys
