// Readiness: the payload says READY=1 at a socket of ours, and we tell whom our caller named in
// NOTIFY_SOCKET. sd_notify(3): messages are lines of NAME=VALUE in datagrams.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/record.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"
#include "runtime/sys/process.h"

namespace rt::container {

/// Listens until the container has said that it is ready. What goes wrong on the way to the host is
/// a warning: the container runs all the same.
class Readiness {
 public:
  /// Nobody wants to know.
  Readiness() = default;

  /// Makes the socket in `entry` when the record names somebody. Before the payload runs.
  static Result<Readiness> listen(const Entry& entry, const Record& record, Warn warn);

  /// Adds what we wait for.
  void watch(std::vector<sys::Watched>& watched) const;

  /// Takes what has come by now. `main` is the process that the host is to look after.
  void serve(pid_t main);

  /// Waits until the container is ready or its init, `pidfd`, has ended; then until the host has
  /// seen what we told it, since it looks for the sender of a message.
  void wait(int pidfd, pid_t main);

 private:
  Readiness(UniqueFd socket, std::string host, Warn warn)
      : socket_(std::move(socket)), host_(std::move(host)), warn_(std::move(warn)) {}

  bool take_ready();
  [[nodiscard]] Result<UniqueFd> tell_host(pid_t main) const;
  void warn_of(const Error& error) const;

  UniqueFd socket_;  // empty: nothing is waited for, or not any more
  std::string host_;
  Warn warn_;
};

}  // namespace rt::container
