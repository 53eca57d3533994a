// Properties of the unit that annotations ask for: "org.systemd.property.KillSignal": "37". Their
// values are GVariant text, as other runtimes read them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "runtime/base/text.h"
#include "runtime/plan/scope_parts.h"
#include "spec/diagnostic.h"

namespace rt::plan {
namespace {

struct PropertyRow {
  std::string_view name;
  std::string_view signature;
  unsigned since = 0;
};

/// Those that are about the unit alone: how it is described, ordered, limited and ended. None that
/// moves processes, names other units to start or to stop, or says what the machine does then.
constexpr PropertyRow kAllowed[] = {
    {"After", "as"},
    {"Before", "as"},
    {"BlockIOAccounting", "b"},
    {"BlockIOWeight", "t"},
    {"CPUAccounting", "b"},
    {"CPUQuotaPerSecUSec", "t"},
    {"CPUQuotaPeriodUSec", "t", 242},
    {"CPUShares", "t"},
    {"CPUWeight", "t", 232},
    {"CollectMode", "s", 236},
    {"DefaultDependencies", "b"},
    {"Description", "s"},
    {"Documentation", "as"},
    {"FinalKillSignal", "i", 240},
    {"IOAccounting", "b", 230},
    {"IOWeight", "t", 230},
    {"IPAccounting", "b", 235},
    {"KillMode", "s"},
    {"KillSignal", "i"},
    {"ManagedOOMMemoryPressure", "s", 247},
    {"ManagedOOMMemoryPressureLimit", "u", 247},
    {"ManagedOOMPreference", "s", 248},
    {"ManagedOOMSwap", "s", 247},
    {"MemoryAccounting", "b"},
    {"MemoryHigh", "t", 231},
    {"MemoryLimit", "t"},
    {"MemoryLow", "t", 231},
    {"MemoryMax", "t", 231},
    {"MemoryMin", "t", 240},
    {"MemorySwapMax", "t", 232},
    {"MemoryZSwapMax", "t", 253},
    {"OOMPolicy", "s", 253},
    {"RestartKillSignal", "i", 244},
    {"RuntimeMaxUSec", "t", 244},
    {"SendSIGHUP", "b"},
    {"SendSIGKILL", "b"},
    {"StartupCPUWeight", "t", 232},
    {"StartupIOWeight", "t", 230},
    {"TasksAccounting", "b", 227},
    {"TasksMax", "t", 227},
    {"TimeoutStopUSec", "t"},
};

struct TypeRow {
  std::string_view keyword;
  char letter;
  std::string_view described;
};

/// The types that a value may say it has.
constexpr TypeRow kTypes[] = {
    {"boolean", 'b', "true or false"},
    {"double", 'd', "a number"},
    {"int32", 'i', "a whole number"},
    {"int64", 'x', "a whole number"},
    {"string", 's', "a text in quotes"},
    {"uint32", 'u', "a whole number from 0 on"},
    {"uint64", 't', "a whole number from 0 on"},
};

/// In seconds, where systemd has microseconds: an annotation's "TimeoutStopSec".
constexpr std::string_view kSeconds = "n";

constexpr std::string_view kEscaped = "\\'\"";

bool is_number(char type) { return std::string_view("dixut").find(type) != std::string_view::npos; }

std::string expectation(std::string_view signature) {
  if (signature == kSeconds) return "a number of seconds";
  if (signature == "as") return "texts in quotes within []";
  return std::string(std::ranges::find(kTypes, signature.front(), &TypeRow::letter)->described);
}

std::optional<std::string> to_microseconds(std::string_view text) {
  double seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr double kMicroseconds = 1e6;
  // Whatever is more is for ever.
  constexpr double kMost = 1e12;
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (std::isnan(seconds) || seconds < 0 || seconds > kMost) return std::nullopt;
  return std::to_string(std::llround(seconds * kMicroseconds));
}

std::optional<std::string> to_number(std::string_view text, char type) {
  if (type == kSeconds.front()) return to_microseconds(text);
  if (type == 'i') {
    const std::optional<int64_t> value = parse_int(text);
    const bool fits = value && *value >= std::numeric_limits<int32_t>::min() &&
                      *value <= std::numeric_limits<int32_t>::max();
    return fits ? std::optional(std::to_string(*value)) : std::nullopt;
  }
  const std::optional<uint64_t> value = parse_uint(text);
  const uint64_t most =
      type == 'u' ? std::numeric_limits<uint32_t>::max() : std::numeric_limits<uint64_t>::max();
  return value && *value <= most ? std::optional(std::to_string(*value)) : std::nullopt;
}

/// Reads GVariant text of a type that is known beforehand. Nothing: it is another value.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// The whole text, as words of busctl(1).
  std::optional<std::vector<std::string>> words(std::string_view signature) {
    std::vector<std::string> words;
    skip_blanks();
    if (take('@') && take_word() != signature) return std::nullopt;
    const bool read = signature == "as" ? read_texts(words) : read_value(signature.front(), words);
    skip_blanks();
    if (!read || !rest_.empty()) return std::nullopt;
    return words;
  }

