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

#include "runtime/plan/cgroup_step.h"
#include "runtime/plan/origin.h"
#include "runtime/plan/process_step.h"

namespace rt::plan {

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

  /// The host's id of a uid in the container; nothing when it is not mapped.
  [[nodiscard]] std::optional<uint32_t> host_uid(uint32_t uid) const;
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

/// The id mapping of a mount: which ids of the file system show as which ids. Linux 5.12.
struct MountIdMap {
  std::vector<IdRange> uids;  // container_id: in the file system; host_id: as the mount shows it
  std::vector<IdRange> gids;
  /// Host path of the user namespace whose maps are taken; then there are no ranges.
  std::string user_namespace;
  bool recursive = false;  // for all mounts below it too
  Origin origin;
  bool operator==(const MountIdMap&) const = default;
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
  std::optional<MountIdMap> id_map;
  /// tmpcopyup: what the image has at the target is copied into the new tmpfs before it covers it.
  bool copy_up = false;
  /// SELinux label of its root directory (security.selinux), for a file system that takes no
  /// context option; empty: none.
  std::string root_label;
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
  // Whether / itself gets it when all mounts are made: what is attached below a shared mount
  // becomes shared too, and nothing can be copied from an unbindable one.
  bool propagation_last = false;
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

/// The payload's terminal: a pseudo terminal of the container's own devpts.
struct ConsoleStep {
  size_t mount = 0;     // index in Plan::mounts of the devpts at /dev/pts; not of an exec plan
  uint16_t height = 0;  // in characters; 0: not said
  uint16_t width = 0;
  Origin origin;
  bool operator==(const ConsoleStep&) const = default;
};

/// A program of the host, or of the container, that is run at a moment of the container's life.
/// runtime-spec config.md, "POSIX-platform Hooks".
enum class HookKind {
  kPrestart,
  kCreateRuntime,
  kCreateContainer,
  kStartContainer,
  kPoststart,
  kPoststop,
};

struct HookStep {
  HookKind kind = HookKind::kPrestart;
  std::string path;               // absolute; kStartContainer: in the container, else on the host
  std::vector<std::string> args;  // with the program's own name; never empty
  std::vector<std::string> env;
  std::optional<uint32_t> timeout_s;  // nothing: as long as it takes
  Origin origin;
  bool operator==(const HookStep&) const = default;
};

/// A network interface of the host that the container gets. config-linux.md, "Network Devices".
struct NetDeviceStep {
  std::string host_name;
  std::string name;  // in the container; may hold "%d"
  Origin origin;
  bool operator==(const NetDeviceStep&) const = default;
};

/// One write to the file `schemata` of a resctrl group.
struct SchemataLine {
  std::string text;  // "L3:0=7f0;1=1f"
  /// A group that is there already, and that the document names, must say the same.
  bool compared = false;
  Origin origin;
  bool operator==(const SchemataLine&) const = default;
};

/// The container's group of resctrl. config-linux.md, "IntelRdt".
struct IntelRdtStep {
  std::string root;    // host path of what stands in for resctrl; empty: where it is mounted
  std::string group;   // name of the directory below it; "/": resctrl's root
  bool named = false;  // the document names it (closID): it outlives the container
  std::vector<SchemataLine> schemata;  // in the order of writing; empty: as the group has them
  std::string monitoring;  // name of a mon_group of the container's own in it; empty: none
  Origin origin;
  bool operator==(const IntelRdtStep&) const = default;
};

struct Plan {
  std::string id;
  std::string bundle;  // absolute host path
  std::map<std::string, std::string> annotations;
  CgroupStep cgroup;
  ResourcesStep resources;
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
  std::vector<NetDeviceStep> net_devices;
  std::optional<IntelRdtStep> intel_rdt;
  std::vector<HookStep> hooks;         // by kind, in the order of HookKind; then of the document
  std::optional<ProcessStep> process;  // may be absent until start
  unsigned preserved_fds = 0;          // descriptors from 3 on that the payload gets
  unsigned listen_fds = 0;             // so many of them by the protocol of sd_listen_fds(3)
  std::string notify_directory;        // host path, with the container's NOTIFY_SOCKET; or empty
  std::vector<Warning> warnings;       // for the user; planning itself never prints
  /// What is worth knowing of the document, but not each time that it runs: engines' own defaults
  /// are such.
  std::vector<Warning> notes;
  bool operator==(const Plan&) const = default;

  /// Whether a hook must find the host's file system where the container's root will be: the root
  /// is entered after the mounts then, not before.
  [[nodiscard]] bool enters_root_last() const {
    return has_hooks(HookKind::kPrestart) || has_hooks(HookKind::kCreateRuntime) ||
           has_hooks(HookKind::kCreateContainer);
  }
  /// The namespace of this kind that the plan makes or joins; null: the runtime's own is kept.
  [[nodiscard]] const NamespaceStep* find(NamespaceKind kind) const {
    for (const NamespaceStep& step : namespaces) {
      if (step.kind == kind) return &step;
    }
    return nullptr;
  }
  /// Whether there are hooks of this kind.
  [[nodiscard]] bool has_hooks(HookKind kind) const {
    for (const HookStep& hook : hooks) {
      if (hook.kind == kind) return true;
    }
    return false;
  }
  /// Whether a new namespace of this kind is made.
  [[nodiscard]] bool makes(NamespaceKind kind) const {
    const NamespaceStep* step = find(kind);
    return step != nullptr && step->join.empty();
  }
};

}  // namespace rt::plan
