// The payload's terminal, on our side: handed to whoever asked for it, or shown in the foreground.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"
#include "runtime/sys/process.h"

namespace rt::container {

/// Whether the terminal that the payload has (or not) can be shown: by whoever listens at the
/// socket (--console-socket, or empty) when the runtime does not stay (`detached`), else by the
/// runtime.
Status check_console(const std::optional<plan::ConsoleStep>& step, const std::string& socket_path,
                     bool detached);

/// Sends the master end to the socket, if one is given; then `console` is empty. Else prepares it
/// for being shown here.
Status hand_over_console(const plan::ConsoleStep& step, const std::string& socket_path,
                         UniqueFd& console);

/// Before the payload runs: line ends as it writes them, and the size of the terminal that we show
/// it on (descriptor 0), unless the document has one.
Status prepare_console(int master, const plan::ConsoleStep& step);

/// Carries bytes and window sizes between the terminal's master end and our descriptors 0 and 1.
/// Where descriptor 0 is a terminal itself it is raw meanwhile, and as before when this ends. Where
/// it ends, the container reads an end of file (^D).
class Relay {
 public:
  static Result<Relay> start(UniqueFd master);
  Relay(Relay&& other) noexcept
      : master_(std::move(other.master_)),
        before_(std::exchange(other.before_, std::nullopt)),
        pending_(std::move(other.pending_)),
        input_open_(other.input_open_),
        output_open_(other.output_open_) {}
  Relay& operator=(Relay&&) = delete;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  /// Adds what we wait for.
  void watch(std::vector<sys::Watched>& watched) const;

  /// Does what can be done now, after a poll of what `watch` added.
  Status serve(const std::vector<sys::Watched>& watched);

  /// Shows what the container has written before it ended.
  Status drain();

  /// Our own terminal has another size now.
  void resize() const;

 private:
  explicit Relay(UniqueFd master) : master_(std::move(master)) {}
  Status take_input();
  Status give_input();
  /// Whether there may be more.
  Result<bool> show_output();

  UniqueFd master_;
  std::optional<termios> before_;  // of descriptor 0
  std::string pending_;            // read, and not yet taken by the container
  bool input_open_ = true;
  bool output_open_ = true;  // the container still has its end
};

}  // namespace rt::container
