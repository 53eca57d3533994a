// What the processes of a container's creation tell one another over the sync channel: one kind of
// message each way at each point, of fixed size. A receiver says what it expects; anything else is
// an error, and so is a channel whose other end is gone.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "runtime/base/result.h"

namespace rt::stage {

enum class Message : uint32_t {
  kFailed,         // stage 1 or init to the runtime: an Error follows in the same message
  kPlacePlease,    // stage 1: put me into the cgroups
  kPlaced,         // runtime
  kIdMapsPlease,   // stage 1: the user namespace is made
  kIdMapsWritten,  // runtime
  kInitHere,       // init: the sender, as the kernel tells it, is init
  kGoOn,           // runtime: init is known, and may begin
  kReady,          // init: all is set up
  kRelease,        // runtime: the container is recorded; live without me
};

Status send_message(int channel, Message message);

/// Sends the error itself; text beyond what a message holds is cut.
Status send_failure(int channel, const Error& error);

/// Waits for `expected`. The peer's error comes back as if it had happened here.
/// Returns the sender's pid in our own pid namespace, as the kernel vouches.
Result<pid_t> expect(int channel, Message expected);

/// Waits until the peer has closed the channel, having said nothing more.
Status expect_close(int channel);

}  // namespace rt::stage
