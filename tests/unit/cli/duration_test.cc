#include "runtime/cli/duration.h"

#include <gtest/gtest.h>

namespace rt::cli {
namespace {

using std::chrono::nanoseconds;

TEST(Duration, IsReadAsGoWritesIt) {
  const struct {
    const char* text;
    int64_t expected;
  } cases[] = {
      {"5s", 5'000'000'000},
      {"5", 5'000'000'000},
      {"0", 0},
      {"500ms", 500'000'000},
      {"1m30s", 90'000'000'000},
      {"1h2m3s4ms5us6ns", 3723'004'005'006},
      {"1.5h", 5400'000'000'000},
      {".25s", 250'000'000},
      {"2.s", 2'000'000'000},
      {"7\u00b5s", 7000},
      {"7\u03bcs", 7000},
      {"0.3ns", 0},
      {"1.000000000999s", 1'000'000'000},
      {"2562047h47m16.854775807s", INT64_MAX},
      {"9223372036", 9223372036'000'000'000},
  };
  for (const auto& one : cases)
    EXPECT_EQ(parse_duration(one.text), nanoseconds(one.expected)) << one.text;
}

TEST(Duration, OfAnythingElseIsNone) {
  for (const char* text :
       {"", "s", ".", ".s", "5x", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5", "5sm", "1e3s", "5m5",
        "2562047h47m16.854775808s", "9223372037", "18446744073709551616", "99999999999999999999s",
        "9223372036854775808ns"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace rt::cli
