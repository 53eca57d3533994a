// A child of the runtime during a launch. Private to this package.
#pragma once

#include <signal.h>

#include <utility>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sys/process.h"

namespace rt::stage {

/// A child of ours that is killed and reaped unless it is let go.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] UniqueFd take_pidfd() { return std::move(pidfd_); }
  void let_go() { pid_ = 0; }

  /// Waits for its end; its wait status.
  Result<int> wait() { return sys::wait_for(std::exchange(pid_, 0)); }

  void end() {
    if (pid_ == 0) return;
    static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    static_cast<void>(wait());
  }

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace rt::stage
