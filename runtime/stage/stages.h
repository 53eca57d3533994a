// The order in which a plan is carried out, and in which process: runtime, stage 1, init. Each is a
// walk through its rows of plan/steps.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/plan/plan.h"

namespace rt::stage {

/// A container that is set up and waits. Destroying it unreleased kills it, and reaps it.
class Launch {
 public:
  Launch(pid_t pid, UniqueFd pidfd, UniqueFd channel, UniqueFd console);
  Launch(Launch&&) noexcept;
  Launch& operator=(Launch&&) = delete;
  Launch(const Launch&) = delete;
  ~Launch();

  /// Of init, in the runtime's pid namespace. It is the caller's child.
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// The master end of the payload's terminal, once; empty where it has none.
  [[nodiscard]] UniqueFd take_console() { return std::move(console_); }

  /// Lets init go on without us: from now on it survives the runtime. It waits on the fifo, or,
  /// where there is none, executes the payload.
  Status release();

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd channel_;
  UniqueFd console_;
  bool released_ = false;
};

struct LaunchOptions {
  /// The exec fifo, opened O_RDWR: init reads one byte from it before it executes the payload, and
  /// holds it open until then, so that `start` can see the moment (the last reader is gone). Not
  /// given (-1): init executes the payload as soon as it is released.
  int exec_fifo = -1;
  /// Called when the cgroup is made and before any process is in it, to make the record say so.
  std::function<Status(const std::vector<cgroup::Directory>&)> cgroup_made;
};

/// Carries out the steps from "cgroup" to "rlimits". On failure nothing is left but the
/// cgroup directories that `cgroup_made` was told of.
Result<Launch> launch(const plan::Plan& plan, const LaunchOptions& options);

}  // namespace rt::stage
