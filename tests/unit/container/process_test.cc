#include "runtime/container/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "runtime/sys/process.h"
#include "tests/support/matchers.h"

namespace rt::container {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;

constexpr const char* kTail =
    " 1 7 7 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 123456 4096 10 18446744073709551615\n";

TEST(ParseStat, FindsStateAndStartTime) {
  const auto stat = parse_stat(cat("7 (sh) S", kTail));
  ASSERT_TRUE(is_ok(stat));
  EXPECT_EQ(stat.value().name, "sh");
  EXPECT_EQ(stat.value().state, 'S');
  EXPECT_EQ(stat.value().parent, 1);
  EXPECT_EQ(stat.value().cpu_time, 3U) << "user and system";
  EXPECT_EQ(stat.value().start_time, 123456U);
}

TEST(ParseStat, IsNotFooledByTheName) {
  const auto stat = parse_stat(cat("7 (a) R 1 (b)) Z", kTail));
  ASSERT_TRUE(is_ok(stat));
  EXPECT_EQ(stat.value().name, "a) R 1 (b)");
  EXPECT_EQ(stat.value().state, 'Z');
  EXPECT_EQ(stat.value().start_time, 123456U);
}

class MalformedStat : public ::testing::TestWithParam<const char*> {};

TEST_P(MalformedStat, IsAnError) {
  EXPECT_TRUE(fails_with(parse_stat(GetParam()), "process status: malformed"));
}

INSTANTIATE_TEST_SUITE_P(
    ParseStat, MalformedStat,
    ::testing::Values("", ")", "7 (sh)", "7 (sh) ", "7 (sh) S 1 2", "7 sh S 1 2 3",
                      "7 (sh) S 1 7 7 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 -5 4096",
                      "7 (sh) S 1 7 7 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 x 4096"));

TEST(PendingKill, IsNotThereInAProcessThatRuns) {
  const auto pending = has_pending_kill(::getpid());
  ASSERT_TRUE(is_ok(pending));
  EXPECT_FALSE(pending.value());
}

TEST(OpenProcess, FindsALiveProcessByItsStartTime) {
  const auto start_time = start_time_of(::getpid());
  ASSERT_TRUE(is_ok(start_time));
  const auto found = open_process(::getpid(), start_time.value());
  ASSERT_TRUE(is_ok(found));
  EXPECT_TRUE(found.value().has_value());
}

TEST(OpenProcess, DoesNotTakeALaterProcessForIt) {
  const auto start_time = start_time_of(::getpid());
  ASSERT_TRUE(is_ok(start_time));
  const auto found = open_process(::getpid(), start_time.value() - 1);
  ASSERT_TRUE(is_ok(found));
  EXPECT_FALSE(found.value().has_value());
}

TEST(OpenProcess, CountsAZombieAsGone) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  const auto pidfd = sys::pidfd_open(child);
  ASSERT_TRUE(is_ok(pidfd));
  ASSERT_TRUE(is_ok(sys::wait_readable({pidfd.value().get()}, std::chrono::seconds(10))));
  const auto start_time = start_time_of(child);  // a zombie still has one
  ASSERT_TRUE(is_ok(start_time));
  const auto as_zombie = open_process(child, start_time.value());
  ASSERT_TRUE(is_ok(as_zombie));
  EXPECT_FALSE(as_zombie.value().has_value());
  ASSERT_TRUE(is_ok(sys::wait_for(child)));
  const auto reaped = open_process(child, start_time.value());
  ASSERT_TRUE(is_ok(reaped));
  EXPECT_FALSE(reaped.value().has_value());
}

}  // namespace
}  // namespace rt::container
