// The container's cgroup in the plan: where it is, who makes it, what it limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/plan/origin.h"

namespace rt::plan {

/// A v2 controller that a limit of the document needs.
struct ControllerNeed {
  std::string name;  // "memory"
  Origin origin;
  bool operator==(const ControllerNeed&) const = default;
};

/// The directory of the container in one hierarchy.
struct CgroupDirectory {
  std::string hierarchy;  // host path of the mount: "/sys/fs/cgroup/memory"
  std::string path;       // host path of the directory: "/sys/fs/cgroup/memory/runtime-x"
  bool unified = false;   // cgroup v2
  bool cpuset = false;    // v1: cpus and mems must be filled before a process can enter
  /// v2: those that must be switched on for the directory. The others that the kernel has are where
  /// that can be done: for statistics, and for a later update.
  std::vector<ControllerNeed> needs;
  bool operator==(const CgroupDirectory&) const = default;
};

/// One property of a unit, in the words of busctl(1): "MemoryMax t 1073741824",
/// "DeviceAllow a(ss) 1 /dev/null rwm".
struct UnitProperty {
  std::string name;
  std::string signature;
  std::vector<std::string> words;
  unsigned since = 0;  // the systemd version that has it first; an older one is not told of it
  Origin origin;
  bool operator==(const UnitProperty&) const = default;
};

/// The transient scope unit that systemd makes the cgroup for. systemd.scope(5).
struct ScopeStep {
  std::string unit;   // "docker-4f53.scope"
  std::string slice;  // "system.slice"
  bool user = false;  // of the user's own manager, not of the system's
  /// Where its cgroup is in every hierarchy that systemd manages:
  /// "/system.slice/docker-4f53.scope".
  std::string cgroup;
  std::vector<UnitProperty> properties;
  std::string helper;       // host path of the program that talks to systemd
  unsigned timeout_s = 30;  // for all of it
  bool operator==(const ScopeStep&) const = default;
};

struct CgroupStep {
  std::vector<CgroupDirectory> directories;  // empty: the container stays in the runtime's cgroup
  /// The document names no path and the runtime is not privileged: what cannot be made is left out.
  bool optional = false;
  /// systemd makes the directories, not the runtime.
  std::optional<ScopeStep> scope;
  /// Host uid that the v2 directory is given to. config-linux.md, "Cgroup ownership".
  std::optional<uint32_t> owner;
  Origin owner_origin;
  Origin origin;
  bool operator==(const CgroupStep&) const = default;
};

/// When a limit is set.
enum class LimitTime {
  kFirst,  // before there is a process in the cgroup
  kLast,   // when init is all that is in it: a limit that setting a container up could exceed
};

/// One value for a control file of the container's cgroup.
struct CgroupSetting {
  /// The same limit in the words of one kernel.
  struct Form {
    std::string file;  // "memory.max"
    std::string value;
    bool operator==(const Form&) const = default;
  };
  /// What it means that none of the files is there.
  enum class Missing {
    kError,    // the limit cannot be had
    kWarning,  // nor here, but engines send it without being asked to
    kNothing,  // there is nothing to limit: no swap to be forbidden
  };
  std::string directory;    // host path: one of CgroupStep::directories
  std::vector<Form> forms;  // the first whose file is there is written; never empty
  Missing missing = Missing::kError;
  LimitTime time = LimitTime::kFirst;
  /// Whether the file shows what was written, so that another value is one that the kernel made of
  /// it. Not so for files with a line for each device.
  bool shows_value = true;
  Origin origin;
  bool operator==(const CgroupSetting&) const = default;
};

/// One entry of the allowed device list. Nothing in `major` or `minor`: any.
struct DeviceRule {
  bool allow = false;
  char type = 'a';  // 'c', 'b', or 'a' for both
  std::optional<uint32_t> major;
  std::optional<uint32_t> minor;
  bool read = false;
  bool write = false;
  bool mknod = false;
  Origin origin;
  bool operator==(const DeviceRule&) const = default;
};

/// Which devices the container's processes can open and make. config-linux.md, "Allowed Device
/// list".
struct DeviceFilter {
  std::string directory;  // host path: one of CgroupStep::directories
  bool unified = false;   // a BPF program; else devices.allow and devices.deny
  /// For each of read, write and mknod the last rule that fits decides; without one it is denied.
  std::vector<DeviceRule> rules;
  bool operator==(const DeviceFilter&) const = default;
};

/// linux.resources as this machine has it.
struct ResourcesStep {
  std::vector<CgroupSetting> settings;  // in the order of writing
  std::optional<DeviceFilter> devices;  // nothing: as in the cgroup above
  bool operator==(const ResourcesStep&) const = default;
};

}  // namespace rt::plan
