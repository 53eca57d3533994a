// The variable HOME of a payload whose document leaves it out, as container engines do.
#pragma once

#include <cstdint>
#include <string>

namespace rt::kernel {

/// The home directory of a user by /etc/passwd of the root that we are in, as that user may read
/// it; "/" where there is none, or none that is absolute. Of a file that is larger than 1 MiB only
/// the beginning counts.
std::string home_of(uint32_t user);

}  // namespace rt::kernel
