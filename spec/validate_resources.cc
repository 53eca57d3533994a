// The rules of config.json's "linux.resources".
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/text.h"
#include "spec/number_list.h"
#include "spec/validate_parts.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

void expect_at_least(const Path& at, const std::optional<int64_t>& value, int64_t min,
                     Findings findings) {
  if (value && *value < min) findings.error(at, cat("expected at least ", min, ", found ", *value));
}

void check_device_numbers(const Path& at, int64_t major, int64_t minor, Findings findings) {
  findings.expect_range(at.member("major"), major, 0, kHighestMajor);
  findings.expect_range(at.member("minor"), minor, 0, kHighestMinor);
}

/// Nothing in `major` or `minor`: any. Docker writes that as -1, for its "c 10:* rwm".
void check_ruled_numbers(const Path& at, const DeviceRule& rule, Findings findings) {
  if (rule.major) findings.expect_range(at.member("major"), *rule.major, -1, kHighestMajor);
  if (rule.minor) findings.expect_range(at.member("minor"), *rule.minor, -1, kHighestMinor);
}

void check_device_rules(const Path& at, const std::vector<DeviceRule>& rules, Findings findings) {
  static constexpr std::string_view kTypes[] = {"a", "b", "c"};
  for (size_t i = 0; i < rules.size(); ++i) {
    const DeviceRule& rule = rules[i];
    const Path entry = at.element(i);
    if (!rule.type.empty()) {
      findings.expect_word(entry.member("type"), rule.type, "device type", kTypes);
    }
    check_ruled_numbers(entry, rule, findings);
    if (rule.access.find_first_not_of("rwm") != rule.access.npos) {
      findings.error(entry.member("access"),
                     cat("expected letters of \"rwm\", found ", quoted(rule.access)));
    }
  }
}

void check_memory(const Path& at, const Memory& memory, Findings findings) {
  const std::pair<std::string_view, const std::optional<int64_t>&> limits[] = {
      {"limit", memory.limit},   {"reservation", memory.reservation}, {"swap", memory.swap},
      {"kernel", memory.kernel}, {"kernelTCP", memory.kernel_tcp},
  };
  for (const auto& [name, limit] : limits) expect_at_least(at.member(name), limit, -1, findings);
  if (memory.swappiness && *memory.swappiness > 100) {
    findings.error(at.member("swappiness"), cat("expected 0 to 100, found ", *memory.swappiness));
  }
  // "swap" limits memory and swap together.
  const int64_t limit = memory.limit.value_or(0);
  const int64_t swap = memory.swap.value_or(0);
  if (limit > 0 && swap > 0 && swap < limit) {
    findings.error(at.member("swap"), cat("memory and swap together (", swap,
                                          ") are less than the memory limit ", limit));
  }
}

/// What the kernel takes, which says no more than EINVAL: kernel/sched/core.c, 1 ms to 1 s. 0 is
/// none, and a quota of -1 no limit.
void check_bandwidth(const Path& at, const Cpu& cpu, Findings findings) {
  constexpr uint64_t kShortest = 1000;
  constexpr uint64_t kLongest = 1000000;
  const uint64_t period = cpu.period.value_or(0);
  if (period != 0 && (period < kShortest || period > kLongest)) {
    findings.error(at.member("period"), cat("expected ", kShortest, " to ", kLongest,
                                            " microseconds, or 0 for none, found ", period));
  }
  const int64_t quota = cpu.quota.value_or(0);
  if (quota < -1 || (quota > 0 && static_cast<uint64_t>(quota) < kShortest)) {
    findings.error(at.member("quota"),
                   cat("expected at least ", kShortest,
                       " microseconds, 0 for none or -1 for no limit, found ", quota));
  }
  expect_at_least(at.member("realtimeRuntime"), cpu.realtime_runtime, -1, findings);
}

void check_cpu(const Path& at, const Cpu& cpu, Findings findings) {
  check_bandwidth(at, cpu, findings);
  const int64_t quota = cpu.quota.value_or(0);
  if (cpu.burst && quota > 0 && *cpu.burst > static_cast<uint64_t>(quota)) {
    findings.error(at.member("burst"),
                   cat("the burst ", *cpu.burst, " is larger than the quota ", quota));
  }
  findings.expect_list(at.member("cpus"), cpu.cpus, kHighestCpu);
  findings.expect_list(at.member("mems"), cpu.mems, kHighestNode);
  if (cpu.idle) findings.expect_range(at.member("idle"), *cpu.idle, 0, 1);
}

void check_weight(const Path& at, const std::optional<uint16_t>& weight, Findings findings) {
  if (!weight || *weight == 0 || (*weight >= 10 && *weight <= 1000)) return;
  findings.error(at, cat("expected 10 to 1000, or 0 for none, found ", *weight));
}

void check_weight_devices(const Path& at, const std::vector<WeightDevice>& devices,
                          Findings findings) {
  for (size_t i = 0; i < devices.size(); ++i) {
    const WeightDevice& device = devices[i];
    const Path entry = at.element(i);
    check_device_numbers(entry, device.major, device.minor, findings);
    check_weight(entry.member("weight"), device.weight, findings);
    check_weight(entry.member("leafWeight"), device.leaf_weight, findings);
    if (!device.weight && !device.leaf_weight) {
      findings.error(entry, "at least one of weight and leafWeight is required");
    }
  }
}

