// start: a created container goes on to its payload.
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/container/container.h"
#include "runtime/container/follow.h"
#include "runtime/container/hooks.h"
#include "runtime/container/notify.h"
#include "runtime/container/step.h"
#include "runtime/container/teardown.h"
#include "runtime/plan/make_plan.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// Whether the byte that `start` wrote is still in the fifo.
bool holds_byte(const Entry& entry) {
  const Result<UniqueFd> reader = entry.open_fifo(Fifo::kExec, O_RDONLY | O_NONBLOCK);
  char byte = 0;
  if (!reader) return false;
  const Result<size_t> count = sys::read(reader.value().get(), &byte, 1);
  return count && count.value() == 1;
}

/// Writes to the fifo that init waits at.
Result<UniqueFd> open_gate(const Entry& entry) {
  UniqueFd fifo = TRY(entry.open_fifo(Fifo::kExec, O_WRONLY | O_NONBLOCK), entry.id());
  // One that a `start` left which was killed: init takes one only, and the other would stay.
  static_cast<void>(holds_byte(entry));
  TRY(sys::write_once(fifo.get(), "0"), entry.id());
  return fifo;
}

/// Waits until init has executed its payload or ended.
Status wait_for_execution(const Entry& entry, const Observed& seen, int fifo) {
  TRY(sys::wait_reader_gone(fifo, seen.init.get()), entry.id());
  // An init that took the byte did what it was asked, and a short payload may be over already.
  if (holds_byte(entry)) {
    return Error(cat(entry.id(), ": container init ended before it was started"));
  }
  return entry.remove_fifo(Fifo::kExec);
}

/// What init reports on its way; empty when there is nothing that it could.
Result<UniqueFd> open_report(const Entry& entry) {
  Result<UniqueFd> report = entry.open_fifo(Fifo::kReport, O_RDONLY | O_NONBLOCK);
  if (!report && report.error().code() == ENOENT) return UniqueFd();
  return report;
}

/// With hooks or a seccomp agent: they are in the config.
Status start_reporting(const Entry& entry, const Observed& seen, const spec::Config& config,
                       int report) {
  Started started(seen.record);
  started.report = report;
  started.pid = seen.record.pid;
  started.pidfd = seen.init.get();
  if (config.linux_.seccomp) {
    started.listener_path = config.linux_.seccomp->listener_path;
    started.listener_metadata = config.linux_.seccomp->listener_metadata;
    started.notifies = std::ranges::any_of(config.linux_.seccomp->syscalls, [](const auto& rule) {
      return rule.action == "SCMP_ACT_NOTIFY";
    });
  }
  TRY(follow(started));
  // What is still in it is of no interest: init had been let through by a `start` that was killed.
  TRY(entry.remove_fifo(Fifo::kExec));
  TRY(run_poststart_hooks(plan::plan_hooks(config), started));
  return entry.remove_fifo(Fifo::kReport);
}

Status start_locked(Entry& entry, const Observed& seen, const Warn& warn) {
  const UniqueFd report = TRY(open_report(entry), entry.path());
  if (!report) {
    const UniqueFd fifo = TRY(open_gate(entry));
    Status executed = wait_for_execution(entry, seen, fifo.get());
    if (!executed) return explain_end(std::move(executed).error(), seen.record.cgroups);
    return executed;
  }
  const spec::Config parsed = TRY(load_config(entry));
  // From here on it is started, or destroyed.
  const UniqueFd fifo = TRY(open_gate(entry));
  Status started = start_reporting(entry, seen, parsed, report.get());
  if (started) return ok();
  Error why = explain_end(std::move(started).error(), seen.record.cgroups);
  const Result<std::string> config = entry.load_config();
  // runtime.md, "Lifecycle", step 12: it is stopped and destroyed.
  const Status down = take_down(entry, seen, Processes::kPerhaps, warn);
  if (!down && warn) warn(down.error().message());
  return located(std::move(why), config ? config.value() : "").within(entry.id());
}

Status check_startable(const Observed& seen) {
  switch (seen.status) {
    case ContainerStatus::kCreated:
      return ok();
    case ContainerStatus::kRunning:
      return Error("cannot start an already running container");
    case ContainerStatus::kPaused:
      return Error("cannot start a paused container: container paused")
          .with_hint("resume it first");
    case ContainerStatus::kCreating:
    case ContainerStatus::kStopped:
      break;
  }
  return Error("cannot start a container that has stopped");
}

}  // namespace

Status start(const Store& store, const std::string& id, const Warn& warn) {
  std::optional<Entry> entry = TRY(store.find_locked(id));
  if (!entry) return no_such_container(id);
  const Observed seen = TRY(observe(*entry));
  TRY(check_startable(seen), id);
  if (!seen.record.has_process) {
    return Error(cat(id, ": its config.json has no process, which start needs"));
  }
  Readiness readiness = TRY(Readiness::listen(*entry, seen.record, warn));
  TRY(in_step(plan::Step::kRelease, start_locked(*entry, seen, warn)));
  // It may take its time: others may look at the container, or kill it.
  entry->unlock();
  readiness.wait(seen.init.get(), seen.record.pid);
  return ok();
}

}  // namespace rt::container
