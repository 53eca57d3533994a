// The parts of planning a mount, a file each. For this package alone.
#pragma once

#include <optional>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/mount_options.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/plan.h"

namespace rt::plan {

/// What is being planned: the entry, its options, and where it is in the document.
struct MountEntry {
  const spec::Mount& mount;
  MountOptions options;
  Origin origin;
};

// idmap.cc
Result<std::optional<MountIdMap>> plan_mount_id_map(const Draft& draft, const MountEntry& entry);

// mount_label.cc: gives a new file system the document's label.
void label_mount(const Draft& draft, MountStep& step);

// id_maps.cc
std::vector<IdRange> id_ranges(const std::vector<spec::IdMapping>& mappings);

}  // namespace rt::plan
