// The process of `exec` in the words of the specification: what the command line says, over what
// confines the container.
#pragma once

#include "runtime/base/result.h"
#include "runtime/container/container.h"
#include "spec/config.h"

namespace rt::container {

/// `container` is the document of a container. A process document replaces its process but for what
/// it leaves out: limits, capabilities, labels, scheduling; and it cannot take no_new_privs back.
Result<spec::Process> exec_process(const spec::Config& container, const ExecRequest& request);

}  // namespace rt::container
