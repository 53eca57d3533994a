// linux.resources of config.json; the command `update` reads it alone.
#include "spec/parse.h"
#include "spec/parse_parts.h"

namespace spec {

template <>
struct Fields<DeviceRule> {
  static constexpr std::string_view kSection = "config-linux.md, \"Allowed Device list\"";
  static constexpr Field<DeviceRule> kTable[] = {
      field<&DeviceRule::allow>("allow", Need::kRequired),
      field<&DeviceRule::type>("type"),
      field<&DeviceRule::major>("major"),
      field<&DeviceRule::minor>("minor"),
      field<&DeviceRule::access>("access"),
  };
};

template <>
struct Fields<Memory> {
  static constexpr std::string_view kSection = "config-linux.md, \"Memory\"";
  static constexpr Field<Memory> kTable[] = {
      field<&Memory::limit>("limit"),
      field<&Memory::reservation>("reservation"),
      field<&Memory::swap>("swap"),
      field<&Memory::kernel>("kernel"),
      field<&Memory::kernel_tcp>("kernelTCP"),
      field<&Memory::swappiness>("swappiness"),
      field<&Memory::disable_oom_killer>("disableOOMKiller"),
      field<&Memory::use_hierarchy>("useHierarchy"),
      field<&Memory::check_before_update>("checkBeforeUpdate"),
  };
};

template <>
struct Fields<Cpu> {
  static constexpr std::string_view kSection = "config-linux.md, \"CPU\"";
  static constexpr Field<Cpu> kTable[] = {
      field<&Cpu::shares>("shares"),
      field<&Cpu::quota>("quota"),
      field<&Cpu::burst>("burst"),
      field<&Cpu::period>("period"),
      field<&Cpu::realtime_runtime>("realtimeRuntime"),
      field<&Cpu::realtime_period>("realtimePeriod"),
      field<&Cpu::cpus>("cpus"),
      field<&Cpu::mems>("mems"),
      field<&Cpu::idle>("idle"),
  };
};

template <>
struct Fields<WeightDevice> {
  static constexpr std::string_view kSection = "config-linux.md, \"Block IO\"";
  static constexpr Field<WeightDevice> kTable[] = {
      field<&WeightDevice::major>("major", Need::kRequired),
      field<&WeightDevice::minor>("minor", Need::kRequired),
      field<&WeightDevice::weight>("weight"),
      field<&WeightDevice::leaf_weight>("leafWeight"),
  };
};

template <>
struct Fields<ThrottleDevice> {
  static constexpr std::string_view kSection = "config-linux.md, \"Block IO\"";
  static constexpr Field<ThrottleDevice> kTable[] = {
      field<&ThrottleDevice::major>("major", Need::kRequired),
      field<&ThrottleDevice::minor>("minor", Need::kRequired),
      field<&ThrottleDevice::rate>("rate", Need::kRequired),
  };
};

template <>
struct Fields<BlockIo> {
  static constexpr std::string_view kSection = "config-linux.md, \"Block IO\"";
  static constexpr Field<BlockIo> kTable[] = {
      field<&BlockIo::weight>("weight"),
      field<&BlockIo::leaf_weight>("leafWeight"),
      field<&BlockIo::weight_device>("weightDevice"),
      field<&BlockIo::throttle_read_bps_device>("throttleReadBpsDevice"),
      field<&BlockIo::throttle_write_bps_device>("throttleWriteBpsDevice"),
      field<&BlockIo::throttle_read_iops_device>("throttleReadIOPSDevice"),
      field<&BlockIo::throttle_write_iops_device>("throttleWriteIOPSDevice"),
  };
};

template <>
struct Fields<HugepageLimit> {
  static constexpr std::string_view kSection = "config-linux.md, \"Huge page limits\"";
  static constexpr Field<HugepageLimit> kTable[] = {
      field<&HugepageLimit::page_size>("pageSize", Need::kRequired),
      field<&HugepageLimit::limit>("limit", Need::kRequired),
  };
};

template <>
struct Fields<InterfacePriority> {
  static constexpr std::string_view kSection = "config-linux.md, \"Network\"";
  static constexpr Field<InterfacePriority> kTable[] = {
      field<&InterfacePriority::name>("name", Need::kRequired),
      field<&InterfacePriority::priority>("priority", Need::kRequired),
  };
};

template <>
struct Fields<Network> {
  static constexpr std::string_view kSection = "config-linux.md, \"Network\"";
  static constexpr Field<Network> kTable[] = {
      field<&Network::class_id>("classID"),
      field<&Network::priorities>("priorities"),
  };
};

template <>
struct Fields<Rdma> {
  static constexpr std::string_view kSection = "config-linux.md, \"RDMA\"";
  static constexpr Field<Rdma> kTable[] = {
      field<&Rdma::hca_handles>("hcaHandles"),
      field<&Rdma::hca_objects>("hcaObjects"),
  };
};

namespace {

/// The only member of the object "pids", which Resources keeps without the object around it.
struct Pids {
  std::optional<int64_t> limit;
};

}  // namespace

template <>
struct Fields<Pids> {
  static constexpr std::string_view kSection = "config-linux.md, \"PIDs\"";
  static constexpr Field<Pids> kTable[] = {field<&Pids::limit>("limit")};
};

namespace {

void read_pids(const Node& node, Resources& into) {
  Pids pids;
  read(node, pids);
  into.pids_limit = pids.limit;
}

}  // namespace

template <>
struct Fields<Resources> {
  static constexpr std::string_view kSection = "config-linux.md, \"Control groups\"";
  static constexpr Field<Resources> kTable[] = {
      field<&Resources::devices>("devices"),
      field<&Resources::memory>("memory"),
      field<&Resources::cpu>("cpu"),
      field<&Resources::block_io>("blockIO"),
      field<&Resources::hugepage_limits>("hugepageLimits"),
      field<&Resources::network>("network"),
      {"pids", read_pids},
      field<&Resources::rdma>("rdma"),
      field<&Resources::unified>("unified"),
  };
};

void read_resources(const Node& node, Resources& into) { read(node, into); }

Resources parse_resources(Document& document) {
  Resources resources;
  read(document.root(), resources);
  return resources;
}

}  // namespace spec
