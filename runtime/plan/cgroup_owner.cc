// Who owns the container's cgroup: the user whom the payload runs as, when he is to manage it from
// within. runtime-spec config-linux.md, "Cgroup ownership".
#include <algorithm>

#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// The mount by which the container can write to its cgroup, as the specification knows it; null
/// when it has none. Its type says the same as its source.
const spec::Mount* writable_cgroup_mount(const spec::Config& config) {
  const auto fits = [](const spec::Mount& mount) {
    const bool is_cgroup = mount.source == "cgroup" || mount.type == "cgroup";
    return is_cgroup && clean_path(mount.destination) == "/sys/fs/cgroup" &&
           std::ranges::find(mount.options, "ro") == mount.options.end() &&
           std::ranges::find(mount.options, "rro") == mount.options.end();
  };
  const auto found = std::ranges::find_if(config.mounts, fits);
  return found == config.mounts.end() ? nullptr : &*found;
}

/// The host's id of a uid in the container; nothing when it has none, or when only the user
/// namespace that is joined knows it.
std::optional<uint32_t> host_uid(const Plan& plan, uint32_t uid) {
  if (plan.find(NamespaceKind::kUser) == nullptr) return uid;
  return plan.id_maps ? plan.id_maps->host_uid(uid) : std::nullopt;
}

/// Delegation is not secure in v1: not where any of it is in use.
bool is_unified(const CgroupStep& step) {
  return !step.directories.empty() &&
         std::ranges::all_of(step.directories, &CgroupDirectory::unified);
}

}  // namespace

void plan_cgroup_owner(Draft& draft) {
  Plan& plan = draft.plan;
  const spec::Mount* mount = writable_cgroup_mount(draft.config);
  if (mount == nullptr || !plan.process || !is_unified(plan.cgroup)) return;
  if (!plan.makes(NamespaceKind::kCgroup)) return;
  const std::optional<uint32_t> uid = host_uid(plan, plan.process->uid);
  // It is the runtime's already, or not the runtime's to give away: only root can.
  if (!uid || *uid == draft.host.euid || draft.host.rootless()) return;
  plan.cgroup.owner = uid;
  plan.cgroup.owner_origin = cat("/mounts/", mount - draft.config.mounts.data());
}

}  // namespace rt::plan
