// Runs a program and looks at what it did, from outside.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/unique_fd.h"

namespace rt::testing {

/// Asks `condition` again and again, with short pauses, until it is true: true. False when
/// `patience` ran out.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(10));

struct Outcome {
  int exit_code = -1;  // -1: it did not exit by itself
  int signal = 0;      // that ended it; 0: none
  std::string out;
  std::string err;
};

/// How a program is called. Its standard streams are files without a name, so that a container that
/// keeps them open holds nobody up.
struct Call {
  std::vector<std::string> args;
  std::string input;
  std::vector<std::string> env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  std::string cwd;
  /// In the child, as the last thing before execve(2): what must not happen in the test itself.
  std::function<void()> before_exec;
};

/// A program that was started.
class Program {
 public:
  Program(const std::string& path, const Call& call);
  Program(Program&&) = default;
  Program& operator=(Program&&) = delete;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// Kills it, if nobody has waited for it.
  ~Program();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// What it wrote up to now.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// Waits for its end. One that takes longer than `patience` is killed, and fails the test.
  Outcome wait(std::chrono::milliseconds patience = std::chrono::seconds(30));

 private:
  pid_t pid_ = 0;
  bool waited_ = false;
  UniqueFd out_;
  UniqueFd err_;
};

/// Program and wait in one.
Outcome run_program(const std::string& path, const Call& call);

/// The runtime that is tested: $RUNTIME, or the one that was built with the test.
std::string runtime_binary();

}  // namespace rt::testing
