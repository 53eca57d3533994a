// Config to Plan. Pure: reads no file, makes no system call.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/plan/host.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

namespace rt::plan {

/// What the command line adds to the document.
struct Request {
  std::string id;
  std::string bundle;           // absolute host path
  bool no_pivot = false;        // --no-pivot
  bool no_new_keyring = false;  // --no-new-keyring
};

/// Everything create, start and delete will do. `config` has passed spec::validate. An error is the
/// first thing that cannot be planned; it has the JSON pointer and names the place in the words of
/// the document: "mounts[3] /proc: unknown option \"foo\"".
Result<Plan> make_plan(const spec::Config& config, const Request& request, const HostFacts& host);

}  // namespace rt::plan
