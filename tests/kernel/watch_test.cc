// What the kernel tells of a cgroup, as it happens.
#include "runtime/cgroup/watch.h"

#include <sched.h>

#include <algorithm>

#include "runtime/sys/watch.h"
#include "tests/kernel/cgroup_child.h"

namespace rt::cgroup {
namespace {

using rt::testing::CgroupChild;
using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::use_memory;

constexpr size_t kLimit = size_t{16} << 20;
void use_too_much() { use_memory(size_t{256} << 20); }

template <class T>
size_t count(const std::vector<Notice>& notices) {
  return static_cast<size_t>(
      std::ranges::count_if(notices, [](const Notice& one) { return std::get_if<T>(&one); }));
}

class CgroupWatch : public rt::testing::CgroupWithChild {
 protected:
  [[nodiscard]] Watch start(const std::vector<PressureTrigger>& triggers = {}) const {
    return Watch::start(directories_, triggers).value();
  }

  /// Waits until the watch itself wakes us; what it tells then. Fails after 20 s.
  static std::vector<Notice> next(Watch& watch) {
    const UniqueFd timer = sys::interval_timer(std::chrono::seconds(20)).value();
    std::vector<sys::Watched> watched = {{.fd = timer.get(), .read = true}};
    watch.watch(watched);
    EXPECT_TRUE(is_ok(sys::poll(watched)));
    EXPECT_FALSE(watched[0].readable) << "nothing was told";
    return watch.take(watched).value();
  }
  /// What it tells when that has one of these in it for the first time. The kernel may wake us for
  /// less, some times.
  template <class T>
  static std::vector<Notice> until(Watch& watch) {
    std::vector<Notice> notices;
    for (int turn = 0; turn < 10 && count<T>(notices) == 0 && !HasFailure(); ++turn) {
      notices = next(watch);
    }
    return notices;
  }
  /// How many descriptors there are to wait for.
  static size_t size(const Watch& watch) {
    std::vector<sys::Watched> watched;
    watch.watch(watched);
    return watched.size();
  }
};

TEST_F(CgroupWatch, TellsOfAProcessThatWasKilledForItsMemory) {
  if (!limit_memory(kLimit)) GTEST_SKIP() << "no memory controller";
  Watch watch = start();
  ASSERT_TRUE(watch.sees_memory());
  EXPECT_TRUE(watch.take({}).value().empty());
  CgroupChild child(directories_, use_too_much);
  child.go();
  const std::vector<Notice> notices = until<OutOfMemory>(watch);
  EXPECT_EQ(count<OutOfMemory>(notices), 1U);
  child.wait();
  const bool v2 = !with("memory.events").empty();
  EXPECT_EQ(count<MemoryEvents>(notices), v2 ? 1U : 0U);
  if (v2) {
    EXPECT_EQ(std::get<MemoryEvents>(notices.back()).counts.at("oom_kill"), 1U);
  }
}

TEST_F(CgroupWatch, TellsOfReclaimBeforeAnyProcessIsKilled) {
  const std::string directory = with("memory.high");
  if (directory.empty()) GTEST_SKIP() << "memory.high is cgroup v2's";
  ASSERT_TRUE(is_ok(sys::write_file(directory + "/memory.high", "4194304")));
  ASSERT_TRUE(limit_memory(size_t{64} << 20));
  Watch watch = start();
  CgroupChild child(directories_, [] { use_memory(size_t{6} << 20); });
  child.go();
  const std::vector<Notice> notices = next(watch);
  ASSERT_EQ(count<MemoryEvents>(notices), 1U);
  EXPECT_GT(std::get<MemoryEvents>(notices.back()).counts.at("high"), 0U);
  EXPECT_EQ(count<OutOfMemory>(notices), 0U);
}

TEST_F(CgroupWatch, TellsNothingOfWhatHappenedBefore) {
  if (!limit_memory(kLimit)) GTEST_SKIP() << "no memory controller";
  CgroupChild child(directories_, use_too_much);
  child.go();
  ASSERT_TRUE(is_ok(sys::wait_readable({child.pidfd()}, std::chrono::seconds(20))));
  ASSERT_TRUE(child.ended());
  Watch watch = start();
  EXPECT_TRUE(watch.take({}).value().empty());
}

TEST_F(CgroupWatch, ToldOnceTellsNoMore) {
  if (!limit_memory(kLimit)) GTEST_SKIP() << "no memory controller";
  Watch watch = start();
  CgroupChild child(directories_, use_too_much);
  child.go();
  ASSERT_TRUE(is_ok(sys::wait_readable({child.pidfd()}, std::chrono::seconds(20))));
  ASSERT_TRUE(child.ended());
  EXPECT_EQ(count<OutOfMemory>(watch.take({}).value()), 1U);
  EXPECT_TRUE(watch.take({}).value().empty());
}

TEST_F(CgroupWatch, OfARemovedCgroupIsOverWithoutAWord) {
  Watch watch = start();
  if (!watch.sees_memory()) GTEST_SKIP() << "no memory controller";
  remove();
  EXPECT_TRUE(next(watch).empty());
  EXPECT_FALSE(watch.sees_memory());
  EXPECT_EQ(size(watch), 0U) << "it would wake us for ever";
}

TEST_F(CgroupWatch, TellsOfPressure) {
  if (with("cpu.pressure").empty()) GTEST_SKIP() << "no cpu.pressure";
  const PressureTrigger trigger{.resource = "cpu", .condition = "some 100000 2000000"};
  Watch watch = start({trigger});
  const auto spin_on_one_processor = [] {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    ::sched_setaffinity(0, sizeof first, &first);
    while (true) {
    }
  };
  CgroupChild one(directories_, spin_on_one_processor);
  CgroupChild other(directories_, spin_on_one_processor);
  one.go();
  other.go();
  const std::vector<Notice> notices = until<PressureRose>(watch);
  ASSERT_EQ(count<PressureRose>(notices), 1U);
  const auto& rose = std::get<PressureRose>(notices.back());
  EXPECT_EQ(rose.trigger, trigger);
  EXPECT_GE(rose.pressure.some.total, 100000U);
}

TEST_F(CgroupWatch, OfPressureInARemovedCgroupIsOver) {
  if (with("io.pressure").empty()) GTEST_SKIP() << "no io.pressure";
  Watch watch = start({{.resource = "io", .condition = "full 100000 2000000"}});
  remove();
  EXPECT_EQ(count<PressureRose>(next(watch)), 0U);
  std::vector<sys::Watched> left;
  watch.watch(left);
  EXPECT_TRUE(std::ranges::none_of(left, &sys::Watched::urgent)) << "it would wake us for ever";
}

TEST_F(CgroupWatch, RefusesATriggerThatTheKernelRefuses) {
  if (with("cpu.pressure").empty()) GTEST_SKIP() << "no cpu.pressure";
  EXPECT_TRUE(fails_with(Watch::start(directories_, {{.resource = "cpu", .condition = "some 5 5"}}),
                         "cpu.pressure: \"some 5 5\": write: invalid argument (the window is"));
}

TEST_F(CgroupWatch, RefusesATriggerWithoutAFile) {
  std::vector<Directory> v1 = directories_;
  std::erase_if(v1, [](const Directory& one) { return one.unified; });
  EXPECT_TRUE(
      fails_with(Watch::start(v1, {{.resource = "cpu", .condition = "some 100000 2000000"}}),
                 "cpu.pressure: the container has no such file"));
}

}  // namespace
}  // namespace rt::cgroup
