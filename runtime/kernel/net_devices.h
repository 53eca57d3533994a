// Network interfaces that the container gets from the host. runtime-spec config-linux.md, "Network
// Devices".
//
// They stay in the container's namespace when the container ends: the kernel gives physical ones
// back to the initial namespace, under the name they have by then, and destroys the others.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"
#include "runtime/sys/route.h"

namespace rt::kernel {

/// The interfaces of a container that does not exist yet. Unless they are kept, they go back to
/// where they were, as they were: a create that fails takes nothing from the host. It holds on to
/// the container's network namespace, so that they are still there when its processes are not.
class MovedNetDevices {
 public:
  MovedNetDevices() = default;
  MovedNetDevices(MovedNetDevices&&) = default;
  MovedNetDevices& operator=(MovedNetDevices&& other) noexcept;
  MovedNetDevices(const MovedNetDevices&) = delete;
  MovedNetDevices& operator=(const MovedNetDevices&) = delete;
  ~MovedNetDevices() { give_back(); }

  /// They are the container's now, for as long as its network namespace exists.
  void keep();

 private:
  friend class NetDeviceMover;

  struct Moved {
    sys::NetLink host;  // as it was
    int index = 0;      // in the container
    std::vector<sys::NetAddress> addresses;
  };

  void give_back();
  Status give_back(const Moved& moved);

  std::vector<Moved> moved_;
  std::vector<sys::RouteSocket> sockets_;  // the host's, the container's; none: nothing was moved
  UniqueFd host_namespace_;
};

/// In the runtime: moves each interface into the namespace, renames it, gives it the permanent
/// global addresses that it had, and brings it up. All or none: when one cannot be moved, those
/// moved before are given back. Errors: no such interface; its name is taken in the container; an
/// interface that belongs to its namespace for ever (lo); a namespace that is the runtime's own;
/// EPERM without CAP_NET_ADMIN over both.
Result<MovedNetDevices> move_net_devices(const std::vector<plan::NetDeviceStep>& steps,
                                         int network_namespace);

}  // namespace rt::kernel
