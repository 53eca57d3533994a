// What the tests of checkpoints have in common.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/text.h"
#include "tests/engines/engine.h"

namespace rt::testing {

/// Shell: counts in memory, and writes where it is to kCountFile, which is in memory too.
inline constexpr const char* kCount =
    "i=0; while :; do i=$((i + 1)); echo $i >/dev/shm/count; sleep 0.05; done";
/// Shell: how far it has come.
inline constexpr const char* kReadCount = "cat /dev/shm/count";

/// Empty, or why CRIU cannot work here: a test is skipped for it.
inline std::string obstacle_to_criu() {
  if (find_program("criu").empty()) return "needs criu";
  const Outcome outcome = call_program("criu", {"check"});
  return outcome.exit_code == 0 ? "" : "criu check: " + stripped(outcome.err);
}

/// Of what kReadCount says; 0 when it is nothing.
inline int64_t to_count(const std::string& text) { return parse_int(stripped(text)).value_or(0); }

}  // namespace rt::testing
