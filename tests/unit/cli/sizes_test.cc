#include "runtime/cli/sizes.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace rt::cli {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;

struct Size {
  const char* text;
  int64_t bytes;
};

TEST(Size, IsBytesOrAPowerOf1024OfThem) {
  constexpr int64_t kKilo = 1024;
  constexpr Size kSizes[] = {
      {"0", 0},
      {"1", 1},
      {"1048576", 1048576},
      {"-1", -1},
      {"1b", 1},
      {"1k", kKilo},
      {"1K", kKilo},
      {"2kb", 2 * kKilo},
      {"2KiB", 2 * kKilo},
      {"512m", 512 * kKilo * kKilo},
      {"512MB", 512 * kKilo * kKilo},
      {"3g", 3 * kKilo * kKilo * kKilo},
      {"1t", kKilo * kKilo * kKilo * kKilo},
      {"1p", kKilo * kKilo * kKilo * kKilo * kKilo},
      {"8191p", 8191 * kKilo * kKilo * kKilo * kKilo * kKilo},
      {"9223372036854775807", INT64_MAX},
  };
  for (const Size& size : kSizes) {
    const Result<int64_t> parsed = parse_size(size.text);
    ASSERT_TRUE(is_ok(parsed)) << size.text;
    EXPECT_EQ(parsed.value(), size.bytes) << size.text;
  }
}

TEST(Size, IsNothingElse) {
  for (const char* text : {"", "-", "-2", "m", "1x", "1mm", "1bb", "1ib", "1 m", " 1", "1m ", "+1",
                           "1.5g", "0x10", "1e3", "max"}) {
    EXPECT_TRUE(fails_with(parse_size(text), cat(quoted(text), ": expected bytes"))) << text;
  }
  for (const char* text : {"9223372036854775808", "8192p", "18446744073709551615k"}) {
    EXPECT_TRUE(fails_with(parse_size(text), cat(quoted(text), ": more bytes"))) << text;
  }
}

}  // namespace
}  // namespace rt::cli
