// What `events` says a container uses, beside the kernel's own files.
#include "runtime/cgroup/stats.h"

#include <algorithm>
#include <ctime>

#include "tests/kernel/cgroup_child.h"

namespace rt::cgroup {
namespace {

using rt::testing::CgroupChild;
using rt::testing::is_ok;
using rt::testing::use_memory;

/// A child that has used some of everything, and now waits.
class CgroupStats : public rt::testing::CgroupWithChild {
 protected:
  static constexpr size_t kMemory = size_t{8} << 20;

  static void work() {
    use_memory(kMemory);
    // Of its own time: the machine may be busy.
    while (std::clock() < CLOCKS_PER_SEC / 10) {
    }
  }
  [[nodiscard]] Stats stats() const { return read_stats(directories_).value().value(); }
};

TEST_F(CgroupStats, OfProcessorTimeAreTheKernels) {
  CgroupChild child(directories_, work);
  child.go();
  child.wait();
  const std::string v1 = with("cpuacct.usage");
  const std::string figures = v1.empty() ? with("cpu.stat") + "/cpu.stat" : v1 + "/cpuacct.usage";
  // It may still be on its way to sleep: what is the same before and after was it meanwhile.
  Stats::Cpu cpu;
  std::string before;
  std::string split_up;
  do {
    before = read(figures);
    cpu = stats().cpu;
    if (!v1.empty()) split_up = read(v1 + "/cpuacct.stat");
  } while (read(figures) != before);
  EXPECT_GE(cpu.total_ns, 90'000'000U);
  EXPECT_LT(cpu.total_ns, 10'000'000'000U);
  if (!v1.empty()) {
    EXPECT_EQ(cat(cpu.total_ns), before);
    uint64_t sum = 0;
    for (const uint64_t one : cpu.per_cpu_ns) sum += one;
    EXPECT_EQ(sum, cpu.total_ns);
    EXPECT_EQ(cpu.per_cpu_user_ns.size(), cpu.per_cpu_ns.size());
    EXPECT_EQ(cpu.per_cpu_kernel_ns.size(), cpu.per_cpu_ns.size());
    EXPECT_EQ(split_up,
              cat("user ", cpu.user_ns / 10'000'000, "\nsystem ", cpu.kernel_ns / 10'000'000));
  } else {
    EXPECT_TRUE(before.starts_with(cat("usage_usec ", cpu.total_ns / 1000, "\nuser_usec ",
                                       cpu.user_ns / 1000, "\nsystem_usec ", cpu.kernel_ns / 1000)))
        << before;
  }
}

TEST_F(CgroupStats, OfMemoryAreTheKernels) {
  const bool v1 = !with("memory.usage_in_bytes").empty();
  const std::string directory = v1 ? with("memory.usage_in_bytes") : with("memory.current");
  if (directory.empty()) GTEST_SKIP() << "no memory controller";
  const std::string file = directory + (v1 ? "/memory.usage_in_bytes" : "/memory.current");
  CgroupChild child(directories_, work);
  child.go();
  child.wait();
  ASSERT_TRUE(limit_memory(size_t{64} << 20));
  const uint64_t before = number(file);
  const Stats::Memory memory = stats().memory;
  const uint64_t after = number(file);
  // The kernel may still be counting in batches.
  EXPECT_GE(memory.memory.usage, std::min(before, after));
  EXPECT_LE(memory.memory.usage, std::max(before, after));
  EXPECT_GE(memory.memory.usage, kMemory);
  EXPECT_EQ(memory.memory.limit, uint64_t{64} << 20);
  EXPECT_EQ(memory.memory.failures, 0U);
  EXPECT_GE(memory.raw.at(v1 ? "rss" : "anon"), kMemory - (size_t{1} << 20));
  EXPECT_EQ(memory.cache, memory.raw.at(v1 ? "cache" : "file"));
  const std::string peak = directory + (v1 ? "/memory.max_usage_in_bytes" : "/memory.peak");
  if (::access(peak.c_str(), F_OK) == 0) {
    EXPECT_EQ(memory.memory.peak, number(peak));
  }
  EXPECT_EQ(memory.events.contains("oom_kill"), !v1);
  if (!v1 && !with("memory.swap.max").empty()) {
    EXPECT_EQ(memory.swap.limit, uint64_t{64} << 20) << "memory's, and swap's 0";
    EXPECT_GE(memory.swap.usage, memory.memory.usage);
  }
  if (v1) {
    EXPECT_EQ(memory.kernel.limit, number(directory + "/memory.kmem.limit_in_bytes"));
  }
}

TEST_F(CgroupStats, OfProcessesAreTheKernels) {
  const std::string directory = with("pids.max");
  if (directory.empty()) GTEST_SKIP() << "no pids controller";
  EXPECT_EQ(stats().pids.current, 0U);
  EXPECT_EQ(stats().pids.limit, kUnlimited);
  const CgroupChild child(directories_, work);
  ASSERT_TRUE(is_ok(sys::write_file(directory + "/pids.max", "7")));
  EXPECT_EQ(stats().pids.current, 1U);
  EXPECT_EQ(stats().pids.limit, 7U);
}

TEST_F(CgroupStats, OfAnUnlimitedContainerShowTheKernelsNumber) {
  const std::string v1 = with("memory.limit_in_bytes");
  if (!v1.empty()) {
    EXPECT_EQ(stats().memory.memory.limit, number(v1 + "/memory.limit_in_bytes"));
  } else if (!with("memory.max").empty()) {
    EXPECT_EQ(stats().memory.memory.limit, kUnlimited);
    EXPECT_EQ(stats().memory.swap.limit, kUnlimited);
  } else {
    GTEST_SKIP() << "no memory controller";
  }
}

TEST_F(CgroupStats, OfThrottlingAreTheKernels) {
  const std::string v1 = with("cpu.cfs_quota_us");
  const std::string v2 = with("cpu.max");
  if (v1.empty() && v2.empty()) GTEST_SKIP() << "no cpu controller";
  const std::string directory = v1.empty() ? v2 : v1;
  ASSERT_TRUE(is_ok(v1.empty() ? sys::write_file(directory + "/cpu.max", "10000 100000")
                               : sys::write_file(directory + "/cpu.cfs_quota_us", "10000")));
  CgroupChild child(directories_, work);
  child.go();
  child.wait();
  uint64_t before = 0;
  uint64_t after = 0;
  Stats::Cpu cpu;
  do {
    before = stats().cpu.periods;
    cpu = stats().cpu;
    after = stats().cpu.periods;
  } while (before != after);
  EXPECT_GT(cpu.throttled_periods, 0U);
  EXPECT_GE(cpu.periods, cpu.throttled_periods);
  // 100 ms of work at a tenth of the time take a second: most of it is waiting.
  EXPECT_GT(cpu.throttled_ns, 1'000'000U);
  EXPECT_LT(cpu.throttled_ns, 1'000'000'000'000U);
  const std::string text = read(directory + "/cpu.stat");
  EXPECT_NE(text.find(cat("nr_throttled ", cpu.throttled_periods, '\n')), std::string::npos)
      << text;
}

TEST_F(CgroupStats, OfTheProcessorSetAreTheKernels) {
  const std::string v1 = with("cpuset.mem_hardwall");
  const std::string v2 = with("cpuset.cpus.effective");
  if (v1.empty() && v2.empty()) GTEST_SKIP() << "no cpuset controller";
  const std::string directory = v1.empty() ? v2 : v1;
  ASSERT_TRUE(is_ok(sys::write_file(directory + "/cpuset.cpus", "0")));
  ASSERT_TRUE(is_ok(sys::write_file(directory + "/cpuset.mems", "0")));
  EXPECT_EQ(stats().cpuset.cpus, std::vector<uint16_t>{0});
  EXPECT_EQ(stats().cpuset.mems, std::vector<uint16_t>{0});
  EXPECT_EQ(stats().cpuset.flags.contains("sched_load_balance"), !v1.empty());
}

TEST_F(CgroupStats, OfPressureAreThereWhereTheKernelHasThem) {
  const Stats seen = stats();
  EXPECT_EQ(seen.cpu.pressure.has_value(), !with("cpu.pressure").empty());
  EXPECT_EQ(seen.memory.pressure.has_value(), !with("memory.pressure").empty());
  EXPECT_EQ(seen.block_io.pressure.has_value(), !with("io.pressure").empty());
}

TEST_F(CgroupStats, OfHugePagesAreOfTheirSizes) {
  const std::string v1 = with("hugetlb.2MB.limit_in_bytes");
  const std::string v2 = with("hugetlb.2MB.max");
  if (v1.empty() && v2.empty()) GTEST_SKIP() << "no hugetlb controller";
  const std::string file =
      v1.empty() ? v2 + "/hugetlb.2MB.max" : v1 + "/hugetlb.2MB.limit_in_bytes";
  ASSERT_TRUE(is_ok(sys::write_file(file, "4194304")));
  const auto hugetlb = stats().hugetlb;
  EXPECT_EQ(hugetlb.at("2MB").limit, 4194304U);
  EXPECT_FALSE(hugetlb.contains("2MB.rsvd"));
}

TEST_F(CgroupStats, AreNotMisledByDirectoriesOfThePayload) {
  const char* const names[] = {"hugetlb.9MB.current", "hugetlb.9MB.usage_in_bytes",
                               "hugetlb.current", "rdma.current", "cpuset.cpus.effective.x"};
  std::vector<std::string> made;
  for (const Directory& directory : directories_) {
    for (const char* one : names) {
      const std::string path = cat(directory.path, '/', one);
      if (::mkdir(path.c_str(), 0755) == 0) made.push_back(path);
    }
  }
  EXPECT_FALSE(made.empty());
  const Result<std::optional<Stats>> seen = read_stats(directories_);
  EXPECT_TRUE(is_ok(seen));
  EXPECT_TRUE(seen && !seen.value()->hugetlb.contains("9MB"));
  for (const std::string& path : made) ::rmdir(path.c_str());
}

TEST_F(CgroupStats, OfARemovedCgroupAreNone) {
  remove();
  const Result<std::optional<Stats>> seen = read_stats(directories_);
  ASSERT_TRUE(is_ok(seen));
  EXPECT_FALSE(seen.value().has_value());
}

}  // namespace
}  // namespace rt::cgroup
