// Document: parsing within limits, and finding the places of what was reported.
#include "spec/json.h"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <utility>

#include "runtime/base/text.h"
#include "spec/scan.h"

namespace spec {

using rt::cat;

namespace {

using Value = rapidjson::Value;

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

/// Hands the parser's events on to the document and stops it where nesting is too deep, before a
/// hostile text has cost memory for each level.
struct DepthGuard : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, DepthGuard> {
  using Size = rapidjson::SizeType;
  explicit DepthGuard(rapidjson::Document& target) : document(target) {}

  bool Null() { return document.Null(); }
  bool Bool(bool b) { return document.Bool(b); }
  bool Int(int i) { return document.Int(i); }
  bool Uint(unsigned i) { return document.Uint(i); }
  bool Int64(int64_t i) { return document.Int64(i); }
  bool Uint64(uint64_t i) { return document.Uint64(i); }
  bool Double(double d) { return document.Double(d); }
  bool String(const char* text, Size size, bool copy) { return document.String(text, size, copy); }
  bool Key(const char* text, Size size, bool copy) { return document.Key(text, size, copy); }
  bool StartObject() { return ++depth <= kMaxDocumentDepth && document.StartObject(); }
  bool EndObject(Size count) { return --depth >= 0 && document.EndObject(count); }
  bool StartArray() { return ++depth <= kMaxDocumentDepth && document.StartArray(); }
  bool EndArray(Size count) { return --depth >= 0 && document.EndArray(count); }

  rapidjson::Document& document;
  int depth = 0;
};

std::string parse_error_text(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return "the document is empty";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "something follows the end of the document";
    case rapidjson::kParseErrorObjectMissName:
      return "expected the name of a member, or }";
    case rapidjson::kParseErrorObjectMissColon:
      return "expected : after the name of a member";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "expected , or } after a member";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "expected , or ] after an element";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "expected four hexadecimal digits after \\u";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "half of a surrogate pair";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "unknown escape, or a control character, in a string";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "a string is not closed";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "a string is not valid UTF-8";
    case rapidjson::kParseErrorNumberTooBig:
      return "a number is too large";
    case rapidjson::kParseErrorNumberMissFraction:
      return "expected digits after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent:
      return "expected digits in the exponent";
    case rapidjson::kParseErrorTermination:
      return cat("nested deeper than ", kMaxDocumentDepth, " levels");
    default:
      return "expected a value";
  }
}

struct Report {
  Severity severity = Severity::kError;
  const void* value = nullptr;  // null: `diagnostic.pointer` and offset are known already
  Place place = Place::kValue;
  size_t offset = 0;
  std::string message;
  std::string section;
};

/// Where a value of the tree stands.
struct Target {
  const Value* value = nullptr;
  std::string pointer;
  ValueOffset offset;
};

/// Fills in `targets`, which are sorted by value, walking the tree once, in the order of the text.
void find_targets(const Value& value, std::string& pointer, size_t& ordinal,
                  std::vector<Target>& targets) {
  const auto found = std::lower_bound(
      targets.begin(), targets.end(), &value,
      [](const Target& target, const Value* wanted) { return target.value < wanted; });
  if (found != targets.end() && found->value == &value) {
    found->offset.ordinal = ordinal;
    found->pointer = pointer;
  }
  ++ordinal;
  const size_t length = pointer.size();
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      pointer += cat('/', escape_pointer(text_of(member.name)));
      find_targets(member.value, pointer, ordinal, targets);
      pointer.resize(length);
    }
  } else if (value.IsArray()) {
    size_t index = 0;
    for (const Value& element : value.GetArray()) {
      pointer += cat('/', index++);
      find_targets(element, pointer, ordinal, targets);
      pointer.resize(length);
    }
  }
}

/// Finds values in the tree and in the text, each once and sorted by value. In one pass over both,
/// however many are asked for.
std::vector<Target> find_all(const Value& root, std::string_view text,
                             std::vector<const Value*> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<Target> targets;
  targets.reserve(values.size());
  for (const Value* value : values) targets.push_back({value, {}, {}});
  if (targets.empty()) return targets;
  std::string pointer;
  size_t ordinal = 0;
  find_targets(root, pointer, ordinal, targets);

  std::vector<size_t> ordinals;
  ordinals.reserve(targets.size());
  for (const Target& target : targets) ordinals.push_back(target.offset.ordinal);
  const std::vector<ValueOffset> offsets = offsets_of_values(text, std::move(ordinals));
  const auto by_ordinal = [](const ValueOffset& a, const ValueOffset& b) {
    return a.ordinal < b.ordinal;
  };
  for (Target& target : targets) {
    target.offset = *std::lower_bound(offsets.begin(), offsets.end(), target.offset, by_ordinal);
  }
  return targets;
}

