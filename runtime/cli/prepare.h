// From a bundle to a plan, for the commands that make a container: create, run, restore.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/cli/commands.h"
#include "runtime/container/bundle.h"
#include "runtime/plan/plan.h"

namespace rt::cli {

struct Prepared {
  container::Bundle bundle;
  plan::Plan plan;
};

/// The bundle at `path` (empty: the current directory) as a plan of the container `request.id`.
/// Everything that is wrong with it goes to standard error, its warnings to the log.
Result<Prepared> prepare_bundle(const Invocation& invocation, const std::string& path,
                                plan::Request request);

/// <id> [<bundle>]: the id. The bundle may be in `bundle` already, and then not be there again.
Result<std::string> take_id(std::vector<std::string> rest, std::string& bundle);

}  // namespace rt::cli
