// Writing the limits of a container: control files, and the device filter.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// Writes the settings of this time, in their order. A value that the kernel has made another one
/// of is a warning that shows both. What the kernel refuses is an error with the setting's origin.
Result<std::vector<plan::Warning>> write_limits(const std::vector<plan::CgroupSetting>& settings,
                                                plan::LimitTime time);

/// The same for a container that runs, and for every time at once: all or nothing. When one fails,
/// those before it get their old values back; should that fail too, the error says so. A memory
/// limit below what is in use is refused before the kernel would kill for it, if the kernel cannot
/// reclaim enough within `patience`. When all is written, `agree` is asked: what it fails with is a
/// failure like any other. It may write to the same files.
Result<std::vector<plan::Warning>> update_limits(const std::vector<plan::CgroupSetting>& settings,
                                                 std::chrono::milliseconds patience,
                                                 const std::function<Status()>& agree = {});

/// Makes the filter the only one of ours on the directory: the processes in it have the old one or
/// the new one, never none. v1: devices.allow and devices.deny, what is allowed by both stays
/// allowed all the time, unless nobody runs yet who would notice.
enum class Payload { kNotYet, kRuns };
Status set_device_filter(const plan::DeviceFilter& filter, Payload payload = Payload::kRuns);

}  // namespace rt::cgroup