 private:
  bool read_texts(std::vector<std::string>& words) {
    skip_blanks();
    if (!take('[')) return false;
    std::vector<std::string> texts;
    skip_blanks();
    while (!take(']')) {
      if (!texts.empty() && !take(',')) return false;
      if (!read_value('s', texts)) return false;
      skip_blanks();
    }
    words.push_back(std::to_string(texts.size()));
    words.insert(words.end(), texts.begin(), texts.end());
    return true;
  }

  bool read_value(char type, std::vector<std::string>& words) {
    skip_blanks();
    if (!take_type(type)) return false;
    if (type == 's') return read_text(words);
    const std::string_view word = take_word();
    if (type == 'b') {
      words.emplace_back(word);
      return word == "true" || word == "false";
    }
    std::optional<std::string> number = to_number(word, type);
    if (!number) return false;
    words.push_back(*std::move(number));
    return true;
  }

  /// The type that may stand before a value; false when it is another one than `type`.
  bool take_type(char type) {
    for (const TypeRow& row : kTypes) {
      if (!rest_.starts_with(cat(row.keyword, ' '))) continue;
      rest_.remove_prefix(row.keyword.size());
      skip_blanks();
      return row.letter == type || (type == kSeconds.front() && is_number(row.letter));
    }
    return true;
  }

  bool read_text(std::vector<std::string>& words) {
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') return false;
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        words.push_back(std::move(text));
        return true;
      }
      // Of the escapes those that stand for the character itself; and no control characters.
      const bool is_escape = rest_[i] == '\\';
      if (is_escape) ++i;
      const bool is_plain = i < rest_.size() && static_cast<unsigned char>(rest_[i]) >= ' ';
      if (!is_plain || (is_escape && kEscaped.find(rest_[i]) == std::string_view::npos))
        return false;
      text += rest_[i];
    }
    return false;
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view take_word() {
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t,]"));
    rest_.remove_prefix(word.size());
    return word;
  }

  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  std::string_view rest_;
};

Result<UnitProperty> read_property(std::string_view name, const std::string& value) {
  constexpr std::string_view kSec = "Sec";
  std::string known(name);
  const bool seconds = name.ends_with(kSec) && !name.ends_with("USec");
  if (seconds) known = cat(name.substr(0, name.size() - kSec.size()), "USec");
  const auto* row = std::ranges::find(kAllowed, known, &PropertyRow::name);
  if (row == std::end(kAllowed)) {
    return Error(cat(quoted(name), " is no property of a unit that an annotation may set"));
  }
  const std::string_view signature = seconds ? kSeconds : row->signature;
  auto words = Reader(value).words(signature);
  if (!words) return Error(cat(quoted(value), ": expected ", expectation(signature)));
  UnitProperty property;
  property.name = known;
  property.signature = row->signature;
  property.words = *std::move(words);
  property.since = row->since;
  return property;
}

}  // namespace

Result<std::vector<UnitProperty>> annotated_properties(
    const std::map<std::string, std::string>& annotations) {
  std::vector<UnitProperty> properties;
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with(kPropertyAnnotation)) continue;
    const std::string origin = cat("/annotations/", spec::escape_pointer(key));
    const std::string_view name = std::string_view(key).substr(kPropertyAnnotation.size());
    UnitProperty property =
        TRY(at(origin, read_property(name, value)), "annotations[", quoted(key), ']');
    property.origin = origin;
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace rt::plan
