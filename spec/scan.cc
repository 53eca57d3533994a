#include "spec/scan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "spec/diagnostic.h"

namespace spec {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kAfterScalar = ",]} \t\r\n";

/// The offset after the string that begins at `start`.
size_t skip_string(std::string_view text, size_t start) {
  size_t at = start + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

/// Walks over the values of a text, in order.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// The next value; nothing at the end of the text.
  std::optional<ValueOffset> next() {
    std::optional<size_t> key;
    while (true) {
      at_ = std::min(text_.find_first_not_of(" \t\r\n,:]}", at_), text_.size());
      if (at_ == text_.size()) return std::nullopt;
      const size_t start = at_;
      if (text_[start] == '{' || text_[start] == '[') {
        ++at_;
      } else if (text_[start] == '"') {
        at_ = skip_string(text_, start);
        // A string before a colon is the key of the value that follows.
        const size_t after = text_.find_first_not_of(kSpace, at_);
        if (after != text_.npos && text_[after] == ':') {
          key = start;
          continue;
        }
      } else {
        at_ = std::min(text_.find_first_of(kAfterScalar, start), text_.size());
      }
      return ValueOffset{ordinal_++, start, key.value_or(start)};
    }
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  size_t ordinal_ = 0;
};

}  // namespace

std::vector<ValueOffset> offsets_of_values(std::string_view text, std::vector<size_t> ordinals) {
  std::sort(ordinals.begin(), ordinals.end());
  ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
  std::vector<ValueOffset> out;
  Scanner scanner(text);
  for (size_t wanted = 0; wanted < ordinals.size();) {
    const auto value = scanner.next();
    if (!value) break;
    if (value->ordinal != ordinals[wanted]) continue;
    out.push_back(*value);
    ++wanted;
  }
  return out;
}

Position position_at(std::string_view text, size_t offset) {
  Position position;
  position.offset = std::min(offset, text.size());
  const std::string_view passed = text.substr(0, position.offset);
  position.line += static_cast<size_t>(std::count(passed.begin(), passed.end(), '\n'));
  const size_t newline = passed.rfind('\n');
  const std::string_view line = newline == passed.npos ? passed : passed.substr(newline + 1);
  position.column += static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return !continues_character(c); }));
  return position;
}

size_t offset_of(std::string_view text, size_t line, size_t column) {
  size_t at = 0;
  for (size_t i = 1; i < line; ++i) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  for (size_t i = 1; i < column && at < text.size(); ++i) {
    ++at;
    while (at < text.size() && continues_character(text[at])) ++at;
  }
  return at;
}

}  // namespace spec
