#include "runtime/cli/commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "tests/support/matchers.h"

namespace rt::cli {
namespace {

using Words = std::vector<std::string>;

/// What a run of the program wrote, and how it ended.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
  bool sealed = false;
};

Ran run(Words words) {
  words.insert(words.begin(), "runtime");
  Ran ran;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  ran.code = run_program(words, [&] {
    ran.sealed = true;
    return Error("stop here");
  });
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.err = ::testing::internal::GetCapturedStderr();
  return ran;
}

TEST(Program, VersionHasTheWordOnOneLineOnly) {
  const Ran ran = run({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.out.starts_with("runtime version "));
  const std::string behind_first_line = ran.out.substr(ran.out.find('\n'));
  EXPECT_EQ(behind_first_line.find("version"), std::string::npos);
  EXPECT_NE(behind_first_line.find("\ncommit: "), std::string::npos);
  EXPECT_NE(behind_first_line.find("\nspec: 1.3.0\n"), std::string::npos);
  EXPECT_EQ(ran.err, "");
}

TEST(Program, HelpNamesEveryCommand) {
  const Ran ran = run({"--help"});
  EXPECT_EQ(ran.code, 0);
  for (const Command* command : all_commands()) {
    EXPECT_NE(ran.out.find(cat("\n  ", command->name, ' ')), std::string::npos) << command->name;
  }
}

TEST(Program, EveryCommandExplainsItself) {
  for (const Command* command : all_commands()) {
    const Ran ran = run({std::string(command->name), "--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_TRUE(ran.out.starts_with(cat("usage: runtime ", command->name)));
    EXPECT_NE(ran.out.find(command->example), std::string::npos);
    EXPECT_EQ(run({"help", std::string(command->name)}).out, ran.out);
  }
}

TEST(Program, CommandNamesAreUnique) {
  std::set<std::string_view> names;
  for (const Command* command : all_commands()) {
    EXPECT_TRUE(names.insert(command->name).second) << command->name;
  }
}

TEST(Program, OnlyWhatMakesProcessesIsSealed) {
  for (const Command* command : all_commands()) {
    constexpr std::string_view kMakers[] = {"create", "run", "exec", "restore"};
    const bool makes_processes = std::ranges::find(kMakers, command->name) != std::end(kMakers);
    EXPECT_EQ(command->seals, makes_processes) << command->name;
  }
  EXPECT_TRUE(run({"create", "x"}).sealed);
  EXPECT_FALSE(run({"--root", "/nonexistent", "state", "x"}).sealed);
}

struct Rejection {
  const char* name;
  Words words;
  const char* message;
};

class Rejected : public ::testing::TestWithParam<Rejection> {};

TEST_P(Rejected, WithOneLineAndExitCodeOne) {
  Words words = GetParam().words;
  words.insert(words.begin(), {"--root", "/nonexistent/state"});
  const Ran ran = run(words);
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, cat("runtime: ", GetParam().message, '\n'));
}

INSTANTIATE_TEST_SUITE_P(
    Program, Rejected,
    ::testing::Values(
        Rejection{"NoCommand", {}, "no command given (\"runtime --help\" lists them)"},
        Rejection{
            "UnknownCommand", {"craete"}, "unknown command \"craete\" (did you mean create?)"},
        Rejection{"UnknownGlobalOption",
                  {"--log-fromat=x", "list"},
                  "unknown option \"--log-fromat\" (did you mean --log-format?)"},
        Rejection{"UnknownFormat",
                  {"--log-format=xml", "list"},
                  "--log-format: unknown format \"xml\": expected text or json"},
        Rejection{"TooFew", {"state"}, "state: too few arguments: expected <id>"},
        Rejection{"StartWithoutId", {"start"}, "start: too few arguments: expected <id>"},
        Rejection{"KillWithoutId", {"kill"}, "kill: too few arguments: expected <id> [<signal>]"},
        Rejection{"DeleteWithoutId", {"delete"}, "delete: too few arguments: expected <id>"},
        Rejection{
            "TooMany", {"state", "a", "b"}, "state: unexpected argument \"b\": expected <id>"},
        Rejection{"UnknownOption",
                  {"delete", "--forse", "x"},
                  "delete: unknown option \"--forse\" (did you mean --force?)"},
        Rejection{"UnknownContainer", {"state", "x"}, "x: container does not exist"},
        Rejection{"StartUnknown", {"start", "x"}, "x: container does not exist"},
        Rejection{"KillUnknown", {"kill", "x"}, "x: container does not exist"},
        Rejection{"DeleteUnknown", {"delete", "x"}, "x: container does not exist"},
        Rejection{"BadId", {"state", "../x"}, "invalid container ID format: \"../x\""},
        Rejection{"BadSignal", {"kill", "x", "FOO"}, "unknown signal \"FOO\""}),
    [](const auto& info) { return info.param.name; });

TEST(Program, DeletingAnUnknownContainerByForceIsFine) {
  const Ran ran = run({"--root", "/nonexistent/state", "delete", "--force", "x"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
}

TEST(Program, AnEmptyListIsAHeadingOrAnArray) {
  EXPECT_EQ(run({"--root=/nonexistent/state", "list"}).out,
            "ID  PID  STATUS  BUNDLE  CREATED  OWNER\n");
  EXPECT_EQ(run({"--root=/nonexistent/state", "list", "--format", "json"}).out, "[]\n");
  EXPECT_EQ(run({"--root=/nonexistent/state", "list", "-q"}).out, "");
}

}  // namespace
}  // namespace rt::cli
