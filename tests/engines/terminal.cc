#include "tests/engines/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include "runtime/sys/file.h"
#include "tests/engines/engine.h"

namespace rt::testing {
namespace {

UniqueFd open_terminal() {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  EXPECT_EQ(::grantpt(master.get()), 0);
  EXPECT_EQ(::unlockpt(master.get()), 0);
  return master;
}

/// setsid(1) makes a session, whose terminal is its standard input.
Call on_terminal(const std::string& program, Call call, int master) {
  call.args.insert(call.args.begin(), {"--wait", "--ctty", find_program(program)});
  std::array<char, 64> slave{};
  EXPECT_EQ(::ptsname_r(master, slave.data(), slave.size()), 0);
  call.before_exec = [first = std::move(call.before_exec), slave] {
    const int terminal = ::open(slave.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(terminal, fd);
    if (first) first();
  };
  return call;
}

}  // namespace

Terminal::Terminal(const std::string& program, Call call)
    : Terminal(program, std::move(call), open_terminal()) {}

Terminal::Terminal(const std::string& program, Call call, UniqueFd master)
    : master_(std::move(master)),
      program_(find_program("setsid"), on_terminal(program, std::move(call), master_.get())) {}

void Terminal::type(std::string_view keys) const {
  EXPECT_TRUE(sys::write_all(master_.get(), keys).ok());
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
  const winsize size = {.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  EXPECT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
}

void Terminal::read_on() {
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t count = ::read(master_.get(), block.data(), block.size());
    if (count <= 0) return;
    shown_.append(block.data(), static_cast<size_t>(count));
  }
}

bool Terminal::shows(std::string_view text) {
  return eventually(
      [&] {
        read_on();
        return shown_.find(text) != std::string::npos;
      },
      std::chrono::seconds(30));
}

bool Terminal::becomes_raw() const {
  return eventually([&] {
    termios now{};
    return ::tcgetattr(master_.get(), &now) == 0 && (now.c_lflag & ICANON) == 0 &&
           (now.c_iflag & IXON) == 0;
  });
}

Outcome Terminal::wait() {
  Outcome outcome = program_.wait(std::chrono::minutes(1));
  read_on();
  outcome.out = shown_;
  return outcome;
}

}  // namespace rt::testing
