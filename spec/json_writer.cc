#include "spec/json_writer.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <variant>

namespace spec {
namespace {

using Compact = rapidjson::Writer<rapidjson::StringBuffer>;
using Pretty = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

/// How many bytes at the beginning of `text` are one character of UTF-8; 0 when they are none.
/// Unicode 15, table 3-7: no surrogates, no longer form than needed, nothing above U+10FFFF.
size_t character_size(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) >= 0xa0;
  const bool too_high = first == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || too_high ? 0 : size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t size = character_size(text);
    out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace

struct JsonWriter::Impl {
  rapidjson::StringBuffer buffer;
  std::variant<std::monostate, Compact, Pretty> writer;

  template <class Event>
  void emit(Event event) {
    if (auto* compact = std::get_if<Compact>(&writer)) event(*compact);
    if (auto* pretty = std::get_if<Pretty>(&writer)) event(*pretty);
  }
};

JsonWriter::JsonWriter(Style style) : impl_(std::make_unique<Impl>()) {
  if (style == Style::kCompact) {
    impl_->writer.emplace<Compact>(impl_->buffer);
  } else {
    impl_->writer.emplace<Pretty>(impl_->buffer).SetIndent(' ', 2);
  }
}

JsonWriter::~JsonWriter() = default;

JsonWriter& JsonWriter::begin_object() {
  impl_->emit([](auto& writer) { writer.StartObject(); });
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  impl_->emit([](auto& writer) { writer.EndObject(); });
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  impl_->emit([](auto& writer) { writer.StartArray(); });
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  impl_->emit([](auto& writer) { writer.EndArray(); });
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) { return value(name); }

// A key is written like a string: the writer knows from its place which of both it is.
JsonWriter& JsonWriter::value(std::string_view text) {
  const std::string fixed = is_utf8(text) ? std::string() : repaired(text);
  const std::string_view written = fixed.empty() ? text : std::string_view(fixed);
  // RapidJSON's assertions refuse a null pointer even for an empty string.
  const char* data = written.data() == nullptr ? "" : written.data();
  impl_->emit(
      [&](auto& writer) { writer.String(data, static_cast<rapidjson::SizeType>(written.size())); });
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  impl_->emit([truth](auto& writer) { writer.Bool(truth); });
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  impl_->emit([number](auto& writer) { writer.Double(number); });
  return *this;
}

JsonWriter& JsonWriter::null() {
  impl_->emit([](auto& writer) { writer.Null(); });
  return *this;
}

JsonWriter& JsonWriter::number_value(int64_t number) {
  impl_->emit([number](auto& writer) { writer.Int64(number); });
  return *this;
}

JsonWriter& JsonWriter::number_value(uint64_t number) {
  impl_->emit([number](auto& writer) { writer.Uint64(number); });
  return *this;
}

std::string JsonWriter::text() const {
  return {impl_->buffer.GetString(), impl_->buffer.GetSize()};
}

}  // namespace spec
