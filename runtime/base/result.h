// Errors are values: Error, Result<T>, Status and TRY.
//
// A function that can fail returns Result<T> (or Status when there is nothing to return) and
// never throws. TRY unwraps a Result or leaves the function with its error; its optional further
// arguments say what we were doing, and are evaluated only on failure:
//
//   UniqueFd proc = TRY(sys::open("/proc", O_PATH), "mounts[", index, "] ", destination);
//   // on failure: "mounts[3] /proc: open: permission denied"
//
// One TRY a statement, and never inside a braced initialiser: when it returns from there, g++ 12
// and clang 14 do not destroy the members already built.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "runtime/base/text.h"

namespace rt {

/// What went wrong. The code and the call are for programs: an errno value and the system call that
/// left it, or 0 and "" when no call failed. The message is for people and grows to the left as the
/// error travels up: "mounts[3] /proc: move_mount: permission denied". Step and pointer say which
/// part of the plan was being carried out, and which place of config.json it came from.
class Error {
 public:
  /// A rule was broken; no system call is to blame.
  explicit Error(std::string message) : message_(std::move(message)) {}

  /// `call` failed and left `code` in errno.
  static Error from_errno(std::string_view call, int code = errno) {
    Error error(cat(call, ": ", errno_text(code)));
    error.code_ = code;
    error.call_ = call;
    return error;
  }

  /// Rebuilds an error that crossed a process boundary.
  static Error from_wire(int code, std::string call, std::string message) {
    Error error(std::move(message));
    error.code_ = code;
    error.call_ = std::move(call);
    return error;
  }

  /// Says what was being attempted, in front of what is known already.
  template <class... Parts>
  [[nodiscard]] Error within(const Parts&... parts) && {
    message_ = cat(parts..., ": ", message_);
    return std::move(*this);
  }

  /// Says what to do about it, behind what is known already.
  template <class... Parts>
  [[nodiscard]] Error with_hint(const Parts&... parts) && {
    message_ += cat(" (", parts..., ')');
    return std::move(*this);
  }

  /// The place in config.json ("/mounts/3") that asked for what failed. The first one said stays:
  /// it is the most precise.
  [[nodiscard]] Error at(std::string_view pointer) && {
    if (pointer_.empty()) pointer_ = pointer;
    return std::move(*this);
  }

  /// The step of the plan that failed. The first one said stays.
  [[nodiscard]] Error in_step(std::string_view step) && {
    if (step_.empty()) step_ = step;
    return std::move(*this);
  }

  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] const std::string& call() const { return call_; }
  [[nodiscard]] const std::string& step() const { return step_; }
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  int code_ = 0;
  std::string call_;
  std::string step_;
  std::string pointer_;
  std::string message_;
};

/// A T, or the Error that kept us from having one. Dropping one unread is a compiler warning.
template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns a value or an error by its plain name.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Precondition: ok(); otherwise the program ends.
  T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  T value() && { return std::get<0>(std::move(state_)); }

  /// Precondition: !ok(); otherwise the program ends.
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  Error error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const {}

  /// Precondition: !ok(); otherwise the program ends.
  [[nodiscard]] const Error& error() const& { return error_.value(); }
  Error error() && { return std::move(error_).value(); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;
inline Status ok() { return {}; }

/// Adds the place in config.json to the error in `result`, if there is one:
///   TRY(at(step.origin, apply(step)), "mounts[", i, ']');
template <class T>
Result<T> at(std::string_view pointer, Result<T> result) {
  if (!result) return std::move(result).error().at(pointer);
  return result;
}

}  // namespace rt

#define TRY(expression, ...)                                                 \
  __extension__({                                                            \
    auto try_result = (expression);                                          \
    if (!try_result) [[unlikely]]                                            \
      return std::move(try_result).error() __VA_OPT__(.within(__VA_ARGS__)); \
    std::move(try_result).value();                                           \
  })
