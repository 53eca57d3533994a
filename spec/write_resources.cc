#include "spec/write_resources.h"

#include "spec/json_writer.h"

namespace spec {
namespace {

template <class T>
void write(JsonWriter& json, std::string_view key, const std::optional<T>& value) {
  if (value) json.key(key).value(*value);
}

void write(JsonWriter& json, std::string_view key, const std::string& text) {
  if (!text.empty()) json.key(key).value(text);
}

/// An array of objects, each written by `write_one`; nothing when there are none.
template <class T>
void write_list(JsonWriter& json, std::string_view key, const std::vector<T>& list,
                void (*write_one)(JsonWriter& json, const T& one)) {
  if (list.empty()) return;
  json.key(key).begin_array();
  for (const T& one : list) {
    json.begin_object();
    write_one(json, one);
    json.end_object();
  }
  json.end_array();
}

void write_device_rule(JsonWriter& json, const DeviceRule& rule) {
  json.key("allow").value(rule.allow);
  write(json, "type", rule.type);
  write(json, "major", rule.major);
  write(json, "minor", rule.minor);
  write(json, "access", rule.access);
}

void write_memory(JsonWriter& json, const Memory& memory) {
  json.key("memory").begin_object();
  write(json, "limit", memory.limit);
  write(json, "reservation", memory.reservation);
  write(json, "swap", memory.swap);
  write(json, "kernel", memory.kernel);
  write(json, "kernelTCP", memory.kernel_tcp);
  write(json, "swappiness", memory.swappiness);
  write(json, "disableOOMKiller", memory.disable_oom_killer);
  write(json, "useHierarchy", memory.use_hierarchy);
  write(json, "checkBeforeUpdate", memory.check_before_update);
  json.end_object();
}

void write_cpu(JsonWriter& json, const Cpu& cpu) {
  json.key("cpu").begin_object();
  write(json, "shares", cpu.shares);
  write(json, "quota", cpu.quota);
  write(json, "burst", cpu.burst);
  write(json, "period", cpu.period);
  write(json, "realtimeRuntime", cpu.realtime_runtime);
  write(json, "realtimePeriod", cpu.realtime_period);
  write(json, "cpus", cpu.cpus);
  write(json, "mems", cpu.mems);
  write(json, "idle", cpu.idle);
  json.end_object();
}

void write_weight_device(JsonWriter& json, const WeightDevice& device) {
  json.key("major").value(device.major).key("minor").value(device.minor);
  write(json, "weight", device.weight);
  write(json, "leafWeight", device.leaf_weight);
}

void write_throttle_device(JsonWriter& json, const ThrottleDevice& device) {
  json.key("major").value(device.major).key("minor").value(device.minor);
  json.key("rate").value(device.rate);
}

void write_block_io(JsonWriter& json, const BlockIo& block_io) {
  json.key("blockIO").begin_object();
  write(json, "weight", block_io.weight);
  write(json, "leafWeight", block_io.leaf_weight);
  write_list(json, "weightDevice", block_io.weight_device, write_weight_device);
  write_list(json, "throttleReadBpsDevice", block_io.throttle_read_bps_device,
             write_throttle_device);
  write_list(json, "throttleWriteBpsDevice", block_io.throttle_write_bps_device,
             write_throttle_device);
  write_list(json, "throttleReadIOPSDevice", block_io.throttle_read_iops_device,
             write_throttle_device);
  write_list(json, "throttleWriteIOPSDevice", block_io.throttle_write_iops_device,
             write_throttle_device);
  json.end_object();
}

void write_hugepage_limit(JsonWriter& json, const HugepageLimit& limit) {
  json.key("pageSize").value(limit.page_size).key("limit").value(limit.limit);
}

void write_priority(JsonWriter& json, const InterfacePriority& priority) {
  json.key("name").value(priority.name).key("priority").value(priority.priority);
}

void write_network(JsonWriter& json, const Network& network) {
  json.key("network").begin_object();
  write(json, "classID", network.class_id);
  write_list(json, "priorities", network.priorities, write_priority);
  json.end_object();
}

void write_rdma(JsonWriter& json, const std::map<std::string, Rdma>& rdma) {
  json.key("rdma").begin_object();
  for (const auto& [device, limits] : rdma) {
    json.key(device).begin_object();
    write(json, "hcaHandles", limits.hca_handles);
    write(json, "hcaObjects", limits.hca_objects);
    json.end_object();
  }
  json.end_object();
}

void write_unified(JsonWriter& json, const std::map<std::string, std::string>& unified) {
  json.key("unified").begin_object();
  for (const auto& [file, value] : unified) json.key(file).value(value);
  json.end_object();
}

}  // namespace

std::string to_json(const Resources& resources) {
  JsonWriter json;
  json.begin_object();
  write_list(json, "devices", resources.devices, write_device_rule);
  if (resources.memory) write_memory(json, *resources.memory);
  if (resources.cpu) write_cpu(json, *resources.cpu);
  if (resources.block_io) write_block_io(json, *resources.block_io);
  write_list(json, "hugepageLimits", resources.hugepage_limits, write_hugepage_limit);
  if (resources.network) write_network(json, *resources.network);
  if (resources.pids_limit) {
    json.key("pids").begin_object().key("limit").value(*resources.pids_limit).end_object();
  }
  if (!resources.rdma.empty()) write_rdma(json, resources.rdma);
  if (!resources.unified.empty()) write_unified(json, resources.unified);
  json.end_object();
  return json.text();
}

}  // namespace spec
