// Starts a command; shared by the timed and the traced way to run it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace bench {

/// Whether the command starts by itself or stops first, for a tracer that is going to seize it.
enum class Start { kAtOnce, kStopped };

/// Starts `command` with /dev/null for its descriptors and a PATH for its environment.
rt::Result<pid_t> spawn(const std::vector<std::string>& command, Start start);

/// The words of `command`, for a message.
std::string to_text(const std::vector<std::string>& command);

}  // namespace bench
