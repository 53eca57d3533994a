#include "runtime/container/foreground.h"

#include <signal.h>
#include <sys/wait.h>

#include <optional>
#include <utility>
#include <vector>

#include "runtime/container/console.h"
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

/// Hands signals on to init, bytes to and from its terminal, and its readiness, until it has ended.
Status hand_on_all(int signals, int init, std::optional<Relay>& relay, Readiness& readiness) {
  while (true) {
    std::vector<sys::Watched> watched = {{.fd = init, .read = true}, {.fd = signals, .read = true}};
    if (relay) relay->watch(watched);
    readiness.watch(watched);
    TRY(sys::poll(watched));
    // We end when the container does: the host is to look after us.
    readiness.serve(sys::getpid());
    // First: once it has ended nothing is to be handed on.
    if (watched[0].readable) return relay ? relay->drain() : ok();
    if (relay) TRY(relay->serve(watched));
    if (!watched[1].readable) continue;
    const int signal = TRY(sys::read_signal(signals));
    if (signal == SIGWINCH && relay) relay->resize();
    if (is_for_init(signal)) TRY(hand_on(signal, init));
  }
}

}  // namespace

Status attend(int signals, int pidfd, UniqueFd console, Readiness readiness) {
  std::optional<Relay> relay;
  if (console) relay.emplace(TRY(Relay::start(std::move(console)), "terminal"));
  return hand_on_all(signals, pidfd, relay, readiness);
}

void give_up(int pidfd) { static_cast<void>(hand_on(SIGKILL, pidfd)); }

int exit_code_of(int wait_status) {
  constexpr int kSignalBase = 128;
  if (WIFSIGNALED(wait_status)) return kSignalBase + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

}  // namespace rt::container
