// Plays CRIU for the tests of the program that talks to it: fake_criu swrk FD. $FAKE_CRIU says how
// it behaves. Its messages are written byte by byte, so that they depend on nobody's idea of the
// protocol: a tag is the field's number * 8, + 2 before what has a length.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/socket.h"

namespace rt::testing {
namespace {

constexpr size_t kLongest = size_t{4} << 20;

std::string number(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}

std::string with_length(const std::string& bytes) { return number(bytes.size()) + bytes; }

/// criu_resp: type, success.
std::string answer(char type, bool success) {
  return {'\x08', type, '\x10', static_cast<char>(success ? 1 : 0)};
}

/// The same with cr_errmsg, in which the tests find what they want to know.
std::string tell(const std::string& text) {
  return answer('\x00', true) + "\x4a" + with_length(text);
}

/// NOTIFY with criu_notify: script, and our pid.
std::string notification(const std::string& script) {
  const std::string notify =
      "\x0a" + with_length(script) + "\x10" + number(static_cast<uint64_t>(::getpid()));
  return answer('\x06', true) + "\x2a" + with_length(notify);
}

std::string hex(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// The descriptors from 3 on, what standard input is, who is at the other end, the signals that are
/// blocked.
std::string surroundings(int socket) {
  std::string text = cat("peer ", ::getppid());
  ucred peer{};
  socklen_t size = sizeof peer;
  ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (peer.pid != ::getppid()) text = "peer is not the parent";
  text += cat(" input ", sys::readlinkat(AT_FDCWD, "/proc/self/fd/0").value(), " open");
  for (int fd = 3; fd < 100; ++fd) {
    if (fd != socket && ::fcntl(fd, F_GETFD) >= 0) text += cat(' ', fd);
  }
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  struct sigaction action{};
  ::sigaction(SIGCHLD, nullptr, &action);
  const bool plain = ::sigisemptyset(&blocked) != 0 && action.sa_handler == SIG_DFL;
  return text + (plain ? " signals plain" : " signals changed");
}

class Fake {
 public:
  explicit Fake(int socket) : socket_(socket) {
    static_cast<void>(sys::set_send_buffer(socket_, kLongest));
  }

  int play(const std::string& how) {
    if (how == "exits") return wait_for(POLLIN), 7;
    if (how == "is_deaf") return answer_without_hearing();
    const std::string request = receive();
    if (request.empty()) return 1;
    if (how == "echoes") return send(tell(hex(request)));
    if (how == "counts") return send(tell(std::to_string(request.size())));
    if (how == "looks") return send(tell(surroundings(socket_)));
    if (how == "refuses") return send(answer('\x01', false) + "\x38\x01" + "\x4a\x04why?");
    if (how == "dies") return ::kill(::getpid(), SIGKILL);
    if (how == "babbles") return send("\xff\xff\xff");
    if (how == "floods") return send(tell(std::string(kLongest / 4 + 1, 'x')));
    if (how == "fills") return send(tell(std::string(600'000, 'x')));
    if (how == "notifies") return notify_with_descriptor();
    if (how == "restores") return restore_sibling();
    if (how == "leaves_a_child") return leave_child();
    if (how == "answers_once") return answer_once();
    if (how == "stays") return stay();
    if (how == "takes_back") return take_back();
    return 2;
  }

 private:
  void wait_for(short event) const {
    pollfd polled{.fd = socket_, .events = event, .revents = 0};
    while ((polled.revents & event) == 0) ::poll(&polled, 1, -1);
  }

  std::string receive() const {
    std::string bytes(kLongest, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return bytes;
  }

  [[nodiscard]] int send(const std::string& bytes) const {
    return sys::send(socket_, bytes.data(), bytes.size()) ? 0 : 3;
  }

  [[nodiscard]] int notify_with_descriptor() const {
    const UniqueFd file(::memfd_create("master", MFD_CLOEXEC));
    static_cast<void>(sys::write_all(file.get(), "of the terminal"));
    const std::string bytes = notification("orphan-pts-master");
    send_twice(bytes, file.get());
    return send(tell(hex(receive())));
  }

  /// Two copies of the descriptor: one more than there is a use for.
  void send_twice(std::string bytes, int descriptor) const {
    const std::array both = {descriptor, descriptor};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof both)> control{};
    iovec buffer{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof both);
    std::memcpy(CMSG_DATA(header), both.data(), sizeof both);
    ::sendmsg(socket_, &message, 0);
  }

  /// A child of the parent's, as a restored container is with rst_sibling.
  [[nodiscard]] int restore_sibling() const {
    const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (pid == 0) {
      ::close(socket_);
      while (true) ::pause();
    }
    const std::string restore = "\x08" + number(static_cast<uint64_t>(pid));
    return send(answer('\x02', true) + "\x22" + with_length(restore));
  }

  /// It holds the socket open until the peer has closed it.
  [[nodiscard]] int leave_child() const {
    if (::fork() == 0) static_cast<void>(receive());
    return 0;
  }

  /// What is sent to it fails, as to one that has just ended.
  [[nodiscard]] int answer_without_hearing() const {
    wait_for(POLLIN);
    ::shutdown(socket_, SHUT_RD);
    static_cast<void>(send(notification("network-lock")));
    static_cast<void>(send(answer('\x01', false)));
    wait_for(POLLHUP);
    return 1;
  }

  [[nodiscard]] int answer_once() const {
    static_cast<void>(send(answer('\x00', true)));
    static_cast<void>(receive());
    return 5;
  }

  [[nodiscard]] int stay() const {
    static_cast<void>(send(notification("network-lock")));
    while (true) ::pause();
  }

  [[nodiscard]] int take_back() const {
    static_cast<void>(send(notification("network-lock")));
    if (!receive().empty()) return 4;
    static_cast<void>(sys::write_all(1, "taken back"));
    return 1;
  }

  int socket_;
};

}  // namespace
}  // namespace rt::testing

int main(int argc, char** argv) {
  const char* how = std::getenv("FAKE_CRIU");
  if (argc != 3 || std::string(argv[1]) != "swrk" || how == nullptr) return 2;
  const auto socket = rt::parse_uint(argv[2]);
  if (!socket) return 2;
  return rt::testing::Fake(static_cast<int>(*socket)).play(how);
}
