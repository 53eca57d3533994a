#include "tests/support/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::testing {
namespace {

constexpr std::chrono::seconds kPatience(10);

bool becomes_readable(int fd, std::chrono::milliseconds patience) {
  return sys::wait_readable({fd}, patience).value().has_value();
}

}  // namespace

Listener::Listener(const std::string& path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string name = "/proc/self/fd/" + std::to_string(opened.get()) + "/" +
                           path.substr(slash == std::string::npos ? 0 : slash + 1);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, name.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket_.get(), 4), 0);
}

UniqueFd Listener::accept() const {
  if (!becomes_readable(socket_.get(), kPatience)) return {};
  return UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

bool Listener::is_called() const { return is_readable(socket_.get()); }

bool is_readable(int fd) { return becomes_readable(fd, std::chrono::milliseconds(0)); }

Delivery receive_all(int connection) {
  Delivery delivery;
  std::array<char, 65536> block{};
  while (becomes_readable(connection, kPatience)) {
    Result<sys::Received> received = sys::receive(connection, block.data(), block.size());
    if (!received || received.value().size == 0) break;
    delivery.text.append(block.data(), received.value().size);
    if (received.value().descriptor) {
      EXPECT_FALSE(delivery.descriptor) << "descriptors with two messages";
      delivery.descriptor = std::move(received.value().descriptor);
    }
  }
  return delivery;
}

std::string read_terminal(int master) {
  std::string all;
  std::array<char, 4096> block{};
  while (becomes_readable(master, kPatience)) {
    const ssize_t count = ::read(master, block.data(), block.size());
    if (count <= 0) break;
    all.append(block.data(), static_cast<size_t>(count));
  }
  return all;
}

}  // namespace rt::testing
