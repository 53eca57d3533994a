#include "runtime/cgroup/stats.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/figures.h"

namespace rt::cgroup {
namespace {

constexpr uint64_t kNsPerUs = 1000;
// sysconf(_SC_CLK_TCK) is 100 on every architecture that we know.
constexpr uint64_t kNsPerTick = 10'000'000;

// v1: cgroup-v1/{cpuacct,cpusets,memory,hugetlb,blkio-controller}.rst

Status read_cpuacct(const Figures& files, Stats::Cpu& cpu) {
  const std::optional<std::string> usage = TRY(files.find("cpuacct.usage"));
  if (!usage) return ok();
  cpu.total_ns = parse_uint(*usage).value_or(0);
  const Table stat = TRY(files.table("cpuacct.stat"));
  cpu.user_ns = number_in(stat, "user") * kNsPerTick;
  cpu.kernel_ns = number_in(stat, "system") * kNsPerTick;
  cpu.per_cpu_ns = TRY(files.numbers("cpuacct.usage_percpu"));
  cpu.per_cpu_user_ns = TRY(files.numbers("cpuacct.usage_percpu_user"));
  cpu.per_cpu_kernel_ns = TRY(files.numbers("cpuacct.usage_percpu_sys"));
  return ok();
}

void take_throttling(const Table& stat, const std::string& time, uint64_t unit, Stats::Cpu& cpu) {
  if (!stat.contains("nr_periods")) return;
  cpu.periods = number_in(stat, "nr_periods");
  cpu.throttled_periods = number_in(stat, "nr_throttled");
  cpu.throttled_ns = number_in(stat, time) * unit;
}

Status read_v1_cpuset(const Figures& files, Stats::CpuSet& cpuset) {
  const std::optional<std::string> cpus = TRY(files.find("cpuset.cpus"));
  if (!cpus) return ok();
  cpuset.cpus = parse_list(*cpus);
  const std::string mems = TRY(files.text("cpuset.mems"));
  cpuset.mems = parse_list(mems);
  for (const char* flag :
       {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
        "memory_spread_slab", "memory_pressure", "sched_load_balance"}) {
    cpuset.flags[flag] = TRY(files.number(cat("cpuset.", flag)));
  }
  const std::string level = TRY(files.text("cpuset.sched_relax_domain_level"));
  cpuset.relax_domain_level = parse_int(level).value_or(0);
  return ok();
}

Result<MemoryUse> read_v1_use(const Figures& files, const std::string& prefix) {
  MemoryUse use;
  use.usage = TRY(files.number(cat(prefix, "usage_in_bytes")));
  use.peak = TRY(files.number(cat(prefix, "max_usage_in_bytes")));
  use.limit = TRY(files.number(cat(prefix, "limit_in_bytes")));
  use.failures = TRY(files.number(cat(prefix, "failcnt")));
  return use;
}

Status read_v1_memory(const Figures& files, Stats::Memory& memory) {
  const std::optional<std::string> usage = TRY(files.find("memory.usage_in_bytes"));
  if (!usage) return ok();
  memory.memory = TRY(read_v1_use(files, "memory."));
  memory.swap = TRY(read_v1_use(files, "memory.memsw."));
  memory.kernel = TRY(read_v1_use(files, "memory.kmem."));
  memory.kernel_tcp = TRY(read_v1_use(files, "memory.kmem.tcp."));
  memory.raw = TRY(files.table("memory.stat"));
  memory.cache = number_in(memory.raw, "cache");
  return ok();
}

/// Each scheduler counts in files of its own: the first that has counted anything.
Result<std::vector<BlockIoEntry>> read_v1_block_io(const Figures& files, std::string_view what) {
  std::vector<BlockIoEntry> entries;
  for (const std::string& file :
       {cat("blkio.bfq.", what, "_recursive"), cat("blkio.throttle.", what, "_recursive"),
        cat("blkio.throttle.", what)}) {
    if (!entries.empty()) break;
    const std::string text = TRY(files.text(file));
    entries = parse_block_io(text);
  }
  return entries;
}

Status read_v1_hugetlb(const Figures& files, std::map<std::string, MemoryUse>& hugetlb) {
  const std::vector<std::string> sizes = TRY(files.page_sizes(".usage_in_bytes"));
  for (const std::string& size : sizes) {
    hugetlb[size] = TRY(read_v1_use(files, cat("hugetlb.", size, '.')));
  }
  return ok();
}

Status read_v1(const Figures& files, Stats& stats) {
  TRY(read_cpuacct(files, stats.cpu));
  const Table cpu_stat = TRY(files.table("cpu.stat"));
  take_throttling(cpu_stat, "throttled_time", 1, stats.cpu);
  TRY(read_v1_cpuset(files, stats.cpuset));
  TRY(read_v1_memory(files, stats.memory));
  std::vector<BlockIoEntry> bytes = TRY(read_v1_block_io(files, "io_service_bytes"));
  if (!bytes.empty()) stats.block_io.service_bytes = std::move(bytes);
  std::vector<BlockIoEntry> operations = TRY(read_v1_block_io(files, "io_serviced"));
  if (!operations.empty()) stats.block_io.serviced = std::move(operations);
  return read_v1_hugetlb(files, stats.hugetlb);
}

// v2: cgroup-v2.rst, "Controllers"

uint64_t sum(uint64_t one, uint64_t other) {
  return one == kUnlimited || other == kUnlimited ? kUnlimited : one + other;
}

Result<MemoryUse> read_v2_use(const Figures& files, const std::string& prefix) {
  MemoryUse use;
  use.usage = TRY(files.number(cat(prefix, "current")));
  use.peak = TRY(files.number(cat(prefix, "peak")));  // Linux 5.19; of swap 6.5
  use.limit = TRY(files.number(cat(prefix, "max")));
  const Table events = TRY(files.table(cat(prefix, "events")));
  use.failures = number_in(events, "max");
  return use;
}

/// v1's swap is memory and swap together, and so it is here. The peak of the sum nobody knows.
Status read_v2_memory(const Figures& files, Stats::Memory& memory) {
  memory.pressure = TRY(files.pressure("memory.pressure"));
  const std::optional<std::string> usage = TRY(files.find("memory.current"));
  if (!usage) return ok();
  memory.memory = TRY(read_v2_use(files, "memory."));
  const std::optional<std::string> swap = TRY(files.find("memory.swap.current"));
  if (swap) {
    memory.swap = TRY(read_v2_use(files, "memory.swap."));
    memory.swap.usage += memory.memory.usage;
    memory.swap.limit = sum(memory.swap.limit, memory.memory.limit);
    memory.swap.peak = 0;
  }
  memory.raw = TRY(files.table("memory.stat"));
  memory.cache = number_in(memory.raw, "file");
  memory.events = TRY(files.table("memory.events"));
  return ok();
}

Status read_v2_cpu(const Figures& files, Stats::Cpu& cpu) {
  const Table stat = TRY(files.table("cpu.stat"));
  cpu.total_ns = number_in(stat, "usage_usec") * kNsPerUs;
  cpu.user_ns = number_in(stat, "user_usec") * kNsPerUs;
  cpu.kernel_ns = number_in(stat, "system_usec") * kNsPerUs;
  take_throttling(stat, "throttled_usec", kNsPerUs, cpu);
  cpu.pressure = TRY(files.pressure("cpu.pressure"));
  return ok();
}

Status read_v2_hugetlb(const Figures& files, std::map<std::string, MemoryUse>& hugetlb) {
  const std::vector<std::string> sizes = TRY(files.page_sizes(".current"));
  for (const std::string& size : sizes) {
    // v2 has no peak of them.
    hugetlb[size] = TRY(read_v2_use(files, cat("hugetlb.", size, '.')));
  }
  return ok();
}

Status read_v2(const Figures& files, Stats& stats) {
  TRY(read_v2_cpu(files, stats.cpu));
  const std::string cpus = TRY(files.text("cpuset.cpus.effective"));
  stats.cpuset.cpus = parse_list(cpus);
  const std::string mems = TRY(files.text("cpuset.mems.effective"));
  stats.cpuset.mems = parse_list(mems);
  TRY(read_v2_memory(files, stats.memory));
  const std::string io = TRY(files.text("io.stat"));
  IoStat stat = parse_io_stat(io);
  stats.block_io.service_bytes = std::move(stat.bytes);
  stats.block_io.serviced = std::move(stat.operations);
  stats.block_io.pressure = TRY(files.pressure("io.pressure"));
  return read_v2_hugetlb(files, stats.hugetlb);
}

/// Those whose files are the same in both versions.
Status read_either(const Figures& files, Stats& stats) {
  const std::optional<std::string> pids = TRY(files.find("pids.current"));
  if (pids) {
    stats.pids.current = parse_uint(*pids).value_or(0);
    stats.pids.limit = TRY(files.number("pids.max"));
  }
  const std::optional<std::string> rdma = TRY(files.find("rdma.current"));
  if (rdma) stats.rdma = parse_rdma(*rdma);
  return ok();
}

}  // namespace

Result<std::optional<Stats>> read_stats(const std::vector<Directory>& directories) {
  std::vector<Directory> leaves = directories;
  std::erase_if(leaves, [](const Directory& one) { return !one.leaf; });
  // v2 first: it counts processor time also where a v1 hierarchy has the controller, and knows
  // less.
  std::ranges::stable_partition(leaves, &Directory::unified);
  std::optional<Stats> stats;
  for (const Directory& leaf : leaves) {
    const std::optional<UniqueFd> opened = TRY(open_directory(leaf));
    if (!opened) continue;
    if (!stats) stats.emplace();
    const Figures files(opened->get());
    TRY(leaf.unified ? read_v2(files, *stats) : read_v1(files, *stats), "cgroup ",
        quoted(leaf.path));
    TRY(read_either(files, *stats), "cgroup ", quoted(leaf.path));
  }
  return stats;
}

}  // namespace rt::cgroup
