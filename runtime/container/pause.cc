// pause and resume: every process of a container stands still, and goes on.
#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/container.h"
#include "runtime/container/process.h"
#include "runtime/container/teardown.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

Status check_pausable(const Observed& seen) {
  switch (seen.status) {
    case ContainerStatus::kCreated:
    case ContainerStatus::kRunning:
      break;
    case ContainerStatus::kPaused:
      return Error("container not running: it is paused already");
    case ContainerStatus::kCreating:
    case ContainerStatus::kStopped:
      return Error("container not running");
  }
  for (const cgroup::Directory& directory : seen.record.cgroups) {
    if (directory.leaf) return ok();
  }
  return Error("cannot pause a container without a cgroup: nothing else can freeze its processes");
}

/// Whether init has ended, or would if it were not frozen: a `kill` came first.
Result<bool> is_ending(const Observed& seen) {
  Result<bool> killed = has_pending_kill(seen.record.pid);
  const std::optional<size_t> ended =
      TRY(sys::wait_readable({seen.init.get()}, std::chrono::milliseconds(0)));
  // Only now: what was read by number was init's if it is still there.
  if (ended) return true;
  return killed;
}

Status pause_locked(const Observed& seen) {
  TRY(check_pausable(seen));
  Status paused = cgroup::pause(seen.record.cgroups, kFreezePatience);
  const Result<bool> ending = is_ending(seen);
  if (ending && !ending.value()) return paused;
  // A frozen process of v1 would wait with its end until somebody thaws it.
  TRY(cgroup::resume(seen.record.cgroups, kFreezePatience));
  return ending ? Error("container not running") : ending.error();
}

}  // namespace

Status pause(const Store& store, const std::string& id) {
  const std::optional<Entry> entry = TRY(store.find_locked(id));
  if (!entry) return no_such_container(id);
  const Observed seen = TRY(observe(*entry));
  TRY(pause_locked(seen), id);
  return ok();
}

Status resume(const Store& store, const std::string& id) {
  const std::optional<Entry> entry = TRY(store.find_locked(id));
  if (!entry) return no_such_container(id);
  const Observed seen = TRY(observe(*entry));
  if (seen.status != ContainerStatus::kPaused) return Error(cat(id, ": container not paused"));
  TRY(cgroup::resume(seen.record.cgroups, kFreezePatience), id);
  return ok();
}

}  // namespace rt::container
