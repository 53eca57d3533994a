// What a container does now: derived from its record and the kernel at every question, never
// stored.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/record.h"
#include "runtime/container/store.h"

namespace rt::container {

/// runtime-spec runtime.md, "State".
enum class ContainerStatus { kCreating, kCreated, kRunning, kPaused, kStopped };

[[nodiscard]] std::string_view name_of(ContainerStatus status);

/// Called with what went wrong and does not keep a command from its end.
using Warn = std::function<void(const std::string& message)>;

struct Observed {
  ContainerStatus status = ContainerStatus::kStopped;
  Record record;
  UniqueFd init;              // pidfd; empty when creating or stopped
  bool earlier_boot = false;  // the machine was started anew since
};

/// creating: another command is at it. created: init waits at the exec fifo. running: init has gone
/// past it. paused: either of the two, and its cgroup is frozen, whoever froze it. stopped: all
/// else; also a create that was interrupted, and an init that is a zombie or belongs to an earlier
/// boot.
Result<Observed> observe(const Entry& entry);

/// Why init did not go on: `error`, unless the kernel has killed it for the memory that the limits
/// of its cgroup do not leave it.
Error explain_end(Error error, const std::vector<cgroup::Directory>& cgroups);

}  // namespace rt::container
