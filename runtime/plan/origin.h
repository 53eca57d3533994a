// Where a decision of the plan comes from.
#pragma once

#include <string>

namespace rt::plan {

/// Where a decision comes from: a JSON pointer into config.json ("/mounts/3"), or what else asked
/// for it, in words: "default: devices", "option: --no-pivot".
using Origin = std::string;

/// Something the user should know that does not keep the container from running.
struct Warning {
  Origin origin;
  std::string message;
  bool operator==(const Warning&) const = default;
};

}  // namespace rt::plan
