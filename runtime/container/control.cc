// The commands on a container that exists: start, kill, delete, state, list.
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

/// What `found` found, which must be there.
Result<Entry> require(Result<std::optional<Entry>> found, const std::string& id) {
  std::optional<Entry> entry = TRY(std::move(found));
  if (!entry) return no_such_container(id);
  return *std::move(entry);
}

/// Whether the byte that `start` wrote is still in the fifo.
bool holds_byte(const Entry& entry) {
  const Result<UniqueFd> reader = entry.open_fifo(O_RDONLY | O_NONBLOCK);
  char byte = 0;
  if (!reader) return false;
  const Result<size_t> count = sys::read(reader.value().get(), &byte, 1);
  return count && count.value() == 1;
}

/// Lets init through the fifo, and waits until it has executed its payload or ended.
Status open_gate(const Entry& entry, const Observed& seen) {
  const UniqueFd fifo = TRY(entry.open_fifo(O_WRONLY | O_NONBLOCK), entry.id());
  TRY(sys::write_once(fifo.get(), "0"), entry.id());
  TRY(sys::wait_reader_gone(fifo.get(), seen.init.get()), entry.id());
  // An init that took the byte did what it was asked, and a short payload may be over already.
  if (holds_byte(entry)) {
    return Error(cat(entry.id(), ": container init ended before it was started"));
  }
  return entry.remove_fifo();
}

Status check_startable(const Observed& seen) {
  switch (seen.status) {
    case ContainerStatus::kCreated:
      return ok();
    case ContainerStatus::kRunning:
      return Error("cannot start an already running container");
    case ContainerStatus::kCreating:
    case ContainerStatus::kStopped:
      break;
  }
  return Error("cannot start a container that has stopped");
}

/// Through its pidfd. A frozen one ends when it is thawed.
Status kill_init(const Observed& seen) {
  if (!seen.init) return ok();
  Status sent = sys::pidfd_send_signal(seen.init.get(), SIGKILL);
  if (!sent && sent.error().code() == ESRCH) return ok();
  return sent;
}

/// Waits until init is gone; a zombie is. ETIMEDOUT otherwise.
Status wait_for_init(const Observed& seen) {
  if (!seen.init) return ok();
  const std::optional<size_t> ended =
      TRY(sys::wait_readable({seen.init.get()}, kKillPatience), "waiting for init");
  if (!ended) return Error::from_errno("waiting for init", ETIMEDOUT);
  return ok();
}

/// Processes of a stopped container, in a pid namespace that is not its own, are not ours to kill
/// without --force.
Status check_empty(const Observed& seen) {
  const std::vector<pid_t> left = TRY(cgroup::processes(seen.record.cgroups));
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
Status destroy_locked(Entry& entry, DeleteMode mode) {
  Result<Observed> observed = observe(entry);
  // Nothing is known but the directory; what else there may be, nobody can tell.
  // But what could not be read (too many open files, ...) may be readable the next time.
  const bool unreadable = !observed && observed.error().code() == 0;
  if (unreadable && mode == DeleteMode::kForce) return entry.remove();
  const Observed seen = TRY(std::move(observed));
  TRY(check_deletable(seen, mode));
  // Nothing of it has survived a reboot; what has its cgroup's name now is somebody else's.
  if (seen.earlier_boot) return entry.remove();
  // Init goes first, and by its own descriptor: where it has no cgroup, it is all that can be
  // killed, and in a pid namespace of its own it takes the others with it.
  TRY(kill_init(seen), entry.id());
  const bool kill_all = mode == DeleteMode::kForce || seen.init;
  TRY(kill_all ? kill_processes(seen.record) : check_empty(seen), entry.id());
  TRY(wait_for_init(seen), entry.id());
  TRY(remove_traces(entry, seen.record), entry.id());
  return ok();
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

Status start(const Store& store, const std::string& id) {
  const Entry entry = TRY(require(store.find_locked(id), id));
  const Observed seen = TRY(observe(entry));
  TRY(check_startable(seen), id);
  if (!seen.record.has_process) {
    return Error(cat(id, ": its config.json has no process, which start needs"));
  }
  return in_step(plan::Step::kRelease, open_gate(entry, seen));
}

Status kill(const Store& store, const std::string& id, int signal, KillTarget target) {
  const Entry entry = TRY(require(store.find(id), id));
  const Observed seen = TRY(observe(entry));
  if (target == KillTarget::kEveryProcess) {
    TRY(cgroup::signal_all(seen.record.cgroups, signal), id);
    // It may have no cgroup, or have left it.
    if (!seen.init) return ok();
    const std::vector<pid_t> reached = TRY(cgroup::processes(seen.record.cgroups), id);
    if (std::ranges::find(reached, seen.record.pid) != reached.end()) return ok();
  }
  if (!seen.init) return Error(cat(id, ": container not running"));
  const Status sent = sys::pidfd_send_signal(seen.init.get(), signal);
  if (!sent && sent.error().code() == ESRCH) return Error(cat(id, ": container not running"));
  TRY(sent, id);
  return ok();
}

Status destroy(const Store& store, const std::string& id, DeleteMode mode) {
  if (mode == DeleteMode::kForce) TRY(kill_unlocked(store, id));
  std::optional<Entry> entry = TRY(store.find_locked(id));
  if (entry) return destroy_locked(*entry, mode);
  return mode == DeleteMode::kForce ? store.sweep(id) : no_such_container(id);
}

Result<Info> inspect(const Store& store, const std::string& id) {
  const Entry entry = TRY(require(store.find(id), id));
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
