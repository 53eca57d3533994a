// rtnetlink(7): network interfaces and their addresses, one function a request. Errors name the
// message; the kernel's own explanation, when it left one, is in brackets behind its reason.
//
// Why not a library: docs/decisions/0010.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// A network interface. Interfaces are named by their index, which does not change meanwhile.
struct NetLink {
  int index = 0;
  std::string name;
  unsigned flags = 0;  // IFF_UP, IFF_LOOPBACK, ...
};

/// An address of an interface.
struct NetAddress {
  uint8_t family = 0;  // AF_INET, AF_INET6
  uint8_t prefix_length = 0;
  uint8_t scope = 0;                           // RT_SCOPE_*
  uint32_t flags = 0;                          // IFA_F_*
  std::map<uint16_t, std::string> attributes;  // all others, as the kernel writes them: IFA_*
};

/// Where an interface goes.
struct NetLinkMove {
  int network_namespace = -1;
  std::string name;  // there; "eth%d": the kernel puts a number in
  int index = 0;     // there; Linux 5.13, older ones keep the index it has where they can
};

/// A socket that speaks rtnetlink. It belongs to the network namespace in which it was opened, for
/// ever, whoever holds it.
class RouteSocket {
 public:
  /// socket(2) in the caller's network namespace.
  static Result<RouteSocket> open();
  /// Takes over a descriptor of such a socket.
  explicit RouteSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }

  /// RTM_GETLINK; ENODEV when there is none.
  Result<NetLink> link(const std::string& name);
  Result<NetLink> link(int index);
  /// RTM_GETLINK of all.
  Result<std::vector<NetLink>> links();
  /// RTM_GETADDR: the addresses of one interface, in the order in which they were added.
  Result<std::vector<NetAddress>> addresses(int index);
  /// RTM_NEWADDR; EEXIST when it is there.
  Status add_address(int index, const NetAddress& address);
  /// RTM_NEWLINK with IFF_UP.
  Status bring_up(int index);
  /// RTM_NEWLINK with IFLA_NET_NS_FD and IFLA_IFNAME. On failure the interface may be in the other
  /// namespace all the same, with the name it had: the kernel renames it there.
  Status move(int index, const NetLinkMove& to);

 private:
  /// Sends `request`, a header with all that belongs to it, and waits for its acknowledgement. Each
  /// message that comes before goes to `replies`, if given.
  Status exchange(std::string_view name, std::string& request, std::vector<std::string>* replies);
  /// All messages of a dump; begun again when the kernel says that it changed meanwhile.
  Result<std::vector<std::string>> dump(std::string_view name, const std::string& request);

  UniqueFd fd_;
  uint32_t sequence_ = 0;
};

}  // namespace rt::sys
