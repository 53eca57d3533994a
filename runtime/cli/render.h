// How containers are shown.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/container/container.h"

namespace rt::cli {

/// The output of `state`: runtime-spec runtime.md, "State", with "rootfs", "created" and "owner".
std::string state_json(const container::Info& info);

/// The output of `list --format json`: an array of the same.
std::string list_json(const std::vector<container::Info>& containers);

/// The output of `list`: aligned columns under a line of headings.
std::string list_table(const std::vector<container::Info>& containers);

/// The output of `ps --format json`: an array of numbers.
std::string processes_json(const std::vector<pid_t>& pids);

/// The output of `ps`: a table like that of `list`.
std::string processes_table(const std::vector<container::ProcessInfo>& processes);

}  // namespace rt::cli