const Target& target_of(const std::vector<Target>& targets, const Value* value) {
  return *std::lower_bound(
      targets.begin(), targets.end(), value,
      [](const Target& target, const Value* wanted) { return target.value < wanted; });
}

const Value* child(const Value& value, std::string_view step) {
  if (value.IsArray()) {
    const auto index = rt::parse_uint(step);
    return index && *index < value.Size() ? &value[static_cast<unsigned>(*index)] : nullptr;
  }
  if (!value.IsObject()) return nullptr;
  for (const auto& member : value.GetObject()) {
    if (escape_pointer(text_of(member.name)) == step) return &member.value;
  }
  return nullptr;
}

/// The value that `pointer` names; else the innermost one on the way to it, and false.
std::pair<const Value*, bool> resolve(const Value& root, std::string_view pointer) {
  const Value* value = &root;
  if (pointer.empty()) return {value, true};
  for (const std::string_view step : rt::split(pointer.substr(1), '/')) {
    const Value* next = child(*value, step);
    if (next == nullptr) return {value, false};
    value = next;
  }
  return {value, true};
}

void put(Diagnostic& diagnostic, const Position& position) {
  diagnostic.line = position.line;
  diagnostic.column = position.column;
}

bool before(const Diagnostic& a, const Diagnostic& b) {
  return std::pair(a.line, a.column) < std::pair(b.line, b.column);
}

bool has_lone_surrogate(std::string_view text) {
  // "\udc00" on its own: RapidJSON writes it as ED B0 80, which is no UTF-8.
  for (size_t at = text.find('\xed'); at != text.npos; at = text.find('\xed', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xa0) return true;
  }
  return false;
}

}  // namespace

struct Document::Impl {
  std::string_view text;
  rapidjson::Document tree;
  std::vector<Report> reports;
  bool broken = false;    // no JSON: the tree says nothing
  bool overflow = false;  // more reports than are kept
  size_t errors = 0;
  std::string_view section;

  /// Whether the text is JSON; if not, that was reported.
  bool parse(Document& document);
  void check(const Value& value, Document& document);
  void check_object(const Value& value, Document& document);
  void check_text(const Value& value, const void* reported, Place place, Document& document) const;
};

bool Document::Impl::parse(Document& document) {
  DepthGuard guard(tree);
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  auto generate = [&](rapidjson::Document&) {
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                                rapidjson::kParseFullPrecisionFlag |
                                rapidjson::kParseValidateEncodingFlag;
    return !reader.Parse<kFlags>(stream, guard).IsError();
  };
  tree.Populate(generate);
  if (!reader.HasParseError()) return true;
  const std::string message = parse_error_text(reader.GetParseErrorCode());
  const size_t offset = std::min(reader.GetErrorOffset(), text.size());
  const bool cut_short = stream.Tell() >= text.size() && !text.empty();
  document.report_at(offset, cut_short ? cat("the document ends too early: ", message) : message);
  return false;
}

void Document::Impl::check_text(const Value& value, const void* reported, Place place,
                                Document& document) const {
  const std::string_view content = text_of(value);
  const char* what = place == Place::kKey ? "the name of a member" : "a string";
  if (content.find('\0') != content.npos) {
    document.report(Severity::kError, reported, place, cat("NUL (\\u0000) in ", what));
  }
  if (has_lone_surrogate(content)) {
    document.report(Severity::kError, reported, place, cat("half of a surrogate pair in ", what));
  }
}

void Document::Impl::check_object(const Value& value, Document& document) {
  const auto members = value.GetObject();
  std::vector<std::pair<std::string_view, const Value*>> sorted;
  const bool large = value.MemberCount() > 32;  // then comparing all with all would be quadratic
  for (auto member = members.begin(); member != members.end(); ++member) {
    const std::string_view name = text_of(member->name);
    check_text(member->name, &member->value, Place::kKey, document);
    if (large) sorted.emplace_back(name, &member->value);
    const auto same = [&](const auto& other) { return text_of(other.name) == name; };
    if (!large && std::any_of(members.begin(), member, same)) {
      document.report(Severity::kError, &member->value, Place::kKey,
                      cat("the member ", rt::quoted(name), " is there twice"));
    }
    check(member->value, document);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].first != sorted[i - 1].first) continue;
    document.report(Severity::kError, sorted[i].second, Place::kKey,
                    cat("the member ", rt::quoted(sorted[i].first), " is there twice"));
  }
}

