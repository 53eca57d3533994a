// The config.json that the command `spec` writes: a shell in a container, to be edited.
#pragma once

#include <cstdint>
#include <string>

namespace spec {

struct TemplateOptions {
  bool rootless = false;  // for a user without privileges: a user namespace with one id
  uint32_t uid = 0;       // of the caller, on the host; root in the container. Only for rootless
  uint32_t gid = 0;
};

/// The document, indented, with a line feed at the end. It loads without errors or warnings.
[[nodiscard]] std::string config_template(const TemplateOptions& options);

}  // namespace spec
