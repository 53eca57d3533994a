#include "spec/json.h"

#include <rapidjson/document.h>

#include <cmath>
#include <utility>

#include "runtime/base/text.h"
#include "spec/suggest.h"

namespace spec {

using rt::cat;

namespace {

using Value = rapidjson::Value;

const Value& value_of(const void* value) { return *static_cast<const Value*>(value); }

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

bool Node::is_null() const { return value_of(value_).IsNull(); }
bool Node::is_string() const { return value_of(value_).IsString(); }
bool Node::is_object() const { return value_of(value_).IsObject(); }

std::optional<Node> Node::find(std::string_view key) const {
  const Value& value = value_of(value_);
  if (!value.IsObject()) return std::nullopt;
  for (const auto& member : value.GetObject()) {
    if (text_of(member.name) != key) continue;
    if (member.value.IsNull()) return std::nullopt;
    return Node(&member.value, document_);
  }
  return std::nullopt;
}

bool Node::expect_object() const {
  if (is_object()) return true;
  report_type("an object");
  return false;
}

bool Node::expect_array() const {
  if (value_of(value_).IsArray()) return true;
  report_type("an array");
  return false;
}

size_t Node::size() const {
  const Value& value = value_of(value_);
  if (value.IsObject()) return value.MemberCount();
  return value.IsArray() ? value.Size() : 0;
}

Node Node::at(size_t index) const {
  const Value& value = value_of(value_);
  const auto at = static_cast<std::ptrdiff_t>(index);
  if (value.IsObject()) return {&(value.MemberBegin() + at)->value, document_};
  return {value.Begin() + at, document_};
}

std::string_view Node::key_at(size_t index) const {
  return text_of((value_of(value_).MemberBegin() + static_cast<std::ptrdiff_t>(index))->name);
}

std::optional<std::string_view> Node::string() const {
  if (is_string()) return text_of(value_of(value_));
  report_type("a string");
  return std::nullopt;
}

std::optional<bool> Node::boolean() const {
  if (value_of(value_).IsBool()) return value_of(value_).GetBool();
  report_type("true or false");
  return std::nullopt;
}

std::optional<int64_t> Node::integer(int64_t min, int64_t max) const {
  const Value& value = value_of(value_);
  if (value.IsInt64() && value.GetInt64() >= min && value.GetInt64() <= max) {
    return value.GetInt64();
  }
  report_number(std::to_string(min), std::to_string(max));
  return std::nullopt;
}

std::optional<uint64_t> Node::natural(uint64_t max) const {
  const Value& value = value_of(value_);
  if (value.IsUint64() && value.GetUint64() <= max) return value.GetUint64();
  report_number("0", std::to_string(max));
  return std::nullopt;
}

void Node::error(std::string message, Place place) const {
  document_->report(Severity::kError, value_, place, std::move(message));
}

void Node::warning(std::string message, Place place) const {
  document_->report(Severity::kWarning, value_, place, std::move(message));
}

std::string_view Node::enter_section(std::string_view section) const {
  return document_->enter_section(section);
}

void Node::report_type(std::string_view expected) const {
  static constexpr const char* kTypeNames[] = {"null",     "false",    "true",    "an object",
                                               "an array", "a string", "a number"};
  error(cat("expected ", expected, ", found ", kTypeNames[value_of(value_).GetType()]));
}

void Node::report_number(std::string_view min, std::string_view max) const {
  const Value& value = value_of(value_);
  if (!value.IsNumber()) return report_type("an integer");
  const std::string range = cat("expected an integer from ", min, " to ", max);
  if (value.IsUint64()) return error(cat(range, ", found ", value.GetUint64()));
  if (value.IsInt64()) return error(cat(range, ", found ", value.GetInt64()));
  // What fits no 64 bits is a double by now; so is 1.0 and 1e3.
  if (std::fabs(value.GetDouble()) >= 0x1p63) return error(cat(range, ", found one far outside"));
  error(cat(range, ", found a number with a fraction or an exponent"));
}

void report_unknown(const Node& member, std::string_view key,
                    const std::vector<std::string_view>& known) {
  std::string message = cat("unknown member ", rt::quoted(key), " is ignored");
  if (const auto meant = suggest(key, known)) message += cat("; did you mean \"", *meant, "\"?");
  member.warning(std::move(message), Place::kKey);
}

void report_foreign(const Node& member, std::string_view key) {
  member.warning(cat("the member ", rt::quoted(key), " is for another platform, and ignored"),
                 Place::kKey);
}

void report_missing(const Node& object, std::string_view key) {
  object.error(cat("missing \"", key, '"'));
}

rt::Error first_error(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    const std::string_view colon = diagnostic.pointer.empty() ? "" : ": ";
    return rt::Error(cat(diagnostic.line, ':', diagnostic.column, ": ", diagnostic.pointer, colon,
                         diagnostic.message));
  }
  return rt::Error("the document is not valid");
}

}  // namespace spec
