// The cgroup hierarchies of this machine, as tests see them.
#pragma once

#include <sys/types.h>

#include <optional>
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

/// A path for linux.cgroupsPath that the test may use: at the top with privileges; else beside the
/// test's own cgroup of v2, whose processes would be in the way of cgroups below it.
std::string workplace_path(const std::string& name);

/// The hierarchy in which a cgroup of such a path can have this controller: of v1, else of v2.
std::optional<Hierarchy> hierarchy_with(const std::string& controller);

/// Host path of the cgroup of a process in that hierarchy; empty when it has ended.
std::string cgroup_of(pid_t process, const Hierarchy& hierarchy);

/// How many device programs are attached to a v2 cgroup; nothing where that cannot be asked.
std::optional<unsigned> device_programs(const std::string& cgroup);

}  // namespace rt::testing
