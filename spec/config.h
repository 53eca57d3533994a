// The OCI configuration (config.json) as plain values. Only data: no behaviour, no kernel.
//
// A field has the name of its JSON key in snake_case. A key that the document may leave out is a
// std::optional where absence means something else than the empty value. runtime-spec 1.3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/config_linux.h"

namespace spec {

/// config.md, "Root".
struct Root {
  std::string path;  // absolute, or relative to the bundle
  bool readonly = false;
  bool operator==(const Root&) const = default;
};

/// config.md, "Mounts". Order matters: the runtime mounts them as listed.
struct Mount {
  std::string destination;  // path in the container
  std::string type;         // empty for a bind mount
  std::string source;
  std::vector<std::string> options;  // fstab(5) style
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  bool operator==(const Mount&) const = default;
};

/// config.md, "POSIX process", field consoleSize. In characters.
struct ConsoleSize {
  uint16_t height = 0;
  uint16_t width = 0;
  bool operator==(const ConsoleSize&) const = default;
};

/// config.md, "POSIX process", field rlimits.
struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  uint64_t soft = 0;
  uint64_t hard = 0;
  bool operator==(const Rlimit&) const = default;
};

/// config.md, "POSIX-platform User".
struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::optional<uint32_t> umask;
  std::vector<uint32_t> additional_gids;
  bool operator==(const User&) const = default;
};

/// config.md, "Linux Process", field capabilities: names such as "CAP_CHOWN".
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  bool operator==(const Capabilities&) const = default;
};

/// config.md, "Linux Process", field scheduler.
struct Scheduler {
  std::string policy;  // "SCHED_OTHER"
  int32_t nice = 0;
  int32_t priority = 0;
  std::vector<std::string> flags;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
  bool operator==(const Scheduler&) const = default;
};

/// config.md, "Linux Process", field ioPriority.
struct IoPriority {
  std::string class_name;  // key "class": "IOPRIO_CLASS_BE"
  int32_t priority = 0;
  bool operator==(const IoPriority&) const = default;
};

/// config.md, "Linux Process", field execCPUAffinity: lists of CPUs, "0-3,7".
struct ExecCpuAffinity {
  std::string initial;
  std::string final_list;  // key "final"
  bool operator==(const ExecCpuAffinity&) const = default;
};

/// config.md, "Process".
struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  std::string cwd;
  std::vector<std::string> env;
  std::vector<std::string> args;
  std::vector<Rlimit> rlimits;
  User user;
  std::optional<Capabilities> capabilities;
  bool no_new_privileges = false;
  std::optional<int32_t> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
  bool operator==(const Process&) const = default;
};

/// config.md, "POSIX-platform Hooks".
struct Hook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<int64_t> timeout_s;  // key "timeout"
  bool operator==(const Hook&) const = default;
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
  bool operator==(const Hooks&) const = default;
};

struct Config {
  std::string oci_version;
  std::optional<Root> root;
  std::optional<std::string> hostname;
  std::optional<std::string> domainname;
  std::vector<Mount> mounts;
  std::optional<Process> process;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_;  // NOLINT(readability-identifier-naming): GNU C++ defines "linux" as a macro
  bool operator==(const Config&) const = default;
};

}  // namespace spec
