// Descriptors that become readable when something has happened.
#pragma once

#include <chrono>
#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::sys {

/// eventfd(2), which does not block: the kernel counts on it.
Result<UniqueFd> eventfd();

/// timerfd_create(2) and timerfd_settime(2), which does not block: counts every `interval` from now
/// on. CLOCK_MONOTONIC.
Result<UniqueFd> interval_timer(std::chrono::nanoseconds interval);

/// read(2) of such a descriptor: what it has counted since the last time.
Result<uint64_t> read_count(int fd);

}  // namespace rt::sys
