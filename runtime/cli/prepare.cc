#include "runtime/cli/prepare.h"

#include <utility>

#include "runtime/cli/log.h"
#include "runtime/plan/describe.h"

namespace rt::cli {

Result<Prepared> prepare_bundle(const Invocation& invocation, const std::string& path,
                                plan::Request request) {
  TRY(container::check_id(request.id));
  Prepared prepared;
  prepared.bundle = TRY(container::load_bundle(path.empty() ? "." : path));
  const container::Bundle& bundle = prepared.bundle;
  const Status checked = container::check_bundle(bundle);
  if (!checked) {
    print_error(spec::render_text(bundle.diagnostics, bundle.text, "config.json"));
    return checked.error();
  }
  prepared.plan = TRY(container::plan_bundle(bundle, std::move(request)));
  for (const std::string& warning : container::warnings_of(bundle, prepared.plan)) {
    invocation.log.warn(warning);
  }
  if (invocation.globals.debug) invocation.log.debug(plan::describe_text(prepared.plan));
  return prepared;
}

Result<std::string> take_id(std::vector<std::string> rest, std::string& bundle) {
  if (rest.size() == 2) {
    if (!bundle.empty()) return Error("the bundle is given twice");
    bundle = std::move(rest[1]);
  }
  return std::move(rest[0]);
}

}  // namespace rt::cli
