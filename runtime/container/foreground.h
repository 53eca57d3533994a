// A process of a container that the caller waits for: run and exec.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/container.h"
#include "runtime/container/notify.h"

namespace rt::container {

/// Hands signals from `signals` (sys::block_signals) on to the process, bytes to and from its
/// terminal, if it has one, and its readiness to the host, until it has ended. Our own terminal is
/// as before when this returns.
Status attend(int signals, int pidfd, UniqueFd console, Readiness readiness);

/// Kills it: nobody would look after it any more.
void give_up(int pidfd);

/// As a shell says it: the exit status, or 128 + the signal.
int exit_code_of(int wait_status);

}  // namespace rt::container
