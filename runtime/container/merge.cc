#include "runtime/container/merge.h"

#include <algorithm>

namespace rt::container {
namespace {

using spec::Resources;

template <class T>
void drop_zero(std::optional<T>& value) {
  if (value && *value == 0) value.reset();
}

bool denies_everything(const spec::DeviceRule& rule) {
  const bool whole = rule.access.empty() || (rule.access.find('r') != rule.access.npos &&
                                             rule.access.find('w') != rule.access.npos &&
                                             rule.access.find('m') != rule.access.npos);
  const bool any = (rule.type.empty() || rule.type == "a") && !rule.major && !rule.minor;
  return !rule.allow && any && whole;
}

template <class T>
void set(std::optional<T>& now, const std::optional<T>& change) {
  if (change) now = change;
}

void set(std::string& now, const std::string& change) {
  if (!change.empty()) now = change;
}

/// Entries of `change` replace those with the same key, or come behind.
template <class T, class SameKey>
void set_list(std::vector<T>& now, const std::vector<T>& change, SameKey same_key) {
  for (const T& entry : change) {
    const auto old = std::ranges::find_if(now, [&](const T& one) { return same_key(one, entry); });
    if (old == now.end()) {
      now.push_back(entry);
    } else {
      *old = entry;
    }
  }
}

template <class T>
bool is_same_device(const T& one, const T& other) {
  return one.major == other.major && one.minor == other.minor;
}

void set_memory(spec::Memory& now, const spec::Memory& change) {
  set(now.limit, change.limit);
  set(now.reservation, change.reservation);
  set(now.swap, change.swap);
  set(now.kernel, change.kernel);
  set(now.kernel_tcp, change.kernel_tcp);
  set(now.swappiness, change.swappiness);
  set(now.disable_oom_killer, change.disable_oom_killer);
  set(now.use_hierarchy, change.use_hierarchy);
  set(now.check_before_update, change.check_before_update);
}

void set_cpu(spec::Cpu& now, const spec::Cpu& change) {
  set(now.shares, change.shares);
  set(now.quota, change.quota);
  set(now.burst, change.burst);
  set(now.period, change.period);
  set(now.realtime_runtime, change.realtime_runtime);
  set(now.realtime_period, change.realtime_period);
  set(now.cpus, change.cpus);
  set(now.mems, change.mems);
  set(now.idle, change.idle);
}

void set_block_io(spec::BlockIo& now, const spec::BlockIo& change) {
  set(now.weight, change.weight);
  set(now.leaf_weight, change.leaf_weight);
  set_list(now.weight_device, change.weight_device, is_same_device<spec::WeightDevice>);
  constexpr auto kSame = is_same_device<spec::ThrottleDevice>;
  set_list(now.throttle_read_bps_device, change.throttle_read_bps_device, kSame);
  set_list(now.throttle_write_bps_device, change.throttle_write_bps_device, kSame);
  set_list(now.throttle_read_iops_device, change.throttle_read_iops_device, kSame);
  set_list(now.throttle_write_iops_device, change.throttle_write_iops_device, kSame);
}

void set_network(spec::Network& now, const spec::Network& change) {
  set(now.class_id, change.class_id);
  set_list(now.priorities, change.priorities,
           [](const auto& one, const auto& other) { return one.name == other.name; });
}

void set_rdma(spec::Rdma& now, const spec::Rdma& change) {
  set(now.hca_handles, change.hca_handles);
  set(now.hca_objects, change.hca_objects);
}

/// The part of `now` that `change` has; made, when it is not there yet.
template <class T>
void set_part(std::optional<T>& now, const std::optional<T>& change,
              void (*set_members)(T& now, const T& change)) {
  if (!change) return;
  if (!now) now.emplace();
  set_members(*now, *change);
}

}  // namespace

Resources meant(Resources changes) {
  if (changes.memory) {
    drop_zero(changes.memory->limit);
    drop_zero(changes.memory->reservation);
    drop_zero(changes.memory->swap);
    drop_zero(changes.memory->kernel);
    drop_zero(changes.memory->kernel_tcp);
    if (*changes.memory == spec::Memory()) changes.memory.reset();
  }
  if (changes.cpu) {
    drop_zero(changes.cpu->shares);
    drop_zero(changes.cpu->quota);
    drop_zero(changes.cpu->period);
    drop_zero(changes.cpu->realtime_runtime);
    drop_zero(changes.cpu->realtime_period);
    if (*changes.cpu == spec::Cpu()) changes.cpu.reset();
  }
  if (changes.block_io) {
    drop_zero(changes.block_io->weight);
    drop_zero(changes.block_io->leaf_weight);
    if (*changes.block_io == spec::BlockIo()) changes.block_io.reset();
  }
  if (changes.network && *changes.network == spec::Network()) changes.network.reset();
  if (std::ranges::all_of(changes.devices, denies_everything)) changes.devices.clear();
  return changes;
}

bool is_empty(const Resources& resources) { return resources == Resources(); }

Resources merge(Resources now, const Resources& changes) {
  if (!changes.devices.empty()) now.devices = changes.devices;
  set_part(now.memory, changes.memory, set_memory);
  set_part(now.cpu, changes.cpu, set_cpu);
  set_part(now.block_io, changes.block_io, set_block_io);
  set_list(now.hugepage_limits, changes.hugepage_limits,
           [](const auto& one, const auto& other) { return one.page_size == other.page_size; });
  set_part(now.network, changes.network, set_network);
  set(now.pids_limit, changes.pids_limit);
  for (const auto& [device, limits] : changes.rdma) set_rdma(now.rdma[device], limits);
  for (const auto& [file, value] : changes.unified) now.unified[file] = value;
  return now;
}

}  // namespace rt::container
