#include "runtime/container/output.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/sys/file.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::container {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

std::string text_of(const std::string& path) { return sys::read_file(path, 4096).value(); }

TEST(WritePidFile, WritesDigitsAloneAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(is_ok(write_pid_file(directory.path() + "/pid", 4242)));
  EXPECT_EQ(text_of(directory.path() + "/pid"), "4242");
  EXPECT_EQ(sys::list_directory(directory.path()).value(), std::vector<std::string>{"pid"});
}

TEST(WritePidFile, ReplacesALinkAndDoesNotFollowIt) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(is_ok(write_new_file(directory.path() + "/canary", "alive")));
  ASSERT_EQ(::symlink("canary", (directory.path() + "/pid").c_str()), 0);
  ASSERT_TRUE(is_ok(write_pid_file(directory.path() + "/pid", 7)));
  EXPECT_EQ(text_of(directory.path() + "/canary"), "alive");
  EXPECT_EQ(text_of(directory.path() + "/pid"), "7");
}

TEST(WritePidFile, NamesTheFileThatCannotBeWritten) {
  EXPECT_TRUE(fails_with(write_pid_file("/nonexistent/pid", 7),
                         "pid file /nonexistent/pid: open: no such file or directory"));
}

TEST(AppendLine, MakesTheFileForOthersToRead) {
  const TemporaryDirectory directory;
  const mode_t old = ::umask(0);
  EXPECT_TRUE(is_ok(append_line(directory.path() + "/log", "one")));
  ::umask(old);
  EXPECT_TRUE(is_ok(append_line(directory.path() + "/log", "two")));
  EXPECT_EQ(text_of(directory.path() + "/log"), "one\ntwo\n");
  struct stat info{};
  ASSERT_EQ(::stat((directory.path() + "/log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644U);
}

TEST(WriteNewFile, DoesNotOverwrite) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(is_ok(write_new_file(directory.path() + "/f", "mine")));
  EXPECT_FALSE(write_new_file(directory.path() + "/f", "yours").ok());
  EXPECT_EQ(text_of(directory.path() + "/f"), "mine");
}

}  // namespace
}  // namespace rt::container
