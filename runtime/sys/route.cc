#include "runtime/sys/route.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

/// The kernel's datagrams of a dump have at most 32 KiB.
constexpr size_t kBufferSize = size_t{64} << 10;

// Messages are built and read as bytes: a header, a fixed part, then attributes, each aligned to
// four bytes.

template <class T>
void append_bytes(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void align(std::string& out) { out.resize(NLMSG_ALIGN(out.size())); }

/// The T at `offset`; zero where the text is too short for it.
template <class T>
T read_bytes(std::string_view text, size_t offset = 0) {
  T value{};
  if (offset <= text.size() && text.size() - offset >= sizeof value) {
    std::memcpy(&value, text.data() + offset, sizeof value);
  }
  return value;
}

/// A request without attributes. Length and sequence number come when it is sent.
template <class Body>
std::string request(uint16_t type, uint16_t flags, const Body& body) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  std::string out;
  append_bytes(out, header);
  append_bytes(out, body);
  align(out);
  return out;
}

void add_attribute(std::string& out, uint16_t type, std::string_view value) {
  nlattr header{};
  header.nla_len = static_cast<uint16_t>(sizeof header + value.size());
  header.nla_type = type;
  append_bytes(out, header);
  out.append(value);
  align(out);
}

void add_number(std::string& out, uint16_t type, uint32_t number) {
  add_attribute(out, type, {reinterpret_cast<const char*>(&number), sizeof number});
}

void add_name(std::string& out, uint16_t type, const std::string& name) {
  add_attribute(out, type, {name.c_str(), name.size() + 1});
}

using Attributes = std::map<uint16_t, std::string>;

/// The attributes in `text`. What is cut short is left out.
Attributes attributes_in(std::string_view text) {
  Attributes found;
  while (text.size() >= sizeof(nlattr)) {
    const auto header = read_bytes<nlattr>(text);
    if (header.nla_len < sizeof header || header.nla_len > text.size()) break;
    const uint16_t type = header.nla_type & NLA_TYPE_MASK;
    found[type] = text.substr(sizeof header, header.nla_len - sizeof header);
    text.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nla_len), text.size()));
  }
  return found;
}

/// What stands behind a message's header and its fixed part.
Attributes attributes_of(std::string_view message, size_t fixed) {
  const size_t start = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);
  return attributes_in(message.substr(std::min(start, message.size())));
}

std::string text_of(const Attributes& attributes, uint16_t type) {
  const auto found = attributes.find(type);
  return found == attributes.end() ? "" : found->second.c_str();
}

NetLink link_of(std::string_view message) {
  const auto body = read_bytes<ifinfomsg>(message, NLMSG_HDRLEN);
  NetLink link;
  link.index = body.ifi_index;
  link.flags = body.ifi_flags;
  link.name = text_of(attributes_of(message, sizeof body), IFLA_IFNAME);
  return link;
}

NetAddress address_of(std::string_view message) {
  const auto body = read_bytes<ifaddrmsg>(message, NLMSG_HDRLEN);
  NetAddress address;
  address.family = body.ifa_family;
  address.prefix_length = body.ifa_prefixlen;
  address.scope = body.ifa_scope;
  address.flags = body.ifa_flags;
  address.attributes = attributes_of(message, sizeof body);
  const auto flags = address.attributes.find(IFA_FLAGS);  // the old field has eight bits only
  if (flags != address.attributes.end()) {
    address.flags = read_bytes<uint32_t>(flags->second);
    address.attributes.erase(flags);
  }
  return address;
}

/// NLMSG_ERROR: an acknowledgement when the code is 0.
Status verdict(std::string_view name, std::string_view message) {
  const auto header = read_bytes<nlmsghdr>(message);
  const auto error = read_bytes<nlmsgerr>(message, NLMSG_HDRLEN);
  if (error.error == 0) return ok();
  Error refused = Error::from_errno(name, -error.error);
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return refused;
  // NETLINK_CAP_ACK: of our request only the header is sent back.
  const std::string words = text_of(attributes_of(message, sizeof error), NLMSGERR_ATTR_MSG);
  if (words.empty()) return refused;
  return std::move(refused).with_hint(words);
}

/// The messages in one datagram.
std::vector<std::string_view> messages_in(std::string_view datagram) {
  std::vector<std::string_view> messages;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = read_bytes<nlmsghdr>(datagram);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    messages.push_back(datagram.substr(0, header.nlmsg_len));
    datagram.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return messages;
}

/// The kernel's next datagram. What other processes send is passed over: in a namespace that is
/// joined, those of another container may.
Result<std::string_view> receive_datagram(int socket, std::string& buffer) {
  buffer.resize(kBufferSize);
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    auto* const address = reinterpret_cast<sockaddr*>(&sender);
    // MSG_TRUNC: the true length, also of what did not fit.
    const ssize_t size = retry([&] {
      return ::recvfrom(socket, buffer.data(), buffer.size(), MSG_TRUNC, address, &length);
    });
    if (size < 0) return Error::from_errno("recvfrom");
    if (sender.nl_pid != 0) continue;
    if (static_cast<size_t>(size) > buffer.size()) return Error::from_errno("recvfrom", EMSGSIZE);
    return std::string_view(buffer).substr(0, static_cast<size_t>(size));
  }
}

