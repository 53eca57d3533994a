// The hooks, in the order in which they run. config.md, "POSIX-platform Hooks".
#include "runtime/base/text.h"
#include "runtime/plan/make_plan.h"

namespace rt::plan {
namespace {

struct KindRow {
  HookKind kind;
  std::string_view key;
  std::vector<spec::Hook> spec::Hooks::* hooks;
};

constexpr KindRow kKinds[] = {
    {HookKind::kPrestart, "prestart", &spec::Hooks::prestart},
    {HookKind::kCreateRuntime, "createRuntime", &spec::Hooks::create_runtime},
    {HookKind::kCreateContainer, "createContainer", &spec::Hooks::create_container},
    {HookKind::kStartContainer, "startContainer", &spec::Hooks::start_container},
    {HookKind::kPoststart, "poststart", &spec::Hooks::poststart},
    {HookKind::kPoststop, "poststop", &spec::Hooks::poststop},
};

HookStep to_step(const KindRow& row, const spec::Hook& hook, size_t index) {
  HookStep step;
  step.kind = row.kind;
  step.path = hook.path;
  step.args = hook.args;
  if (step.args.empty()) step.args.push_back(hook.path);
  step.env = hook.env;
  if (hook.timeout_s) step.timeout_s = static_cast<uint32_t>(*hook.timeout_s);
  step.origin = cat("/hooks/", row.key, '/', index);
  return step;
}

}  // namespace

std::vector<HookStep> plan_hooks(const spec::Config& config) {
  std::vector<HookStep> steps;
  for (const KindRow& row : kKinds) {
    const std::vector<spec::Hook>& hooks = config.hooks.*row.hooks;
    for (size_t i = 0; i < hooks.size(); ++i) steps.push_back(to_step(row, hooks[i], i));
  }
  return steps;
}

}  // namespace rt::plan
