#include "runtime/container/teardown.h"

#include <algorithm>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/hooks.h"
#include "runtime/container/step.h"
#include "runtime/kernel/intel_rdt.h"
#include "runtime/plan/make_plan.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// Waits until init is gone; a zombie is. ETIMEDOUT otherwise.
///
/// Where a cgroup was found empty it has no thread that runs any more. It may still wait for its
/// pid namespace: for a process that joined, ended, and that nobody reaps. That is not ours to
/// mend.
Status wait_for_init(const Observed& seen) {
  if (!seen.init) return ok();
  constexpr std::chrono::milliseconds kLinger{1000};
  const bool in_cgroup = std::ranges::any_of(seen.record.cgroups, &cgroup::Directory::leaf);
  const std::optional<size_t> ended =
      TRY(sys::wait_readable({seen.init.get()}, in_cgroup ? kLinger : kKillPatience),
          "waiting for init");
  if (!ended && !in_cgroup) return Error::from_errno("waiting for init", ETIMEDOUT);
  return ok();
}

/// Those that the record says are there.
Result<std::vector<plan::HookStep>> load_poststop_hooks(const Entry& entry, const Record& record) {
  if (!record.poststop_hooks) return std::vector<plan::HookStep>();
  const spec::Config config = TRY(load_config(entry));
  return plan::plan_hooks(config);
}

}  // namespace

Status kill_init(const Observed& seen) {
  if (!seen.init) return ok();
  Status sent = sys::pidfd_send_signal(seen.init.get(), SIGKILL);
  if (!sent && sent.error().code() == ESRCH) return ok();
  return sent;
}

Status kill_processes(const Record& record) {
  return in_step(plan::Step::kKill, cgroup::kill_all(record.cgroups, kKillPatience));
}

Status take_down(Entry& entry, const Observed& seen, Processes left, const Warn& warn) {
  const auto hooks = load_poststop_hooks(entry, seen.record);
  if (!hooks && warn) warn(hooks.error().message());
  // Nothing of it has survived a reboot; what has its cgroup's name now is somebody else's.
  if (seen.earlier_boot) {
    TRY(entry.remove());
  } else {
    // Init goes first, and by its own descriptor: where it has no cgroup, it is all that can be
    // killed, and in a pid namespace of its own it takes the others with it.
    TRY(kill_init(seen), entry.id());
    if (left == Processes::kPerhaps) TRY(kill_processes(seen.record), entry.id());
    TRY(wait_for_init(seen), entry.id());
    TRY(remove_traces(entry, seen.record), entry.id());
  }
  if (hooks) run_poststop_hooks(hooks.value(), seen.record, warn);
  return ok();
}

bool take_back(Entry& entry, const Record& record) {
  return kill_processes(record).ok() && remove_traces(entry, record).ok();
}

Status remove_traces(Entry& entry, const Record& record) {
  TRY(in_step(plan::Step::kRemoveCgroup, cgroup::remove(record.cgroups, kKillPatience)));
  TRY(in_step(plan::Step::kRemoveIntelRdt, kernel::remove_rdt_group(record.rdt_directories)));
  return in_step(plan::Step::kRemoveRecord, entry.remove());
}

}  // namespace rt::container
