#include "spec/validate_parts.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/text.h"
#include "spec/json.h"
#include "spec/number_list.h"
#include "spec/suggest.h"

namespace spec {

using rt::cat;
using rt::quoted;

std::string Path::pointer() const {
  if (parent_ == nullptr) return {};
  const std::string step = key_.data() != nullptr ? escape_pointer(key_) : std::to_string(index_);
  return cat(parent_->pointer(), '/', step);
}

void Findings::add(Severity severity, const Path& at, std::string message, Place place) {
  if (into_.size() >= kMaxDiagnostics) return;
  into_.push_back({severity, at.pointer(), 1, 1, std::move(message), std::string(section_), place});
}

void Findings::error(const Path& at, std::string message, Place place) {
  add(Severity::kError, at, std::move(message), place);
}

void Findings::warning(const Path& at, std::string message, Place place) {
  add(Severity::kWarning, at, std::move(message), place);
}

void Findings::expect_absolute(const Path& at, std::string_view path) {
  if (!path.starts_with('/')) error(at, cat("expected an absolute path, found ", quoted(path)));
}

bool Findings::expect_word(const Path& at, std::string_view word, std::string_view kind,
                           std::span<const std::string_view> known) {
  if (is_one_of(word, known)) return true;
  error(at, cat("unknown ", kind, ' ', quoted(word), did_you_mean(word, known)));
  return false;
}

void Findings::expect_list(const Path& at, std::string_view list, uint64_t highest) {
  const std::optional<std::vector<NumberRange>> ranges = parse_number_list(list);
  if (!ranges) return error(at, cat("not a list such as \"0-3,7\": ", quoted(list)));
  for (const NumberRange& range : *ranges) {
    if (range.last <= highest) continue;
    return error(at, cat("no number can be above ", highest, ", found ", range.last));
  }
}

void Findings::expect_id(const Path& at, uint32_t id) {
  if (id == std::numeric_limits<uint32_t>::max()) {
    error(at, cat(id, " is no id: the kernel takes it for -1"));
  }
}

void Findings::expect_range(const Path& at, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return;
  error(at, cat("expected ", min, " to ", max, ", found ", value));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto meant = suggest(word, {known.begin(), known.end()});
  return meant ? cat("; did you mean \"", *meant, "\"?") : std::string();
}

bool is_one_of(std::string_view word, std::span<const std::string_view> known) {
  return std::find(known.begin(), known.end(), word) != known.end();
}

const Namespace* find_namespace(const Linux& linux_config, std::string_view type) {
  for (const Namespace& entry : linux_config.namespaces) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

bool is_interface_name(std::string_view name) {
  constexpr size_t kLongest = 15;  // IFNAMSIZ with its NUL is 16
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == name.npos;
}

}  // namespace spec
