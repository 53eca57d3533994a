// The container's group of resctrl: its share of caches and memory bandwidth. runtime-spec
// config-linux.md, "IntelRdt". Linux 4.10.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

/// Host paths of the directories of resctrl that go when the container goes, in that order: its
/// monitoring group, and its control group when the document does not name it and we made it.
using RdtDirectories = std::vector<std::string>;

/// What make_rdt_group will answer, without making it: for the record, before the first side
/// effect. An error when resctrl is not mounted.
Result<RdtDirectories> announce_rdt_group(const plan::IntelRdtStep& step);

/// Makes the group, or takes the one that is there, writes its schemata, and makes the monitoring
/// group. A group that the document names must be there if there is nothing to write, and must have
/// the caches and bandwidth that the document says if it is there. On failure what was made is
/// removed again.
Result<RdtDirectories> make_rdt_group(const plan::IntelRdtStep& step);

/// Moves `pid` into the group that make_rdt_group made, and its monitoring group. Children that it
/// has later are born there.
Status enter_rdt_group(const plan::IntelRdtStep& step, pid_t pid);

/// Writes the schemata of `step` into the group, which is there: all or nothing. What the group had
/// before, for restore_rdt_group.
Result<std::string> update_rdt_group(const plan::IntelRdtStep& step);
Status restore_rdt_group(const plan::IntelRdtStep& step, const std::string& schemata);

/// Removes the directories; one that is gone already is fine. Processes that are still in them fall
/// back to the group above.
Status remove_rdt_group(const RdtDirectories& directories);

}  // namespace rt::kernel
