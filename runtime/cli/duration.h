// Spans of time on the command line.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rt::cli {

/// "5s", "1m30s", "1.5h", "500ms" as Go writes them, or whole seconds without a unit. Nothing when
/// it is anything else, negative, or longer than 292 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace rt::cli
