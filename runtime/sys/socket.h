// Socket system calls.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

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

/// sendmsg(2) of one message with one descriptor (SCM_RIGHTS). EAGAIN when the peer takes only a
/// part of it in the socket's time.
Status send_descriptor(int socket, const void* data, size_t size, int descriptor);

/// One message.
struct Received {
  size_t size = 0;   // 0: the peer closed the socket
  pid_t sender = 0;  // in our own pid namespace, as the kernel vouches (SCM_CREDENTIALS); 0 unknown
  UniqueFd descriptor;  // the one that came along, if any; closed on exec
};
/// recvmsg(2) of one message into `data`.
Result<Received> receive(int socket, void* data, size_t size);

/// recv(2) with MSG_PEEK | MSG_TRUNC: how long the next message is, which stays. 0 when the peer
/// has closed the socket.
Result<size_t> next_size(int socket);

/// shutdown(2) of both directions: the peer still reads what was sent, and we what it has sent;
/// then both see the end.
Status shutdown(int socket);

/// Room for a message of `size` bytes: SO_SNDBUFFORCE, or SO_SNDBUF where that is not allowed,
/// which does not go beyond /proc/sys/net/core/wmem_max.
Status set_send_buffer(int socket, size_t size);

/// connect(2) to the stream socket at `path`, which may be as long as sun_path: 108 bytes. Gives up
/// (EAGAIN) when nobody accepts for `seconds`.
Result<UniqueFd> connect_unix(const std::string& path, int seconds);

/// connect(2) of a datagram socket to a path, or to the abstract name behind a '@'. A message that
/// finds no room there for `seconds` is an error (EAGAIN).
Result<UniqueFd> connect_datagrams(const std::string& address, int seconds);

/// bind(2) of a datagram socket, which does not block, to `path`, which must not exist.
Result<UniqueFd> bind_datagrams(const std::string& path);

}  // namespace rt::sys
