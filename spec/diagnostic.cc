#include "spec/diagnostic.h"

#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "spec/json_writer.h"

namespace spec {
namespace {

using rt::cat;

constexpr size_t kShown = 96;   // characters of a line; the rest is clipped away
constexpr size_t kBefore = 60;  // of these in front of the column

const char* name_of(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

struct Character {
  uint32_t code = 0;  // 0xffffffff: not UTF-8
  size_t size = 1;    // bytes
};

/// The character at the beginning of `text`, which is not empty.
Character decode(std::string_view text) {
  constexpr Character kInvalid{0xffffffff, 1};
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return kInvalid;
  uint32_t code = first & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return kInvalid;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  return {code, size};
}

/// Whether a terminal may show it: no control character, old or new, and nothing that is invisible
/// or turns the direction of writing around.
bool is_printable(uint32_t code) {
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  static constexpr std::array<Range, 8> kHidden = {{{0x00, 0x1f},
                                                    {0x7f, 0x9f},
                                                    {0xad, 0xad},
                                                    {0x200b, 0x200f},
                                                    {0x2028, 0x202e},
                                                    {0x2060, 0x206f},
                                                    {0xfeff, 0xfeff},
                                                    {0xe0000, 0xffffffff}}};
  return std::none_of(kHidden.begin(), kHidden.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

/// One character as it is shown: itself, a space for a tab, or its bytes as \x1b.
std::string shown(std::string_view bytes, uint32_t code) {
  if (code == '\t') return " ";
  if (is_printable(code)) return std::string(bytes);
  std::string out;
  for (const char c : bytes) {
    const std::string digits = rt::to_digits(static_cast<uint8_t>(c), 16);
    out += cat("\\x", digits.size() == 1 ? "0" : "", digits);
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character next = decode(text);
    out += shown(text.substr(0, next.size), next.code);
    text.remove_prefix(next.size);
  }
  return out;
}

std::string_view line_of(std::string_view text, size_t line) {
  for (size_t i = 1; i < line; ++i) {
    const size_t newline = text.find('\n');
    if (newline == text.npos) return {};
    text.remove_prefix(newline + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

/// The line, and below it a caret under the column. A clipped end is shown as "...".
std::string excerpt(std::string_view line, size_t column) {
  const size_t start = column > kShown ? column - kBefore : 1;
  std::string text = start > 1 ? "..." : "";
  size_t caret = text.size();
  size_t at = 1;
  for (; !line.empty() && at < start + kShown; ++at) {
    const Character next = decode(line);
    if (at >= start) {
      const std::string piece = shown(line.substr(0, next.size), next.code);
      text += piece;
      // Columns of a terminal: what was escaped is ASCII, what was not is one character.
      if (at < column) caret += piece.size() == next.size ? 1 : piece.size();
    }
    line.remove_prefix(next.size);
  }
  if (!line.empty()) text += "...";
  return cat("  ", text, "\n  ", std::string(caret, ' '), "^\n");
}

}  // namespace

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::kError;
  });
}

std::string escape_pointer(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string render_text(const std::vector<Diagnostic>& diagnostics, std::string_view text,
                        std::string_view file_name) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::string head = cat(file_name, ':', diagnostic.line, ':', diagnostic.column, ": ",
                           name_of(diagnostic.severity), ": ");
    if (!diagnostic.pointer.empty()) head += cat(diagnostic.pointer, ": ");
    head += diagnostic.message;
    if (!diagnostic.section.empty()) head += cat(" [", diagnostic.section, ']');
    out += cat(escaped(head), '\n', excerpt(line_of(text, diagnostic.line), diagnostic.column));
  }
  return out;
}

std::string render_json(const std::vector<Diagnostic>& diagnostics) {
  JsonWriter json(JsonWriter::Style::kPretty);
  json.begin_object().key("diagnostics").begin_array();
  for (const Diagnostic& diagnostic : diagnostics) {
    json.begin_object();
    json.key("severity").value(name_of(diagnostic.severity));
    json.key("pointer").value(diagnostic.pointer);
    json.key("line").value(diagnostic.line);
    json.key("column").value(diagnostic.column);
    json.key("message").value(diagnostic.message);
    json.key("section").value(diagnostic.section);
    json.end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace spec
