#include "runtime/container/status.h"

#include <fcntl.h>

#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/process.h"

namespace rt::container {
namespace {

/// Whether init still waits for `start`: it reads the exec fifo until it executes the payload.
Result<bool> waits_at_fifo(const Entry& entry) {
  const Result<UniqueFd> writer = entry.open_fifo(Fifo::kExec, O_WRONLY | O_NONBLOCK);
  if (writer) return true;
  // ENXIO: no reader. ENOENT: `start` has removed the fifo, or `run` made none.
  if (writer.error().code() == ENXIO || writer.error().code() == ENOENT) return false;
  return writer.error();
}

/// Of a container whose init lives.
Result<ContainerStatus> status_of_live(const Entry& entry, const Record& record) {
  const Result<bool> frozen = cgroup::frozen(record.cgroups);
  // Where that cannot be told, it is no reason not to know, or to delete, the container.
  if (frozen && frozen.value()) return ContainerStatus::kPaused;
  const bool waits = TRY(waits_at_fifo(entry), entry.path());
  return waits ? ContainerStatus::kCreated : ContainerStatus::kRunning;
}

}  // namespace

std::string_view name_of(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::kCreating:
      return "creating";
    case ContainerStatus::kCreated:
      return "created";
    case ContainerStatus::kRunning:
      return "running";
    case ContainerStatus::kPaused:
      return "paused";
    case ContainerStatus::kStopped:
      break;
  }
  return "stopped";
}

Result<Observed> observe(const Entry& entry) {
  Observed seen;
  seen.record = TRY(entry.load());
  const std::string boot = TRY(boot_id());
  seen.earlier_boot = seen.record.boot_id != boot;
  if (seen.record.phase == Phase::kCreating) {
    const bool at_work = TRY(entry.locked_by_other());
    // If nobody is at it, it may have been finished since the record was read.
    if (!at_work) seen.record = TRY(entry.load());
    if (seen.record.phase == Phase::kCreating) {
      seen.status = at_work ? ContainerStatus::kCreating : ContainerStatus::kStopped;
      return seen;
    }
  }
  if (seen.earlier_boot) return seen;
  std::optional<UniqueFd> init =
      TRY(open_process(seen.record.pid, seen.record.start_time), entry.id());
  if (!init) return seen;
  seen.status = TRY(status_of_live(entry, seen.record));
  seen.init = *std::move(init);
  return seen;
}

Error explain_end(Error error, const std::vector<cgroup::Directory>& cgroups) {
  const Result<bool> out_of_memory = cgroup::was_out_of_memory(cgroups);
  if (!out_of_memory || !out_of_memory.value()) return error;
  return Error("container init was OOM-killed (memory limit too low?)");
}

}  // namespace rt::container
