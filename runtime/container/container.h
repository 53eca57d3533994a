// What the commands do with a container. runtime-spec runtime.md, "Operations".
//
// Everything here takes the state root (store.h) and a container's name; what is wrong comes back
// as an Error in the words that orchestrators look for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/bundle.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"
#include "spec/config_linux.h"

namespace rt::container {

struct CreateOptions {
  std::string pid_file;        // host path; empty: none
  std::string console_socket;  // host path of a stream socket, for the payload's terminal; or empty
  std::string pidfd_socket;    // host path of a stream socket, for a pidfd of init; or empty
  std::string notify_socket;   // whom to tell that the payload is ready: notify.h; or empty
  std::string config;          // the text of the document that the plan was made of
  Warn warn;
};

/// Carries the plan out up to the point where init waits for `start`. On failure nothing is left.
/// Precondition: the binary is sealed (kernel/seal.h).
Status create(const Store& store, const plan::Plan& plan, const CreateOptions& options);

/// As `create` and `start` in one; init goes on by itself.
Status run_detached(const Store& store, const plan::Plan& plan, const CreateOptions& options);

enum class AfterRun { kDelete, kKeep };

struct RunOutcome {
  int exit_code = 0;  // the payload's, or 128 + the signal that ended it
  Status cleanup;     // why something of the container is left, if so
};

/// Runs the container in the foreground: hands on signals, waits for its end, and deletes it.
/// SIGCHLD, SIGURG and SIGWINCH stay here. A terminal of the payload is shown on descriptors 0
/// and 1.
Result<RunOutcome> run(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                       AfterRun after);

/// Lets a created container go on, waits until it has executed its payload, and runs the poststart
/// hooks. A hook that fails destroys the container. Where somebody is to be told that the payload
/// is ready, waits for that too, or for its end.
Status start(const Store& store, const std::string& id, const Warn& warn);

/// A process for a container that is there: what the command line says of it.
struct ExecRequest {
  /// The text of --process FILE: the document's own words for the process; then nothing below is
  /// read. Empty: as the container's, with the following changes.
  std::string document;
  std::vector<std::string> args;
  std::string cwd;               // empty: the container's
  std::vector<std::string> env;  // added
  std::string user;              // "UID" or "UID:GID"; empty: the container's
  std::vector<std::string> additional_gids;
  std::vector<std::string> capabilities;  // "CAP_NET_ADMIN", added
  std::string apparmor_profile;
  std::string selinux_label;
  bool no_new_privileges = false;
  bool terminal = false;
};

struct ExecOptions {
  ExecRequest request;
  std::string pid_file;
  std::string console_socket;
  std::string pidfd_socket;
  std::vector<std::string> cgroups;  // below the container's own: exec_cgroup.h
  bool detach = false;
  bool ignore_paused = false;
  unsigned preserved_fds = 0;
  std::string resctrl_root;  // as create was called with
  plan::CgroupManager cgroup_manager = plan::CgroupManager::kFilesystem;  // the same
  std::string systemd_helper;
  Warn warn;
};

/// Runs one more process in a container that is created or running, with everything that confines
/// the container's own. Its exit code, as `run` gives it; 0 when it is detached.
Result<int> exec(const Store& store, const std::string& id, const ExecOptions& options);

enum class KillTarget { kInit, kEveryProcess };

/// Sends `signal` to init, or to all of the container's processes. "container not running" when
/// init is gone; with kEveryProcess that is no error.
Status kill(const Store& store, const std::string& id, int signal, KillTarget target);

enum class DeleteMode {
  kStoppedOnly,  // and those that were never started
  kForce,        // kill what runs, finish what was interrupted; an unknown container is fine
};

/// Removes everything that `create` made, then runs the poststop hooks: what they fail at is a
/// warning.
Status destroy(const Store& store, const std::string& id, DeleteMode mode, const Warn& warn);

/// What `update` changes.
struct UpdateOptions {
  /// The text of --resources FILE: linux.resources as a document; then `changes` is not read.
  std::optional<std::string> document;
  spec::Resources changes;
  std::string l3_cache_schema;  // of the container's group of resctrl; empty: as it is
  std::string mem_bw_schema;    // likewise
  std::string resctrl_root;     // as create was called with
  bool strict = false;          // plan::Request::strict
  plan::CgroupManager cgroup_manager = plan::CgroupManager::kFilesystem;  // as create's
  std::string systemd_helper;
  Warn warn;
};

/// Changes the limits of a container that was not stopped: all that is asked for, or nothing. What
/// is absent, and 0 where that is no limit, stays as it is. Kept for the next update.
Status update(const Store& store, const std::string& id, const UpdateOptions& options);

/// Stops every process of the container where it is, and lets them go on. "container not running"
/// when there is nothing to stop; "container not paused".
Status pause(const Store& store, const std::string& id);
Status resume(const Store& store, const std::string& id);

/// The pids of the container's processes, ascending; none of a container that has stopped.
Result<std::vector<pid_t>> processes(const Store& store, const std::string& id);

/// A process, as `ps` shows it.
struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  uid_t user = 0;    // effective, of the host
  char state = '?';  // proc(5): 'R', 'S', 'D', ...
  std::chrono::seconds cpu_time{0};
  std::string command;  // the payload's word: anything
};

/// Those of `pids` that are still there.
Result<std::vector<ProcessInfo>> describe_processes(const std::vector<pid_t>& pids);

/// A container as `state` and `list` show it.
struct Info {
  Record record;
  ContainerStatus status = ContainerStatus::kStopped;
  pid_t pid = 0;    // of init; 0 when stopped
  uid_t owner = 0;  // whose command created it
};

Result<Info> inspect(const Store& store, const std::string& id);

struct Listing {
  std::vector<Info> containers;       // sorted by id
  std::vector<std::string> warnings;  // about those that cannot be read
};

Result<Listing> list(const Store& store);

}  // namespace rt::container
