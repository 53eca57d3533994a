// A Markdown document whose code blocks can be tried:
//
//   ```json file=/etc/docker/daemon.json     is the text of that file
//   ```console                               is what somebody types, and what comes back
//
// In the second a line that begins with "# " is a command of root's, with "$ " one of a user's
// without privileges; a backslash at its end goes on with the next line. What follows is what it
// prints: "..." is any text within a line, on a line of its own any number of lines. Any other
// block is for reading.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace rt::testing {

struct Exchange {
  size_t line = 0;
  std::string command;
  std::string output;
};

/// One block: a file, or exchanges with one shell.
struct Block {
  size_t line = 0;
  std::string path;  // empty: it is a shell's
  std::string text;
  bool root = true;
  std::vector<Exchange> exchanges;
};

/// What is below a heading of the second level.
struct Section {
  std::string title;
  std::vector<Block> blocks;
};
/// How GoogleTest shows it.
inline std::ostream& operator<<(std::ostream& out, const Section& section) {
  return out << section.title;
}

/// The sections that have blocks to be tried, or what is wrong with one, with its line.
Result<std::vector<Section>> read_document(std::string_view text);

/// Whether a command printed what the document says.
bool is_what_was_printed(std::string_view expected, std::string_view printed);

}  // namespace rt::testing
