// The "linux" section of config.json, except its resources.
#include "spec/parse_parts.h"

namespace spec {

template <>
struct Fields<Namespace> {
  static constexpr std::string_view kSection = "config-linux.md, \"Namespaces\"";
  static constexpr Field<Namespace> kTable[] = {
      field<&Namespace::type>("type", Need::kRequired),
      field<&Namespace::path>("path"),
  };
};

template <>
struct Fields<TimeOffset> {
  static constexpr std::string_view kSection = "config-linux.md, \"Offset for Time Namespace\"";
  static constexpr Field<TimeOffset> kTable[] = {
      field<&TimeOffset::secs>("secs"),
      field<&TimeOffset::nanosecs>("nanosecs"),
  };
};

template <>
struct Fields<Device> {
  static constexpr std::string_view kSection = "config-linux.md, \"Devices\"";
  static constexpr Field<Device> kTable[] = {
      field<&Device::type>("type", Need::kRequired),
      field<&Device::path>("path", Need::kRequired),
      field<&Device::major>("major"),
      field<&Device::minor>("minor"),
      field<&Device::file_mode>("fileMode"),
      field<&Device::uid>("uid"),
      field<&Device::gid>("gid"),
  };
};

template <>
struct Fields<NetDevice> {
  static constexpr std::string_view kSection = "config-linux.md, \"Network Devices\"";
  static constexpr Field<NetDevice> kTable[] = {field<&NetDevice::name>("name")};
};

template <>
struct Fields<IntelRdt> {
  static constexpr std::string_view kSection = "config-linux.md, \"IntelRdt\"";
  static constexpr Field<IntelRdt> kTable[] = {
      field<&IntelRdt::clos_id>("closID"),
      field<&IntelRdt::schemata>("schemata"),
      field<&IntelRdt::l3_cache_schema>("l3CacheSchema"),
      field<&IntelRdt::mem_bw_schema>("memBwSchema"),
      field<&IntelRdt::enable_monitoring>("enableMonitoring"),
  };
};

template <>
struct Fields<MemoryPolicy> {
  static constexpr std::string_view kSection = "config-linux.md, \"Memory policy\"";
  static constexpr Field<MemoryPolicy> kTable[] = {
      field<&MemoryPolicy::mode>("mode", Need::kRequired),
      field<&MemoryPolicy::nodes>("nodes"),
      field<&MemoryPolicy::flags>("flags"),
  };
};

template <>
struct Fields<Personality> {
  static constexpr std::string_view kSection = "config-linux.md, \"Personality\"";
  static constexpr Field<Personality> kTable[] = {
      field<&Personality::domain>("domain", Need::kRequired),
      field<&Personality::flags>("flags"),
  };
};

template <>
struct Fields<SeccompArg> {
  static constexpr std::string_view kSection = "config-linux.md, \"Seccomp\"";
  static constexpr Field<SeccompArg> kTable[] = {
      field<&SeccompArg::index>("index", Need::kRequired),
      field<&SeccompArg::value>("value", Need::kRequired),
      field<&SeccompArg::value_two>("valueTwo"),
      field<&SeccompArg::op>("op", Need::kRequired),
  };
};

template <>
struct Fields<SeccompSyscall> {
  static constexpr std::string_view kSection = "config-linux.md, \"Seccomp\"";
  static constexpr Field<SeccompSyscall> kTable[] = {
      field<&SeccompSyscall::names>("names", Need::kRequired),
      field<&SeccompSyscall::action>("action", Need::kRequired),
      field<&SeccompSyscall::errno_ret>("errnoRet"),
      field<&SeccompSyscall::args>("args"),
  };
};

template <>
struct Fields<Seccomp> {
  static constexpr std::string_view kSection = "config-linux.md, \"Seccomp\"";
  static constexpr Field<Seccomp> kTable[] = {
      field<&Seccomp::default_action>("defaultAction", Need::kRequired),
      field<&Seccomp::default_errno_ret>("defaultErrnoRet"),
      field<&Seccomp::architectures>("architectures"),
      field<&Seccomp::flags>("flags"),
      field<&Seccomp::listener_path>("listenerPath"),
      field<&Seccomp::listener_metadata>("listenerMetadata"),
      field<&Seccomp::syscalls>("syscalls"),
  };
};

namespace {

/// A Device cannot say that its numbers were left out, so that is checked here.
void read_device(const Node& node, Device& into) {
  read(node, into);
  if (!node.is_object() || into.type == "p") return;
  const std::string_view outer = node.enter_section(Fields<Device>::kSection);
  for (const std::string_view key : {"major", "minor"}) {
    if (!node.find(key)) report_missing(node, key);
  }
  node.enter_section(outer);
}

void read_devices(const Node& node, Linux& into) {
  if (!node.expect_array()) return;
  into.devices.resize(node.size());
  for (size_t i = 0; i < into.devices.size(); ++i) read_device(node.at(i), into.devices[i]);
}

}  // namespace

template <>
struct Fields<Linux> {
  static constexpr std::string_view kSection = "config-linux.md";
  static constexpr Field<Linux> kTable[] = {
      field<&Linux::namespaces>("namespaces"),
      field<&Linux::uid_mappings>("uidMappings"),
      field<&Linux::gid_mappings>("gidMappings"),
      field<&Linux::time_offsets>("timeOffsets"),
      {"devices", read_devices},
      field<&Linux::net_devices>("netDevices"),
      field<&Linux::cgroups_path>("cgroupsPath"),
      {"resources",
       [](const Node& node, Linux& into) { read_resources(node, into.resources.emplace()); }},
      field<&Linux::intel_rdt>("intelRdt"),
      field<&Linux::memory_policy>("memoryPolicy"),
      field<&Linux::sysctl>("sysctl"),
      field<&Linux::seccomp>("seccomp"),
      field<&Linux::rootfs_propagation>("rootfsPropagation"),
      field<&Linux::masked_paths>("maskedPaths"),
      field<&Linux::readonly_paths>("readonlyPaths"),
      field<&Linux::mount_label>("mountLabel"),
      field<&Linux::personality>("personality"),
  };
};

void read_linux(const Node& node, Linux& into) { read(node, into); }

}  // namespace spec
