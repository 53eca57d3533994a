// What a container may leave behind on the host, looked at before and after.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace rt::testing {

/// A mount namespace of the test's own in which every mount is shared, as on a host with systemd:
/// what a container mounts there is seen, and what other programs mount is not. Once per process.
void enter_shared_mount_namespace();

/// What of the host a container could have changed. `token` is part of the name of every container
/// of this process: other tests run at the same time.
struct Snapshot {
  std::vector<std::string> mounts;      // /proc/self/mountinfo
  std::set<std::string> cgroups;        // with the token in their path
  std::set<std::string> state;          // entries of the state root
  std::set<std::string> processes;      // below this one, zombies too
  std::set<std::string> keyrings;       // with the token in their name
  std::set<std::string> descriptors;    // of this process
  std::set<std::string> shared_memory;  // /dev/shm
  std::set<std::string> interfaces;     // of the network namespace we are in
  std::set<std::string> bundle;         // entries of the bundle's directory
  bool operator==(const Snapshot&) const = default;
};

struct Watched {
  std::string token;
  std::string state_root;
  std::string bundle;
};

Snapshot take_snapshot(const Watched& watched);

/// Takes what is new in `after`, one thing a line.
std::string difference(const Snapshot& before, const Snapshot& after);

/// Reaps every child that has ended, as an orchestrator that is a subreaper does.
void reap_orphans();

/// Kills every process below this one.
void kill_descendants();

}  // namespace rt::testing
