// Names of signals, as people and orchestrators write them.
#pragma once

#include <string_view>

#include "runtime/base/result.h"

namespace rt::cli {

/// "TERM", "SIGTERM", "term", "15", "RTMIN", "RTMIN+3", "SIGRTMAX-1": the signal's number, 1 to 64.
/// Real-time signals count from the C library's SIGRTMIN (34), as kill(1) does.
Result<int> parse_signal(std::string_view text);

}  // namespace rt::cli
