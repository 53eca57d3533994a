// Writing JSON: a thin face of RapidJSON's writer, so that no other package needs to see it.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spec {

/// Builds one document. The calls must nest properly; a value inside an object follows its key.
///   JsonWriter json;
///   json.begin_object().key("pid").value(7).end_object();
///   json.text();  // {"pid":7}
class JsonWriter {
 public:
  enum class Style { kCompact, kPretty };  // one line, or indented by two spaces
  explicit JsonWriter(Style style = Style::kCompact);
  ~JsonWriter();
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  /// Text that is not valid UTF-8 (paths and image content may be) has its bad bytes replaced by
  /// U+FFFD: the document stays readable.
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(double number);
  JsonWriter& null();
  template <std::signed_integral T>
  JsonWriter& value(T number) {
    return number_value(static_cast<int64_t>(number));
  }
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return number_value(static_cast<uint64_t>(number));
  }

  /// The document so far; complete once everything is closed.
  [[nodiscard]] std::string text() const;

 private:
  JsonWriter& number_value(int64_t number);
  JsonWriter& number_value(uint64_t number);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spec
