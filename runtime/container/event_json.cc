#include "runtime/container/event_json.h"

#include "spec/json_writer.h"

namespace rt::container {
namespace {

using cgroup::MemoryUse;
using cgroup::Pressure;
using cgroup::Stats;
using cgroup::Table;
using spec::JsonWriter;

/// runc leaves some members out when they are 0.
void write_positive(JsonWriter& json, std::string_view name, uint64_t number) {
  if (number != 0) json.key(name).value(number);
}

void write_table(JsonWriter& json, const Table& table) {
  json.begin_object();
  for (const auto& [name, number] : table) json.key(name).value(number);
  json.end_object();
}

template <class T>
void write_numbers(JsonWriter& json, std::string_view name, const std::vector<T>& numbers) {
  if (numbers.empty()) return;
  json.key(name).begin_array();
  for (const T number : numbers) json.value(number);
  json.end_array();
}

void write_line(JsonWriter& json, std::string_view name, const Pressure::Line& line) {
  json.key(name).begin_object();
  json.key("avg10").value(line.avg10).key("avg60").value(line.avg60);
  json.key("avg300").value(line.avg300).key("total").value(line.total);
  json.end_object();
}

void write_pressure(JsonWriter& json, const Pressure& pressure) {
  json.begin_object();
  write_line(json, "some", pressure.some);
  write_line(json, "full", pressure.full);
  json.end_object();
}

void write_pressure_member(JsonWriter& json, const std::optional<Pressure>& pressure) {
  if (pressure) write_pressure(json.key("psi"), *pressure);
}

void write_cpu(JsonWriter& json, const Stats::Cpu& cpu) {
  json.key("cpu").begin_object().key("usage").begin_object();
  write_positive(json, "total", cpu.total_ns);
  write_numbers(json, "percpu", cpu.per_cpu_ns);
  write_numbers(json, "percpu_kernel", cpu.per_cpu_kernel_ns);
  write_numbers(json, "percpu_user", cpu.per_cpu_user_ns);
  json.key("kernel").value(cpu.kernel_ns).key("user").value(cpu.user_ns);
  json.end_object().key("throttling").begin_object();
  write_positive(json, "periods", cpu.periods);
  write_positive(json, "throttledPeriods", cpu.throttled_periods);
  write_positive(json, "throttledTime", cpu.throttled_ns);
  json.end_object();
  write_pressure_member(json, cpu.pressure);
  json.end_object();
}

void write_cpuset(JsonWriter& json, const Stats::CpuSet& cpuset) {
  json.key("cpuset").begin_object();
  write_numbers(json, "cpus", cpuset.cpus);
  write_numbers(json, "mems", cpuset.mems);
  for (const char* flag :
       {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
        "memory_spread_slab", "memory_pressure", "sched_load_balance"}) {
    const auto found = cpuset.flags.find(flag);
    json.key(flag).value(found == cpuset.flags.end() ? uint64_t{0} : found->second);
  }
  json.key("sched_relax_domain_level").value(cpuset.relax_domain_level).end_object();
}

void write_use(JsonWriter& json, std::string_view name, const MemoryUse& use) {
  json.key(name).begin_object().key("limit").value(use.limit);
  write_positive(json, "usage", use.usage);
  write_positive(json, "max", use.peak);
  json.key("failcnt").value(use.failures).end_object();
}

void write_memory(JsonWriter& json, const Stats::Memory& memory) {
  json.key("memory").begin_object();
  write_positive(json, "cache", memory.cache);
  write_use(json, "usage", memory.memory);
  write_use(json, "swap", memory.swap);
  write_use(json, "kernel", memory.kernel);
  write_use(json, "kernelTCP", memory.kernel_tcp);
  if (!memory.raw.empty()) write_table(json.key("raw"), memory.raw);
  if (!memory.events.empty()) write_table(json.key("events"), memory.events);
  write_pressure_member(json, memory.pressure);
  json.end_object();
}

/// "max" is 0 here, in runc's shape.
void write_pids(JsonWriter& json, const Stats::Pids& pids) {
  json.key("pids").begin_object();
  write_positive(json, "current", pids.current);
  write_positive(json, "limit", pids.limit == cgroup::kUnlimited ? 0 : pids.limit);
  json.end_object();
}

void write_entries(JsonWriter& json, std::string_view name,
                   const std::vector<cgroup::BlockIoEntry>& entries) {
  if (entries.empty()) return;
  json.key(name).begin_array();
  for (const cgroup::BlockIoEntry& entry : entries) {
    json.begin_object();
    write_positive(json, "major", entry.major);
    write_positive(json, "minor", entry.minor);
    json.key("op").value(entry.operation);
    write_positive(json, "value", entry.value);
    json.end_object();
  }
  json.end_array();
}

void write_block_io(JsonWriter& json, const Stats::BlockIo& block_io) {
  json.key("blkio").begin_object();
  write_entries(json, "ioServiceBytesRecursive", block_io.service_bytes);
  write_entries(json, "ioServicedRecursive", block_io.serviced);
  write_pressure_member(json, block_io.pressure);
  json.end_object();
}

void write_hugetlb(JsonWriter& json, const std::map<std::string, MemoryUse>& hugetlb) {
  json.key("hugetlb").begin_object();
  for (const auto& [size, use] : hugetlb) {
    json.key(size).begin_object();
    write_positive(json, "usage", use.usage);
    write_positive(json, "max", use.peak);
    json.key("failcnt").value(use.failures).end_object();
  }
  json.end_object();
}

void write_rdma(JsonWriter& json, const std::map<std::string, Table>& rdma) {
  if (rdma.empty()) return;
  json.key("rdma").begin_object();
  for (const auto& [device, table] : rdma) write_table(json.key(device), table);
  json.end_object();
}

void begin_event(JsonWriter& json, std::string_view type, const std::string& id) {
  json.begin_object().key("type").value(type).key("id").value(id);
}

struct WriteNotice {
  const std::string& id;
  JsonWriter& json;

  void operator()(const cgroup::OutOfMemory& /*notice*/) const { begin_event(json, "oom", id); }
  void operator()(const cgroup::MemoryEvents& notice) const {
    begin_event(json, "memory.events", id);
    write_table(json.key("data"), notice.counts);
  }
  void operator()(const cgroup::PressureRose& notice) const {
    begin_event(json, "pressure", id);
    json.key("data").begin_object().key("resource").value(notice.trigger.resource);
    json.key("trigger").value(notice.trigger.condition);
    write_pressure(json.key("psi"), notice.pressure);
    json.end_object();
  }
};

}  // namespace

std::string to_json(const std::string& id, const Stats& stats) {
  JsonWriter json;
  begin_event(json, "stats", id);
  json.key("data").begin_object();
  write_cpu(json, stats.cpu);
  write_cpuset(json, stats.cpuset);
  write_memory(json, stats.memory);
  write_pids(json, stats.pids);
  write_block_io(json, stats.block_io);
  write_hugetlb(json, stats.hugetlb);
  write_rdma(json, stats.rdma);
  json.key("intel_rdt").begin_object().end_object().key("network_interfaces").null();
  json.end_object().end_object();
  return json.text();
}

std::string to_json(const std::string& id, const cgroup::Notice& notice) {
  JsonWriter json;
  std::visit(WriteNotice{.id = id, .json = json}, notice);
  json.end_object();
  return json.text();
}

}  // namespace rt::container
