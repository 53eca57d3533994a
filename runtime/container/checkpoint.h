// Saving a container's processes to files, and bringing them back: checkpoint and restore, which
// the specification does not know and engines call. By CRIU: criu(8), docs/checkpoint.md.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/container/container.h"

namespace rt::container {

/// What both say. Paths are the host's.
struct ImageOptions {
  std::string criu_helper;  // runtime-criu
  std::string criu;         // the program
  std::string image_path;   // the directory of the files
  std::string work_path;    // where CRIU leaves its log; empty: there too
  /// What happens to cgroups below the container's, and with their limits: "soft", "full",
  /// "strict", "ignore". criu(8), --manage-cgroups.
  std::string cgroups_mode = "soft";
  std::string network_lock;  // "iptables", "nftables"; empty: CRIU's own choice
  bool tcp_established = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool empty_network = false;  // the network namespace is saved without what is in it
  bool auto_dedup = false;
};

struct CheckpointOptions {
  ImageOptions image;
  std::string parent_path;  // of an earlier checkpoint, relative to the image path; empty: none
  bool pre_dump = false;    // memory alone; the container goes on
  bool leave_running = false;
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  Warn warn;
};

/// Saves a container that runs, or is paused. Unless it is left running it is deleted then, and its
/// poststop hooks are run. On failure it goes on as before.
Status checkpoint(const Store& store, const std::string& id, const CheckpointOptions& options);

struct RestoreOptions {
  ImageOptions image;
  CreateOptions create;     // its pid file, terminal, document
  std::string lsm_profile;  // "apparmor:NAME", "selinux:LABEL"; empty: as it was
  std::string lsm_mount_context;
  bool tcp_close = false;  // connections are closed, not taken up again
};

/// Makes the container of `plan`, with the processes that were saved. On failure nothing is left.
/// Precondition: the binary is sealed.
Status restore_detached(const Store& store, const plan::Plan& plan, const RestoreOptions& options);

/// The same in the foreground, as `run` is.
Result<RunOutcome> restore(const Store& store, const plan::Plan& plan,
                           const RestoreOptions& options, AfterRun after);

}  // namespace rt::container
