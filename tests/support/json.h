// JSON in tests: a document that is edited by JSON pointers, and questions about the runtime's
// output.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rt::testing {

/// A JSON document.
class Json {
 public:
  /// The document in `text`; null when it is no JSON, or has anything behind it.
  explicit Json(std::string_view text);
  Json(const Json& other);
  Json& operator=(const Json& other);
  ~Json();

  /// Whether the text was JSON.
  [[nodiscard]] bool valid() const;
  [[nodiscard]] bool has(std::string_view pointer) const;
  /// A string as it is, anything else as JSON text; "(absent)" when there is no such place.
  [[nodiscard]] std::string at(std::string_view pointer) const;
  /// The elements of an array, or the members of an object; 0 otherwise.
  [[nodiscard]] size_t size(std::string_view pointer = "") const;
  /// The names of an object's members, in their order.
  [[nodiscard]] std::vector<std::string> names(std::string_view pointer) const;
  [[nodiscard]] std::string text() const;

  /// Replaces or makes the place; `value` is JSON text.
  Json& set(std::string_view pointer, std::string_view value);
  /// Appends to the array at the place, which is made if need be.
  Json& add(std::string_view pointer, std::string_view value);
  Json& erase(std::string_view pointer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `text` as a JSON string.
std::string json_string(std::string_view text);
/// As a JSON array of strings.
std::string json_strings(const std::vector<std::string>& texts);

}  // namespace rt::testing
