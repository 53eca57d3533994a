// Which names a container can have.
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

struct Name {
  const char* what;
  std::string text;
};

class BadIds : public Container, public ::testing::WithParamInterface<Name> {};

TEST_P(BadIds, AreRefusedByEveryCommandAndNothingIsMade) {
  const std::string& name = GetParam().text;
  constexpr const char* kMessage = "invalid container ID format";
  EXPECT_TRUE(fails_saying(runtime({"create", "--bundle", bundle(), "--", name}), kMessage));
  EXPECT_TRUE(fails_saying(runtime({"run", "--bundle", bundle(), "--", name}), kMessage));
  for (const char* command : {"state", "start", "kill", "delete"}) {
    EXPECT_TRUE(fails_saying(runtime({command, "--", name}), kMessage)) << command;
  }
  EXPECT_TRUE(fails_saying(runtime({"delete", "--force", "--", name}), kMessage));
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Ids, BadIds,
    ::testing::Values(Name{"Empty", ""}, Name{"Dot", "."}, Name{"DotDot", ".."}, Name{"Slash", "/"},
                      Name{"Path", "a/b"}, Name{"Up", "../a"}, Name{"Long", std::string(1024, 'a')},
                      Name{"Umlaut", "\xc3\xa4"}, Name{"Newline", "a\nb"},
                      Name{"LeadingDash", "-a"}, Name{"Space", "a b"}, Name{"Escape", "\x1b[31m"},
                      Name{"Tilde", "~a"}, Name{"Star", "*"}, Name{"Percent", "%s"},
                      Name{"BadUtf8", "\xff\xfe"}),
    [](const auto& info) { return std::string(info.param.what); });

class GoodIds : public Container, public ::testing::WithParamInterface<Name> {};

TEST_P(GoodIds, AreAccepted) {
  const std::string name = cat(id(), GetParam().text);
  EXPECT_TRUE(succeeds(runtime({"create", name, bundle()})));
  EXPECT_EQ(Json(runtime({"state", name}).out).at("/id"), name);
  EXPECT_TRUE(succeeds(runtime({"delete", name})));
}

INSTANTIATE_TEST_SUITE_P(Ids, GoodIds,
                         ::testing::Values(Name{"Letters", "aZ09"}, Name{"Marks", "_+.-"},
                                           Name{"Dots", "..."},
                                           Name{"Docker", std::string(64, 'f')}),
                         [](const auto& info) { return std::string(info.param.what); });

class StateRoots : public Container {};

TEST_F(StateRoots, ThatOthersCanWriteAreRefused) {
  const std::string root = directory() + "/open";
  ASSERT_EQ(::mkdir(root.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(root.c_str(), 0777), 0);
  Call call;
  call.args = {"--root", root, "create", id(), bundle()};
  EXPECT_EQ(run_program(runtime_binary(), call).exit_code, 1);
  EXPECT_FALSE(exists(cat(root, '/', id())));
  call.args = {"--root", root, "state", id()};
  EXPECT_TRUE(fails_saying(run_program(runtime_binary(), call), root));
}

TEST_F(StateRoots, ThatAreLinksAreRefused) {
  const std::string link = directory() + "/link";
  ASSERT_EQ(::symlink(state_root().c_str(), link.c_str()), 0);
  Call call;
  call.args = {"--root", link, "create", id(), bundle()};
  EXPECT_EQ(run_program(runtime_binary(), call).exit_code, 1);
}

TEST_F(StateRoots, MayBeDeepAndAreMade) {
  const std::string root = cat(directory(), '/', std::string(100, 'd'), '/', std::string(50, 'e'));
  Call call;
  call.args = {"--root", root, "run", id(), bundle()};
  EXPECT_TRUE(succeeds(run_program(runtime_binary(), call)));
  EXPECT_TRUE(exists(root));
}

}  // namespace
}  // namespace rt::testing
