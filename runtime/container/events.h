// The command `events`: what a container uses, and what happens to it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cgroup/watch.h"
#include "runtime/container/status.h"
#include "runtime/container/store.h"

namespace rt::container {

struct EventOptions {
  std::chrono::nanoseconds interval = std::chrono::seconds(5);  // of the statistics
  std::vector<cgroup::PressureTrigger> triggers;
};

/// The container's statistics, once: a line of event_json.h.
Result<std::string> statistics(const Store& store, const std::string& id);

/// Writes a line to `output` for everything that happens, the statistics at once and then at every
/// interval, until the container has ended or nobody reads `output`. Other commands go on
/// meanwhile. "container not running" when it has none; warns of what cannot be told.
Status follow_events(const Store& store, const std::string& id, const EventOptions& options,
                     int output, const Warn& warn);

}  // namespace rt::container
