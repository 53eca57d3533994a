// The payload's terminal. runtime-spec config.md, "Process", field terminal; config-linux.md,
// "Default Devices": /dev/console.
#pragma once

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// Both ends of a pseudo terminal.
struct Console {
  UniqueFd master;  // for whoever shows the terminal
  UniqueFd peer;    // the container's end
};

/// In init: a new pseudo terminal of the devpts whose mount is `devpts`, made by us and perhaps not
/// attached yet. No path of the image is walked (CVE-2025-52565).
Result<Console> open_console(const plan::ConsoleStep& step, int devpts);

/// In a process that joins the container: the same of the devpts at /dev/pts, checked to be one.
Result<Console> open_console(const plan::ConsoleStep& step);

/// In init, once that devpts is attached: the container's end becomes /dev/console below `root`.
Status bind_console(const Console& console, int root);

/// The container's end becomes descriptors 0 to 2, and the controlling terminal of our session. The
/// caller sends the master end away.
Status use_console(const Console& console);

}  // namespace rt::kernel
