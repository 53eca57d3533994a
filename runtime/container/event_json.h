// What `events` prints: a JSON document a line, in the shape of runc's. docs/events.md
#pragma once

#include <string>

#include "runtime/cgroup/stats.h"
#include "runtime/cgroup/watch.h"

namespace rt::container {

/// Type "stats".
std::string to_json(const std::string& id, const cgroup::Stats& stats);
/// Type "oom", "memory.events" or "pressure".
std::string to_json(const std::string& id, const cgroup::Notice& notice);

}  // namespace rt::container
