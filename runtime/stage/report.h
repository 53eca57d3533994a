// What init says between its start and the execution of the payload to whoever starts it: `start`,
// or the runtime of `run` and `exec`. Over a pipe, whose end says that the payload was executed.
//
// Init writes only: its seccomp filter may hold up every other system call until an agent answers,
// and the agent has no listener to answer by before we have handed it over.
#pragma once

#include <optional>
#include <string>

#include "runtime/base/result.h"

namespace rt::stage {

/// In init: it could not go on.
Status report_failure(int pipe, const Error& error);

/// In init, before its filter is loaded: it has come as far as this. A report that ends without it
/// says that init was killed.
Status report_execution(int pipe);

/// In init, before its filter is loaded: room for `offer_listener`.
Result<std::string> prepare_offer(int pipe);

/// In init, under its filter: says which of its descriptors is the listener, and returns when it
/// was taken: a write of more than the pipe holds waits for its reader.
Status offer_listener(int pipe, std::string& offer, int listener);

/// In whoever starts init: what it says next. Nothing: the pipe has ended, the payload was executed
/// or init has ended.
struct Report {
  bool executes = false;
  std::optional<int> listener;
  std::optional<Error> failure;
};
Result<Report> read_report(int pipe);

/// Lets init, which waits in `offer_listener`, go on.
Status take_offer(int pipe);

}  // namespace rt::stage
