// What makes up a unit's properties. For this package alone.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::plan {

/// Annotations of this name and a property's are properties of the container's unit.
inline constexpr std::string_view kPropertyAnnotation = "org.systemd.property.";

// scope.cc

/// Adds `property`, in place of the one of that name if there is one.
void set_property(std::vector<UnitProperty>& properties, UnitProperty property);

// scope_devices.cc

/// The filter, which is of v1, as far as systemd has words for it.
std::vector<UnitProperty> device_properties(const DeviceFilter& filter);

// scope_annotations.cc

/// The unit's properties that annotations ask for. An error for one that none may ask for: a unit
/// can start, stop and replace what is not the container's.
Result<std::vector<UnitProperty>> annotated_properties(
    const std::map<std::string, std::string>& annotations);

}  // namespace rt::plan
