// A plan in words: what `runtime plan` prints, what golden tests compare, what a bug report shows.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/plan.h"
#include "runtime/plan/steps.h"

namespace rt::plan {

/// One thing that will be done.
struct Action {
  Phase phase = Phase::kCreate;
  Actor actor = Actor::kRuntime;
  Step step = Step::kRecord;
  std::string text;  // "mount proc on /proc: nosuid,noexec,nodev; private"
  Origin origin;
};

/// Everything the plan does, in the order of kSteps. A step with nothing to do is left out.
std::vector<Action> actions(const Plan& plan);

/// `actions` as a table, a line each, then the warnings and what is not supported.
std::string describe_text(const Plan& plan);

/// The same as one JSON document: {"id", "bundle", "actions": [{"phase", "process", "step", "text",
/// "origin"}], "warnings": [{"origin", "message"}]}.
std::string describe_json(const Plan& plan);

}  // namespace rt::plan
