// The calls of process.h about signals, waiting and time.
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "runtime/sys/process.h"
#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

Result<int> wait_for(pid_t child) {
  int status = 0;
  if (retry([&] { return ::waitpid(child, &status, 0); }) < 0) return Error::from_errno("waitpid");
  return status;
}

Result<std::optional<Ended>> wait_any() {
  Ended ended;
  ended.pid = retry([&] { return ::waitpid(-1, &ended.status, WNOHANG); });
  if (ended.pid < 0 && errno != ECHILD) return Error::from_errno("waitpid");
  if (ended.pid <= 0) return std::optional<Ended>();
  return std::optional<Ended>(ended);
}

Result<UniqueFd> pidfd_open(pid_t pid) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return Error::from_errno("pidfd_open");
  return fd;
}

Status pidfd_send_signal(int pidfd, int signal) {
  return check("pidfd_send_signal", ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

Status kill(pid_t pid, int signal) { return check("kill", ::kill(pid, signal)); }

Result<std::optional<size_t>> wait_readable(const std::vector<int>& fds,
                                            std::chrono::milliseconds patience) {
  std::vector<pollfd> polled;
  polled.reserve(fds.size());
  for (const int fd : fds) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  const auto deadline = monotonic_clock() + patience;
  std::chrono::milliseconds left = patience;
  while (true) {
    // What poll(2) cannot wait for in one call (24 days), we wait for in several.
    const int64_t turn = std::min<int64_t>(left.count(), INT_MAX);
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(turn));
    if (ready < 0 && errno != EINTR) return Error::from_errno("poll");
    for (size_t i = 0; ready > 0 && i < polled.size(); ++i) {
      if (polled[i].revents != 0) return std::optional<size_t>(i);
    }
    if (patience.count() < 0) continue;
    left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_clock());
    if (left.count() <= 0) return std::optional<size_t>();
  }
}

Result<bool> wait_notified(int fd, std::chrono::milliseconds patience) {
  pollfd polled{.fd = fd, .events = POLLPRI, .revents = 0};
  const auto turn = std::clamp<int64_t>(patience.count(), 0, INT_MAX);
  const int ready = ::poll(&polled, 1, static_cast<int>(turn));
  if (ready < 0 && errno != EINTR) return Error::from_errno("poll");
  return ready > 0;
}

Status poll(std::vector<Watched>& watched) {
  std::vector<pollfd> polled;
  polled.reserve(watched.size());
  for (const Watched& one : watched) {
    const int events =
        (one.read ? POLLIN : 0) | (one.write ? POLLOUT : 0) | (one.urgent ? POLLPRI : 0);
    polled.push_back({.fd = one.fd, .events = static_cast<short>(events), .revents = 0});
  }
  TRY(check("poll", retry([&] { return ::poll(polled.data(), polled.size(), -1); })));
  for (size_t i = 0; i < watched.size(); ++i) {
    const int answer = polled[i].revents;
    watched[i].readable = watched[i].read && (answer & (POLLIN | POLLHUP | POLLERR)) != 0;
    watched[i].writable = watched[i].write && (answer & POLLOUT) != 0;
    watched[i].alarmed = watched[i].urgent && (answer & POLLPRI) != 0;
    watched[i].broken = (answer & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  }
  return ok();
}

Result<WriterWake> wait_reader_gone(int fifo, int pidfd) {
  std::array<pollfd, 2> polled{};
  polled[0] = {.fd = fifo, .events = 0, .revents = 0};  // POLLERR is always reported
  polled[1] = {.fd = pidfd, .events = POLLIN, .revents = 0};
  if (retry([&] { return ::poll(polled.data(), polled.size(), -1); }) < 0) {
    return Error::from_errno("poll");
  }
  return polled[1].revents != 0 ? WriterWake::kProcessEnded : WriterWake::kReaderGone;
}

Status reset_signals() {
  // Raw: glibc keeps two signals for itself and would leave them ignored. All zero is SIG_DFL.
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    uint64_t mask;
  } action{};
  for (int signal = 1; signal < NSIG; ++signal) {
    // SIGKILL and SIGSTOP cannot be set, and need not be.
    ::syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
  }
  sigset_t none;
  ::sigemptyset(&none);
  return check("sigprocmask", ::sigprocmask(SIG_SETMASK, &none, nullptr));
}

Status set_signal(int signal, SignalAction wanted) {
  struct sigaction action{};
  action.sa_handler = wanted == SignalAction::kIgnore ? SIG_IGN : SIG_DFL;
  return check("sigaction", ::sigaction(signal, &action, nullptr));
}

Result<UniqueFd> block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  // A fault of our own must still end us.
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
    ::sigdelset(&all, fault);
  }
  TRY(check("sigprocmask", ::sigprocmask(SIG_SETMASK, &all, nullptr)));
  UniqueFd fd(::signalfd(-1, &all, SFD_CLOEXEC));
  if (!fd) return Error::from_errno("signalfd");
  return fd;
}

Result<int> read_signal(int signalfd) {
  signalfd_siginfo info{};
  const ssize_t size = retry([&] { return ::read(signalfd, &info, sizeof info); });
  if (size < 0) return Error::from_errno("read");
  return static_cast<int>(info.ssi_signo);
}

std::chrono::nanoseconds wall_clock() { return read_clock(CLOCK_REALTIME); }
std::chrono::nanoseconds monotonic_clock() { return read_clock(CLOCK_MONOTONIC); }

}  // namespace rt::sys
