#include "runtime/kernel/net_devices.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::kernel {
namespace {

constexpr const char* kOwnNamespace = "/proc/self/ns/net";

/// Flags that somebody has set; the others say what has become of the address.
constexpr uint32_t kAddressFlags = IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS |
                                   IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

/// Attributes that make an address what it is. IFA_CACHEINFO has its lifetimes.
constexpr uint16_t kAddressAttributes[] = {IFA_ADDRESS,   IFA_LOCAL,       IFA_LABEL, IFA_BROADCAST,
                                           IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO};

/// What the helper sends, with the socket when there is one.
struct Answer {
  int code = 0;         // an errno value; 0: here it is
  bool joined = false;  // it failed in the namespace, not on the way to it
};

[[noreturn]] void open_in_namespace(int network_namespace, int channel) {
  Answer answer;
  Status joined = sys::setns(network_namespace, CLONE_NEWNET);
  answer.joined = joined.ok();
  Result<sys::RouteSocket> opened =
      joined ? sys::RouteSocket::open() : Result<sys::RouteSocket>(joined.error());
  if (!opened) answer.code = opened.error().code();
  const Status sent =
      opened ? sys::send_descriptor(channel, &answer, sizeof answer, opened.value().fd())
             : sys::send(channel, &answer, sizeof answer);
  sys::exit_now(sent ? EXIT_SUCCESS : EXIT_FAILURE);
}

/// A socket that belongs to the namespace. A child opens it: the runtime's own namespaces stay as
/// they are.
Result<sys::RouteSocket> open_socket_in(int network_namespace) {
  sys::SocketPair pair = TRY(sys::socket_pair());
  const sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) open_in_namespace(network_namespace, pair.theirs.get());
  pair.theirs.reset();  // so that the child's death closes the socket
  Answer answer;
  Result<sys::Received> received = sys::receive(pair.ours.get(), &answer, sizeof answer);
  TRY(sys::wait_for(child.pid));
  sys::Received message = TRY(std::move(received));
  if (message.size != sizeof answer) return Error("the helper ended before it was done");
  if (answer.code != 0) {
    return Error::from_errno(answer.joined ? "socket" : "setns", answer.code);
  }
  return sys::RouteSocket(std::move(message.descriptor));
}

bool is_template(std::string_view name) { return name.ends_with("%d"); }

bool is_taken(const std::vector<sys::NetLink>& links, std::string_view name) {
  return std::ranges::find(links, name, &sys::NetLink::name) != links.end();
}

/// The index for an interface that has `wanted` now: that one if it is free. Said beforehand, since
/// the name may be the kernel's choice, and who has joined the namespace may rename interfaces.
int index_among(const std::vector<sys::NetLink>& links, int wanted) {
  int highest = 0;
  bool taken = false;
  for (const sys::NetLink& link : links) {
    highest = std::max(highest, link.index);
    taken = taken || link.index == wanted;
  }
  return taken ? highest + 1 : wanted;
}

/// config-linux.md: "all permanent IP addresses (IFA_F_PERMANENT flag) of any family with global
/// scope (RT_SCOPE_UNIVERSE value)".
bool is_preserved(const sys::NetAddress& address) {
  return (address.flags & IFA_F_PERMANENT) != 0 && address.scope == RT_SCOPE_UNIVERSE;
}

/// The address as it is added again.
sys::NetAddress to_add(const sys::NetAddress& address) {
  sys::NetAddress add = address;
  add.flags &= kAddressFlags;
  std::erase_if(add.attributes, [](const auto& attribute) {
    return std::ranges::find(kAddressAttributes, attribute.first) == std::end(kAddressAttributes);
  });
  return add;
}

/// An IPv4 label is the interface's name, or begins with it and a colon. With a new name that
/// leaves no room for the rest, it is the name.
void relabel(sys::NetAddress& address, const std::string& from, const std::string& to) {
  const auto found = address.attributes.find(IFA_LABEL);
  if (found == address.attributes.end()) return;
  const std::string label = found->second.substr(0, found->second.find('\0'));
  if (label != from && !label.starts_with(cat(from, ':'))) return;
  const std::string renamed = cat(to, label.substr(from.size()));
  found->second = (renamed.size() < IFNAMSIZ ? renamed : to) + '\0';
}

Status add_addresses(sys::RouteSocket& socket, const std::vector<sys::NetAddress>& addresses,
                     const std::string& old_name, const sys::NetLink& link) {
  for (const sys::NetAddress& address : addresses) {
    sys::NetAddress add = to_add(address);
    relabel(add, old_name, link.name);
    Status added = socket.add_address(link.index, add);
    if (!added && added.error().code() != EEXIST) return std::move(added).error();
  }
  return ok();
}

Error refusal(Error error) {
  if (error.code() != EPERM) return error;
  return std::move(error).with_hint(
      "this takes CAP_NET_ADMIN over the host's network namespace and the container's");
}

}  // namespace

/// One call of move_net_devices. What it has done so far is in `result_`.
class NetDeviceMover {
 public:
  explicit NetDeviceMover(int network_namespace) : network_namespace_(network_namespace) {}

