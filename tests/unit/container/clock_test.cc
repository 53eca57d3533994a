#include "runtime/container/clock.h"

#include <gtest/gtest.h>

namespace rt::container {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Rfc3339, WritesUtcWithNineDigits) {
  EXPECT_EQ(rfc3339(nanoseconds(0)), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(seconds(951782399) + nanoseconds(7)), "2000-02-28T23:59:59.000000007Z");
  EXPECT_EQ(rfc3339(seconds(951782400)), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(seconds(1795320306) + nanoseconds(999999999)),
            "2026-11-22T04:05:06.999999999Z");
}

TEST(Rfc3339, OfTimesBeforeTheEpochIsStillATime) {
  EXPECT_EQ(rfc3339(nanoseconds(-1)), "1969-12-31T23:59:59.999999999Z");
}

}  // namespace
}  // namespace rt::container
