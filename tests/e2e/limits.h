// Every property of linux.resources but devices: the kernel's files that it becomes, of cgroup v1
// and v2, and what is to be read there. Which devices this machine has for those of devices.
// resources_test.cc goes through them.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {

/// Where one version of cgroups keeps a limit, and what is to be read there.
struct Place {
  const char* controller = nullptr;  // null: this version has no such limit
  const char* file = nullptr;
  const char* line = nullptr;     // one of the file's; DEVICE: a disk of this machine, "254:0"
  const char* before = nullptr;   // the file that the limit goes to where the kernel has that one
  const char* instead = nullptr;  // the one that says the same where the kernel has not this one
};

struct Limit {
  const char* name;       // of the test
  const char* property;   // below linux.resources, as an error names it
  const char* resources;  // DEVICE: the members "major" and "minor" of that disk; RDMA: a name
  Place v1;
  Place v2;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
inline void PrintTo(const Limit& limit, std::ostream* out) { *out << limit.property; }

inline constexpr Limit kLimits[] = {
    {"MemoryLimit",
     "memory.limit",
     R"({"memory": {"limit": 67108864}})",
     {"memory", "memory.limit_in_bytes", "67108864"},
     {"memory", "memory.max", "67108864"}},
    {"MemoryReservation",
     "memory.reservation",
     R"({"memory": {"reservation": 33554432}})",
     {"memory", "memory.soft_limit_in_bytes", "33554432"},
     {"memory", "memory.low", "33554432"}},
    {"MemorySwapIsWithTheMemoryInTheDocument",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": 100663296}})",
     {"memory", "memory.memsw.limit_in_bytes", "100663296"},
     {"memory", "memory.swap.max", "33554432"}},
    {"MemorySwapOfTheSizeOfTheLimitIsNone",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": 67108864}})",
     {"memory", "memory.memsw.limit_in_bytes", "67108864"},
     {"memory", "memory.swap.max", "0"}},
    {"MemorySwapWithoutLimit",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": -1}})",
     {"memory", "memory.memsw.limit_in_bytes", "9223372036854771712"},
     {"memory", "memory.swap.max", "max"}},
    {"MemoryKernelTcp",
     "memory.kernelTCP",
     R"({"memory": {"kernelTCP": 8388608}})",
     {"memory", "memory.kmem.tcp.limit_in_bytes", "8388608"},
     {}},
    {"MemorySwappiness",
     "memory.swappiness",
     R"({"memory": {"swappiness": 30}})",
     {"memory", "memory.swappiness", "30"},
     {}},
    {"MemoryDisableOomKiller",
     "memory.disableOOMKiller",
     R"({"memory": {"disableOOMKiller": true}})",
     {"memory", "memory.oom_control", "oom_kill_disable 1"},
     {}},
    {"MemoryUseHierarchy",
     "memory.useHierarchy",
     R"({"memory": {"useHierarchy": true}})",
     {"memory", "memory.use_hierarchy", "1"},
     {"memory", "cgroup.controllers", nullptr}},  // always: nothing to be read
    {"CpuShares",
     "cpu.shares",
     R"({"cpu": {"shares": 1024}})",
     {"cpu", "cpu.shares", "1024"},
     {"cpu", "cpu.weight", "100"}},
    {"CpuQuota",
     "cpu.quota",
     R"({"cpu": {"quota": 50000, "period": 200000}})",
     {"cpu", "cpu.cfs_quota_us", "50000"},
     {"cpu", "cpu.max", "50000 200000"}},
    {"CpuPeriod",
     "cpu.period",
     R"({"cpu": {"period": 200000}})",
     {"cpu", "cpu.cfs_period_us", "200000"},
     {"cpu", "cpu.max", "max 200000"}},
    {"CpuBurst",
     "cpu.burst",
     R"({"cpu": {"quota": 50000, "period": 100000, "burst": 20000}})",
     {"cpu", "cpu.cfs_burst_us", "20000"},
     {"cpu", "cpu.max.burst", "20000"}},
    {"CpuIdle",
     "cpu.idle",
     R"({"cpu": {"idle": 1}})",
     {"cpu", "cpu.idle", "1"},
     {"cpu", "cpu.idle", "1"}},
    {"CpuRealtimeRuntime",
     "cpu.realtimeRuntime",
     R"({"cpu": {"realtimeRuntime": 10000}})",
     {"cpu", "cpu.rt_runtime_us", "10000"},
     {}},
    {"CpuRealtimePeriod",
     "cpu.realtimePeriod",
     R"({"cpu": {"realtimePeriod": 500000}})",
     {"cpu", "cpu.rt_period_us", "500000"},
     {}},
    {"CpuSet",
     "cpu.cpus",
     R"({"cpu": {"cpus": "0"}})",
     {"cpuset", "cpuset.cpus", "0"},
     {"cpuset", "cpuset.cpus", "0"}},
    {"CpuSetMemory",
     "cpu.mems",
     R"({"cpu": {"mems": "0"}})",
     {"cpuset", "cpuset.mems", "0"},
     {"cpuset", "cpuset.mems", "0"}},
    {"Pids",
     "pids.limit",
     R"({"pids": {"limit": 20}})",
     {"pids", "pids.max", "20"},
     {"pids", "pids.max", "20"}},
    {"PidsWithoutLimit",
     "pids.limit",
     R"({"pids": {"limit": -1}})",
     {"pids", "pids.max", "max"},
     {"pids", "pids.max", "max"}},
    {"BlockIoWeight",
     "blockIO.weight",
     R"({"blockIO": {"weight": 500}})",
     {"blkio", "blkio.bfq.weight", "500"},
     {"io", "io.weight", "default 4950", "io.bfq.weight"}},
    {"BlockIoWeightForBfq",
     "blockIO.weight",
     R"({"blockIO": {"weight": 500}})",
     {"blkio", "blkio.bfq.weight", "500"},
     {"io", "io.bfq.weight", "default 500", nullptr, "io.weight"}},
    // CFQ's, which Linux 5.0 has taken away.
    {"BlockIoLeafWeight", "blockIO.leafWeight", R"({"blockIO": {"leafWeight": 500}})", {}, {}},
    {"BlockIoLeafWeightDevice",
     "blockIO.weightDevice",
     R"({"blockIO": {"weightDevice": [{DEVICE, "leafWeight": 300}]}})",
     {},
     {}},
    {"BlockIoWeightDevice",
     "blockIO.weightDevice",
     R"({"blockIO": {"weightDevice": [{DEVICE, "weight": 300}]}})",
     {"blkio", "blkio.bfq.weight_device", "DEVICE 300"},
     {"io", "io.bfq.weight", "DEVICE 300"}},
    {"BlockIoReadBytes",
     "blockIO.throttleReadBpsDevice",
     R"({"blockIO": {"throttleReadBpsDevice": [{DEVICE, "rate": 1048576}]}})",
     {"blkio", "blkio.throttle.read_bps_device", "DEVICE 1048576"},
     {"io", "io.max", "DEVICE rbps=1048576 wbps=max riops=max wiops=max"}},
    {"BlockIoWrittenBytes",
     "blockIO.throttleWriteBpsDevice",
     R"({"blockIO": {"throttleWriteBpsDevice": [{DEVICE, "rate": 1048576}]}})",
     {"blkio", "blkio.throttle.write_bps_device", "DEVICE 1048576"},
     {"io", "io.max", "DEVICE rbps=max wbps=1048576 riops=max wiops=max"}},
    {"BlockIoReads",
     "blockIO.throttleReadIOPSDevice",
     R"({"blockIO": {"throttleReadIOPSDevice": [{DEVICE, "rate": 100}]}})",
     {"blkio", "blkio.throttle.read_iops_device", "DEVICE 100"},
     {"io", "io.max", "DEVICE rbps=max wbps=max riops=100 wiops=max"}},
    {"BlockIoWrites",
     "blockIO.throttleWriteIOPSDevice",
     R"({"blockIO": {"throttleWriteIOPSDevice": [{DEVICE, "rate": 100}]}})",
     {"blkio", "blkio.throttle.write_iops_device", "DEVICE 100"},
     {"io", "io.max", "DEVICE rbps=max wbps=max riops=max wiops=100"}},
    {"HugePages",
     "hugepageLimits",
     R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})",
     {"hugetlb", "hugetlb.2MB.limit_in_bytes", "4194304"},
     {"hugetlb", "hugetlb.2MB.max", "4194304"}},
    {"HugePagesReserved",
     "hugepageLimits",
     R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})",
     {"hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes", "4194304", nullptr,
      "hugetlb.2MB.limit_in_bytes"},
     {"hugetlb", "hugetlb.2MB.rsvd.max", "4194304", nullptr, "hugetlb.2MB.max"}},
    {"NetworkClass",
     "network.classID",
     R"({"network": {"classID": 1048577}})",
     {"net_cls", "net_cls.classid", "1048577"},
     {}},
    {"NetworkPriorities",
     "network.priorities",
     R"({"network": {"priorities": [{"name": "lo", "priority": 5}]}})",
     {"net_prio", "net_prio.ifpriomap", "lo 5"},
     {}},
    {"Rdma",
     "rdma",
     R"({"rdma": {"RDMA": {"hcaHandles": 3, "hcaObjects": 10000}}})",
     {"rdma", "rdma.max", "RDMA hca_handle=3 hca_object=10000"},
     {"rdma", "rdma.max", "RDMA hca_handle=3 hca_object=10000"}},
    {"RdmaHandles",
     "rdma",
     R"({"rdma": {"RDMA": {"hcaHandles": 3}}})",
     {"rdma", "rdma.max", "RDMA hca_handle=3 hca_object=max"},
     {"rdma", "rdma.max", "RDMA hca_handle=3 hca_object=max"}},
    {"Unified",
     "unified",
     R"({"unified": {"memory.high": "33554432"}})",
     {},
     {"memory", "memory.high", "33554432"}},
};

