// The id mapping of a mount. runtime-spec config.md, "Linux mount options" (idmap, ridmap) and
// "POSIX-platform Mounts" (uidMappings, gidMappings); mount_setattr(2), "ID-mapped mounts".
#include "runtime/plan/mount_parts.h"
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

constexpr unsigned kCapSysAdmin = 21;

/// The mapping of the container's own user namespace.
Status take_containers(const Plan& plan, MountIdMap& map) {
  if (plan.id_maps) {
    map.uids = plan.id_maps->uids;
    map.gids = plan.id_maps->gids;
    return ok();
  }
  if (const NamespaceStep* joined = plan.find(NamespaceKind::kUser)) {
    map.user_namespace = joined->join;
    return ok();
  }
  return Error("needs uidMappings and gidMappings, or a user namespace to take them from");
}

}  // namespace

Result<std::optional<MountIdMap>> plan_mount_id_map(const Draft& draft, const MountEntry& entry) {
  const auto& word = entry.options.id_map;
  const bool uids = !entry.mount.uid_mappings.empty();
  const bool gids = !entry.mount.gid_mappings.empty();
  if (!word && !uids && !gids) return std::optional<MountIdMap>();
  MountIdMap map;
  map.recursive = entry.options.recursive_id_map;
  map.origin = uids || gids ? cat(entry.origin, uids ? "/uidMappings" : "/gidMappings")
                            : cat(entry.origin, "/options/", word->index);
  if (uids != gids) {
    return Error("uidMappings and gidMappings: a mount has both or neither").at(map.origin);
  }
  if (entry.options.remount) {
    return Error("a mount that is there already cannot be id-mapped: \"remount\"").at(map.origin);
  }
  if ((draft.host.effective_capabilities >> kCapSysAdmin & 1) == 0) {
    return Error("id-mapped mounts need CAP_SYS_ADMIN, which a rootless runtime does not have")
        .at(map.origin);
  }
  if (uids) {
    map.uids = id_ranges(entry.mount.uid_mappings);
    map.gids = id_ranges(entry.mount.gid_mappings);
  } else {
    TRY(at(map.origin, take_containers(draft.plan, map)), "option ", quoted(word->word));
  }
  return std::optional<MountIdMap>(std::move(map));
}

}  // namespace rt::plan
