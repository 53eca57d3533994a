#include "runtime/plan/features.h"

#include <span>
#include <string_view>
#include <utility>

#include "runtime/plan/mount_options.h"
#include "runtime/plan/scope_parts.h"
#include "spec/words.h"

namespace rt::plan {
namespace {

std::vector<std::string> list_of(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

spec::SeccompFeatures seccomp_features(std::vector<std::string> supported_flags) {
  spec::SeccompFeatures seccomp;
  seccomp.enabled = true;
  seccomp.actions = list_of(spec::kSeccompActions);
  seccomp.operators = list_of(spec::kSeccompOperators);
  seccomp.archs = list_of(spec::kSeccompArchitectures);
  seccomp.known_flags = list_of(spec::kSeccompFlags);
  seccomp.supported_flags = std::move(supported_flags);
  return seccomp;
}

spec::LinuxFeatures linux_features(std::vector<std::string> seccomp_flags) {
  spec::LinuxFeatures features;
  features.namespaces = list_of(spec::kNamespaceTypes);
  features.capabilities = list_of(spec::kCapabilityNames);
  features.cgroup = {.v1 = true, .v2 = true, .systemd = true, .systemd_user = true, .rdma = true};
  features.seccomp = seccomp_features(std::move(seccomp_flags));
  features.apparmor = true;
  features.selinux = true;
  features.intel_rdt = {.enabled = true, .schemata = true, .monitoring = true};
  features.memory_policy = {.modes = list_of(spec::kMemoryPolicyModes),
                            .flags = list_of(spec::kMemoryPolicyFlags)};
  features.idmap_mounts = true;
  features.net_devices = true;
  return features;
}

}  // namespace

spec::Features features(std::vector<std::string> seccomp_flags) {
  spec::Features features;
  features.hooks = list_of(spec::kHookNames);
  features.mount_options = known_mount_options();
  features.potentially_unsafe_config_annotations = {std::string(kPropertyAnnotation)};
  features.linux_ = linux_features(std::move(seccomp_flags));
  return features;
}

}  // namespace rt::plan
