// A program on a terminal, as a user's shell starts it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/unique_fd.h"
#include "tests/support/command.h"

namespace rt::testing {

/// A program whose standard streams are a terminal of the test's own, which controls it.
class Terminal {
 public:
  Terminal(const std::string& program, Call call);

  void type(std::string_view keys) const;
  /// Of the window; the program is told by SIGWINCH.
  void resize(unsigned short rows, unsigned short columns) const;
  /// Waits until this has come out.
  [[nodiscard]] bool shows(std::string_view text);
  /// What has come out up to the last call of shows().
  [[nodiscard]] const std::string& shown() const { return shown_; }
  /// Waits until the program takes each key as it is typed, ctrl-q too.
  [[nodiscard]] bool becomes_raw() const;
  /// Waits for the program's end; `out` is all that has come out.
  Outcome wait();

 private:
  Terminal(const std::string& program, Call call, UniqueFd master);
  void read_on();

  UniqueFd master_;
  Program program_;
  std::string shown_;
};

}  // namespace rt::testing
