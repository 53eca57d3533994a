// Tables of containers that run a script: what each says, and its exit code.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/engines/docker.h"

namespace rt::testing {

/// A script in a container with these options, and what it says and ends with.
struct ScriptRow {
  const char* name;
  std::vector<std::string> options;
  const char* script;
  const char* output;
  int exit_code = 0;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
inline void PrintTo(const ScriptRow& row, std::ostream* out) { *out << row.name; }

inline std::string name_of_row(const ::testing::TestParamInfo<ScriptRow>& row) {
  return row.param.name;
}

class DockerScript : public Docker, public ::testing::WithParamInterface<ScriptRow> {
 protected:
  using Docker::Docker;
  static void check() {
    const ScriptRow& row = GetParam();
    const Outcome outcome = run_shell(row.options, row.script);
    EXPECT_EQ(outcome.exit_code, row.exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, row.output) << outcome.err;
  }
};

}  // namespace rt::testing
