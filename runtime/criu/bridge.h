// Carries packets between the runtime and CRIU until one of them has ended.
#pragma once

#include "runtime/base/result.h"
#include "runtime/criu/worker.h"

namespace rt::criu {

/// Returns when the runtime has closed its socket, or when CRIU has ended, which is an error before
/// it has answered. Does not end CRIU.
Status carry_packets(int runtime, Worker& worker);

}  // namespace rt::criu
