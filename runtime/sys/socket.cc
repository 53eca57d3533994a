#include "runtime/sys/socket.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "runtime/sys/retry.h"

namespace rt::sys {

Result<SocketPair> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    return Error::from_errno("socketpair");
  }
  SocketPair pair;
  pair.ours = UniqueFd(ends[0]);
  pair.theirs = UniqueFd(ends[1]);
  const int on = 1;
  if (::setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
    return Error::from_errno("setsockopt");
  }
  return pair;
}

Status send(int socket, const void* data, size_t size) {
  return check("send", retry([&] { return ::send(socket, data, size, MSG_NOSIGNAL); }));
}

Status send_descriptor(int socket, const void* data, size_t size, int descriptor) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec buffer{.iov_base = const_cast<void*>(data), .iov_len = size};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return check("sendmsg", retry([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }));
}

Result<Received> receive(int socket, void* data, size_t size) {
  // Room for the credentials and one descriptor: the kernel closes what a peer sends beyond that.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int))> control{};
  iovec buffer{.iov_base = data, .iov_len = size};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size_read = retry([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (size_read < 0) return Error::from_errno("recvmsg");
  Received received;
  received.size = static_cast<size_t>(size_read);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
      received.sender = sender.pid;
    } else if (header->cmsg_type == SCM_RIGHTS) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
      received.descriptor.reset(descriptor);
    }
  }
  return received;
}

}  // namespace rt::sys