template <class Body>
Body for_index(int Body::* field, int index) {
  Body body{};
  body.*field = index;
  return body;
}

}  // namespace

Result<RouteSocket> RouteSocket::open() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return Error::from_errno("socket");
  const int on = 1;
  // Explanations, without the request that they are about (Linux 4.12, 4.3). Dumps of one
  // interface's addresses alone (Linux 4.20; without it the kernel sends them all).
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    static_cast<void>(::setsockopt(fd.get(), SOL_NETLINK, option, &on, sizeof on));
  }
  return RouteSocket(std::move(fd));
}

Status RouteSocket::exchange(std::string_view name, std::string& request,
                             std::vector<std::string>* replies) {
  auto header = read_bytes<nlmsghdr>(request);
  header.nlmsg_len = static_cast<uint32_t>(request.size());
  header.nlmsg_seq = ++sequence_;
  if ((header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) header.nlmsg_flags |= NLM_F_ACK;
  std::memcpy(request.data(), &header, sizeof header);
  TRY(check("send", retry([&] { return ::send(fd(), request.data(), request.size(), 0); })), name);
  bool interrupted = false;
  std::string buffer;
  while (true) {
    const std::string_view datagram = TRY(receive_datagram(fd(), buffer), name);
    for (const std::string_view message : messages_in(datagram)) {
      const auto got = read_bytes<nlmsghdr>(message);
      if (got.nlmsg_seq != sequence_) continue;  // left over from a request that failed
      interrupted = interrupted || (got.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (got.nlmsg_type == NLMSG_ERROR) return verdict(name, message);
      if (got.nlmsg_type == NLMSG_DONE) {
        return interrupted ? Status(Error::from_errno(name, EINTR)) : ok();
      }
      if (replies != nullptr) replies->emplace_back(message);
    }
  }
}

Result<std::vector<std::string>> RouteSocket::dump(std::string_view name,
                                                   const std::string& request) {
  static constexpr int kTries = 16;
  for (int tries = 1;; ++tries) {
    std::string copy = request;
    std::vector<std::string> replies;
    Status done = exchange(name, copy, &replies);
    if (done) return replies;
    if (done.error().code() != EINTR || tries == kTries) return std::move(done).error();
  }
}

Result<NetLink> RouteSocket::link(const std::string& name) {
  std::string message = request(RTM_GETLINK, 0, ifinfomsg{});
  add_name(message, IFLA_IFNAME, name);
  std::vector<std::string> replies;
  TRY(exchange("RTM_GETLINK", message, &replies));
  if (replies.empty()) return Error::from_errno("RTM_GETLINK", ENODEV);
  return link_of(replies.front());
}

Result<NetLink> RouteSocket::link(int index) {
  std::string message = request(RTM_GETLINK, 0, for_index(&ifinfomsg::ifi_index, index));
  std::vector<std::string> replies;
  TRY(exchange("RTM_GETLINK", message, &replies));
  if (replies.empty()) return Error::from_errno("RTM_GETLINK", ENODEV);
  return link_of(replies.front());
}

Result<std::vector<NetLink>> RouteSocket::links() {
  const std::vector<std::string> replies =
      TRY(dump("RTM_GETLINK", request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{})));
  std::vector<NetLink> links;
  links.reserve(replies.size());
  for (const std::string& reply : replies) links.push_back(link_of(reply));
  return links;
}

Result<std::vector<NetAddress>> RouteSocket::addresses(int index) {
  ifaddrmsg wanted{};
  wanted.ifa_index = static_cast<uint32_t>(index);
  const std::vector<std::string> replies =
      TRY(dump("RTM_GETADDR", request(RTM_GETADDR, NLM_F_DUMP, wanted)));
  std::vector<NetAddress> addresses;
  for (const std::string& reply : replies) {
    const auto body = read_bytes<ifaddrmsg>(reply, NLMSG_HDRLEN);
    if (body.ifa_index == wanted.ifa_index) addresses.push_back(address_of(reply));
  }
  return addresses;
}

Status RouteSocket::add_address(int index, const NetAddress& address) {
  ifaddrmsg body{};
  body.ifa_family = address.family;
  body.ifa_prefixlen = address.prefix_length;
  body.ifa_scope = address.scope;
  body.ifa_index = static_cast<uint32_t>(index);
  std::string message = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body);
  add_number(message, IFA_FLAGS, address.flags);
  for (const auto& [type, value] : address.attributes) add_attribute(message, type, value);
  return exchange("RTM_NEWADDR", message, nullptr);
}

Status RouteSocket::bring_up(int index) {
  auto body = for_index(&ifinfomsg::ifi_index, index);
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  std::string message = request(RTM_NEWLINK, 0, body);
  return exchange("RTM_NEWLINK", message, nullptr);
}

Status RouteSocket::move(int index, const NetLinkMove& to) {
  std::string message = request(RTM_NEWLINK, 0, for_index(&ifinfomsg::ifi_index, index));
  add_number(message, IFLA_NET_NS_FD, static_cast<uint32_t>(to.network_namespace));
  add_number(message, IFLA_NEW_IFINDEX, static_cast<uint32_t>(to.index));
  add_name(message, IFLA_IFNAME, to.name);
  return exchange("RTM_NEWLINK", message, nullptr);
}

}  // namespace rt::sys