  Status open() {
    result_.host_namespace_ = TRY(sys::open(kOwnNamespace, O_RDONLY), kOwnNamespace);
    const struct stat ours = TRY(sys::fstat(result_.host_namespace_.get()));
    const struct stat theirs = TRY(sys::fstat(network_namespace_));
    if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
      return Error("the container's network namespace is the runtime's own");
    }
    sys::RouteSocket host = TRY(sys::RouteSocket::open());
    Result<sys::RouteSocket> container = open_socket_in(network_namespace_);
    if (!container) return refusal(std::move(container).error());
    result_.sockets_.push_back(std::move(host));
    result_.sockets_.push_back(std::move(container).value());
    return ok();
  }

  /// What would fail anyway fails before anything has been touched.
  Status check(const std::vector<plan::NetDeviceStep>& steps) {
    const std::vector<sys::NetLink> links = TRY(container().links());
    for (const plan::NetDeviceStep& step : steps) {
      TRY(at(step.origin, check(step, links)), place_of(step));
    }
    return ok();
  }

  Status move(const plan::NetDeviceStep& step) {
    TRY(at(step.origin, move_one(step)), place_of(step));
    return ok();
  }

  MovedNetDevices take() { return std::move(result_); }

 private:
  static std::string place_of(const plan::NetDeviceStep& step) {
    return cat("network device ", quoted(step.host_name));
  }

  sys::RouteSocket& host() { return result_.sockets_[0]; }
  sys::RouteSocket& container() { return result_.sockets_[1]; }

  Status check(const plan::NetDeviceStep& step, const std::vector<sys::NetLink>& links) {
    const sys::NetLink link = TRY(host().link(step.host_name));
    if ((link.flags & IFF_LOOPBACK) != 0) {
      return Error("a loopback device belongs to its network namespace");
    }
    if (is_template(step.name) || !is_taken(links, step.name)) return ok();
    return Error(cat("the container's network namespace has a device ", quoted(step.name)));
  }

  Status move_one(const plan::NetDeviceStep& step) {
    MovedNetDevices::Moved moved;
    moved.host = TRY(host().link(step.host_name));
    const std::vector<sys::NetAddress> all = TRY(host().addresses(moved.host.index));
    std::ranges::copy_if(all, std::back_inserter(moved.addresses), is_preserved);
    const std::vector<sys::NetLink> links = TRY(container().links());
    moved.index = index_among(links, moved.host.index);
    const sys::NetLinkMove to{
        .network_namespace = network_namespace_, .name = step.name, .index = moved.index};
    const std::string old_name = moved.host.name;
    // Beforehand: also a move that fails may have moved it.
    result_.moved_.push_back(std::move(moved));
    const MovedNetDevices::Moved& now = result_.moved_.back();
    Status done = host().move(now.host.index, to);
    if (!done) return refusal(std::move(done).error().within("move to the container"));
    const sys::NetLink link = TRY(container().link(now.index));
    TRY(add_addresses(container(), now.addresses, old_name, link), "address");
    return container().bring_up(link.index);
  }

  int network_namespace_;
  MovedNetDevices result_;
};

MovedNetDevices& MovedNetDevices::operator=(MovedNetDevices&& other) noexcept {
  std::swap(moved_, other.moved_);
  std::swap(sockets_, other.sockets_);
  std::swap(host_namespace_, other.host_namespace_);
  return *this;
}

void MovedNetDevices::keep() {
  moved_.clear();
  sockets_.clear();
  host_namespace_.reset();
}

void MovedNetDevices::give_back() {
  for (auto moved = moved_.rbegin(); moved != moved_.rend(); ++moved) {
    // What fails here has no other way back: the error that is on its way says what to look at.
    if (!sockets_[0].link(moved->host.name)) static_cast<void>(give_back(*moved));
  }
  keep();
}

Status MovedNetDevices::give_back(const Moved& moved) {
  sys::RouteSocket& host = sockets_[0];
  const std::vector<sys::NetLink> links = TRY(host.links());
  sys::NetLinkMove home;
  home.network_namespace = host_namespace_.get();
  home.name = moved.host.name;
  home.index = index_among(links, moved.host.index);
  const sys::NetLink there = TRY(sockets_[1].link(moved.index));
  TRY(sockets_[1].move(there.index, home));
  const sys::NetLink here = TRY(host.link(home.name));
  TRY(add_addresses(host, moved.addresses, here.name, here));
  if ((moved.host.flags & IFF_UP) == 0) return ok();
  return host.bring_up(here.index);
}

Result<MovedNetDevices> move_net_devices(const std::vector<plan::NetDeviceStep>& steps,
                                         int network_namespace) {
  if (steps.empty()) return MovedNetDevices();
  NetDeviceMover mover(network_namespace);
  TRY(at("/linux/netDevices", mover.open()), "network devices");
  TRY(mover.check(steps));
  for (const plan::NetDeviceStep& step : steps) TRY(mover.move(step));
  return mover.take();
}

}  // namespace rt::kernel
