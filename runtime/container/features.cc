#include "runtime/container/features.h"

#include "runtime/kernel/features.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/plan/features.h"

namespace rt::container {

spec::Features features() {
  spec::Features features = plan::features(kernel::supported_filter_flags());
  // The names that other runtimes have given them.
  features.annotations["org.opencontainers.runc.checkpoint.enabled"] = "true";
  features.annotations["io.github.seccomp.libseccomp.version"] = kernel::libseccomp_version();
  return features;
}

}  // namespace rt::container
