#include "runtime/cli/signals.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace rt::cli {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;

struct Known {
  const char* text;
  int number;
};

class KnownSignal : public ::testing::TestWithParam<Known> {};

TEST_P(KnownSignal, HasItsNumber) {
  const auto signal = parse_signal(GetParam().text);
  ASSERT_TRUE(is_ok(signal)) << GetParam().text;
  EXPECT_EQ(signal.value(), GetParam().number) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(ParseSignal, KnownSignal,
                         ::testing::Values(Known{"TERM", 15}, Known{"SIGTERM", 15},
                                           Known{"term", 15}, Known{"sigKill", 9}, Known{"9", 9},
                                           Known{"1", 1}, Known{"64", 64}, Known{"37", 37},
                                           Known{"RTMIN", 34}, Known{"rtmin+3", 37},
                                           Known{"SIGRTMIN+30", 64}, Known{"RTMAX", 64},
                                           Known{"SIGRTMAX-1", 63}, Known{"RTMAX-30", 34},
                                           Known{"IO", 29}, Known{"POLL", 29}, Known{"IOT", 6},
                                           Known{"CLD", 17}, Known{"WINCH", 28}));

class UnknownSignal : public ::testing::TestWithParam<const char*> {};

TEST_P(UnknownSignal, IsRefused) {
  EXPECT_TRUE(fails_with(parse_signal(GetParam()), "unknown signal ")) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(ParseSignal, UnknownSignal,
                         ::testing::Values("", "0", "65", "-9", "9x", " 9", "0x9", "SIG",
                                           "SIGSIGTERM", "TERMINATE", "RTMIN-1", "RTMIN+",
                                           "RTMIN+31", "RTMIN+-1", "RTMAX+1", "RTMAX-31",
                                           "RTMAX--1", "99999999999999999999"));

}  // namespace
}  // namespace rt::cli
