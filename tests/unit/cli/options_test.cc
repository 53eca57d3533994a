#include "runtime/cli/options.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace rt::cli {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using Words = std::vector<std::string>;

struct TestOptions {
  std::string bundle;
  std::string pid_file;
  bool no_pivot = false;
  bool force = false;
};

constexpr Option kTable[] = {
    option<&TestOptions::bundle>("bundle", 'b', "DIR", "directory that holds config.json"),
    option<&TestOptions::pid_file>("pid-file", 0, "FILE", "where to write the pid"),
    flag<&TestOptions::no_pivot>("no-pivot", 0, "no pivot_root(2)"),
    flag<&TestOptions::force>("force", 'f', "even if it runs"),
    ignored("criu", "PATH"),
};

struct Form {
  const char* name;
  Words words;
};

class EveryForm : public ::testing::TestWithParam<Form> {};

TEST_P(EveryForm, GivesBundleFlagAndId) {
  TestOptions options;
  const auto rest = parse_options(kTable, GetParam().words, options, Order::kAnywhere);
  ASSERT_TRUE(is_ok(rest));
  EXPECT_EQ(rest.value(), Words{"id"});
  EXPECT_EQ(options.bundle, "/b");
  EXPECT_TRUE(options.no_pivot);
}

INSTANTIATE_TEST_SUITE_P(
    ParseOptions, EveryForm,
    ::testing::Values(
        Form{"ValueApart", {"--bundle", "/b", "--no-pivot", "id"}},
        Form{"ValueAfterEquals", {"--bundle=/b", "--no-pivot", "id"}},
        Form{"OneDash", {"-bundle", "/b", "-no-pivot", "id"}},
        Form{"OneDashAndEquals", {"-bundle=/b", "-no-pivot", "id"}},
        Form{"Letter", {"-b", "/b", "--no-pivot", "id"}},
        Form{"LetterWithValue", {"-b/b", "--no-pivot", "id"}},
        Form{"OptionsLast", {"id", "--no-pivot", "--bundle", "/b"}},
        Form{"OptionsAround", {"--no-pivot", "id", "--bundle=/b"}},
        Form{"FlagSaidTrue", {"--no-pivot=true", "--bundle=/b", "id"}},
        Form{"LastOneWins", {"--bundle=/a", "--no-pivot=0", "--no-pivot", "--bundle=/b", "id"}},
        Form{"IgnoredOption", {"--criu", "/usr/sbin/criu", "--bundle=/b", "--no-pivot", "id"}},
        Form{"DoubleDashEndsOptions", {"--bundle=/b", "--no-pivot", "--", "id"}}),
    [](const auto& info) { return info.param.name; });

TEST(ParseOptions, BehindDoubleDashEverythingIsAnArgument) {
  TestOptions options;
  const Words words = {"--", "--force", "-b"};
  const auto rest = parse_options(kTable, words, options, Order::kAnywhere);
  ASSERT_TRUE(is_ok(rest));
  EXPECT_EQ(rest.value(), (Words{"--force", "-b"}));
  EXPECT_FALSE(options.force);
}

TEST(ParseOptions, ADashAloneIsAValueAndAnArgument) {
  TestOptions options;
  const Words words = {"--bundle", "-", "-"};
  const auto rest = parse_options(kTable, words, options, Order::kAnywhere);
  ASSERT_TRUE(is_ok(rest));
  EXPECT_EQ(rest.value(), Words{"-"});
  EXPECT_EQ(options.bundle, "-");
}

TEST(ParseOptions, StopsAtTheCommand) {
  TestOptions options;
  const Words words = {"--force", "create", "--bundle", "/b"};
  const auto rest = parse_options(kTable, words, options, Order::kBeforeOthers);
  ASSERT_TRUE(is_ok(rest));
  EXPECT_EQ(rest.value(), (Words{"create", "--bundle", "/b"}));
  EXPECT_TRUE(options.force);
  EXPECT_EQ(options.bundle, "");
}

TEST(ParseOptions, AFlagCanBeSaidFalse) {
  TestOptions options;
  options.force = true;
  const Words words = {"--force=false"};
  ASSERT_TRUE(is_ok(parse_options(kTable, words, options, Order::kAnywhere)));
  EXPECT_FALSE(options.force);
}

struct Rejection {
  const char* name;
  Words words;
  const char* message;
};

class Rejected : public ::testing::TestWithParam<Rejection> {};

TEST_P(Rejected, WithTheReason) {
  TestOptions options;
  const auto rest = parse_options(kTable, GetParam().words, options, Order::kAnywhere);
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    ParseOptions, Rejected,
    ::testing::Values(
        Rejection{"Unknown", {"id", "--frobnicate"}, "unknown option \"--frobnicate\""},
        Rejection{
            "Misspelt", {"--budnle", "/b"}, "unknown option \"--budnle\" (did you mean --bundle?)"},
        Rejection{"MisspeltWithValue",
                  {"--pidfile=/p"},
                  "unknown option \"--pidfile\" (did you mean --pid-file?)"},
        Rejection{"Abbreviated", {"--forc"}, "unknown option \"--forc\" (did you mean --force?)"},
        Rejection{"AbbreviatedWithValue",
                  {"--bund", "/b"},
                  "unknown option \"--bund\" (did you mean --bundle?)"},
        Rejection{"UnknownLetter", {"-x"}, "unknown option \"-x\""},
        Rejection{"UnknownLetterInACluster", {"-fx"}, "unknown option \"-x\""},
        Rejection{"ValueMissing", {"id", "--bundle"}, "flag needs an argument: --bundle DIR"},
        Rejection{"LetterValueMissing", {"-b"}, "flag needs an argument: --bundle DIR"},
        Rejection{"FlagWithAWord",
                  {"--force=perhaps"},
                  "option --force: \"perhaps\" is neither true nor false"},
        Rejection{"ControlCharacters", {"--\x1b[2J"}, "unknown option \"--\\x1b[2J\""}),
    [](const auto& info) { return info.param.name; });

TEST(ParseOptions, RefusesTheTableOfAnotherCommand) {
  struct Others {
    bool flag = false;
  } others;
  EXPECT_TRUE(fails_with(parse_options(kTable, Words{}, others, Order::kAnywhere),
                         "option --bundle belongs to another command"));
}

TEST(DescribeOptions, AlignsAndHidesTheIgnored) {
  EXPECT_EQ(describe_options(kTable),
            "  -b, --bundle DIR     directory that holds config.json\n"
            "      --pid-file FILE  where to write the pid\n"
            "      --no-pivot       no pivot_root(2)\n"
            "  -f, --force          even if it runs\n");
}

}  // namespace
}  // namespace rt::cli
