// The order in which a plan is carried out, and in which process: runtime, stage 1, init. Each is a
// walk through its rows of plan/steps.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/kernel/net_devices.h"
#include "runtime/plan/plan.h"

namespace rt::stage {

/// A container that is set up and waits. Destroying it unreleased kills it, and reaps it.
class Launch {
 public:
  Launch(pid_t pid, UniqueFd pidfd, UniqueFd channel);
  Launch(Launch&&) noexcept;
  Launch& operator=(Launch&&) = delete;
  Launch(const Launch&) = delete;
  ~Launch();

  /// Of init, in the runtime's pid namespace. It is the caller's child.
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// The master end of the payload's terminal, once; empty where it has none.
  [[nodiscard]] UniqueFd take_console() { return std::move(console_); }

  /// What init went on after, although it failed.
  [[nodiscard]] const std::vector<Error>& warnings() const { return warnings_; }

  /// Lets init go on without us: from now on it survives the runtime. It waits on the fifo, or,
  /// where there is none, executes the payload.
  Status release();

 private:
  friend class Launcher;

  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd channel_;
  UniqueFd console_;
  kernel::MovedNetDevices net_devices_;
  std::vector<Error> warnings_;
  bool released_ = false;
};

/// What init reports through (report.h), both -1 where nothing of the plan can be reported.
struct ReportPipe {
  int writer = -1;
  /// Of a fifo, open for reading too until init is started, so that there is a reader meanwhile.
  int keeper = -1;
};

struct LaunchOptions {
  /// The exec fifo, opened O_RDWR: init reads one byte from it before it executes the payload, and
  /// holds it open until then, so that `start` can see the moment (the last reader is gone). Not
  /// given (-1): init executes the payload as soon as it is released.
  int exec_fifo = -1;
  ReportPipe report;
  /// Where compiled seccomp filters are kept; empty: nowhere.
  std::string filter_cache;
  /// The container's state, as a hook of this kind reads it: with this pid of init.
  std::function<std::string(plan::HookKind, pid_t)> state;
  /// Called when the cgroup is made and before any process is in it, to make the record say so.
  std::function<Status(const std::vector<cgroup::Directory>&)> cgroup_made;
};

/// Carries out the steps from "cgroup" to "rlimits". On failure nothing is left but the
/// cgroup directories that `cgroup_made` was told of.
Result<Launch> launch(const plan::Plan& plan, const LaunchOptions& options);

/// A container that runs, to be joined by another process.
struct Target {
  int pidfd = -1;      // of its init
  int namespaces = 0;  // CLONE_NEW*: those that are not the runtime's own
  UniqueFd root;       // its root directory; empty: that of its mount namespace
  std::vector<cgroup::Directory> directories;  // its cgroups
};

/// Carries out the steps that `exec` has, for a process that joins `target`.
Result<Launch> launch_exec(const plan::Plan& plan, Target target, const LaunchOptions& options);

/// Whether init has something to report between its start and the execution.
bool reports(const plan::Plan& plan);

}  // namespace rt::stage
