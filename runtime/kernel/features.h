// What the libraries that are linked in say of themselves: for `features`.
#pragma once

#include <string>

namespace rt::kernel {

/// "2.5.4": of the libseccomp that makes the filters.
std::string libseccomp_version();

}  // namespace rt::kernel
