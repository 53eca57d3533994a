#include "runtime/sys/socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

/// unix(7). Neither a path of the full length nor an abstract name ends with a NUL: the size says
/// where it ends.
Result<Address> make_address(std::string_view call, const std::string& text) {
  Address address;
  address.name.sun_family = AF_UNIX;
  if (text.empty() || text.size() > sizeof address.name.sun_path) {
    return Error::from_errno(call, ENAMETOOLONG);
  }
  std::memcpy(address.name.sun_path, text.data(), text.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  return address;
}

/// `seconds` bound how long connecting and sending may take.
Result<UniqueFd> connect_to(const Address& peer, int type, int seconds) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno("socket");
  timeval patience{};
  patience.tv_sec = seconds;
  TRY(check("setsockopt",
            ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience)));
  TRY(check("connect", retry([&] { return ::connect(socket.get(), peer.get(), peer.size); })));
  return socket;
}

/// The first descriptor of an SCM_RIGHTS message. Where the kernel had no credentials to give there
/// was room for more of them, which are closed.
UniqueFd take_descriptor(const cmsghdr& header) {
  UniqueFd first;
  const size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; ++i) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(&header) + i * sizeof descriptor, sizeof descriptor);
    UniqueFd taken(descriptor);
    if (!first) first = std::move(taken);
  }
  return first;
}

}  // namespace

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
  const ssize_t sent = retry([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); });
  if (sent < 0) return Error::from_errno("sendmsg");
  // A stream socket whose peer stopped reading before the time was over.
  if (static_cast<size_t>(sent) != size) return Error::from_errno("sendmsg", EAGAIN);
  return ok();
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
      received.descriptor = take_descriptor(*header);
    }
  }
  return received;
}

Result<size_t> next_size(int socket) {
  char first = 0;
  const ssize_t size =
      retry([&] { return ::recv(socket, &first, sizeof first, MSG_PEEK | MSG_TRUNC); });
  if (size < 0) return Error::from_errno("recv");
  return static_cast<size_t>(size);
}

Status shutdown(int socket) { return check("shutdown", ::shutdown(socket, SHUT_RDWR)); }

Status set_send_buffer(int socket, size_t size) {
  const int bytes = static_cast<int>(size);
  if (::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0) return ok();
  return check("setsockopt", ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
}

Result<UniqueFd> connect_unix(const std::string& path, int seconds) {
  const Address address = TRY(make_address("connect", path));
  return connect_to(address, SOCK_STREAM, seconds);
}

Result<UniqueFd> connect_datagrams(const std::string& address, int seconds) {
  Address peer = TRY(make_address("connect", address));
  if (address[0] == '@') peer.name.sun_path[0] = '\0';
  return connect_to(peer, SOCK_DGRAM, seconds);
}

Result<UniqueFd> bind_datagrams(const std::string& path) {
  const Address address = TRY(make_address("bind", path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Error::from_errno("socket");
  TRY(check("bind", ::bind(socket.get(), address.get(), address.size)));
  return socket;
}

}  // namespace rt::sys
