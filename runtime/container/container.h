// What the commands do with a container. runtime-spec runtime.md, "Operations".
//
// Everything here takes the state root (store.h) and a container's name; what is wrong comes back
// as an Error in the words that orchestrators look for.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/container/bundle.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"

namespace rt::container {

struct CreateOptions {
  std::string pid_file;        // host path; empty: none
  std::string console_socket;  // host path of a stream socket, for the payload's terminal; or empty
};

/// Carries the plan out up to the point where init waits for `start`. On failure nothing is left.
/// Precondition: the binary is sealed (kernel/seal.h).
Status create(const Store& store, const plan::Plan& plan, const CreateOptions& options);

/// As `create` and `start` in one; init goes on by itself.
Status run_detached(const Store& store, const plan::Plan& plan, const CreateOptions& options);

enum class AfterRun { kDelete, kKeep };

struct RunOutcome {
  int exit_code = 0;  // the payload's, or 128 + the signal that ended it
  Status cleanup;     // why something of the container is left, if so
};

/// Runs the container in the foreground: hands on signals, waits for its end, and deletes it.
/// SIGCHLD, SIGURG and SIGWINCH stay here. A terminal of the payload is shown on descriptors 0
/// and 1.
Result<RunOutcome> run(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                       AfterRun after);

/// Lets a created container go on, and waits until it has executed its payload.
Status start(const Store& store, const std::string& id);

enum class KillTarget { kInit, kEveryProcess };

/// Sends `signal` to init, or to all of the container's processes. "container not running" when
/// init is gone; with kEveryProcess that is no error.
Status kill(const Store& store, const std::string& id, int signal, KillTarget target);

enum class DeleteMode {
  kStoppedOnly,  // and those that were never started
  kForce,        // kill what runs, finish what was interrupted; an unknown container is fine
};

/// Removes everything that `create` made.
Status destroy(const Store& store, const std::string& id, DeleteMode mode);

/// A container as `state` and `list` show it.
struct Info {
  Record record;
  ContainerStatus status = ContainerStatus::kStopped;
  pid_t pid = 0;    // of init; 0 when stopped
  uid_t owner = 0;  // whose command created it
};

Result<Info> inspect(const Store& store, const std::string& id);

struct Listing {
  std::vector<Info> containers;       // sorted by id
  std::vector<std::string> warnings;  // about those that cannot be read
};

Result<Listing> list(const Store& store);

}  // namespace rt::container