void check_block_io(const Path& at, const BlockIo& block_io, Findings findings) {
  check_weight(at.member("weight"), block_io.weight, findings);
  check_weight(at.member("leafWeight"), block_io.leaf_weight, findings);
  check_weight_devices(at.member("weightDevice"), block_io.weight_device, findings);
  const std::pair<std::string_view, const std::vector<ThrottleDevice>&> kinds[] = {
      {"throttleReadBpsDevice", block_io.throttle_read_bps_device},
      {"throttleWriteBpsDevice", block_io.throttle_write_bps_device},
      {"throttleReadIOPSDevice", block_io.throttle_read_iops_device},
      {"throttleWriteIOPSDevice", block_io.throttle_write_iops_device},
  };
  for (const auto& [name, devices] : kinds) {
    const Path list = at.member(name);
    for (size_t i = 0; i < devices.size(); ++i) {
      const Path entry = list.element(i);
      check_device_numbers(entry, devices[i].major, devices[i].minor, findings);
    }
  }
}

/// "64KB", "2MB", "1GB": the words in the names of the controller's files.
bool is_page_size(std::string_view text) {
  if (text.size() < 3 || text[0] == '0' || !text.ends_with('B')) return false;
  const char unit = text[text.size() - 2];
  const std::string_view digits = text.substr(0, text.size() - 2);
  return (unit == 'K' || unit == 'M' || unit == 'G') &&
         digits.find_first_not_of("0123456789") == digits.npos;
}

void check_hugepages(const Path& at, const std::vector<HugepageLimit>& limits, Findings findings) {
  std::set<std::string_view> sizes;
  for (size_t i = 0; i < limits.size(); ++i) {
    const Path entry = at.element(i);
    const std::string& size = limits[i].page_size;
    if (!is_page_size(size)) {
      findings.error(
          entry.member("pageSize"),
          cat("expected a size such as \"64KB\", \"2MB\", \"1GB\", found ", quoted(size)));
    } else if (!sizes.insert(size).second) {
      findings.error(entry.member("pageSize"), cat("the page size ", size, " is there twice"));
    }
  }
}

void check_network(const Path& at, const Network& network, Findings findings) {
  const Path priorities = at.member("priorities");
  for (size_t i = 0; i < network.priorities.size(); ++i) {
    const Path entry = priorities.element(i);
    const std::string& name = network.priorities[i].name;
    if (!is_interface_name(name)) {
      findings.error(entry.member("name"), cat("not a network device's name: ", quoted(name)));
    }
  }
}

void check_rdma(const Path& at, const std::map<std::string, Rdma>& rdma, Findings findings) {
  for (const auto& [name, limits] : rdma) {
    const Path entry = at.member(name);
    if (name.empty() || name.find_first_of(" \t\n/") != name.npos) {
      findings.error(entry, cat("not an RDMA device's name: ", quoted(name)), Place::kKey);
    }
    if (!limits.hca_handles && !limits.hca_objects) {
      findings.error(entry, "at least one of hcaHandles and hcaObjects is required");
    }
  }
}

/// A key is the name of a file in the container's cgroup, and must not lead out of it.
void check_unified(const Path& at, const std::map<std::string, std::string>& unified,
                   Findings findings) {
  for (const auto& [key, value] : unified) {
    if (key.empty() || key == "." || key == ".." || key.find_first_of("/\n") != key.npos) {
      findings.error(at.member(key), cat("not the name of a cgroup file: ", quoted(key)),
                     Place::kKey);
    }
  }
}

}  // namespace

void check_resources(const Path& at, const Resources& resources, Findings findings) {
  check_device_rules(at.member("devices"), resources.devices,
                     findings.in("config-linux.md, \"Allowed Device list\""));
  if (resources.memory) {
    check_memory(at.member("memory"), *resources.memory,
                 findings.in("config-linux.md, \"Memory\""));
  }
  if (resources.cpu) {
    check_cpu(at.member("cpu"), *resources.cpu, findings.in("config-linux.md, \"CPU\""));
  }
  if (resources.block_io) {
    check_block_io(at.member("blockIO"), *resources.block_io,
                   findings.in("config-linux.md, \"Block IO\""));
  }
  check_hugepages(at.member("hugepageLimits"), resources.hugepage_limits,
                  findings.in("config-linux.md, \"Huge page limits\""));
  if (resources.network) {
    check_network(at.member("network"), *resources.network,
                  findings.in("config-linux.md, \"Network\""));
  }
  const Path pids = at.member("pids");
  expect_at_least(pids.member("limit"), resources.pids_limit, -1,
                  findings.in("config-linux.md, \"PIDs\""));
  check_rdma(at.member("rdma"), resources.rdma, findings.in("config-linux.md, \"RDMA\""));
  check_unified(at.member("unified"), resources.unified,
                findings.in("config-linux.md, \"Unified\""));
}

}  // namespace spec
