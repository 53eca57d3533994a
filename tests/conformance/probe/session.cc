// Session, signals and terminal.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

constexpr int kSignals = 64;

/// The kernel's struct sigaction: the C library hides signals 32 and 33.
struct KernelAction {
  void (*handler)(int) = SIG_DFL;
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  uint64_t mask = 0;
};

bool is_ignored(int number) {
  KernelAction action;
  ::syscall(SYS_rt_sigaction, number, nullptr, &action, sizeof action.mask);
  return action.handler == SIG_IGN;
}

}  // namespace

void write_session(Writer& out) {
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal);
  out.key("session").open('{');
  out.member("pid", ::getpid()).member("parent", ::getppid());
  out.member("group", ::getpgid(0)).member("session", ::getsid(0));
  out.member("parentDeathSignal", death_signal);
  out.member("dumpable", ::prctl(PR_GET_DUMPABLE)).close('}');
}

void write_signals(Writer& out) {
  uint64_t blocked = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &blocked, sizeof blocked);
  out.key("signals").open('{').key("blocked").open('[');
  for (int number = 1; number <= kSignals; ++number) {
    if ((blocked >> (number - 1) & 1U) != 0) out.number(number);
  }
  out.close(']').key("ignored").open('[');
  for (int number = 1; number <= kSignals; ++number) {
    if (is_ignored(number)) out.number(number);
  }
  out.close(']').close('}');
}

void write_terminal(Writer& out) {
  out.key("terminal").open('{').key("streams").open('[');
  for (int fd = 0; fd < 3; ++fd) out.boolean(::isatty(fd) == 1);
  out.close(']');
  winsize size{};
  if (::ioctl(0, TIOCGWINSZ, &size) == 0) {
    out.member("width", size.ws_col).member("height", size.ws_row);
  }
  const char* name = ::ttyname(0);
  out.member("name", name == nullptr ? "" : name);
  struct stat info{};
  if (::fstat(0, &info) == 0) out.member("owner", info.st_uid);
  const int controlling = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  out.member("controlling", controlling >= 0);
  if (controlling >= 0) ::close(controlling);
  out.close('}');
}

}  // namespace probe
