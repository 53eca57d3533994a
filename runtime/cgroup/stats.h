// What a container uses, as the kernel counts it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/cgroup.h"

namespace rt::cgroup {

/// What v2 calls "max". v1 has a number of its own for it, which is kept.
inline constexpr uint64_t kUnlimited = UINT64_MAX;

/// Of one kind of memory, in bytes.
struct MemoryUse {
  uint64_t usage = 0;
  uint64_t peak = 0;
  uint64_t limit = 0;     // or kUnlimited
  uint64_t failures = 0;  // how often the limit was reached
  bool operator==(const MemoryUse&) const = default;
};

/// Pressure stall information: how long processes waited for a resource. Linux 4.20, v2 only.
struct Pressure {
  struct Line {
    double avg10 = 0;  // percent of the last 10, 60, 300 seconds
    double avg60 = 0;
    double avg300 = 0;
    uint64_t total = 0;  // microseconds
    bool operator==(const Line&) const = default;
  };
  Line some;  // at least one process waited
  Line full;  // all of them did
  bool operator==(const Pressure&) const = default;
};

/// A number for a device and an operation.
struct BlockIoEntry {
  uint64_t major = 0;
  uint64_t minor = 0;
  std::string operation;  // "Read", "Write"; v1: "Sync", "Async", "Discard", "Total" too
  uint64_t value = 0;
  bool operator==(const BlockIoEntry&) const = default;
};

/// Names of a file with one "name number" a line.
using Table = std::map<std::string, uint64_t>;

struct Stats {
  struct Cpu {
    uint64_t total_ns = 0;
    uint64_t user_ns = 0;
    uint64_t kernel_ns = 0;
    std::vector<uint64_t> per_cpu_ns;  // v1, and the next two
    std::vector<uint64_t> per_cpu_user_ns;
    std::vector<uint64_t> per_cpu_kernel_ns;
    uint64_t periods = 0;
    uint64_t throttled_periods = 0;
    uint64_t throttled_ns = 0;
    std::optional<Pressure> pressure;
  } cpu;
  struct CpuSet {
    std::vector<uint16_t> cpus;  // that may be used
    std::vector<uint16_t> mems;
    Table flags;  // v1: "cpu_exclusive", ... 0 or 1
    int64_t relax_domain_level = 0;
  } cpuset;
  struct Memory {
    MemoryUse memory;
    MemoryUse swap;        // memory and swap together
    MemoryUse kernel;      // v1
    MemoryUse kernel_tcp;  // v1
    uint64_t cache = 0;
    Table raw;     // memory.stat
    Table events;  // v2: memory.events
    std::optional<Pressure> pressure;
  } memory;
  struct Pids {
    uint64_t current = 0;
    uint64_t limit = 0;  // or kUnlimited
  } pids;
  struct BlockIo {
    std::vector<BlockIoEntry> service_bytes;
    std::vector<BlockIoEntry> serviced;
    std::optional<Pressure> pressure;
  } block_io;
  std::map<std::string, MemoryUse> hugetlb;  // by page size: "2MB"
  std::map<std::string, Table> rdma;         // device -> "hca_handle", "hca_object"
};

/// Each number from the directory that has its file; of what is nowhere (a controller that is not
/// switched on, a file that this kernel has not) it is 0. Nothing when no directory is there any
/// more.
Result<std::optional<Stats>> read_stats(const std::vector<Directory>& directories);

}  // namespace rt::cgroup
