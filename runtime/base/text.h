// Small text helpers. GCC 12 has no <format>; `cat` is all the formatting we need.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

inline void append(std::string& out, std::string_view part) { out.append(part); }
inline void append(std::string& out, char part) { out.push_back(part); }
template <std::integral T>
void append(std::string& out, T part) {
  out.append(std::to_string(part));
}

/// Joins its arguments (strings, characters, integers) into one string.
template <class... Parts>
[[nodiscard]] std::string cat(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

/// The parts of `text` between separators; empty parts are kept.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// All of `text` as a decimal number; nothing when it is anything else or out of range.
[[nodiscard]] std::optional<int64_t> parse_int(std::string_view text);
[[nodiscard]] std::optional<uint64_t> parse_uint(std::string_view text);

/// The kernel's reason in the words that orchestrators match: "no such file or directory". In lower
/// case, as Go prints it.
[[nodiscard]] std::string errno_text(int code);

/// `text` in double quotes, with quotes, backslashes and control characters escaped: names that
/// come from an image cannot forge a line of the log or drive a terminal.
[[nodiscard]] std::string quoted(std::string_view text);

/// `value` in the given base: 8 gives "0755" style digits without the prefix.
[[nodiscard]] std::string to_digits(uint64_t value, int base);

}  // namespace rt
