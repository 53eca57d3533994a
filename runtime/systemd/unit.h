// What systemd's manager does for one unit. org.freedesktop.systemd1(5).
#pragma once

#include <optional>
#include <string>

#include "runtime/systemd/bus.h"
#include "runtime/systemd/order.h"

namespace rt::systemd {

/// The refusal as an error. EAGAIN: not now, perhaps in a moment.
Error to_error(const Refusal& refusal);

/// The number of systemd's version: 252.
Result<unsigned> version(Bus& bus, Deadline deadline);

/// StartTransientUnit, mode "fail", with `pid` in the unit. The answer has the path of the job.
Result<Answer> start_unit(Bus& bus, const Order& order, pid_t pid, Deadline deadline);

/// AttachProcessesToUnit, to the top of its cgroup. Of a unit that is delegated; systemd 238.
Result<Answer> attach(Bus& bus, const Order& order, Deadline deadline);

/// SetUnitProperties, until the unit is gone.
Result<Answer> set_properties(Bus& bus, const Order& order, Deadline deadline);

/// What there is of a unit of that name.
struct Presence {
  std::string state;  // "active", "failed", ...
  unsigned processes = 0;
};
/// Nothing when systemd does not know it.
Result<std::optional<Presence>> find_unit(Bus& bus, const std::string& unit, Deadline deadline);

/// StopUnit, which takes back a job that would start it, and ResetFailedUnit. What cannot be done
/// is left.
void remove_unit(Bus& bus, const std::string& unit, Deadline deadline);

}  // namespace rt::systemd
