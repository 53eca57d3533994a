#include "spec/features.h"

#include "spec/json_writer.h"

namespace spec {
namespace {

void write_list(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.key(key).begin_array();
  for (const std::string& entry : list) json.value(entry);
  json.end_array();
}

void write_enabled(JsonWriter& json, std::string_view key, const std::optional<bool>& enabled) {
  if (!enabled) return;
  json.key(key).begin_object().key("enabled").value(*enabled).end_object();
}

void write_cgroup(JsonWriter& json, const CgroupFeatures& cgroup) {
  json.key("cgroup").begin_object();
  json.key("v1").value(cgroup.v1);
  json.key("v2").value(cgroup.v2);
  json.key("systemd").value(cgroup.systemd);
  json.key("systemdUser").value(cgroup.systemd_user);
  json.key("rdma").value(cgroup.rdma);
  json.end_object();
}

void write_seccomp(JsonWriter& json, const SeccompFeatures& seccomp) {
  json.key("seccomp").begin_object();
  json.key("enabled").value(seccomp.enabled);
  write_list(json, "actions", seccomp.actions);
  write_list(json, "operators", seccomp.operators);
  write_list(json, "archs", seccomp.archs);
  write_list(json, "knownFlags", seccomp.known_flags);
  write_list(json, "supportedFlags", seccomp.supported_flags);
  json.end_object();
}

void write_intel_rdt(JsonWriter& json, const IntelRdtFeatures& rdt) {
  json.key("intelRdt").begin_object();
  json.key("enabled").value(rdt.enabled);
  json.key("schemata").value(rdt.schemata);
  json.key("monitoring").value(rdt.monitoring);
  json.end_object();
}

void write_memory_policy(JsonWriter& json, const MemoryPolicyFeatures& policy) {
  json.key("memoryPolicy").begin_object();
  write_list(json, "modes", policy.modes);
  write_list(json, "flags", policy.flags);
  json.end_object();
}

void write_linux(JsonWriter& json, const LinuxFeatures& features) {
  json.key("linux").begin_object();
  write_list(json, "namespaces", features.namespaces);
  write_list(json, "capabilities", features.capabilities);
  if (features.cgroup) write_cgroup(json, *features.cgroup);
  if (features.seccomp) write_seccomp(json, *features.seccomp);
  write_enabled(json, "apparmor", features.apparmor);
  write_enabled(json, "selinux", features.selinux);
  if (features.intel_rdt) write_intel_rdt(json, *features.intel_rdt);
  if (features.memory_policy) write_memory_policy(json, *features.memory_policy);
  if (features.idmap_mounts) {
    json.key("mountExtensions").begin_object();
    write_enabled(json, "idmap", features.idmap_mounts);
    json.end_object();
  }
  write_enabled(json, "netDevices", features.net_devices);
  json.end_object();
}

}  // namespace

std::string to_json(const Features& features) {
  JsonWriter json(JsonWriter::Style::kPretty);
  json.begin_object();
  json.key("ociVersionMin").value(features.oci_version_min);
  json.key("ociVersionMax").value(features.oci_version_max);
  write_list(json, "hooks", features.hooks);
  write_list(json, "mountOptions", features.mount_options);
  if (features.linux_) write_linux(json, *features.linux_);
  if (!features.annotations.empty()) {
    json.key("annotations").begin_object();
    for (const auto& [key, value] : features.annotations) json.key(key).value(value);
    json.end_object();
  }
  // Written even when there is none: nothing said would mean that nobody knows.
  write_list(json, "potentiallyUnsafeConfigAnnotations",
             features.potentially_unsafe_config_annotations);
  json.end_object();
  return json.text();
}

}  // namespace spec
