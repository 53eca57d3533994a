// The plan: everything the runtime is going to do to the kernel for one container, decided
// beforehand. Plain values: a plan can be compared, printed and tested without being carried out.
//
// Numbers are the kernel's own (MOUNT_ATTR_*, MS_*, capability bits, RLIMIT_*), paths say whose
// they are: a "source" or "host" path is the host's, a "target" is resolved below the container's
// root.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rt::plan {

/// Where a decision comes from: a JSON pointer into config.json ("/mounts/3"), or what else asked
/// for it, in words: "default: devices", "option: --no-pivot".
using Origin = std::string;

/// Something the user should know that does not keep the container from running.
struct Warning {
  Origin origin;
  std::string message;
  bool operator==(const Warning&) const = default;
};

enum class NamespaceKind { kMount, kUts, kIpc, kPid, kNetwork, kUser, kCgroup, kTime };

/// One namespace that differs from the runtime's own.
struct NamespaceStep {
  NamespaceKind kind = NamespaceKind::kMount;
  std::string join;  // host path of the namespace to enter; empty: make a new one
  Origin origin;
  bool operator==(const NamespaceStep&) const = default;
};

/// One line of uid_map or gid_map.
struct IdRange {
  uint32_t container_id = 0;
  uint32_t host_id = 0;
  uint32_t size = 0;
  bool operator==(const IdRange&) const = default;
};

/// The maps of a new user namespace.
struct IdMaps {
  /// kDirectly: the runtime writes the files. kHelpers: newuidmap(1) and newgidmap(1) do, since the
  /// runtime lacks CAP_SETUID or CAP_SETGID in its own user namespace and more than its own id is
  /// mapped.
  enum class Writer { kDirectly, kHelpers };
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  Writer writer = Writer::kDirectly;
  std::string newuidmap;  // host paths of the helpers; empty with kDirectly
  std::string newgidmap;
  bool deny_setgroups = false;  // user_namespaces(7): needed by an unprivileged direct gid_map
  Origin uids_origin;
  Origin gids_origin;
  bool operator==(const IdMaps&) const = default;
};

/// One line of /proc/PID/timens_offsets. time_namespaces(7), Linux 5.6.
struct TimeOffset {
  std::string clock;  // "monotonic" or "boottime"
  int64_t secs = 0;
  uint32_t nanosecs = 0;
  Origin origin;
  bool operator==(const TimeOffset&) const = default;
};

/// What mount_setattr(2) takes: MOUNT_ATTR_* bits. Linux 5.12. When `set` holds an access time mode
/// (MOUNT_ATTR_NOATIME, ...), `clear` holds MOUNT_ATTR__ATIME, as the kernel requires.
struct MountAttributes {
  uint64_t set = 0;
  uint64_t clear = 0;
  bool operator==(const MountAttributes&) const = default;
};

/// One fsconfig(2) call: FSCONFIG_SET_STRING, or FSCONFIG_SET_FLAG without a value.
struct FilesystemParameter {
  std::string key;
  std::optional<std::string> value;
  bool operator==(const FilesystemParameter&) const = default;
};

/// A new file system instance: fsopen, fsconfig, fsmount.
struct NewFilesystem {
  std::string type;
  std::string source;  // fsconfig "source"; empty: none
  std::vector<FilesystemParameter> parameters;
  bool operator==(const NewFilesystem&) const = default;
};

/// A second view of a file or directory of the host: open_tree(OPEN_TREE_CLONE).
struct BindMount {
  std::string source;  // absolute host path
  bool recursive = false;
  bool operator==(const BindMount&) const = default;
};

/// Changes a mount that is at the target already. With parameters, or `superblock`, the file system
/// itself is reconfigured (fspick), else the mount alone.
struct Remount {
  std::vector<FilesystemParameter> parameters;
  bool superblock = false;
  bool operator==(const Remount&) const = default;
};

struct MountStep {
  std::string target;  // absolute path in the container
  std::variant<NewFilesystem, BindMount, Remount> what;
  MountAttributes attributes;  // for the mount itself
  /// For it and all below it: the options rro, rnosuid, ... To be set before `attributes`, which
  /// may make an exception of the mount itself: "rro,rw".
  MountAttributes recursive_attributes;
  /// MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with MS_REC for the r-forms. What the
  /// document leaves out is MS_PRIVATE | MS_REC, so that nothing is shared with the host; 0 only
  /// for a Remount that leaves it as it is.
  unsigned long propagation = 0;
  Origin origin;
  bool operator==(const MountStep&) const = default;
};

/// How the container gets its root directory.
enum class RootMethod {
  kPivot,   // a new mount namespace, pivot_root(2)
  kMove,    // a new mount namespace, MS_MOVE onto / and chroot(2): --no-pivot
  kChroot,  // the runtime's own mount namespace, chroot(2) only
  kJoined,  // the root of the mount namespace that is joined, as it is
};

struct RootStep {
  std::string path;  // absolute host path; empty with kJoined
  RootMethod method = RootMethod::kPivot;
  bool readonly = false;
  unsigned long propagation = 0;  // of the container's root mount, as in MountStep
  Origin origin;
  Origin readonly_origin;
  Origin propagation_origin;
  bool operator==(const RootStep&) const = default;
};

