// Paths of an image cannot lead out of its root.
#include "runtime/kernel/in_root.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "runtime/sys/file.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

/// An image root beside a canary directory of the "host".
class InRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir(image().c_str(), 0755), 0);
    ASSERT_EQ(::mkdir(canary().c_str(), 0755), 0);
    Result<UniqueFd> root = sys::open(image(), O_PATH | O_DIRECTORY);
    ASSERT_TRUE(is_ok(root));
    root_ = std::move(root).value();
  }

  std::string image() const { return directory_.path() + "/image"; }
  std::string canary() const { return directory_.path() + "/canary"; }
  void link(const std::string& target, const std::string& path) const {
    ASSERT_EQ(::symlink(target.c_str(), (image() + path).c_str()), 0) << path;
  }
  bool canary_is_empty() const {
    const Result<std::vector<std::string>> names = sys::list_directory(canary());
    return names.ok() && names.value().empty();
  }
  static bool exists(const std::string& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0;
  }

  TemporaryDirectory directory_;
  UniqueFd root_;
};

TEST_F(InRoot, MakesMissingDirectoriesAndFiles) {
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/a/b/c", Kind::kDirectory)));
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/a/b/file", Kind::kFile)));
  EXPECT_TRUE(exists(image() + "/a/b/c"));
  EXPECT_TRUE(exists(image() + "/a/b/file"));
}

TEST_F(InRoot, AnAbsoluteLinkStaysBelowTheRoot) {
  link(canary(), "/etc");
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/etc/x", Kind::kFile)));
  EXPECT_TRUE(canary_is_empty());
  EXPECT_TRUE(exists(image() + canary() + "/x"));
}

TEST_F(InRoot, ALinkUpwardsStaysBelowTheRoot) {
  link("../../canary", "/up");
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/up/x", Kind::kDirectory)));
  EXPECT_TRUE(canary_is_empty());
  EXPECT_TRUE(exists(image() + "/canary/x"));
}

TEST_F(InRoot, ADanglingLinkIsMadeWhereItPoints) {
  ASSERT_EQ(::mkdir((image() + "/etc").c_str(), 0755), 0);
  link("../run/resolv.conf", "/etc/resolv.conf");
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/etc/resolv.conf", Kind::kFile)));
  EXPECT_TRUE(exists(image() + "/run/resolv.conf"));
}

TEST_F(InRoot, ALinkLoopIsAnError) {
  link("b", "/a");
  link("a", "/b");
  const Result<UniqueFd> made = open_or_make(root_.get(), "/a/x", Kind::kFile);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ELOOP);
}

TEST_F(InRoot, AMagicLinkIsNotFollowed) {
  link("/proc/self/cwd", "/cwd");
  ASSERT_EQ(::mkdir((image() + "/proc").c_str(), 0755), 0);
  EXPECT_TRUE(is_ok(open_or_make(root_.get(), "/cwd/x", Kind::kFile)));
  EXPECT_TRUE(exists(image() + "/proc/self/cwd/x"));
}

TEST_F(InRoot, SomethingOfTheOtherKindIsAnError) {
  ASSERT_TRUE(is_ok(open_or_make(root_.get(), "/file", Kind::kFile)));
  const Result<UniqueFd> directory = open_or_make(root_.get(), "/file", Kind::kDirectory);
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().code(), ENOTDIR);
  const Result<UniqueFd> file = open_or_make(root_.get(), "/", Kind::kFile);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code(), ENOTDIR);
}

TEST_F(InRoot, APlaceIsNeverTheRootOrAParent) {
  for (const char* path : {"/", "/..", "/a/..", "/a/.", ""}) {
    EXPECT_FALSE(Places(root_.get()).find(path).ok()) << path;
  }
}

TEST_F(InRoot, PlacesAreInTheDirectoriesTheirPathsName) {
  Places places(root_.get());
  for (const char* path : {"/a/one", "/a/two", "/b/one", "/a/b/one", "/one"}) {
    const Result<Place> place = places.find(path);
    ASSERT_TRUE(is_ok(place)) << path;
    const auto& [parent, name] = place.value();
    ASSERT_TRUE(is_ok(sys::mkdirat(parent, name, 0755))) << path;
    EXPECT_TRUE(exists(image() + path)) << path;
  }
}

TEST_F(InRoot, KnowsTheRootWhateverItIsOpenedBy) {
  const RootMark mark = RootMark::of(root_.get()).value();
  EXPECT_TRUE(mark.is_on(sys::open(image(), O_PATH).value().get()).value());
  EXPECT_FALSE(mark.is_on(sys::open(canary(), O_PATH).value().get()).value());
}

}  // namespace
}  // namespace rt::kernel
