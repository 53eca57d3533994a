// What a plan needs to know of the machine. Probed once (kernel/host.h), then passed on as a value,
// so that a test can plan for a machine it does not run on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rt::plan {

/// One mounted cgroup hierarchy.
struct CgroupHierarchy {
  std::string mount_point;  // "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
  /// v1: {"memory"}, {"name=systemd"}. v2: those that the kernel offers at the mount point.
  std::vector<std::string> controllers;
  bool unified = false;  // cgroup v2
  std::string own_path;  // the runtime's own cgroup in it: "/", "/user.slice/..."
  /// v2: a user who is not root cannot make cgroups beside the own one, if anywhere only below it.
  bool only_below_own = false;
  bool operator==(const CgroupHierarchy&) const = default;
};

struct HostFacts {
  std::vector<CgroupHierarchy> cgroups;
  uint32_t euid = 0;
  uint32_t egid = 0;
  bool initial_user_namespace = true;  // /proc/self/uid_map maps every id to itself
  uint64_t effective_capabilities = ~uint64_t{0};
  uint64_t bounding_capabilities = ~uint64_t{0};
  unsigned last_capability = 40;  // /proc/sys/kernel/cap_last_cap
  std::string newuidmap;          // host path of the helper; empty when it is not installed
  std::string newgidmap;
  bool operator==(const HostFacts&) const = default;

  /// Without privilege over the whole machine: cgroups and devices may be out of reach.
  [[nodiscard]] bool rootless() const { return euid != 0 || !initial_user_namespace; }
};

}  // namespace rt::plan