inline std::string trimmed(const std::string& text) {
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

/// Whether requests to the disk ("254:0") have weights.
inline bool scheduled_by_bfq(const std::string& device) {
  const Result<std::string> text =
      sys::read_file(cat("/sys/dev/block/", device, "/queue/scheduler"), 4096);
  return text && text.value().find("[bfq]") != std::string::npos;
}

inline std::vector<std::string> names_in(const char* directory) {
  const Result<std::vector<std::string>> names = sys::list_directory(directory);
  return names ? names.value() : std::vector<std::string>();
}

/// "254:0": a disk that is no loop or memory device, if possible one with weights; empty when there
/// is none.
inline std::string disk() {
  std::string found;
  for (const std::string& name : names_in("/sys/block")) {
    if (name.starts_with("loop") || name.starts_with("ram") || name.starts_with("zram")) continue;
    const Result<std::string> numbers = sys::read_file(cat("/sys/block/", name, "/dev"), 64);
    if (!numbers) continue;
    found = trimmed(numbers.value());
    if (scheduled_by_bfq(found)) break;
  }
  return found;
}

/// "rxe0" of an RDMA device; empty when there is none.
inline std::string rdma_device() {
  const std::vector<std::string> names = names_in("/sys/class/infiniband");
  return names.empty() ? "" : names.front();
}

inline std::string replaced(std::string text, std::string_view word, const std::string& with) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + with.size())) {
    text.replace(at, word.size(), with);
  }
  return text;
}

/// The devices that a limit is for, in its JSON.
inline std::string in_json(const std::string& text, const std::string& disk,
                           const std::string& rdma) {
  const std::vector<std::string_view> numbers = split(disk, ':');
  return replaced(replaced(text, "DEVICE",
                           cat(R"("major": )", numbers.front(), R"(, "minor": )", numbers.back())),
                  "RDMA", rdma);
}

/// The kernel ends some lines with a space.
inline bool has_line(std::string_view text, std::string_view wanted) {
  return std::ranges::any_of(split(text, '\n'), [&](std::string_view line) {
    while (line.ends_with(' ')) line.remove_suffix(1);
    return line == wanted;
  });
}

}  // namespace rt::testing
