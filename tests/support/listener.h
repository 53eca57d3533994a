// The other end of what a runtime connects to: --console-socket, seccomp's listenerPath.
#pragma once

#include <string>

#include "runtime/base/unique_fd.h"

namespace rt::testing {

/// A stream socket of the Unix domain that listens at `path`, which may be longer than an address.
class Listener {
 public:
  explicit Listener(const std::string& path);
  /// The next connection; nothing valid when none comes within ten seconds.
  [[nodiscard]] UniqueFd accept() const;
  /// Whether a connection waits to be accepted.
  [[nodiscard]] bool is_called() const;

 private:
  UniqueFd socket_;
};

/// One message and the descriptor that came with it.
struct Delivery {
  std::string text;
  UniqueFd descriptor;
};

/// Whether there is something to read, or the other side is gone.
bool is_readable(int fd);

/// Reads until the other side closes.
Delivery receive_all(int connection);

/// What comes out of a terminal until its other end is closed.
std::string read_terminal(int master);

}  // namespace rt::testing
