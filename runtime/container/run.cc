// run: a container in the foreground.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <optional>
#include <utility>

#include "runtime/container/bring_up.h"
#include "runtime/container/container.h"
#include "runtime/container/teardown.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

constexpr std::chrono::milliseconds kForEver{-1};

/// SIGCHLD and SIGURG are about us, and SIGWINCH is about a terminal that is not the container's.
bool is_for_init(int signal) { return signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH; }

/// Hands signals on to init until it has ended.
Status forward_signals(int signals, int init) {
  while (true) {
    // Init first in the list: once it has ended nothing is to be handed on.
    const std::optional<size_t> ready = TRY(sys::wait_readable({init, signals}, kForEver));
    if (ready == 0) return ok();
    const int signal = TRY(sys::read_signal(signals));
    if (!is_for_init(signal)) continue;
    const Status sent = sys::pidfd_send_signal(init, signal);
    if (!sent && sent.error().code() != ESRCH) return sent;
  }
}

int exit_code_of(int wait_status) {
  constexpr int kSignalBase = 128;  // as a shell says it
  if (WIFSIGNALED(wait_status)) return kSignalBase + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

Status clean_up(Live& live) {
  // Processes outlive init where the pid namespace is not the container's own.
  const bool locked = TRY(live.entry.lock(kLockPatience));
  if (!locked) return ok();  // somebody deleted it by force
  TRY(kill_processes(live.record));
  return remove_traces(live.entry, live.record);
}

}  // namespace

Result<RunOutcome> run(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                       AfterRun after) {
  // Before init exists: none is lost. Init itself starts with none blocked.
  const UniqueFd signals = TRY(sys::block_signals());
  Live live = TRY(bring_up(store, plan, options, Gate::kNone));
  // Others may look at the container, kill it, or delete it by force while it runs.
  live.entry.unlock();
  TRY(forward_signals(signals.get(), live.launch.pidfd()), "container ", plan.id);
  const int status = TRY(sys::wait_for(live.launch.pid()), "container ", plan.id);
  RunOutcome outcome;
  outcome.exit_code = exit_code_of(status);
  if (after == AfterRun::kDelete) outcome.cleanup = clean_up(live);
  return outcome;
}

}  // namespace rt::container
