// Man pages and completions say what the command tables say, in forms that other programs take.
#include "tools/reference/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "runtime/base/text.h"
#include "runtime/cli/commands.h"
#include "tests/support/command.h"

namespace rt::reference {
namespace {

using rt::testing::Outcome;
using rt::testing::run_program;

Outcome execute(const std::string& program, const std::vector<std::string>& args,
                const std::string& input = "") {
  rt::testing::Call call;
  call.args = args;
  call.input = input;
  return run_program(program, call);
}

std::map<std::string, std::string> pages() {
  const auto all = man_pages();
  return {all.begin(), all.end()};
}

TEST(ManPages, EveryCommandHasOneWithEachOfItsOptions) {
  const auto all = pages();
  EXPECT_EQ(all.size(), cli::all_commands().size() + 1);
  for (const cli::Command* command : cli::all_commands()) {
    const std::string name = cat("runtime-", command->name, ".8");
    ASSERT_TRUE(all.contains(name)) << name;
    for (const cli::Option& row : command->options) {
      std::string option(row.name);
      for (size_t at = 0; (at = option.find('-', at)) != std::string::npos; at += 2) {
        option.insert(at, "\\");
      }
      const bool said = all.at(name).find(cat("\\fB\\-\\-", option)) != std::string::npos;
      EXPECT_EQ(said, row.help != nullptr) << name << ' ' << row.name;
    }
  }
}

TEST(ManPages, GroffHasNothingToComplainOf) {
  for (const auto& [name, text] : pages()) {
    const Outcome outcome = execute("/usr/bin/groff", {"-man", "-ww", "-z", "-Tutf8"}, text);
    EXPECT_EQ(outcome.exit_code, 0) << name;
    EXPECT_EQ(outcome.err, "") << name;
  }
}

TEST(ManPages, TheProgramsOwnNamesAllCommands) {
  const std::string text = pages().at("runtime.8");
  for (const cli::Command* command : cli::all_commands()) {
    EXPECT_NE(text.find(cat(".BR runtime\\-", command->name, " (8)\n")), std::string::npos)
        << command->name;
  }
}

/// What bash offers for the last of these words, with a runtime that has the container c1 and says
/// how it was asked.
std::string bash_offers(const std::string& words, int position) {
  const std::string script =
      cat("runtime() { local IFS=_; echo c1; echo \"asked:$*\"; }\n", bash_completion(),
          "\nCOMP_WORDS=(", words, ")\nCOMP_CWORD=", position,
          "\ncompopt() { echo default; }\n_runtime\necho \"${COMPREPLY[*]}\"\n");
  const Outcome outcome = execute("/bin/bash", {"-c", script});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome.out + outcome.err;
}

TEST(Bash, OffersCommandsAndTheirOptions) {
  EXPECT_EQ(bash_offers("runtime cre", 1), "create\n");
  EXPECT_EQ(bash_offers("runtime --log-f", 1), "--log-format\n");
  EXPECT_EQ(bash_offers("runtime --root /x delete --f", 4), "--force\n");
  EXPECT_EQ(bash_offers("runtime create --bun", 2), "--bundle\n");
}

TEST(Bash, OffersTheContainersOfTheStateRootThatIsNamed) {
  EXPECT_EQ(bash_offers("runtime --root /x delete ''", 4), "c1 asked:--root_/x_list_--quiet\n");
  // The name of a new one nobody knows.
  EXPECT_EQ(bash_offers("runtime create ''", 2), "default\n\n");
}

TEST(Bash, LeavesTheValueOfAnOptionToTheShell) {
  EXPECT_EQ(bash_offers("runtime create --bundle ''", 3), "default\n\n");
}

TEST(Zsh, IsWellFormed) {
  const Outcome outcome = execute("/usr/bin/zsh", {"-n", "/dev/stdin"}, zsh_completion());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(Fish, IsWellFormed) {
  const Outcome outcome =
      execute("/usr/bin/fish", {"--no-execute", "/dev/stdin"}, fish_completion());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

}  // namespace
}  // namespace rt::reference
