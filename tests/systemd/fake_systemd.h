// A message bus with a systemd on it, both played by a process of the test's own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/unique_fd.h"

namespace rt::testing {

/// How it behaves.
struct Behaviour {
  std::string version = "252.39-1~deb12u2";
  /// What the first requests for a unit are answered with, one after the other: names of errors. An
  /// empty one: with nothing. Then units are started.
  std::vector<std::string> refusals;
  /// How the job ends; empty: not at all.
  std::string job_result = "done";
  /// The unit that is there already.
  std::string state = "active";
  unsigned processes = 0;
  /// The method that is not answered; "Hello": nothing is.
  std::string silent_at;
  /// The connection is closed instead.
  std::string breaks_at;
};

class FakeSystemd {
 public:
  explicit FakeSystemd(const Behaviour& behaviour);
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd();

  /// Of the bus: "unix:abstract=...".
  [[nodiscard]] const std::string& address() const { return address_; }
  /// The calls of methods up to now: "call NAME", and below it the arguments as
  /// sd_bus_message_dump shows them.
  [[nodiscard]] std::string log() const;
  /// How many calls there were of this method.
  [[nodiscard]] size_t calls(const std::string& method) const;
  /// How many questions were waited for: all calls but those with which any client begins.
  [[nodiscard]] size_t round_trips() const;

 private:
  std::string address_;
  pid_t pid_ = 0;
  UniqueFd log_;
};

}  // namespace rt::testing
