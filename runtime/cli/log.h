// Where messages go: the file of --log, and standard error.
//
// Callers read both: containerd the last error object of the file, podman the whole file as one
// object, all of them the standard error of a command that failed. So a command that fails writes
// exactly one line to the file, and warnings are held back until it is known not to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace rt::cli {

enum class LogFormat { kText, kJson };
enum class Level { kDebug, kWarning, kError };

/// One line of a log, without the newline. JSON has "level", "msg", "time", and from an error what
/// is known of "step", "pointer", "syscall" and "errno".
std::string format_line(LogFormat format, Level level, const Error& error, std::string_view time);

class Log {
 public:
  Log() = default;
  /// `file`: empty for standard error alone.
  Log(std::string file, LogFormat format, bool debug)
      : file_(std::move(file)), format_(format), debug_(debug) {}

  /// Kept until `succeed`, or dropped by `fail`.
  void warn(std::string_view message) { keep(Level::kWarning, message); }
  /// The same, and only with --debug.
  void debug(std::string_view message) {
    if (debug_) keep(Level::kDebug, message);
  }

  /// Writes what was kept: to the file, or else to standard error.
  void succeed();

  /// Writes the error: as one line to the file, and in plain text to standard error.
  void fail(const Error& error);

 private:
  struct Kept {
    Level level;
    std::string message;
  };
  void keep(Level level, std::string_view message);
  void write(Level level, const Error& error) const;

  std::string file_;
  LogFormat format_ = LogFormat::kText;
  bool debug_ = false;
  std::vector<Kept> kept_;
};

/// Writes `text` to standard output; an error when it does not get there (a full disk).
Status print(std::string_view text);

/// Writes `text` to standard error; what can be done about a failure there?
void print_error(std::string_view text);

}  // namespace rt::cli
