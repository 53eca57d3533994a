#include "runtime/container/notify.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "runtime/sys/file.h"
#include "runtime/sys/socket.h"

namespace rt::container {
namespace {

constexpr const char* kSocket = "notify.sock";

/// Longer messages are cut, as systemd does.
constexpr size_t kLongest = 4096;

bool says_ready(std::string_view message) {
  return std::ranges::any_of(split(message, '\n'),
                             [](std::string_view line) { return line == "READY=1"; });
}

std::string path_of(int fd) { return cat("/proc/self/fd/", fd); }

Status send_line(int host, std::string_view line) {
  return sys::send(host, line.data(), line.size());
}

/// sd_notify_barrier(3): the host closes the descriptor that it gets once it has seen all that was
/// sent before.
Status wait_until_seen(int host) {
  constexpr std::chrono::seconds kPatience{30};
  constexpr std::string_view kBarrier = "BARRIER=1";
  sys::Pipe pipe = TRY(sys::pipe());
  TRY(sys::send_descriptor(host, kBarrier.data(), kBarrier.size(), pipe.write.get()));
  pipe.write.reset();
  const std::optional<size_t> closed = TRY(sys::wait_readable({pipe.read.get()}, kPatience));
  if (!closed) return Error::from_errno("barrier", ETIMEDOUT);
  return ok();
}

Result<UniqueFd> make_socket(int directory) {
  // By the descriptor: the path of the state root may be longer than an address can be.
  const std::string path = cat(path_of(directory), '/', kSocket);
  // Of an earlier `start` that was killed before it let the container go on.
  sys::try_unlink(path);
  UniqueFd socket = TRY(sys::bind_datagrams(path));
  // For any user of the container; nobody else gets to it. What stands there now is not followed
  // should it be a link.
  const UniqueFd made = TRY(sys::openat(directory, kSocket, O_PATH | O_NOFOLLOW));
  TRY(sys::fchmodat(AT_FDCWD, path_of(made.get()), 0666));
  return socket;
}

}  // namespace

Result<Readiness> Readiness::listen(const Entry& entry, const Record& record, Warn warn) {
  if (record.notify_socket.empty()) return Readiness();
  const UniqueFd directory = TRY(entry.open_notify_directory());
  UniqueFd socket = TRY(make_socket(directory.get()), entry.path());
  return Readiness(std::move(socket), record.notify_socket, std::move(warn));
}

void Readiness::watch(std::vector<sys::Watched>& watched) const {
  if (socket_) watched.push_back({.fd = socket_.get(), .read = true});
}

void Readiness::serve(pid_t main) {
  if (!take_ready()) return;
  const Result<UniqueFd> told = tell_host(main);
  if (!told) warn_of(told.error());
}

void Readiness::wait(int pidfd, pid_t main) {
  while (socket_) {
    const auto woken = sys::wait_readable({pidfd, socket_.get()}, std::chrono::milliseconds(-1));
    if (!woken) return warn_of(woken.error());
    if (take_ready()) {
      const Result<UniqueFd> host = tell_host(main);
      const Status seen = host ? wait_until_seen(host.value().get()) : host.error();
      if (!seen) warn_of(seen.error());
    } else if (woken.value() == 0U) {
      return;
    }
  }
}

/// Whatever else the container says is not for the host: it could speak in our name. Once it is
/// ready nobody listens any more; it is told so (ECONNREFUSED) instead of waiting for room.
bool Readiness::take_ready() {
  // A container that never stops talking must not keep us from our signals.
  constexpr int kMost = 64;
  std::array<char, kLongest> message{};
  for (int i = 0; socket_ && i < kMost; ++i) {
    // Descriptors that come along are closed by the kernel: read(2) has no room for them.
    const Result<size_t> size = sys::read(socket_.get(), message.data(), message.size());
    if (!size) return false;
    if (!says_ready({message.data(), size.value()})) continue;
    socket_.reset();
    return true;
  }
  return false;
}

Result<UniqueFd> Readiness::tell_host(pid_t main) const {
  constexpr int kPatienceSeconds = 10;
  UniqueFd host = TRY(sys::connect_datagrams(host_, kPatienceSeconds));
  TRY(send_line(host.get(), "READY=1"));
  TRY(send_line(host.get(), cat("MAINPID=", main)));
  return host;
}

void Readiness::warn_of(const Error& error) const {
  if (warn_) warn_(cat("NOTIFY_SOCKET ", quoted(host_), ": ", error.message()));
}

}  // namespace rt::container
