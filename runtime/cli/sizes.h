// Sizes of memory, as people and orchestrators write them.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/result.h"

namespace rt::cli {

/// "1048576", "512k", "512m", "1g", "1GB", "1GiB", ... up to p: bytes, by powers of 1024. "-1": no
/// limit.
Result<int64_t> parse_size(std::string_view text);

}  // namespace rt::cli
