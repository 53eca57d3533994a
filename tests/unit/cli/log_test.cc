#include "runtime/cli/log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace rt::cli {
namespace {

constexpr const char* kTime = "2026-11-22T04:05:06.000000007Z";

TEST(FormatLine, JsonHasEverythingThatIsKnownOfAnError) {
  const Error error = Error::from_errno("move_mount", EACCES)
                          .within("mounts[3] /proc")
                          .at("/mounts/3")
                          .in_step("mounts");
  EXPECT_EQ(format_line(LogFormat::kJson, Level::kError, error, kTime),
            R"({"level":"error","msg":"mounts[3] /proc: move_mount: permission denied",)"
            R"("time":"2026-11-22T04:05:06.000000007Z","step":"mounts","pointer":"/mounts/3",)"
            R"("syscall":"move_mount","errno":13})");
}

TEST(FormatLine, JsonLeavesOutWhatIsNotKnown) {
  EXPECT_EQ(format_line(LogFormat::kJson, Level::kWarning, Error("a \"b\""), kTime),
            R"({"level":"warning","msg":"a \"b\"","time":"2026-11-22T04:05:06.000000007Z"})");
}

TEST(FormatLine, TextIsOneLine) {
  EXPECT_EQ(format_line(LogFormat::kText, Level::kError, Error("a \"b\"\nc"), kTime),
            R"(time="2026-11-22T04:05:06.000000007Z" level=error msg="a \"b\"\x0ac")");
}

class LogFile : public ::testing::Test {
 protected:
  LogFile() : path_(cat(::testing::TempDir(), "log_test_", ::getpid())) {
    std::remove(path_.c_str());
  }
  ~LogFile() override { std::remove(path_.c_str()); }

  std::string text() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string path_;
};

TEST_F(LogFile, OfAFailureHoldsOneErrorAndNoWarning) {
  Log log(path_, LogFormat::kJson, true);
  log.warn("unknown member");
  log.debug("a plan");
  ::testing::internal::CaptureStderr();
  log.fail(Error("it broke"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "runtime: it broke\n");
  const std::string written = text();
  EXPECT_TRUE(written.starts_with(R"({"level":"error","msg":"it broke","time":")")) << written;
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
}

TEST_F(LogFile, OfASuccessHoldsTheWarnings) {
  Log log(path_, LogFormat::kJson, false);
  log.warn("unknown member");
  log.debug("not asked for");
  ::testing::internal::CaptureStderr();
  log.succeed();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  const std::string written = text();
  EXPECT_TRUE(written.starts_with(R"({"level":"warning","msg":"unknown member","time":")"));
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
}

TEST_F(LogFile, IsAppendedTo) {
  ::testing::internal::CaptureStderr();
  Log(path_, LogFormat::kText, false).fail(Error("first"));
  Log(path_, LogFormat::kText, false).fail(Error("second"));
  ::testing::internal::GetCapturedStderr();
  const std::string written = text();
  EXPECT_NE(written.find("first"), std::string::npos);
  EXPECT_NE(written.find("second"), std::string::npos);
}

TEST_F(LogFile, ThatCannotBeWrittenDoesNotHideTheError) {
  Log log("/nonexistent/log", LogFormat::kJson, false);
  ::testing::internal::CaptureStderr();
  log.fail(Error("it broke"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "runtime: log file: \"/nonexistent/log\": open: no such file or directory\n"
            "runtime: it broke\n");
}

TEST(Log, WithoutAFileWarnsOnStandardError) {
  Log log("", LogFormat::kText, false);
  log.warn("unknown member");
  ::testing::internal::CaptureStderr();
  log.succeed();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "runtime: warning: unknown member\n");
}

}  // namespace
}  // namespace rt::cli
