// How containers are shown.
#pragma once

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

}  // namespace rt::cli
