#include "runtime/cli/sizes.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

namespace rt::cli {
namespace {

/// By how many powers of 1024 the letters behind the number multiply it.
std::optional<unsigned> power_of(std::string unit) {
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (unit.empty() || unit == "b") return 0;
  constexpr std::string_view kLetters = "kmgtp";
  const size_t power = kLetters.find(unit[0]);
  const std::string_view rest = std::string_view(unit).substr(1);
  if (power == kLetters.npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
  return static_cast<unsigned>(power + 1);
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  if (text == "-1") return int64_t{-1};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_uint(text.substr(0, digits));
  const auto power = power_of(std::string(text.substr(digits)));
  if (!number || !power) {
    return Error(cat(quoted(text), ": expected bytes such as \"1048576\", \"512m\" or \"1g\", ",
                     "or -1 for no limit"));
  }
  const unsigned shift = 10 * *power;
  if (*number > static_cast<uint64_t>(INT64_MAX) >> shift) {
    return Error(cat(quoted(text), ": more bytes than a limit can have"));
  }
  return static_cast<int64_t>(*number << shift);
}

}  // namespace rt::cli
