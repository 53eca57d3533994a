// What is wrong with a document, and where: a list of everything, as text for people and as JSON
// for programs. Finding the line and column costs nothing as long as nothing is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spec {

enum class Severity { kError, kWarning };

/// A place in a text. Line and column count from 1, the column in characters; the offset counts
/// bytes from 0.
struct Position {
  size_t line = 1;
  size_t column = 1;
  size_t offset = 0;
  bool operator==(const Position&) const = default;
};

/// What a complaint is about: the value that its pointer names, or the name itself.
enum class Place { kValue, kKey };

/// One complaint about a document.
struct Diagnostic {
  Severity severity = Severity::kError;
  std::string pointer;  // RFC 6901, "/mounts/3/options/0"; "" is the whole document
  size_t line = 1;
  size_t column = 1;
  std::string message;
  std::string section;  // of the specification: `config.md, "Mounts"`; may be empty
  Place place = Place::kValue;
  bool operator==(const Diagnostic&) const = default;
};

[[nodiscard]] bool has_errors(const std::vector<Diagnostic>& diagnostics);

/// The line and column of the byte at `offset`.
[[nodiscard]] Position position_at(std::string_view text, size_t offset);

/// Where the value that `pointer` names begins in `text`; with Place::kKey, where its key begins.
/// When it does not exist: where the innermost existing value around it begins, so that what is
/// missing is shown at the object that lacks it. A text that is not JSON: where it stops being so.
[[nodiscard]] Position locate(std::string_view text, std::string_view pointer,
                              Place place = Place::kValue);

/// In the manner of compilers, each complaint followed by the line it is about and a caret:
///   config.json:12:5: error: /mounts/3/options/0: expected a string, found a number [config.md,
///   "Mounts"]
/// Long lines are clipped around the column; nothing in the text can drive a terminal.
[[nodiscard]] std::string render_text(const std::vector<Diagnostic>& diagnostics,
                                      std::string_view text, std::string_view file_name);

/// {"diagnostics":[{"severity","pointer","line","column","message","section"}]}
[[nodiscard]] std::string render_json(const std::vector<Diagnostic>& diagnostics);

/// `key` as one step of a JSON pointer: "~" becomes "~0" and "/" becomes "~1".
[[nodiscard]] std::string escape_pointer(std::string_view key);

}  // namespace spec
