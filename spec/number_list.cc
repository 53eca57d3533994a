#include "spec/number_list.h"

#include "runtime/base/text.h"

namespace spec {
namespace {

std::optional<NumberRange> parse_range(std::string_view text) {
  const size_t start = text.find_first_not_of(' ');
  if (start == text.npos) return std::nullopt;
  text = text.substr(start, text.find_last_not_of(' ') + 1 - start);
  const size_t dash = text.find('-');
  const auto first = rt::parse_uint(text.substr(0, dash));
  const auto last = dash == text.npos ? first : rt::parse_uint(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return NumberRange{*first, *last};
}

}  // namespace

std::optional<std::vector<NumberRange>> parse_number_list(std::string_view text) {
  std::vector<NumberRange> ranges;
  if (text.empty()) return ranges;
  for (const std::string_view part : rt::split(text, ',')) {
    const std::optional<NumberRange> range = parse_range(part);
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  return ranges;
}

}  // namespace spec
