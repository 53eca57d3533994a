// Finds where values begin in a text that is known to be JSON. Only used once something is wrong.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace spec {

struct ValueOffset {
  size_t ordinal = 0;  // how many values begin before this one
  size_t value = 0;    // bytes from the start of the text
  size_t key = 0;      // of its key; the value's own offset when it has none
};

/// The offsets of the values with these ordinals, in ascending order, each once.
[[nodiscard]] std::vector<ValueOffset> offsets_of_values(std::string_view text,
                                                         std::vector<size_t> ordinals);

/// The opposite of position_at.
[[nodiscard]] size_t offset_of(std::string_view text, size_t line, size_t column);

}  // namespace spec
