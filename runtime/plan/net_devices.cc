// Which network interfaces of the host become the container's. runtime-spec config-linux.md,
// "Network Devices".
#include "runtime/plan/parts.h"
#include "spec/diagnostic.h"

namespace rt::plan {
namespace {

constexpr unsigned kCapNetAdmin = 12;

}  // namespace

std::vector<NetDeviceStep> plan_net_devices(Draft& draft) {
  std::vector<NetDeviceStep> steps;
  for (const auto& [host_name, device] : draft.config.linux_.net_devices) {
    NetDeviceStep step;
    step.host_name = host_name;
    step.name = device.name.empty() ? host_name : device.name;
    step.origin = cat("/linux/netDevices/", spec::escape_pointer(host_name));
    steps.push_back(std::move(step));
  }
  const bool may = (draft.host.effective_capabilities >> kCapNetAdmin & 1) != 0;
  if (!steps.empty() && !may) {
    draft.warn("/linux/netDevices",
               "the kernel lets only root (CAP_NET_ADMIN) take a device from the host");
  }
  return steps;
}

}  // namespace rt::plan
