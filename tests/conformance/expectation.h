// What a container's program must see, worked out from the config.json alone.
#pragma once

#include <string>
#include <vector>

#include "tests/support/json.h"

namespace rt::conformance {

/// What the caller of the runtime is: where the document says nothing, the container has it too.
struct Caller {
  int64_t monotonic = 0;  // its clocks in nanoseconds, just before the run
  int64_t boottime = 0;
  std::string oom_score_adj;
  /// The caller's namespace, or that of a process: "uts:[4026531838]".
  [[nodiscard]] static std::string namespace_of(const std::string& process,
                                                const std::string& file);
  static Caller now();
};

/// What the probe must be asked so that `differences` can compare.
std::vector<std::string> questions_about(const testing::Json& config);

/// Where the probe's report is not what the document says, field by field: "/process/user/uid:
/// wanted 1, found 2".
std::vector<std::string> differences(const testing::Json& config, const testing::Json& report,
                                     const Caller& caller);

}  // namespace rt::conformance
