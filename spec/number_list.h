// Lists of CPUs and of memory nodes: "0-3,7". cpuset(7), "List format".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace spec {

/// Above any number that a kernel can have: CONFIG_NR_CPUS is at most 8192, CONFIG_NODES_SHIFT 10.
inline constexpr uint64_t kHighestCpu = 8191;
inline constexpr uint64_t kHighestNode = 1023;

struct NumberRange {
  uint64_t first = 0;
  uint64_t last = 0;  // not below `first`
  bool operator==(const NumberRange&) const = default;
};

/// The ranges as written; they may overlap. Blanks around one do no harm. An empty text is the
/// empty list; nothing when it is no list.
[[nodiscard]] std::optional<std::vector<NumberRange>> parse_number_list(std::string_view text);

}  // namespace spec
