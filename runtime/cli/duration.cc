#include "runtime/cli/duration.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/base/text.h"

namespace rt::cli {
namespace {

using Nanoseconds = std::optional<uint64_t>;

constexpr std::string_view kDigits = "0123456789";
constexpr uint64_t kLongest = INT64_MAX;

/// "ms" and "m" both begin with an m: the longer ones first.
constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
    {"ns", 1},         {"us", 1000},         {"\u00b5s", 1000},     {"\u03bcs", 1000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3600'000'000'000},
};

std::string_view take_digits(std::string_view& text) {
  const size_t size = std::min(text.find_first_not_of(kDigits), text.size());
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

/// 0 when there is none.
uint64_t take_unit(std::string_view& text) {
  for (const auto& [name, size] : kUnits) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return size;
  }
  return 0;
}

/// What ".5" is of a unit: what is less than a nanosecond is dropped.
uint64_t fraction_of(uint64_t unit, std::string_view digits) {
  uint64_t sum = 0;
  for (const char digit : digits) {
    unit /= 10;
    sum += unit * static_cast<uint64_t>(digit - '0');
  }
  return sum;
}

/// A number and its unit.
Nanoseconds take_part(std::string_view& text) {
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  const uint64_t unit = take_unit(text);
  if (unit == 0 || (whole.empty() && fraction.empty())) return std::nullopt;
  const Nanoseconds number = whole.empty() ? Nanoseconds(0) : parse_uint(whole);
  if (!number || *number > kLongest / unit) return std::nullopt;
  return *number * unit + fraction_of(unit, fraction);
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr uint64_t kSecond = 1'000'000'000;
  const std::optional<uint64_t> seconds = parse_uint(text);
  if (seconds && *seconds <= kLongest / kSecond) return std::chrono::seconds(*seconds);
  if (text.empty() || seconds) return std::nullopt;
  uint64_t sum = 0;
  while (!text.empty()) {
    const Nanoseconds part = take_part(text);
    if (!part || *part > kLongest - sum) return std::nullopt;
    sum += *part;
  }
  return std::chrono::nanoseconds(sum);
}

}  // namespace rt::cli
