#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"

namespace rt::plan {

void list_hooks_of(const Plan& plan, HookKind kind, Listing& list) {
  for (const HookStep& hook : plan.hooks) {
    if (hook.kind != kind) continue;
    std::string text = cat("run ", printable(hook.path));
    for (size_t i = 1; i < hook.args.size(); ++i) text += cat(' ', quoted(hook.args[i]));
    if (hook.timeout_s) text += cat(" for at most ", *hook.timeout_s, " s");
    list.add(std::move(text), hook.origin);
  }
}

}  // namespace rt::plan
