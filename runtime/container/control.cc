// The commands on a container that exists: kill, delete, state, list.
#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/container.h"
#include "runtime/container/step.h"
#include "runtime/container/teardown.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// Processes of a stopped container, in a pid namespace that is not its own, are not ours to kill
/// without --force. containerd kills them by `kill --all` and calls delete at once: they may still
/// be dying.
Status check_empty(const Observed& seen) {
  constexpr std::chrono::milliseconds kDying{1000};
  const std::vector<pid_t> left = TRY(cgroup::lasting_processes(seen.record.cgroups, kDying));
  if (left.empty()) return ok();
  return Error(cat("container's cgroup is not empty: ", left.size(), " process(es) found"))
      .with_hint("delete --force kills them");
}

Status check_deletable(const Observed& seen, DeleteMode mode) {
  const bool idle =
      seen.status == ContainerStatus::kStopped || seen.status == ContainerStatus::kCreated;
  if (idle || mode == DeleteMode::kForce) return ok();
  return Error(cat("cannot delete container ", seen.record.id,
                   " that is not stopped: ", name_of(seen.status)));
}

/// Removes the container behind `entry`, which is locked.
Status destroy_locked(Entry& entry, DeleteMode mode, const Warn& warn) {
  Result<Observed> observed = observe(entry);
  // Nothing is known but the directory; what else there may be, nobody can tell.
  // But what could not be read (too many open files, ...) may be readable the next time.
  const bool unreadable = !observed && observed.error().code() == 0;
  if (unreadable && mode == DeleteMode::kForce) return entry.remove();
  const Observed seen = TRY(std::move(observed));
  TRY(check_deletable(seen, mode));
  const bool idle = mode != DeleteMode::kForce && !seen.init && !seen.earlier_boot;
  if (idle) TRY(check_empty(seen));
  return take_down(entry, seen, idle ? Processes::kNone : Processes::kPerhaps, warn);
}

/// A `start` holds the lock for as long as init does not go on, which may be stopped: force does
/// not wait for it.
Status kill_unlocked(const Store& store, const std::string& id) {
  const std::optional<Entry> entry = TRY(store.find(id));
  if (!entry) return ok();
  const Result<Observed> seen = observe(*entry);
  // What cannot be read now is looked at again under the lock.
  return seen ? kill_init(seen.value()) : ok();
}

Status send_signal(const Observed& seen, int signal, KillTarget target) {
  if (target == KillTarget::kEveryProcess) {
    TRY(cgroup::signal_all(seen.record.cgroups, signal));
    // It may have no cgroup, or have left it.
    if (!seen.init) return ok();
    const std::vector<pid_t> reached = TRY(cgroup::processes(seen.record.cgroups));
    if (std::ranges::find(reached, seen.record.pid) != reached.end()) return ok();
  }
  if (!seen.init) return Error("container not running");
  Status sent = sys::pidfd_send_signal(seen.init.get(), signal);
  if (sent || sent.error().code() != ESRCH) return sent;
  // Among all it ran a moment ago: the signal was its end, or that of those it waited for.
  return target == KillTarget::kEveryProcess ? ok() : Error("container not running");
}

/// v1: SIGKILL waits in a frozen cgroup. Looked at only now: what is paused from here on sees that
/// init is about to end (pause.cc).
void let_die(const Observed& seen) {
  const Result<bool> frozen = cgroup::frozen(seen.record.cgroups);
  if (!frozen || !frozen.value()) return;
  // What is frozen from above is not ours to thaw, and the signal is not lost.
  static_cast<void>(cgroup::resume(seen.record.cgroups, kFreezePatience));
}

Result<Info> inspect_entry(const Entry& entry) {
  Observed seen = TRY(observe(entry));
  Info info;
  info.owner = TRY(entry.owner());
  info.status = seen.status;
  info.pid = seen.init ? seen.record.pid : 0;
  info.record = std::move(seen.record);
  return info;
}

}  // namespace

Status kill(const Store& store, const std::string& id, int signal, KillTarget target) {
  const Entry entry = TRY(store.require(id));
  const Observed seen = TRY(observe(entry));
  TRY(send_signal(seen, signal, target), id);
  if (signal == SIGKILL) let_die(seen);
  return ok();
}

Status destroy(const Store& store, const std::string& id, DeleteMode mode, const Warn& warn) {
  if (mode == DeleteMode::kForce) TRY(kill_unlocked(store, id));
  std::optional<Entry> entry = TRY(store.find_locked(id));
  if (entry) return destroy_locked(*entry, mode, warn);
  return mode == DeleteMode::kForce ? store.sweep(id) : no_such_container(id);
}

Result<Info> inspect(const Store& store, const std::string& id) {
  const Entry entry = TRY(store.require(id));
  return inspect_entry(entry);
}

Result<Listing> list(const Store& store) {
  Listing listing;
  const std::vector<std::string> ids = TRY(store.ids());
  for (const std::string& id : ids) {
    Result<std::optional<Entry>> entry = store.find(id);
    // It may have been deleted since its name was read.
    if (entry && !entry.value()) continue;
    Result<Info> info = entry ? inspect_entry(*entry.value()) : entry.error();
    if (info) {
      listing.containers.push_back(std::move(info).value());
    } else {
      listing.warnings.push_back(info.error().message());
    }
  }
  return listing;
}

}  // namespace rt::container
