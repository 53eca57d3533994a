#include "runtime/container/console.h"

#include <unistd.h>

#include <array>

#include "runtime/container/output.h"
#include "runtime/sys/file.h"
#include "runtime/sys/terminal.h"

namespace rt::container {
namespace {

constexpr size_t kBlock = 4096;
constexpr char kEndOfFile = 4;  // ^D, the terminal's VEOF

const sys::Watched* find(const std::vector<sys::Watched>& watched, int fd) {
  for (const sys::Watched& one : watched) {
    if (one.fd == fd) return &one;
  }
  return nullptr;
}

/// Line ends are for the terminal that shows them, which is ours.
Status leave_line_ends(int master) {
  std::optional<termios> attributes = sys::terminal_attributes(master);
  if (!attributes) return Error("the console is no terminal");
  attributes->c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  return sys::set_terminal_attributes(master, *attributes);
}

/// The size of our own terminal, if we have one.
void copy_size(int master) {
  const std::optional<sys::WindowSize> size = sys::window_size(STDIN_FILENO);
  if (size) static_cast<void>(sys::set_window_size(master, *size));
}

}  // namespace

Status check_console(const std::optional<plan::ConsoleStep>& step, const std::string& socket_path,
                     bool detached) {
  // In runc's words: orchestrators and people know them.
  const bool given = !socket_path.empty();
  if (given && (!step || !detached)) {
    return Error("cannot use console socket if runtime will not detach or allocate tty");
  }
  if (given || !step || !detached) return ok();
  return Error("cannot allocate tty if runtime will detach without setting console socket")
      .at(step->origin);
}

Status hand_over_console(const plan::ConsoleStep& step, const std::string& socket_path,
                         UniqueFd& console) {
  if (socket_path.empty()) return prepare_console(console.get(), step);
  TRY(send_to_socket("--console-socket", socket_path, "/dev/console", console.get()));
  console.reset();
  return ok();
}

Status prepare_console(int master, const plan::ConsoleStep& step) {
  TRY(leave_line_ends(master));
  if (step.height == 0 && step.width == 0) copy_size(master);
  return ok();
}

Result<Relay> Relay::start(UniqueFd master) {
  TRY(sys::set_nonblocking(master.get()));
  Relay relay(std::move(master));
  const std::optional<termios> before = sys::terminal_attributes(STDIN_FILENO);
  if (!before) return relay;
  TRY(sys::set_terminal_attributes(STDIN_FILENO, sys::raw_attributes(*before)));
  relay.before_ = before;
  return relay;
}

Relay::~Relay() {
  if (before_) static_cast<void>(sys::set_terminal_attributes(STDIN_FILENO, *before_));
}

void Relay::resize() const { copy_size(master_.get()); }

void Relay::watch(std::vector<sys::Watched>& watched) const {
  if (!output_open_) return;
  watched.push_back({.fd = master_.get(), .read = true, .write = !pending_.empty()});
  // One block at a time: a container that does not read holds us back, not the other way round.
  if (input_open_ && pending_.empty()) watched.push_back({.fd = STDIN_FILENO, .read = true});
}

Status Relay::serve(const std::vector<sys::Watched>& watched) {
  const sys::Watched* master = find(watched, master_.get());
  const sys::Watched* input = find(watched, STDIN_FILENO);
  if (input != nullptr && input->readable) TRY(take_input());
  if (master != nullptr && master->writable) TRY(give_input());
  if (master != nullptr && master->readable) TRY(show_output());
  return ok();
}

Status Relay::take_input() {
  std::array<char, kBlock> block{};
  const Result<size_t> count = sys::read(STDIN_FILENO, block.data(), block.size());
  input_open_ = count && count.value() > 0;
  pending_ = input_open_ ? std::string(block.data(), count.value()) : std::string(1, kEndOfFile);
  return ok();
}

Status Relay::give_input() {
  const Result<size_t> taken = sys::write_some(master_.get(), pending_);
  if (!taken && taken.error().code() == EAGAIN) return ok();
  // Nobody has the other end any more, or may ever read: what is left is for nobody.
  if (!taken) {
    input_open_ = false;
    pending_.clear();
    return ok();
  }
  pending_.erase(0, taken.value());
  return ok();
}

Result<bool> Relay::show_output() {
  std::array<char, kBlock> block{};
  const Result<size_t> count = sys::read(master_.get(), block.data(), block.size());
  if (!count && count.error().code() == EAGAIN) return false;
  if (!count || count.value() == 0) {
    output_open_ = false;  // EIO: the last of the container's descriptors is closed
    return false;
  }
  // A reader of ours that went away must not keep the container from writing.
  static_cast<void>(sys::write_all(STDOUT_FILENO, {block.data(), count.value()}));
  return true;
}

Status Relay::drain() {
  while (TRY(show_output())) {
  }
  return ok();
}

}  // namespace rt::container
