// CRIU as a child, which serves one connection: criu swrk.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::criu {

/// The longest packet, in either direction. CRIU is told of some hundred mounts by some ten
/// thousand bytes.
inline constexpr size_t kLongestPacket = size_t{1} << 20;

struct Worker {
  pid_t pid = 0;  // 0 when it was reaped
  UniqueFd pidfd;
  UniqueFd socket;  // ours of its connection
};

/// Executes the program at `path`. It inherits the environment and, under their numbers, all
/// descriptors that stay open over execve(2), except the runtime's socket.
Result<Worker> start_worker(const std::string& path, int runtime);

/// Waits for its end: how it was, "exit status 1" or "signal 9".
Result<std::string> reap_worker(Worker& worker);

/// Closes its connection, and kills it when that does not end it within `patience`: left to itself
/// CRIU takes back what it has begun. Nothing to do when it was reaped.
Status end_worker(Worker& worker, std::chrono::milliseconds patience);

}  // namespace rt::criu
