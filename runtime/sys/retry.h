// Shared by the files of this package: what every wrapper does with a system call's result.
#pragma once

#include <cerrno>

#include "runtime/base/result.h"

namespace rt::sys {

/// Repeats `call` while a signal interrupts it.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// The status of a call that returns a negative number on failure.
inline Status check(std::string_view call, long result) {
  if (result < 0) return Error::from_errno(call);
  return ok();
}

}  // namespace rt::sys
