// The container process state: config-linux.md, "The Container Process State". What an agent gets
// with the listener of a seccomp filter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/state.h"

namespace spec {

/// The name of the listener's descriptor.
inline constexpr std::string_view kSeccompFd = "seccompFd";

struct ProcessState {
  std::string oci_version = std::string(kOciVersion);
  /// Names of the descriptors that come along, in their order.
  std::vector<std::string> fds;
  int32_t pid = 0;       // of the process, as the runtime sees it
  std::string metadata;  // linux.seccomp.listenerMetadata; left out when empty
  State state;           // of its container
};

/// On one line.
[[nodiscard]] std::string to_json(const ProcessState& process_state);

}  // namespace spec
