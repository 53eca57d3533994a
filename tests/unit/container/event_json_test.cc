#include "runtime/container/event_json.h"

#include <gtest/gtest.h>

namespace rt::container {
namespace {

using cgroup::Stats;

constexpr const char* kNothing =
    R"({"type":"stats","id":"c","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},)"
    R"("cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,)"
    R"("memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,)"
    R"("sched_relax_domain_level":0},"memory":{"usage":{"limit":0,"failcnt":0},)"
    R"("swap":{"limit":0,"failcnt":0},"kernel":{"limit":0,"failcnt":0},)"
    R"("kernelTCP":{"limit":0,"failcnt":0}},"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},)"
    R"("network_interfaces":null}})";

constexpr const char* kEverything =
    R"({"type":"stats","id":"c","data":{"cpu":{"usage":{"total":18446744073709551615,)"
    R"("percpu":[1,2],"percpu_kernel":[3],"percpu_user":[4],"kernel":5,"user":6},)"
    R"("throttling":{"periods":7,"throttledPeriods":8,"throttledTime":9},)"
    R"("psi":{"some":{"avg10":0.07,"avg60":12.34,"avg300":100.0,"total":11},)"
    R"("full":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0}}},)"
    R"("cpuset":{"cpus":[0,2],"mems":[1],"cpu_exclusive":1,"mem_hardwall":0,"mem_exclusive":0,)"
    R"("memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,)"
    R"("sched_load_balance":1,"sched_relax_domain_level":-1},)"
    R"("memory":{"cache":20,"usage":{"limit":21,"usage":22,"max":23,"failcnt":24},)"
    R"("swap":{"limit":25,"usage":26,"max":27,"failcnt":28},)"
    R"("kernel":{"limit":29,"usage":30,"max":31,"failcnt":32},)"
    R"("kernelTCP":{"limit":33,"usage":34,"max":35,"failcnt":36},"raw":{"anon":37},)"
    R"("events":{"oom_kill":38},"psi":{"some":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0},)"
    R"("full":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0}}},"pids":{"current":39,"limit":40},)"
    R"("blkio":{"ioServiceBytesRecursive":[{"major":8,"minor":1,"op":"Read","value":41},)"
    R"({"op":"Write"}],"ioServicedRecursive":[{"major":8,"op":"Read","value":42}],)"
    R"("psi":{"some":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0},)"
    R"("full":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0}}},)"
    R"("hugetlb":{"2MB":{"usage":43,"max":44,"failcnt":45}},"rdma":{"mlx4_0":{"hca_handle":46}},)"
    R"("intel_rdt":{},"network_interfaces":null}})";

Stats everything() {
  Stats stats;
  cgroup::Pressure pressure;
  stats.memory.pressure = pressure;
  stats.block_io.pressure = pressure;
  pressure.some = {.avg10 = 0.07, .avg60 = 12.34, .avg300 = 100, .total = 11};
  stats.cpu = {.total_ns = UINT64_MAX,
               .user_ns = 6,
               .kernel_ns = 5,
               .per_cpu_ns = {1, 2},
               .per_cpu_user_ns = {4},
               .per_cpu_kernel_ns = {3},
               .periods = 7,
               .throttled_periods = 8,
               .throttled_ns = 9,
               .pressure = pressure};
  stats.cpuset = {.cpus = {0, 2},
                  .mems = {1},
                  .flags = {{"cpu_exclusive", 1}, {"sched_load_balance", 1}},
                  .relax_domain_level = -1};
  stats.memory.cache = 20;
  stats.memory.memory = {.usage = 22, .peak = 23, .limit = 21, .failures = 24};
  stats.memory.swap = {.usage = 26, .peak = 27, .limit = 25, .failures = 28};
  stats.memory.kernel = {.usage = 30, .peak = 31, .limit = 29, .failures = 32};
  stats.memory.kernel_tcp = {.usage = 34, .peak = 35, .limit = 33, .failures = 36};
  stats.memory.raw = {{"anon", 37}};
  stats.memory.events = {{"oom_kill", 38}};
  stats.pids = {.current = 39, .limit = 40};
  stats.block_io.service_bytes = {{.major = 8, .minor = 1, .operation = "Read", .value = 41},
                                  {.major = 0, .minor = 0, .operation = "Write", .value = 0}};
  stats.block_io.serviced = {{.major = 8, .minor = 0, .operation = "Read", .value = 42}};
  stats.hugetlb["2MB"] = {.usage = 43, .peak = 44, .limit = 99, .failures = 45};
  stats.rdma["mlx4_0"] = {{"hca_handle", 46}};
  return stats;
}

TEST(EventJson, OfStatisticsHasTheMembersThatRuncAlwaysWrites) {
  EXPECT_EQ(to_json("c", Stats()), kNothing);
}

TEST(EventJson, OfStatisticsHasEveryFigure) { EXPECT_EQ(to_json("c", everything()), kEverything); }

TEST(EventJson, OfUnlimitedProcessesHasNoLimit) {
  Stats stats;
  stats.pids.limit = cgroup::kUnlimited;
  EXPECT_EQ(to_json("c", stats), kNothing);
}

TEST(EventJson, OfUnlimitedMemoryHasTheLargestNumber) {
  Stats stats;
  stats.memory.memory.limit = cgroup::kUnlimited;
  EXPECT_NE(to_json("c", stats).find(R"("usage":{"limit":18446744073709551615,"failcnt":0})"),
            std::string::npos);
}

TEST(EventJson, OfNoticesHasWhatHappened) {
  EXPECT_EQ(to_json("c", cgroup::Notice(cgroup::OutOfMemory())), R"({"type":"oom","id":"c"})");
  EXPECT_EQ(to_json("c", cgroup::Notice(cgroup::MemoryEvents{{{"high", 3}, {"max", 0}}})),
            R"({"type":"memory.events","id":"c","data":{"high":3,"max":0}})");
  cgroup::PressureRose rose;
  rose.trigger = {.resource = "io", .condition = "full 1 2"};
  rose.pressure.full.total = 5;
  EXPECT_EQ(to_json("c", cgroup::Notice(rose)),
            R"({"type":"pressure","id":"c","data":{"resource":"io","trigger":"full 1 2",)"
            R"("psi":{"some":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":0},)"
            R"("full":{"avg10":0.0,"avg60":0.0,"avg300":0.0,"total":5}}}})");
}

}  // namespace
}  // namespace rt::container
