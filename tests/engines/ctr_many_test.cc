// Many containers of containerd: at once, and one after the other. ENGINE_CONTAINERS: how many of
// the latter; nothing may be left of any of them, nor grow.
#include "runtime/base/text.h"
#include "tests/engines/containerd.h"
#include "tests/engines/many.h"

namespace rt::testing {
namespace {

constexpr int kAtOnce = 50;
using Numbers = std::vector<int>;

class CtrMany : public Containerd {
 protected:
  [[nodiscard]] std::string numbered(int number) const { return cat(name(), '-', number); }
  [[nodiscard]] bool exits_with_its_number(int number) const {
    const int code = number % 100;
    const Outcome outcome = ctr({"run", "--rm", "--null-io", "--runc-binary", tested_runtime(),
                                 kImage, numbered(number), "sh", "-c", cat("exit ", code)});
    return outcome.exit_code == code;
  }
  static void expect_nothing_is_listed() {
    EXPECT_EQ(ctr({"task", "ls", "--quiet"}).out, "");
    EXPECT_EQ(ctr({"container", "ls", "--quiet"}).out, "");
    const std::string snapshots = ctr({"snapshot", "ls"}).out;
    EXPECT_EQ(snapshots.find("engine-test-"), std::string::npos) << snapshots;
  }
};

TEST_F(CtrMany, StartedAtOnceAllRunAndAreDeleted) {
  EXPECT_EQ(
      failed_at_once(kAtOnce,
                     [&](int number) {
                       return ctr({"run", "--detach", "--null-io", "--runc-binary",
                                   tested_runtime(), kImage, numbered(number), "sleep", "1000"})
                                  .exit_code == 0;
                     }),
      Numbers());
  EXPECT_EQ(
      failed_at_once(kAtOnce, [&](int number) { return status(numbered(number)) == "RUNNING"; }),
      Numbers());
  EXPECT_EQ(failed_at_once(kAtOnce,
                           [&](int number) {
                             return ctr({"task", "exec", "--exec-id", "second", numbered(number),
                                         "sh", "-c", "exit 7"})
                                        .exit_code == 7;
                           }),
            Numbers());
  EXPECT_EQ(failed_at_once(kAtOnce,
                           [&](int number) {
                             remove(numbered(number));
                             return !HasFailure();
                           }),
            Numbers());
  expect_nothing_is_listed();
}

TEST_F(CtrMany, RunAtOnceEachHasItsExitCode) {
  EXPECT_EQ(failed_at_once(kAtOnce, [&](int number) { return exits_with_its_number(number); }),
            Numbers());
  expect_nothing_is_listed();
}

TEST_F(CtrMany, InSequenceLeaveNothingBehind) {
  expect_no_growth(number_from("ENGINE_CONTAINERS", 100), {"containerd", "containerd-shim"},
                   [&](int number) { return exits_with_its_number(number); });
  expect_nothing_is_listed();
}

}  // namespace
}  // namespace rt::testing
