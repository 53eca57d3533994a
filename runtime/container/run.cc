// run: create, start and, in the foreground, wait and delete.
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/bring_up.h"
#include "runtime/container/container.h"
#include "runtime/container/follow.h"
#include "runtime/container/foreground.h"
#include "runtime/container/hooks.h"
#include "runtime/container/teardown.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// Takes it away, with all its processes: they outlive init where the pid namespace is not the
/// container's own.
Status clean_up(Entry& entry, const Record& record, const plan::Plan& plan, const Warn& warn) {
  if (!entry.is_locked()) {
    const bool locked = TRY(entry.lock(kLockPatience));
    if (!locked) return ok();  // somebody deleted it by force
  }
  // Most leave nobody behind: then the cgroup is gone at once, and there is nobody to kill.
  const Result<bool> empty = cgroup::remove_empty(record.cgroups);
  if (!empty || !empty.value()) TRY(kill_processes(record));
  TRY(remove_traces(entry, record));
  run_poststop_hooks(plan.hooks, record, warn);
  return ok();
}

/// From the release of init to the end of `start`, in the words of the specification.
Status see_started(Live& live, const plan::Plan& plan) {
  if (!live.report) return ok();
  const Started started = started_as(live.record, plan, live.launch, live.report.get());
  TRY(follow(started));
  return run_poststart_hooks(plan.hooks, started);
}

/// One that did not start is stopped and destroyed: runtime.md, "Lifecycle", step 12.
Status start_live(Live& live, const plan::Plan& plan, const Warn& warn) {
  Status started = see_started(live, plan);
  if (started) return ok();
  give_up(live.launch.pidfd());
  static_cast<void>(sys::wait_for(live.launch.pid()));
  static_cast<void>(clean_up(live.entry, live.record, plan, warn));
  return std::move(started).error().within("container ", plan.id);
}

}  // namespace

Status run_detached(const Store& store, const plan::Plan& plan, const CreateOptions& options) {
  Live live = TRY(bring_up(store, plan, options, Gate::kNone, Terminal::kSocket));
  TRY(start_live(live, plan, options.warn));
  live.entry.unlock();
  live.readiness.wait(live.launch.pidfd(), live.launch.pid());
  return ok();
}

Result<RunOutcome> run(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                       AfterRun after) {
  // Before init exists: none is lost. Init itself starts with none blocked.
  const UniqueFd signals = TRY(sys::block_signals());
  Live live = TRY(bring_up(store, plan, options, Gate::kNone, Terminal::kHere));
  TRY(start_live(live, plan, options.warn));
  return attend_to_end({.entry = live.entry,
                        .record = live.record,
                        .pid = live.launch.pid(),
                        .pidfd = live.launch.pidfd(),
                        .console = std::move(live.console),
                        .readiness = std::move(live.readiness)},
                       plan, signals.get(), after, options.warn);
}

Result<RunOutcome> attend_to_end(Attended container, const plan::Plan& plan, int signals,
                                 AfterRun after, const Warn& warn) {
  Entry& entry = container.entry;
  // Others may look at the container, kill it, or delete it by force while it runs.
  entry.unlock();
  Status attended = attend(signals, container.pidfd, std::move(container.console),
                           std::move(container.readiness));
  if (!attended) {
    give_up(container.pidfd);
    static_cast<void>(clean_up(entry, container.record, plan, warn));
    return std::move(attended).error().within("container ", plan.id);
  }
  const int status = TRY(sys::wait_for(container.pid), "container ", plan.id);
  RunOutcome outcome;
  outcome.exit_code = exit_code_of(status);
  if (after == AfterRun::kDelete) {
    outcome.cleanup = clean_up(entry, container.record, plan, warn);
  }
  return outcome;
}

}  // namespace rt::container
