// The agent that answers for the system calls that the filter notifies of: it gets the listener.
#include <fcntl.h>

#include "runtime/kernel/seccomp.h"
#include "runtime/sys/file.h"
#include "runtime/sys/socket.h"

namespace rt::kernel {
namespace {

Result<UniqueFd> connect_to(const std::string& path, int seconds) {
  constexpr size_t kLongest = 107;  // sun_path, without its NUL
  if (path.size() <= kLongest) return sys::connect_unix(path, seconds);
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return sys::connect_unix(path, seconds);
  const UniqueFd directory = TRY(sys::open(path.substr(0, slash + 1), O_PATH | O_DIRECTORY));
  return sys::connect_unix(cat("/proc/self/fd/", directory.get(), path.substr(slash)), seconds);
}

Status send_to(const std::string& path, int listener, std::string_view process_state, int seconds) {
  // Closed at the end: "the connection MUST NOT be reused".
  const UniqueFd socket = TRY(connect_to(path, seconds));
  return sys::send_descriptor(socket.get(), process_state.data(), process_state.size(), listener);
}

}  // namespace

Status send_listener(const std::string& path, int listener, std::string_view process_state,
                     int patience_seconds) {
  Status sent = send_to(path, listener, process_state, patience_seconds);
  if (!sent && sent.error().code() == EAGAIN) {
    sent = std::move(sent).error().with_hint("the agent does not answer");
  }
  TRY(at("/linux/seccomp/listenerPath", std::move(sent)), "seccomp agent ", quoted(path));
  return ok();
}

}  // namespace rt::kernel
