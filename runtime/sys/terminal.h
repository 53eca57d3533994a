// Terminal system calls, one function each.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// ioctl(TIOCSPTLCK): the other end of the pseudo terminal may be opened.
Status unlock_pty(int master);

/// ioctl(TIOCGPTPEER): the other end, without a path. Not our controlling terminal. Linux 4.13.
Result<UniqueFd> pty_peer(int master);

/// ioctl(TIOCSCTTY): the controlling terminal of our session.
Status set_controlling_terminal(int terminal);

/// In characters.
struct WindowSize {
  uint16_t height = 0;
  uint16_t width = 0;
};
/// ioctl(TIOCSWINSZ) and ioctl(TIOCGWINSZ); nothing where the descriptor is no terminal.
Status set_window_size(int terminal, WindowSize size);
std::optional<WindowSize> window_size(int terminal);

/// tcgetattr(3); nothing where the descriptor is no terminal. tcsetattr(3), at once.
std::optional<termios> terminal_attributes(int fd);
Status set_terminal_attributes(int fd, const termios& attributes);

/// cfmakeraw(3) of them, but line ends are still made of newlines (OPOST).
termios raw_attributes(termios attributes);

}  // namespace rt::sys
