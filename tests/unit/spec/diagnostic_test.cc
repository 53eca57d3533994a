// Places in texts, and how complaints are shown.
#include "spec/diagnostic.h"

#include <gtest/gtest.h>

#include "runtime/base/text.h"

#include "spec/json.h"
#include "spec/suggest.h"

namespace spec {
namespace {

constexpr std::string_view kText = R"({
  "mounts": [
    {"destination": "/a"},
    {"destination": "/b", "options": ["x\"]", 5]}
  ],
  "a/b": {"~": 1, "": [true]},
  "ü": {"k" : "{[\\"}, "last": -1.5e3
})";

struct Where {
  const char* name;
  const char* pointer;
  Place place;
  size_t line;
  size_t column;
};

class Locate : public ::testing::TestWithParam<Where> {};

TEST_P(Locate, FindsTheBeginning) {
  const Position position = locate(kText, GetParam().pointer, GetParam().place);
  EXPECT_EQ(position.line, GetParam().line);
  EXPECT_EQ(position.column, GetParam().column);
  const Position again = position_at(kText, position.offset);
  EXPECT_EQ(again, position) << "line and column belong to the offset";
}

INSTANTIATE_TEST_SUITE_P(
    Diagnostic, Locate,
    ::testing::Values(Where{"Document", "", Place::kValue, 1, 1},
                      Where{"Array", "/mounts", Place::kValue, 2, 13},
                      Where{"Key", "/mounts", Place::kKey, 2, 3},
                      Where{"Element", "/mounts/1", Place::kValue, 4, 5},
                      Where{"Member", "/mounts/1/options", Place::kValue, 4, 38},
                      Where{"AfterEscapedQuote", "/mounts/1/options/1", Place::kValue, 4, 47},
                      Where{"EscapedSlash", "/a~1b", Place::kValue, 6, 10},
                      Where{"EscapedTilde", "/a~1b/~0", Place::kValue, 6, 16},
                      Where{"EmptyKey", "/a~1b//0", Place::kValue, 6, 24},
                      Where{"CharactersNotBytes", "/ü", Place::kValue, 7, 8},
                      Where{"SpaceBeforeColon", "/ü/k", Place::kValue, 7, 15},
                      Where{"NumberAtTheEnd", "/last", Place::kValue, 7, 32},
                      Where{"MissingMember", "/mounts/0/options", Place::kValue, 3, 5},
                      Where{"MissingKey", "/mounts/0/options", Place::kKey, 3, 5},
                      Where{"MissingElement", "/mounts/2/options", Place::kValue, 2, 13},
                      Where{"BelowAScalar", "/last/x", Place::kValue, 7, 32}),
    [](const auto& info) { return info.param.name; });

TEST(Locate, OfATextThatIsNoJsonIsWhereItStopsBeingSo) {
  EXPECT_EQ(locate("{\n \"a\": x}", "/a"), (Position{2, 7, 8}));
}

std::vector<Diagnostic> one(size_t column, std::string message = "wrong") {
  return {{Severity::kError, "/a", 2, column, std::move(message), "config.md, \"Mounts\"", {}}};
}

TEST(RenderText, ShowsTheLineAndACaret) {
  EXPECT_EQ(render_text(one(7), "{\n  \"a\": 5\n}", "config.json"),
            "config.json:2:7: error: /a: wrong [config.md, \"Mounts\"]\n"
            "    \"a\": 5\n"
            "        ^\n");
}

TEST(RenderText, ClipsLongLinesAroundTheColumn) {
  const std::string line = std::string(1000, 'x') + "HERE" + std::string(1000, 'y');
  const std::string text = render_text(one(1001), "\n" + line, "c");
  const std::vector<std::string_view> lines = rt::split(text, '\n');
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_LT(lines[1].size(), 110U);
  EXPECT_TRUE(lines[1].starts_with("  ...xxx"));
  EXPECT_TRUE(lines[1].ends_with("y..."));
  EXPECT_EQ(lines[1].substr(lines[2].size() - 1, 4), "HERE");
}

TEST(RenderText, EscapesWhatCouldDriveATerminal) {
  const std::string text =
      render_text(one(8, "a\x1b[2Jb\nc"), "\n\t\x1b]0;\x07\xc2\x9b\xff\xe2\x80\xae!\r\n", "c");
  EXPECT_EQ(text,
            "c:2:8: error: /a: a\\x1b[2Jb\\x0ac [config.md, \"Mounts\"]\n"
            "   \\x1b]0;\\x07\\xc2\\x9b\\xff\\xe2\\x80\\xae!\n"
            "                      ^\n");
}

TEST(RenderText, OfAPlaceBeyondTheTextShowsAnEmptyLine) {
  EXPECT_EQ(render_text(one(3), "", "c"),
            "c:2:3: error: /a: wrong [config.md, \"Mounts\"]\n  \n  ^\n");
}

TEST(RenderJson, HasEveryFieldAndIsReadableAgain) {
  const std::string text = render_json(one(7, "say \"x\"\n"));
  Document document(text);
  ASSERT_FALSE(document.has_errors()) << text;
  const auto list = document.root().find("diagnostics");
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->size(), 1U);
  const Node entry = list->at(0);
  EXPECT_EQ(entry.find("severity")->string(), "error");
  EXPECT_EQ(entry.find("pointer")->string(), "/a");
  EXPECT_EQ(entry.find("line")->natural(99), 2U);
  EXPECT_EQ(entry.find("column")->natural(99), 7U);
  EXPECT_EQ(entry.find("message")->string(), "say \"x\"\n");
  EXPECT_EQ(entry.find("section")->string(), "config.md, \"Mounts\"");
}

TEST(Suggest, FindsTheWordThatWasMeant) {
  const std::vector<std::string_view> known = {"rootfsPropagation", "cgroupsPath", "env", "args"};
  EXPECT_EQ(suggest("rootPropagation", known), "rootfsPropagation");
  EXPECT_EQ(suggest("CGROUPSPATH", known), "cgroupsPath");
  EXPECT_EQ(suggest("cgroupPath", known), "cgroupsPath");
  EXPECT_EQ(suggest("arg", known), "args");
  EXPECT_EQ(suggest("agrs", known), "args") << "a swap is one slip";
  EXPECT_EQ(suggest("froce", {"force", "format"}), "force");
  EXPECT_EQ(suggest("propagation", known), "rootfsPropagation") << "one contains the other";
  EXPECT_FALSE(suggest("seccomp", known).has_value());
  EXPECT_FALSE(suggest("", known).has_value());
  EXPECT_FALSE(suggest(std::string(1'000'000, 'a'), known).has_value());
}

TEST(Suggest, FindsSlipsAlone) {
  const std::vector<std::string_view> known = {"nosuid", "nodev", "ro", "noexec"};
  EXPECT_EQ(suggest_for_slip("nosuidd", known), "nosuid");
  EXPECT_EQ(suggest_for_slip("nodve", known), "nodev");
  EXPECT_EQ(suggest_for_slip("NOEXEC", known), "noexec");
  EXPECT_EQ(suggest_for_slip("Ro", known), "ro");
  EXPECT_FALSE(suggest_for_slip("rw", known).has_value()) << "a short word is soon another";
  EXPECT_FALSE(suggest_for_slip("nosuid32", known).has_value()) << "two letters";
  EXPECT_FALSE(suggest_for_slip("", known).has_value());
}

}  // namespace
}  // namespace spec
