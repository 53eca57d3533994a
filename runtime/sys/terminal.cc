#include "runtime/sys/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "runtime/sys/retry.h"

namespace rt::sys {

Status unlock_pty(int master) {
  const int unlocked = 0;
  return check("ioctl TIOCSPTLCK", ::ioctl(master, TIOCSPTLCK, &unlocked));
}

Result<UniqueFd> pty_peer(int master) {
  UniqueFd peer(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!peer) return Error::from_errno("ioctl TIOCGPTPEER");
  return peer;
}

Status set_controlling_terminal(int terminal) {
  return check("ioctl TIOCSCTTY", ::ioctl(terminal, TIOCSCTTY, 0));
}

Status set_window_size(int terminal, WindowSize size) {
  winsize wanted{};
  wanted.ws_row = size.height;
  wanted.ws_col = size.width;
  return check("ioctl TIOCSWINSZ", ::ioctl(terminal, TIOCSWINSZ, &wanted));
}

std::optional<WindowSize> window_size(int terminal) {
  winsize now{};
  if (::ioctl(terminal, TIOCGWINSZ, &now) < 0) return std::nullopt;
  return WindowSize{.height = now.ws_row, .width = now.ws_col};
}

std::optional<termios> terminal_attributes(int fd) {
  termios now{};
  if (::tcgetattr(fd, &now) < 0) return std::nullopt;
  return now;
}

Status set_terminal_attributes(int fd, const termios& attributes) {
  return check("tcsetattr", retry([&] { return ::tcsetattr(fd, TCSANOW, &attributes); }));
}

termios raw_attributes(termios attributes) {
  ::cfmakeraw(&attributes);
  attributes.c_oflag |= OPOST;
  return attributes;
}

}  // namespace rt::sys
