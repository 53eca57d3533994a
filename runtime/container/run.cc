// run: a container in the foreground.
#include <signal.h>
#include <sys/wait.h>

#include <optional>
#include <utility>
#include <vector>

#include "runtime/container/bring_up.h"
#include "runtime/container/console.h"
#include "runtime/container/container.h"
#include "runtime/container/teardown.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// SIGCHLD and SIGURG are about us, and SIGWINCH is about our terminal, not the container's.
bool is_for_init(int signal) { return signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH; }

Status hand_on(int signal, int init) {
  Status sent = sys::pidfd_send_signal(init, signal);
  if (!sent && sent.error().code() == ESRCH) return ok();
  return sent;
}

/// Hands signals on to init, and bytes to and from its terminal, until it has ended.
Status attend(int signals, int init, std::optional<Relay>& relay) {
  while (true) {
    std::vector<sys::Watched> watched = {{.fd = init, .read = true}, {.fd = signals, .read = true}};
    if (relay) relay->watch(watched);
    TRY(sys::poll(watched));
    // First: once it has ended nothing is to be handed on.
    if (watched[0].readable) return relay ? relay->drain() : ok();
    if (relay) TRY(relay->serve(watched));
    if (!watched[1].readable) continue;
    const int signal = TRY(sys::read_signal(signals));
    if (signal == SIGWINCH && relay) relay->resize();
    if (is_for_init(signal)) TRY(hand_on(signal, init));
  }
}

/// Our own terminal is as before when this returns.
Status attend_terminal(Live& live, const plan::Plan& plan, int signals) {
  std::optional<Relay> relay;
  if (plan.console) {
    relay.emplace(TRY(Relay::start(std::move(live.console)), "terminal"));
  }
  return attend(signals, live.launch.pidfd(), relay);
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
  Live live = TRY(bring_up(store, plan, options, Gate::kNone, Terminal::kHere));
  // Others may look at the container, kill it, or delete it by force while it runs.
  live.entry.unlock();
  Status attended = attend_terminal(live, plan, signals.get());
  if (!attended) {
    // Nobody would look after it any more.
    static_cast<void>(hand_on(SIGKILL, live.launch.pidfd()));
    static_cast<void>(clean_up(live));
    return std::move(attended).error().within("container ", plan.id);
  }
  const int status = TRY(sys::wait_for(live.launch.pid()), "container ", plan.id);
  RunOutcome outcome;
  outcome.exit_code = exit_code_of(status);
  if (after == AfterRun::kDelete) outcome.cleanup = clean_up(live);
  return outcome;
}

}  // namespace rt::container
