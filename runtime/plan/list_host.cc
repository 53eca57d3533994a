#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

namespace rt::plan {
namespace {

void list_ranges(std::string_view file, std::string_view how, const std::vector<IdRange>& ranges,
                 const Origin& origin, Listing& list) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    const IdRange& range = ranges[i];
    list.add(cat(file, ' ', range.container_id, ' ', range.host_id, ' ', range.size, how),
             cat(origin, '/', i));
  }
}

}  // namespace

void list_host_objects(const Plan& plan, Listing& list) {
  const RootMethod method = plan.root.method;
  if (method == RootMethod::kPivot || method == RootMethod::kMove) {
    list.add(cat("copy the mounts of root ", printable(plan.root.path)), plan.root.origin);
  }
  for (const NamespaceStep& step : plan.namespaces) {
    if (step.join.empty()) continue;
    list.add(cat("open ", name_of(step.kind), " namespace ", printable(step.join)), step.origin);
  }
  for (const MountStep& step : plan.mounts) {
    if (const auto* bind = std::get_if<BindMount>(&step.what)) {
      list.add(cat(bind->recursive ? "copy the mounts of " : "copy the mount of ",
                   printable(bind->source)),
               step.origin);
    } else if (step.id_map) {
      const std::string& type = std::get<NewFilesystem>(step.what).type;
      list.add(cat("make ", printable(type), " for ", printable(step.target)), step.origin);
    }
  }
  for (const DeviceNode& device : plan.devices) {
    if (!device.bind.empty())
      list.add(cat("copy the mount of device ", printable(device.bind)), device.origin);
  }
}

void list_clone(const Plan& plan, Listing& list) {
  list.add("clone stage 1", kAlways);
  for (const CgroupDirectory& directory : plan.cgroup.directories) {
    if (!directory.unified) continue;
    list.add(cat("in cgroup ", printable(directory.path), " (v2; CLONE_INTO_CGROUP)"),
             plan.cgroup.origin);
  }
}

void list_oom_score(const Plan& plan, Listing& list) {
  if (!plan.process || !plan.process->oom_score_adj) return;
  list.add(cat("oom_score_adj ", *plan.process->oom_score_adj), "/process/oomScoreAdj");
}

void list_join(const Plan& plan, Listing& list) {
  for (const NamespaceStep& step : plan.namespaces) {
    if (step.join.empty()) continue;
    list.add(cat("join ", name_of(step.kind), " namespace ", printable(step.join)), step.origin);
  }
}

void list_user_namespace(const Plan& plan, Listing& list) {
  if (!plan.makes(NamespaceKind::kUser)) return;
  list.add("new user namespace", plan.find(NamespaceKind::kUser)->origin);
}

void list_id_maps(const Plan& plan, Listing& list) {
  if (!plan.id_maps) return;
  const IdMaps& maps = *plan.id_maps;
  const bool direct = maps.writer == IdMaps::Writer::kDirectly;
  if (maps.deny_setgroups) list.add("setgroups deny", maps.gids_origin);
  list_ranges("uid_map", direct ? "" : cat(" by ", printable(maps.newuidmap)), maps.uids,
              maps.uids_origin, list);
  list_ranges("gid_map", direct ? "" : cat(" by ", printable(maps.newgidmap)), maps.gids,
              maps.gids_origin, list);
}

void list_namespaces(const Plan& plan, Listing& list) {
  for (const NamespaceStep& step : plan.namespaces) {
    if (!step.join.empty() || step.kind == NamespaceKind::kUser) continue;
    list.add(cat("new ", name_of(step.kind), " namespace"), step.origin);
  }
}

void list_time_offsets(const Plan& plan, Listing& list) {
  for (const TimeOffset& offset : plan.time_offsets) {
    list.add(cat("timens_offsets ", offset.clock, ' ', offset.secs, ' ', offset.nanosecs),
             offset.origin);
  }
}

}  // namespace rt::plan
