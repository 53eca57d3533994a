// CRIU, which saves processes to files and brings them back: asked through runtime-criu, in JSON.
// docs/decisions/0016. For this package alone.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::container {

/// Host paths.
struct CriuProgram {
  std::string helper;  // runtime-criu
  std::string criu;
};

/// A descriptor of ours in place of one that the processes had when they were saved.
struct InheritedFd {
  std::string key;  // what it was: "pipe:[4711]", or a name that was agreed upon
  UniqueFd fd;
};

/// What CRIU is to do. The names are those of its protocol (rpc.proto, criu_opts), where they are
/// explained: criu(8).
struct CriuOrder {
  enum class Task { kDump, kPreDump, kRestore };
  Task task = Task::kDump;
  UniqueFd images;       // directory
  UniqueFd work;         // directory of the log
  std::string log_file;  // "dump.log"
  std::string parent;    // directory of an earlier dump, relative to `images`; empty: none
  bool track_memory = false;
  pid_t pid = 0;     // what is saved: init
  std::string root;  // what is brought back: its root directory, a mount point
  std::vector<std::string> external;
  std::vector<InheritedFd> inherited;
  std::string cgroups_mode;  // "SOFT"; empty: cgroups are left alone
  /// Where the container's cgroup is in the hierarchies of these controllers; "": in all others.
  std::vector<std::pair<std::string, std::string>> cgroup_roots;
  std::string cgroup_yard;    // host path; empty: CRIU mounts the hierarchies itself
  std::string freeze_cgroup;  // likewise; empty: none
  std::string network_lock;   // "IPTABLES"
  std::string lsm_profile;
  std::string lsm_mount_context;
  bool leave_running = false;
  bool tcp_established = false;
  bool tcp_close = false;
  bool tcp_skip_in_flight = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool link_remap = false;
  bool auto_dedup = false;
  bool empty_network = false;
};

/// The request, as runtime-criu takes it.
std::string to_json(const CriuOrder& order);

/// A moment of the work at which CRIU waits for us.
struct CriuNotice {
  std::string moment;   // "setup-namespaces", "orphan-pts-master", "post-restore", ...
  pid_t pid = 0;        // of the container's init
  UniqueFd descriptor;  // with "orphan-pts-master": the master end of its terminal
};

struct CriuConversation {
  /// In the child that becomes runtime-criu, before it does; may be empty.
  std::function<Status()> prepare;
  /// Not called for a dump. An error ends CRIU's work.
  std::function<Status(CriuNotice& notice)> notice;
  /// Of sys::block_signals: at SIGINT, SIGTERM and SIGHUP CRIU is asked to give up, and has ten
  /// seconds for it; the error is EINTR. -1: nothing is heard.
  int signals = -1;
};

/// Carries the order out; waits for its end. The pid of the init that was brought back (0 after a
/// dump): a child of whoever reaps our orphans. What CRIU wrote to its log about a failure is in
/// the error; `log_path` says where all of it is.
Result<pid_t> run_criu(const CriuProgram& program, const CriuOrder& order,
                       const CriuConversation& conversation, const std::string& log_path);

/// The lines of a log of CRIU that say what went wrong, first to last, without their time and the
/// place in CRIU's source; at most `most` of them.
std::vector<std::string> errors_in_log(std::string_view log, size_t most);

}  // namespace rt::container