/// What JSON allows and we do not. Not deeper than kMaxDocumentDepth.
void Document::Impl::check(const Value& value, Document& document) {
  if (value.IsString()) {
    check_text(value, &value, Place::kValue, document);
  } else if (value.IsObject()) {
    check_object(value, document);
  } else if (value.IsArray()) {
    for (const Value& element : value.GetArray()) check(element, document);
  }
}

Document::Document(std::string_view text) : impl_(std::make_unique<Impl>()) {
  impl_->text = text;
  if (text.size() > kMaxDocumentSize) {
    impl_->text = text.substr(0, 0);  // its lines are not worth counting
    report_at(0, cat("the document is larger than ", kMaxDocumentSize, " bytes"));
  } else if (text.starts_with("\xef\xbb\xbf")) {
    report_at(0, "the document starts with a byte order mark");
  } else if (const size_t nul = text.find('\0'); nul != text.npos) {
    report_at(nul, "a NUL byte");
  } else if (impl_->parse(*this)) {
    impl_->check(impl_->tree, *this);
  }
}

Document::~Document() = default;

Node Document::root() { return {static_cast<const Value*>(&impl_->tree), this}; }

bool Document::has_errors() const { return impl_->errors != 0; }
bool Document::has_reports() const { return !impl_->reports.empty(); }
bool Document::is_broken() const { return impl_->broken; }

void Document::report_at(size_t offset, std::string message) {
  impl_->broken = true;
  ++impl_->errors;
  impl_->reports.push_back({.offset = offset, .message = std::move(message), .section = {}});
}

void Document::report(Severity severity, const void* value, Place place, std::string message) {
  if (impl_->broken) return;  // it has been said that this is no document
  if (severity == Severity::kError) ++impl_->errors;
  if (impl_->reports.size() >= kMaxDiagnostics) {
    impl_->overflow = true;
    return;
  }
  impl_->reports.push_back(
      {severity, value, place, 0, std::move(message), std::string(impl_->section)});
}

std::string_view Document::enter_section(std::string_view section) {
  return std::exchange(impl_->section, section);
}

std::vector<Diagnostic> Document::take_diagnostics() {
  std::vector<const Value*> values;
  for (const Report& report : impl_->reports) {
    if (report.value != nullptr) values.push_back(static_cast<const Value*>(report.value));
  }
  const std::vector<Target> targets = find_all(impl_->tree, impl_->text, std::move(values));
  std::vector<Diagnostic> out;
  for (Report& report : impl_->reports) {
    Diagnostic diagnostic{report.severity, {}, 1, 1, std::move(report.message), {}, report.place};
    diagnostic.section = std::move(report.section);
    size_t offset = report.offset;
    if (report.value != nullptr) {
      const Target& target = target_of(targets, static_cast<const Value*>(report.value));
      diagnostic.pointer = target.pointer;
      offset = report.place == Place::kKey ? target.offset.key : target.offset.value;
    }
    put(diagnostic, position_at(impl_->text, offset));
    out.push_back(std::move(diagnostic));
  }
  std::stable_sort(out.begin(), out.end(), before);
  if (impl_->overflow) {
    const size_t last = out.back().line;
    out.push_back({Severity::kError, {}, last, 1, "there is more; the rest is left out", {}, {}});
  }
  impl_->reports.clear();
  impl_->overflow = false;
  impl_->errors = 0;
  return out;
}

bool Document::contains(std::string_view pointer) const {
  const auto [value, found] = resolve(impl_->tree, pointer);
  return found && !value->IsNull();
}

void Document::place(std::vector<Diagnostic>& diagnostics) const {
  if (impl_->broken) return;
  std::vector<const Value*> values;
  values.reserve(diagnostics.size());
  for (const Diagnostic& diagnostic : diagnostics) {
    values.push_back(resolve(impl_->tree, diagnostic.pointer).first);
  }
  const std::vector<Target> targets = find_all(impl_->tree, impl_->text, values);
  for (size_t i = 0; i < values.size(); ++i) {
    Diagnostic& diagnostic = diagnostics[i];
    const Target& target = target_of(targets, values[i]);
    const bool at_key = diagnostic.place == Place::kKey && target.pointer == diagnostic.pointer;
    put(diagnostic, position_at(impl_->text, at_key ? target.offset.key : target.offset.value));
  }
  std::stable_sort(diagnostics.begin(), diagnostics.end(), before);
}

Position locate(std::string_view text, std::string_view pointer, Place place) {
  Document document(text);
  std::vector<Diagnostic> wanted = document.take_diagnostics();
  if (!document.is_broken()) {
    wanted.assign(1, {Severity::kError, std::string(pointer), 1, 1, {}, {}, place});
    document.place(wanted);
  }
  return {wanted[0].line, wanted[0].column, offset_of(text, wanted[0].line, wanted[0].column)};
}

}  // namespace spec
