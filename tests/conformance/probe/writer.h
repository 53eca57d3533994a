// JSON text in the making.
#pragma once

#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

namespace probe {

class Writer {
 public:
  Writer& open(char bracket) { return separate().raw(bracket); }
  Writer& close(char bracket) { return raw(bracket); }
  Writer& key(std::string_view name) { return string(name).raw(':'); }

  Writer& string(std::string_view text) {
    separate().raw('"');
    for (const char c : text) escaped(c);
    return raw('"');
  }
  template <std::integral T>
  Writer& number(T value) {
    separate();
    out_ += std::to_string(value);
    return *this;
  }
  Writer& boolean(bool value) {
    separate();
    out_ += value ? "true" : "false";
    return *this;
  }

  // A member of an object.
  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
  Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
  template <std::integral T>
  Writer& member(std::string_view name, T value) {
    return key(name).number(value);
  }

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  Writer& raw(char c) {
    out_ += c;
    return *this;
  }
  /// A comma, unless what follows is the first of its kind.
  Writer& separate() {
    if (out_.empty() || std::string_view("{[:").find(out_.back()) != std::string_view::npos) {
      return *this;
    }
    return raw(',');
  }
  void escaped(char c) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out_ += code;
      return;
    }
    if (c == '"' || c == '\\') out_ += '\\';
    out_ += c;
  }

  std::string out_;
};

}  // namespace probe
