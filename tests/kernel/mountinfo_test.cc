#include "runtime/kernel/mountinfo.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "tests/support/matchers.h"

namespace rt::kernel {
namespace {

struct LineRow {
  const char* name;
  std::string line;
  MountInfo mount;
};

class Lines : public ::testing::TestWithParam<LineRow> {};

TEST_P(Lines, AreTakenApart) {
  const std::vector<MountInfo> mounts = parse_mountinfo(GetParam().line);
  ASSERT_EQ(mounts.size(), 1U);
  const MountInfo& wanted = GetParam().mount;
  EXPECT_EQ(mounts[0].id, wanted.id);
  EXPECT_EQ(mounts[0].device, wanted.device);
  EXPECT_EQ(mounts[0].root, wanted.root);
  EXPECT_EQ(mounts[0].point, wanted.point);
  EXPECT_EQ(mounts[0].type, wanted.type);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Lines,
    ::testing::Values(
        LineRow{"Proc5",
                "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
                {.id = 36,
                 .device = makedev(98, 0),
                 .root = "/mnt1",
                 .point = "/mnt2",
                 .type = "ext3"}},
        LineRow{"WithoutOptionalFields",
                "1 0 0:5 / / rw - devtmpfs none rw",
                {.id = 1, .device = makedev(0, 5), .root = "/", .point = "/", .type = "devtmpfs"}},
        LineRow{"WithMany",
                "1 0 0:5 / /x rw shared:1 master:2 propagate_from:3 unbindable - a.b c d",
                {.id = 1, .device = makedev(0, 5), .root = "/", .point = "/x", .type = "a.b"}},
        LineRow{"LargeNumbers",
                "4294967296 0 4095:1048575 / /x rw - t s o",
                {.id = 4294967296,
                 .device = makedev(4095, 1048575),
                 .root = "/",
                 .point = "/x",
                 .type = "t"}},
        LineRow{"Escaped",
                R"(1 0 0:5 /a\040b /t\011n\012b\134e rw - t s o)",
                {.id = 1,
                 .device = makedev(0, 5),
                 .root = "/a b",
                 .point = "/t\tn\nb\\e",
                 .type = "t"}},
        LineRow{"EscapedOnce",
                R"(1 0 0:5 / /\134040 rw - t s o)",
                {.id = 1, .device = makedev(0, 5), .root = "/", .point = R"(/\040)", .type = "t"}},
        LineRow{"SeparatorInAPath",
                R"(1 0 0:5 / /a\040-\040b rw - t s o)",
                {.id = 1, .device = makedev(0, 5), .root = "/", .point = "/a - b", .type = "t"}},
        LineRow{"DeletedRoot",
                R"(1 0 0:5 /gone//deleted /x rw - t s o)",
                {.id = 1,
                 .device = makedev(0, 5),
                 .root = "/gone//deleted",
                 .point = "/x",
                 .type = "t"}},
        LineRow{"Namespace",
                "1 0 0:4 net:[4026532281] /run/netns/a rw shared:2 - nsfs nsfs rw",
                {.id = 1,
                 .device = makedev(0, 4),
                 .root = "net:[4026532281]",
                 .point = "/run/netns/a",
                 .type = "nsfs"}},
        LineRow{"BytesThatAreNoText",
                "1 0 0:5 / /\xff rw - t s o",
                {.id = 1, .device = makedev(0, 5), .root = "/", .point = "/\xff", .type = "t"}}),
    [](const auto& row) { return row.param.name; });

class Garbage : public ::testing::TestWithParam<const char*> {};

TEST_P(Garbage, IsPassedOverAndWhatFollowsIsNot) {
  const auto mounts = parse_mountinfo(cat(GetParam(), "\n7 0 0:5 / /seven rw - t s o\n"));
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].point, "/seven");
}

INSTANTIATE_TEST_SUITE_P(Table, Garbage,
                         ::testing::Values("", " ", "-", " - ", "\\", "1 0 0:5 / /x rw",
                                           "1 0 0:5 / /x rw -", "1 0 0:5 / - t s o",
                                           "1 0 0:5 / /x - t s o", "x 0 0:5 / /x rw - t s o",
                                           "-1 0 0:5 / /x rw - t s o", "1 0 5 / /x rw - t s o",
                                           "1 0 0:5:1 / /x rw - t s o", "1 0 a:b / /x rw - t s o",
                                           "99999999999999999999 0 0:5 / /x rw - t s o"));

TEST(ParseMountinfo, OfNothingIsNothing) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("\n\n").empty());
}

TEST(ParseMountinfo, TakesABackslashThatBeginsNothingAsItIs) {
  for (const char* point : {R"(/a\)", R"(/a\0)", R"(/a\04)"}) {
    const auto mounts = parse_mountinfo(cat("1 0 0:5 / ", point, " rw - t s o"));
    ASSERT_EQ(mounts.size(), 1U);
    EXPECT_EQ(mounts[0].point, point);
  }
}

TEST(ReadMountinfo, KnowsProcAsStatDoes) {
  const auto mounts = read_mountinfo();
  ASSERT_TRUE(testing::is_ok(mounts));
  const auto proc = std::ranges::find(mounts.value(), "/proc", &MountInfo::point);
  ASSERT_NE(proc, mounts.value().end());
  EXPECT_EQ(proc->type, "proc");
  EXPECT_EQ(proc->root, "/");
  struct stat info{};
  ASSERT_EQ(::stat("/proc", &info), 0);
  EXPECT_EQ(proc->device, info.st_dev);
}

TEST(ReadMountinfo, OfAProcessThatIsNotThereIsAnError) { EXPECT_FALSE(read_mountinfo("0").ok()); }

}  // namespace
}  // namespace rt::kernel
