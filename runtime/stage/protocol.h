// What the processes of a container's creation tell one another over the sync channel: one kind of
// message each way at each point, of fixed size. A receiver says what it expects; anything else is
// an error, and so is a channel whose other end is gone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::stage {

enum class Message : uint32_t {
  kFailed,         // stage 1 or init to the runtime: an Error follows in the same message
  kPlacePlease,    // stage 1: have systemd put me into the cgroup
  kPlaced,         // runtime
  kIdMapsPlease,   // stage 1: the user namespace is made
  kIdMapsWritten,  // runtime
  kInitHere,       // init: the sender, as the kernel tells it, is init
  kGoOn,           // runtime: init is known, and may begin
  kConsole,        // init: the master end of the payload's terminal comes along
  kRlimitsPlease,  // init: a limit is beyond my rights, set them for me
  kRlimitsSet,     // runtime
  kWarning,        // init: an Error that it went on after follows in the same message
  kHooksPlease,    // init: the mounts are made, run the hooks that are yours
  kHooksDone,      // runtime
  kReady,          // init: all is set up
  kRelease,        // runtime: the container is recorded; live without me
  kReleased,       // init: I do
  kExecutes,       // init, in a report: nothing is left to do but to execute the payload
  kListener,       // init, in a report: the seccomp listener is my descriptor of this number
};

Status send_message(int channel, Message message);

/// Sends `message` and a copy of `descriptor`.
Status send_descriptor(int channel, Message message, int descriptor);

/// Sends the error itself; text beyond what a message holds is cut.
Status send_failure(int channel, const Error& error);

/// The same for an error that the sender goes on after.
Status send_warning(int channel, const Error& error);

struct Heard {
  Message message = Message::kFailed;
  pid_t sender = 0;              // in our own pid namespace, as the kernel vouches
  UniqueFd descriptor;           // what came along, if anything
  std::optional<Error> warning;  // with kWarning
};

/// Waits for one of the messages `expected`. The peer's error comes back as if it had happened
/// here.
Result<Heard> expect(int channel, const std::vector<Message>& expected);

/// Sends `request` and waits for its `answer`.
Status ask(int channel, Message request, Message answer);

}  // namespace rt::stage
