#include "runtime/container/teardown.h"

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/step.h"

namespace rt::container {

Status kill_processes(const Record& record) {
  return in_step(plan::Step::kKill, cgroup::kill_all(record.cgroups, kKillPatience));
}

Status remove_traces(Entry& entry, const Record& record) {
  TRY(in_step(plan::Step::kRemoveCgroup, cgroup::remove(record.cgroups, kKillPatience)));
  return in_step(plan::Step::kRemoveRecord, entry.remove());
}

}  // namespace rt::container
