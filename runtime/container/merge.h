// What an update means for the limits that a container has been given. Pure.
#pragma once

#include "spec/config_linux.h"

namespace rt::container {

/// `changes` without what leaves things as they are: 0 where that is no limit (docker sends 0 for
/// everything that its user did not name), and a device list that says no more than "nothing but
/// the default devices" (the kubelet sends that with every update).
spec::Resources meant(spec::Resources changes);

/// Whether there is nothing in it.
bool is_empty(const spec::Resources& resources);

/// What the container has after the update: `changes`, which are `meant`, and else what it had.
/// Lists with an entry for each device, interface or page size are merged by these; the device list
/// is replaced as a whole.
spec::Resources merge(spec::Resources now, const spec::Resources& changes);

}  // namespace rt::container
