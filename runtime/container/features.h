// What this runtime can do, on the kernel at hand.
#pragma once

#include "spec/features.h"

namespace rt::container {

/// Needs no privileges and no file.
spec::Features features();

}  // namespace rt::container
