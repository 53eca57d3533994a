// What `--version` says.
#pragma once

#include <string_view>

namespace rt::cli {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kCommit = "unknown";

}  // namespace rt::cli
