// The cgroup hierarchies of this machine, as tests see them.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace rt::testing {

struct Hierarchy {
  std::string mount;  // "/sys/fs/cgroup/freezer"
  std::string own;    // host path of the test's own cgroup in it, without a "/" at the end
  std::set<std::string> options;  // of the file system: v1 controllers, "name=systemd"
  bool unified = false;           // cgroup v2
};

/// Those that are mounted and that this process has a cgroup in.
std::vector<Hierarchy> hierarchies();

/// Every cgroup directory of every hierarchy.
std::set<std::string> all_cgroups();

}  // namespace rt::testing
