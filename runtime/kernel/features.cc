#include "runtime/kernel/features.h"

#include <seccomp.h>

#include "runtime/base/text.h"

namespace rt::kernel {

std::string libseccomp_version() {
  const scmp_version* version = seccomp_version();
  return cat(version->major, '.', version->minor, '.', version->micro);
}

}  // namespace rt::kernel
