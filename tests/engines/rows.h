// Rows of the tables that the tests of several engines have.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "tests/support/command.h"

namespace rt::testing {

using Options = std::vector<std::string>;

/// A script in a container with these options of the engine, and what it says and ends with.
struct ScriptRow {
  const char* name;
  Options options;
  const char* script;
  const char* output;
  int exit_code = 0;
};

/// A command in a container with these options, and what it says and ends with.
struct CommandRow {
  const char* name;
  Options options;
  std::vector<std::string> command;
  const char* output;
  int exit_code = 0;
};

/// A limit, and the line that the container finds in its own cgroup's file; see has_line().
struct LimitRow {
  const char* name;
  Options options;
  const char* v1_file;
  const char* v1_line;
  const char* v2_file;  // null: there is none
  const char* v2_line;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
inline void PrintTo(const ScriptRow& row, std::ostream* out) { *out << row.name; }
// NOLINTNEXTLINE(readability-identifier-naming): the same
inline void PrintTo(const CommandRow& row, std::ostream* out) { *out << row.name; }
// NOLINTNEXTLINE(readability-identifier-naming): the same
inline void PrintTo(const LimitRow& row, std::ostream* out) { *out << row.name; }

/// What 512 shares of a processor are as cpu.weight: by the curve of today, or by the line that
/// runtimes had before 2025.
inline constexpr const char* kWeightOf512Shares = "59|20";

/// Whether the text has this line; of several with a | between them, one.
inline bool has_line(std::string_view text, std::string_view wanted) {
  const std::vector<std::string_view> lines = split(text, '\n');
  return std::ranges::any_of(split(wanted, '|'), [&](std::string_view one) {
    return std::ranges::find(lines, one) != lines.end();
  });
}

/// The name of a row, for INSTANTIATE_TEST_SUITE_P.
inline constexpr auto kNameOfRow = [](const auto& info) { return info.param.name; };

/// What a ScriptRow or a CommandRow says.
inline void expect_as_in(const auto& row, const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, row.exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, row.output) << outcome.err;
}

/// Whether the machine has cgroup v2 alone.
inline bool unified() { return ::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0; }

}  // namespace rt::testing
