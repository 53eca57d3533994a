// The maps of a new user namespace, and who may write them. runtime-spec config-linux.md, "User
// namespace mappings"; user_namespaces(7), "Defining user and group ID mappings".
#include "runtime/plan/mount_parts.h"
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

constexpr unsigned kCapSetgid = 6;
constexpr unsigned kCapSetuid = 7;

bool has_capability(const HostFacts& host, unsigned number) {
  return (host.effective_capabilities >> number & 1) != 0;
}

/// Everything that is set up inside is done as the container's root.
Status check_ranges(const std::vector<IdRange>& ranges, std::string_view field) {
  const Origin origin = cat("/linux/", field);
  if (ranges.empty()) {
    return Error(cat("linux.", field, ": a new user namespace needs a mapping")).at(origin);
  }
  for (const IdRange& range : ranges) {
    if (range.container_id == 0 && range.size > 0) return ok();
  }
  return Error(
             cat("linux.", field, ": container id 0 is not mapped: the container is set up as it"))
      .at(origin);
}

bool maps_only(const std::vector<IdRange>& ranges, uint32_t id) {
  return ranges.size() == 1 && ranges[0].size == 1 && ranges[0].host_id == id;
}

/// An unprivileged process may map its own id and nothing else.
bool may_write(const IdMaps& maps, const HostFacts& host) {
  const bool uids = has_capability(host, kCapSetuid) || maps_only(maps.uids, host.euid);
  const bool gids = has_capability(host, kCapSetgid) || maps_only(maps.gids, host.egid);
  return uids && gids;
}

Status choose_writer(IdMaps& maps, const HostFacts& host) {
  if (may_write(maps, host)) {
    maps.deny_setgroups = !has_capability(host, kCapSetgid);
    return ok();
  }
  maps.writer = IdMaps::Writer::kHelpers;
  if (host.newuidmap.empty() || host.newgidmap.empty()) {
    return Error(cat("linux.uidMappings: mapping more than one's own id without root needs ",
                     host.newuidmap.empty() ? "newuidmap" : "newgidmap",
                     ", which is not installed (package uidmap)"))
        .at("/linux/uidMappings");
  }
  maps.newuidmap = host.newuidmap;
  maps.newgidmap = host.newgidmap;
  return ok();
}

/// The document's maps are those of a namespace that is made.
void warn_unused(Draft& draft) {
  const spec::Linux& document = draft.config.linux_;
  const std::string why = "not used: the user namespace that is joined has its own";
  if (!document.uid_mappings.empty()) draft.warn("/linux/uidMappings", why);
  if (!document.gid_mappings.empty()) draft.warn("/linux/gidMappings", why);
}

}  // namespace

std::vector<IdRange> id_ranges(const std::vector<spec::IdMapping>& mappings) {
  std::vector<IdRange> out;
  out.reserve(mappings.size());
  for (const spec::IdMapping& mapping : mappings) {
    out.push_back({mapping.container_id, mapping.host_id, mapping.size});
  }
  return out;
}

std::optional<uint32_t> IdMaps::host_uid(uint32_t uid) const {
  for (const IdRange& range : uids) {
    const bool is_in = uid >= range.container_id && uid - range.container_id < range.size;
    if (is_in) return range.host_id + (uid - range.container_id);
  }
  return std::nullopt;
}

Result<std::optional<IdMaps>> plan_id_maps(Draft& draft) {
  if (!draft.plan.makes(NamespaceKind::kUser)) {
    if (draft.plan.find(NamespaceKind::kUser) != nullptr) warn_unused(draft);
    return std::optional<IdMaps>();
  }
  IdMaps maps;
  maps.uids = id_ranges(draft.config.linux_.uid_mappings);
  maps.gids = id_ranges(draft.config.linux_.gid_mappings);
  maps.uids_origin = "/linux/uidMappings";
  maps.gids_origin = "/linux/gidMappings";
  TRY(check_ranges(maps.uids, "uidMappings"));
  TRY(check_ranges(maps.gids, "gidMappings"));
  TRY(choose_writer(maps, draft.host));
  return std::optional<IdMaps>(std::move(maps));
}

}  // namespace rt::plan
