// A bundle on its way to a plan. Reads files; changes nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/make_plan.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"
#include "spec/diagnostic.h"

namespace rt::container {

/// What lies in a bundle directory. runtime-spec bundle.md.
struct Bundle {
  std::string path;                           // absolute, without links
  std::string text;                           // of its config.json
  std::optional<spec::Config> config;         // when there is no error
  std::vector<spec::Diagnostic> diagnostics;  // by line
};

/// Reads `path`/config.json. What is wrong in it is in the diagnostics; an error is only that it
/// cannot be read.
Result<Bundle> load_bundle(const std::string& path);

/// The first error in the document, with the number of others; ok when it has none.
Status check_bundle(const Bundle& bundle);

/// The plan for this machine. `request.bundle` is filled in. Precondition: check_bundle is ok.
Result<plan::Plan> plan_bundle(const Bundle& bundle, plan::Request request);

/// Adds to an error with a pointer where in config.json that is, and the step of the plan that
/// failed, or else the section of the specification that has the rule:
/// `... (config.json:41:7 /mounts/3, step "mounts")`, `... (config.json:8:3 /root, config.md,
/// "Root")`.
Error located(Error error, std::string_view config_text);

/// What the user should know although the container will run: of the document, then of the plan
/// where the document has not said it already.
std::vector<std::string> warnings_of(const Bundle& bundle, const plan::Plan& plan);

}  // namespace rt::container
