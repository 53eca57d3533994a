// How the kernel treats the payload's process, in words.
#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

namespace rt::plan {

void list_process_attributes(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  const ProcessStep& process = *plan.process;
  if (process.personality) {
    list.add(cat("execution domain ", personality_word(*process.personality)),
             process.personality->origin);
  }
  if (process.memory_policy) {
    list.add(cat("memory policy ", memory_policy_words(*process.memory_policy)),
             process.memory_policy->origin);
  }
  if (process.io_priority) {
    list.add(cat("I/O priority ", io_priority_words(*process.io_priority)),
             process.io_priority->origin);
  }
  if (process.scheduler) {
    list.add(cat("scheduling ", scheduler_words(*process.scheduler)), process.scheduler->origin);
  }
}

void list_label(const Plan& plan, Listing& list) {
  if (!plan.process) return;
  for (const LabelStep& step : plan.process->labels) {
    const bool apparmor = step.module == LabelStep::Module::kAppArmor;
    list.add(cat(apparmor ? "AppArmor profile " : "SELinux label ", printable(step.label),
                 " from the execution on"),
             step.origin);
  }
}

}  // namespace rt::plan
