// A connection to a message bus on which nothing waits for longer than its deadline.
//
// libsystemd's own waiting calls are not used: connecting and authentication have time limits of
// their own there, of minutes.
#pragma once

#include <systemd/sd-bus.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/systemd/message.h"

namespace rt::systemd {

/// Of sys::monotonic_clock.
using Deadline = std::chrono::nanoseconds;

/// A time from now.
Deadline in(std::chrono::milliseconds time);

/// An answer that says no: what D-Bus calls it, and what it says.
struct Refusal {
  std::string name;  // "org.freedesktop.systemd1.UnitExists"
  std::string message;
};

/// The answer to a method call: one of the two.
struct Answer {
  Message reply;
  Refusal refusal;
  [[nodiscard]] bool ok() const { return reply != nullptr; }
};

class Bus {
 public:
  /// Connects to systemd's bus: the system's, or the user's own.
  static Result<Bus> connect(bool user, Deadline deadline);

  [[nodiscard]] sd_bus* get() const { return bus_.get(); }

  /// A call of a method of systemd's, to which arguments can be appended.
  Result<Message> make_call(const char* path, const char* interface, const char* method) const;

  /// Sends it and waits for its answer. ETIMEDOUT when the deadline comes first.
  Result<Answer> call(const Message& message, Deadline deadline);

  /// Has every message that fits `rule` given to `heard`, from now on. Does not wait.
  Status listen(const std::string& rule, std::function<void(sd_bus_message*)> heard);

  /// Takes what comes in until `condition` holds: true; false when the deadline came first.
  Result<bool> wait_until(const std::function<bool()>& condition, Deadline deadline);

 private:
  struct Close {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  };
  using Handler = std::function<void(sd_bus_message*)>;

  static Result<Bus> open(const std::string& address, Deadline deadline);

  std::unique_ptr<sd_bus, Close> bus_;
  std::unique_ptr<Handler> listener_;
};

}  // namespace rt::systemd
