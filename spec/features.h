// What a runtime can do, for its callers: features.md and features-linux.md of runtime-spec 1.3.
// Irrespective of what the host can do.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/words.h"

namespace spec {

/// "Cgroup".
struct CgroupFeatures {
  bool v1 = false;
  bool v2 = false;
  bool systemd = false;
  bool systemd_user = false;
  bool rdma = false;
};

/// "Seccomp".
struct SeccompFeatures {
  bool enabled = false;
  std::vector<std::string> actions;
  std::vector<std::string> operators;
  std::vector<std::string> archs;
  std::vector<std::string> known_flags;
  std::vector<std::string> supported_flags;  // by the kernel and libseccomp at hand
};

/// "Intel RDT".
struct IntelRdtFeatures {
  bool enabled = false;
  bool schemata = false;
  bool monitoring = false;
};

/// "MemoryPolicy".
struct MemoryPolicyFeatures {
  std::vector<std::string> modes;
  std::vector<std::string> flags;
};

/// features-linux.md. An absent part is left out: it tells nothing.
struct LinuxFeatures {
  std::vector<std::string> namespaces;
  std::vector<std::string> capabilities;
  std::optional<CgroupFeatures> cgroup;
  std::optional<SeccompFeatures> seccomp;
  std::optional<bool> apparmor;
  std::optional<bool> selinux;
  std::optional<IntelRdtFeatures> intel_rdt;
  std::optional<MemoryPolicyFeatures> memory_policy;
  std::optional<bool> idmap_mounts;  // mountExtensions.idmap
  std::optional<bool> net_devices;
};

struct Features {
  std::string oci_version_min = std::string(kOldestOciVersion);
  std::string oci_version_max = std::string(kOciVersion);
  std::vector<std::string> hooks;
  std::vector<std::string> mount_options;
  // NOLINTNEXTLINE(readability-identifier-naming): GNU C++ defines "linux" as a macro
  std::optional<LinuxFeatures> linux_;
  std::map<std::string, std::string> annotations;
  /// Annotations of config.json that change what the runtime does; one that ends with "." is a
  /// prefix.
  std::vector<std::string> potentially_unsafe_config_annotations;
};

/// What the command `features` prints; indented, without a line feed at the end.
[[nodiscard]] std::string to_json(const Features& features);

}  // namespace spec