/// A device of the container.
struct DeviceNode {
  std::string path;
  char type = 'c';  // 'c', 'b' (mknod(1) words; "u" is 'c') or 'p'
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t mode = 0666;  // permission bits only
  uint32_t uid = 0;      // in the container's user namespace
  uint32_t gid = 0;
  /// Host path to bind in place of mknod(2), where a user namespace forbids it; empty: mknod.
  std::string bind;
  Origin origin;
  bool operator==(const DeviceNode&) const = default;
};

/// A symbolic link of the container: /dev/fd and its like.
struct Link {
  std::string path;
  std::string target;  // what the link says
  Origin origin;
  bool operator==(const Link&) const = default;
};

/// A path in the container to hide or to make read-only. One that does not exist is passed over.
struct PathStep {
  std::string path;
  Origin origin;
  bool operator==(const PathStep&) const = default;
};

/// One file below /proc/sys.
struct Sysctl {
  std::string file;  // "net/ipv4/ip_forward"
  std::string value;
  Origin origin;
  bool operator==(const Sysctl&) const = default;
};

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  std::string name;  // "RLIMIT_NOFILE"
  uint64_t soft = 0;
  uint64_t hard = 0;
  Origin origin;
  bool operator==(const Rlimit&) const = default;
};

/// Bit n is capability number n. capabilities(7).
struct CapabilitySets {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
  bool operator==(const CapabilitySets&) const = default;
};

/// The payload.
struct ProcessStep {
  std::vector<std::string> args;
  std::vector<std::string> env;  // exactly as the document has it
  std::string cwd;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  bool may_set_groups = true;  // false where the user namespace forbids setgroups(2)
  uint32_t umask = 022;
  CapabilitySets capabilities;
  bool no_new_privileges = false;
  std::optional<int32_t> oom_score_adj;  // absent: what the runtime itself has
  std::vector<Rlimit> rlimits;
  Origin origin;  // "/process"
  Origin capabilities_origin;
  bool operator==(const ProcessStep&) const = default;
};

/// The payload's terminal: a pseudo terminal of the container's own devpts.
struct ConsoleStep {
  size_t mount = 0;     // index in Plan::mounts of the devpts at /dev/pts
  uint16_t height = 0;  // in characters; 0: not said
  uint16_t width = 0;
  Origin origin;
  bool operator==(const ConsoleStep&) const = default;
};

/// The directory of the container in one hierarchy.
struct CgroupDirectory {
  std::string hierarchy;  // host path of the mount: "/sys/fs/cgroup/memory"
  std::string path;       // host path of the directory: "/sys/fs/cgroup/memory/runtime-x"
  bool unified = false;   // cgroup v2
  bool cpuset = false;    // v1: cpus and mems must be filled before a process can enter
  bool operator==(const CgroupDirectory&) const = default;
};

struct CgroupStep {
  std::vector<CgroupDirectory> directories;  // empty: the container stays in the runtime's cgroup
  /// The document names no path and the runtime is not privileged: what cannot be made is left out.
  bool optional = false;
  Origin origin;
  bool operator==(const CgroupStep&) const = default;
};

/// Something the document asks for that this version cannot do. `create` refuses such a plan.
struct Unsupported {
  Origin origin;
  std::string what;  // "seccomp filters"
  bool operator==(const Unsupported&) const = default;
};

struct Plan {
  std::string id;
  std::string bundle;  // absolute host path
  std::map<std::string, std::string> annotations;
  CgroupStep cgroup;
  std::vector<NamespaceStep> namespaces;
  std::optional<IdMaps> id_maps;  // set when a user namespace is made
  std::vector<TimeOffset> time_offsets;
  std::optional<std::string> hostname;
  std::optional<std::string> domainname;
  std::vector<Sysctl> sysctls;
  RootStep root;
  std::vector<MountStep> mounts;  // in the order of the document
  std::vector<DeviceNode> devices;
  std::vector<Link> links;
  std::vector<PathStep> readonly_paths;
  std::vector<PathStep> masked_paths;
  bool new_keyring = true;  // a session keyring of the container's own
  Origin keyring_origin;
  std::optional<ConsoleStep> console;
  std::optional<ProcessStep> process;  // may be absent until start
  std::vector<Warning> warnings;       // for the user; planning itself never prints
  std::vector<Unsupported> unsupported;
  bool operator==(const Plan&) const = default;

  /// The namespace of this kind that the plan makes or joins; null: the runtime's own is kept.
  [[nodiscard]] const NamespaceStep* find(NamespaceKind kind) const {
    for (const NamespaceStep& step : namespaces) {
      if (step.kind == kind) return &step;
    }
    return nullptr;
  }
  /// Whether a new namespace of this kind is made.
  [[nodiscard]] bool makes(NamespaceKind kind) const {
    const NamespaceStep* step = find(kind);
    return step != nullptr && step->join.empty();
  }
};

}  // namespace rt::plan
