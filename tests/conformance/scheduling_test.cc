// config.md, "Linux Process": scheduler, ioPriority.
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"

namespace rt::conformance {
namespace {

struct Scheduling {
  const char* name;
  const char* document;
  const char* policy;
  const char* nice;
  const char* priority;
};

class Scheduler : public Conformance {
 protected:
  void TearDown() override {
    Conformance::TearDown();
    if (!cgroup_.empty()) ::rmdir(cgroup_.c_str());
  }

  /// Where the cpu controller deals out real-time (v1, CONFIG_RT_GROUP_SCHED), a new cgroup has
  /// none: the container gets one that has.
  void give_real_time() {
    for (const testing::Hierarchy& hierarchy : testing::hierarchies()) {
      if (!hierarchy.options.contains("cpu") || hierarchy.own != hierarchy.mount) continue;
      const std::string cgroup = cat(hierarchy.mount, '/', id());
      ASSERT_EQ(::mkdir(cgroup.c_str(), 0755), 0);
      cgroup_ = cgroup;
      const std::string file = cgroup + "/cpu.rt_runtime_us";
      if (::access(file.c_str(), F_OK) == 0) write(file, "10000");
      config_.set_string("/linux/cgroupsPath", cat('/', id()));
    }
  }

 private:
  std::string cgroup_;
};
class SchedulerPolicy : public Scheduler, public ::testing::WithParamInterface<Scheduling> {};

TEST_P(SchedulerPolicy, IsTheDocuments) {
  config_.set("/process/scheduler", GetParam().document);
  give_real_time();
  const Json report = look();
  EXPECT_EQ(report.at("/scheduler/policy"), GetParam().policy);
  EXPECT_EQ(report.at("/scheduler/nice"), GetParam().nice);
  EXPECT_EQ(report.at("/scheduler/priority"), GetParam().priority);
}

INSTANTIATE_TEST_SUITE_P(
    Scheduler, SchedulerPolicy,
    ::testing::Values(
        Scheduling{"Other", R"({"policy": "SCHED_OTHER", "nice": 7})", "SCHED_OTHER", "7", "0"},
        Scheduling{"Batch", R"({"policy": "SCHED_BATCH", "nice": 3})", "SCHED_BATCH", "3", "0"},
        Scheduling{"Idle", R"({"policy": "SCHED_IDLE"})", "SCHED_IDLE", "0", "0"},
        Scheduling{"Fifo", R"({"policy": "SCHED_FIFO", "priority": 5})", "SCHED_FIFO", "0", "5"},
        Scheduling{"RoundRobin", R"({"policy": "SCHED_RR", "priority": 9})", "SCHED_RR", "0", "9"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Scheduler, NiceIsZeroWhenNotGiven) {
  Call call;
  call.before_exec = [] {
    if (::nice(5) != 5) ::_exit(123);
  };
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH"})");
  const Json report = look({}, call);
  EXPECT_EQ(report.at("/scheduler/policy"), "SCHED_BATCH");
  EXPECT_EQ(report.at("/scheduler/nice"), "0");
}

TEST_F(Scheduler, DeadlineIsTheDocuments) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 10000000,
                                        "deadline": 20000000, "period": 30000000})");
  const Json report = look();
  EXPECT_EQ(report.at("/scheduler/policy"), "SCHED_DEADLINE");
  EXPECT_EQ(report.at("/scheduler/runtime"), "10000000");
  EXPECT_EQ(report.at("/scheduler/deadline"), "20000000");
  EXPECT_EQ(report.at("/scheduler/period"), "30000000");
}

TEST_F(Scheduler, ResetOnForkIsAFlag) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_OTHER", "nice": 1,
                                        "flags": ["SCHED_FLAG_RESET_ON_FORK"]})");
  EXPECT_EQ(look().at("/scheduler/flags"), "1");
}

TEST_F(Scheduler, OfAnUnknownPolicyIsAnError) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_NOTHING"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Scheduler, WithAnUnknownFlagIsAnError) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONE"]})");
  EXPECT_TRUE(refuses());
}

class IoPriority : public Conformance {};

TEST_F(IoPriority, IsTheDocuments) {
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  Json report = look();
  EXPECT_EQ(report.at("/ioPriority"), R"({"class":"IOPRIO_CLASS_BE","priority":6})");
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_IDLE", "priority": 0})");
  report = look();
  EXPECT_EQ(report.at("/ioPriority/class"), "IOPRIO_CLASS_IDLE");
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_RT", "priority": 2})");
  report = look();
  EXPECT_EQ(report.at("/ioPriority"), R"({"class":"IOPRIO_CLASS_RT","priority":2})");
}

TEST_F(IoPriority, OfAnUnknownClassIsAnError) {
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_NOTHING", "priority": 2})");
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
