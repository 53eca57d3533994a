#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// The group below the root of resctrl.
std::string path_of(const IntelRdtStep& step) {
  const std::string root = step.root.empty() ? "resctrl" : step.root;
  return step.group == "/" ? root : cat(root, '/', step.group);
}

}  // namespace

void list_net_devices(const Plan& plan, Listing& list) {
  for (const NetDeviceStep& step : plan.net_devices) {
    const bool renamed = step.name != step.host_name;
    list.add(cat("move network device ", printable(step.host_name),
                 renamed ? cat(" to ", printable(step.name)) : ""),
             step.origin);
  }
}

void list_intel_rdt(const Plan& plan, Listing& list) {
  if (!plan.intel_rdt) return;
  const IntelRdtStep& step = *plan.intel_rdt;
  const std::string group = printable(path_of(step));
  const bool may_make = !step.named || !step.schemata.empty();
  list.add(cat(may_make ? "make or use" : "use", " resctrl group ", group), step.origin);
  for (const SchemataLine& line : step.schemata) {
    list.add(cat("schemata ", printable(line.text),
                 line.compared && step.named ? " (a group that is there must have it)" : ""),
             line.origin);
  }
  if (!step.monitoring.empty()) {
    list.add(cat("make monitoring group ", printable(step.monitoring)),
             cat(step.origin, "/enableMonitoring"));
  }
  list.add("move init into it", step.origin);
}

void list_remove_intel_rdt(const Plan& plan, Listing& list) {
  if (!plan.intel_rdt) return;
  const IntelRdtStep& step = *plan.intel_rdt;
  if (!step.monitoring.empty()) {
    list.add(cat("remove monitoring group ", printable(step.monitoring)),
             cat(step.origin, "/enableMonitoring"));
  }
  if (!step.named) {
    list.add(cat("remove resctrl group ", printable(path_of(step)), ", if it was made"),
             step.origin);
  }
}

}  // namespace rt::plan
