// What is kept about a container between two commands: ROOT/ID/record.json.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/cgroup.h"

namespace rt::container {

/// How far `create` has come. What the container does now is observed, not recorded: status.h.
enum class Phase {
  kCreating,  // the next side effect may be there or not
  kCreated,   // everything is there, and init too
};

struct Record {
  std::string id;
  std::string bundle;  // absolute host path
  std::string rootfs;  // absolute host path
  std::map<std::string, std::string> annotations;
  bool has_process = true;      // without one it can be created, and not started
  bool own_keyring = true;      // processes that join it join its session keyring
  bool poststop_hooks = false;  // delete has some to run: they are in the config
  std::string notify_socket;    // whom to tell that it is ready: NOTIFY_SOCKET of create; or empty
  std::string created;          // RFC 3339
  Phase phase = Phase::kCreating;
  std::string boot_id;      // the pid means nothing after a reboot
  pid_t pid = 0;            // of init; 0 before kCreated
  uint64_t start_time = 0;  // of init, in clock ticks since boot
  /// Before they are made: as announced, so that nothing in them is taken for the container's.
  std::vector<cgroup::Directory> cgroups;
  std::vector<std::string> rdt_directories;  // of resctrl, to be removed; likewise
  bool operator==(const Record&) const = default;
};

/// The record as a JSON document.
std::string to_json(const Record& record);

/// Reads what `to_json` wrote. Anything else is an error, also a record that no version of ours
/// writes: nothing is signalled or removed on its word.
Result<Record> parse_record(std::string_view text);

}  // namespace rt::container
