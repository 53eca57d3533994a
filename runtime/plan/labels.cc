// The labels of the payload. runtime-spec config.md, "Linux Process". Whether the kernel has the
// modules is seen when they are asked (kernel/labels.h): a plan is made without a machine.
#include "runtime/plan/parts.h"

namespace rt::plan {

std::vector<LabelStep> plan_labels(const spec::Process& process) {
  std::vector<LabelStep> labels;
  if (!process.apparmor_profile.empty()) {
    labels.push_back(
        {LabelStep::Module::kAppArmor, process.apparmor_profile, "/process/apparmorProfile"});
  }
  if (!process.selinux_label.empty()) {
    labels.push_back({LabelStep::Module::kSelinux, process.selinux_label, "/process/selinuxLabel"});
  }
  return labels;
}

}  // namespace rt::plan
