// Points in time as the documents write them.
#pragma once

#include <chrono>
#include <string>

namespace rt::container {

/// RFC 3339 in UTC with nanoseconds: "2026-11-22T04:05:06.000000007Z". Reads no time zone file.
std::string rfc3339(std::chrono::nanoseconds since_epoch);

/// The time it is, as `rfc3339` writes it.
std::string rfc3339_now();

}  // namespace rt::container
