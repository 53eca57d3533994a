// Block devices: weights and rates. runtime-spec config-linux.md, "Block IO";
// Documentation/admin-guide/cgroup-v1/blkio-controller.rst, cgroup-v2.rst, block/bfq-iosched.rst.
#include "runtime/base/text.h"
#include "runtime/plan/resources_parts.h"

namespace rt::plan {
namespace {

using Form = CgroupSetting::Form;

constexpr Controller kIo = {"blkio", "io"};

/// The weight of a cgroup, or of it on one device: "", or "8:0 ". Whoever schedules has a file of
/// his own; which one does is the device's, and changes: the first that is there.
Status add_weight(Limits& limits, std::string property, const std::string& device,
                  const std::optional<uint16_t>& weight) {
  if (weight.value_or(0) == 0) return ok();
  const std::string plain = cat(device, *weight);
  const std::string suffix = device.empty() ? "" : "_device";
  return limits.add(
      {.property = std::move(property),
       .controller = kIo,
       .v1 = {{cat("blkio.weight", suffix), plain},  // CFQ, until Linux 5.0
              {cat("blkio.bfq.weight", suffix), plain}},
       .v2 = {{"io.bfq.weight", plain}, {"io.weight", cat(device, io_weight(*weight))}},
       .shows_value = device.empty()});
}

/// CFQ's alone.
Status add_leaf_weight(Limits& limits, std::string property, const std::string& device,
                       const std::optional<uint16_t>& weight) {
  if (weight.value_or(0) == 0) return ok();
  return limits.add(
      {.property = std::move(property),
       .controller = kIo,
       .v1 = {{cat("blkio.leaf_weight", device.empty() ? "" : "_device"), cat(device, *weight)}},
       .shows_value = device.empty()});
}

struct Throttle {
  std::string_view property;
  std::string_view v1_file;
  std::string_view v2_word;
  std::vector<spec::ThrottleDevice> spec::BlockIo::* devices;
};

constexpr Throttle kThrottles[] = {
    {"throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps",
     &spec::BlockIo::throttle_read_bps_device},
    {"throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps",
     &spec::BlockIo::throttle_write_bps_device},
    {"throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops",
     &spec::BlockIo::throttle_read_iops_device},
    {"throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops",
     &spec::BlockIo::throttle_write_iops_device},
};

/// A line of io.max leaves alone what it does not name. A rate of 0 is no limit in v1; v2 has a
/// word for it.
Status add_throttles(Limits& limits, const Throttle& kind,
                     const std::vector<spec::ThrottleDevice>& devices) {
  for (size_t i = 0; i < devices.size(); ++i) {
    const spec::ThrottleDevice& one = devices[i];
    const std::string device = cat(one.major, ':', one.minor, ' ');
    const std::string rate = one.rate == 0 ? "max" : std::to_string(one.rate);
    TRY(limits.add({.property = cat("/blockIO/", kind.property, '/', i),
                    .controller = kIo,
                    .v1 = {{std::string(kind.v1_file), cat(device, one.rate)}},
                    .v2 = {{"io.max", cat(device, kind.v2_word, '=', rate)}},
                    .shows_value = false}));
  }
  return ok();
}

}  // namespace

uint64_t io_weight(uint64_t weight) {
  constexpr uint64_t kLeast = 10;
  constexpr uint64_t kMost = 1000;
  if (weight <= kLeast) return 1;
  if (weight >= kMost) return 10000;
  return 1 + ((weight - kLeast) * 9999 / (kMost - kLeast));
}

Status plan_block_io(Limits& limits) {
  if (!limits.wanted().block_io) return ok();
  const spec::BlockIo& io = *limits.wanted().block_io;
  TRY(add_weight(limits, "/blockIO/weight", "", io.weight));
  TRY(add_leaf_weight(limits, "/blockIO/leafWeight", "", io.leaf_weight));
  for (size_t i = 0; i < io.weight_device.size(); ++i) {
    const spec::WeightDevice& one = io.weight_device[i];
    const std::string entry = cat("/blockIO/weightDevice/", i);
    const std::string device = cat(one.major, ':', one.minor, ' ');
    TRY(add_weight(limits, cat(entry, "/weight"), device, one.weight));
    TRY(add_leaf_weight(limits, cat(entry, "/leafWeight"), device, one.leaf_weight));
  }
  for (const Throttle& kind : kThrottles) TRY(add_throttles(limits, kind, io.*kind.devices));
  return ok();
}

}  // namespace rt::plan
