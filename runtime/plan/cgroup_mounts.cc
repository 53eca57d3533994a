// A mount of type "cgroup": what the container sees of the control groups. runtime-spec
// config-linux.md, "Control groups"; cgroups(7), cgroup_namespaces(7).
#include "runtime/plan/parts.h"

#include <linux/mount.h>

#include <algorithm>
#include <utility>

namespace rt::plan {
namespace {

/// With a cgroup namespace a hierarchy that is mounted anew starts at the container's own cgroup.
bool sees_own_cgroup(const Draft& draft) {
  return draft.plan.find(NamespaceKind::kCgroup) != nullptr;
}

std::string last_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// "name=systemd" is a hierarchy without a controller.
std::vector<FilesystemParameter> hierarchy_parameters(const CgroupHierarchy& hierarchy) {
  std::vector<FilesystemParameter> parameters;
  for (const std::string& controller : hierarchy.controllers) {
    if (controller.starts_with("name=")) {
      parameters.push_back({"none", std::nullopt});
      parameters.push_back({"name", controller.substr(5)});
    } else {
      parameters.push_back({controller, std::nullopt});
    }
  }
  return parameters;
}

/// Host path of the container's cgroup; of the runtime's own where it is not sure to be made.
std::string host_directory(const CgroupHierarchy& hierarchy, const CgroupStep& cgroup) {
  for (const CgroupDirectory& directory : cgroup.directories) {
    if (directory.hierarchy == hierarchy.mount_point && !cgroup.optional) return directory.path;
  }
  const std::string own = clean_path(hierarchy.own_path);
  return own == "/" ? hierarchy.mount_point : cat(hierarchy.mount_point, own);
}

MountStep plan_hierarchy(const Draft& draft, const MountStep& model,
                         const CgroupHierarchy& hierarchy) {
  MountStep step = model;
  step.target = cat(model.target, '/', last_name(hierarchy.mount_point));
  if (!sees_own_cgroup(draft)) {
    step.what = BindMount{host_directory(hierarchy, draft.plan.cgroup), false};
  } else if (hierarchy.unified) {
    step.what = NewFilesystem{"cgroup2", "cgroup2", {}};
  } else {
    step.what = NewFilesystem{"cgroup", "cgroup", hierarchy_parameters(hierarchy)};
  }
  return step;
}

/// Without a cgroup namespace what is mounted anew is the host's own, and takes the host's options
/// away from it (nsdelegate, memory_recursiveprot); a second view of it does not.
Result<MountStep> plan_unified(const Draft& draft, const MountStep& model,
                               const std::vector<FilesystemParameter>& parameters) {
  MountStep step = model;
  if (sees_own_cgroup(draft) || draft.host.cgroups.empty()) {
    step.what = NewFilesystem{"cgroup2", "cgroup", parameters};
    return step;
  }
  if (!parameters.empty()) {
    return Error(cat("option ", quoted(parameters.front().key),
                     ": would be the host's too: it needs a cgroup namespace"));
  }
  step.what = BindMount{draft.host.cgroups.front().mount_point, true};
  return step;
}

/// The directory that holds the hierarchies. It stays writable until they are in it.
MountStep plan_holder(const MountStep& model) {
  MountStep step = model;
  step.what = NewFilesystem{"tmpfs", "tmpfs", {{"mode", "755"}}};
  step.attributes.set |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  step.attributes.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
  step.recursive_attributes.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
  return step;
}

MountStep plan_seal(const MountStep& model) {
  MountStep step = model;
  step.what = Remount{};
  step.attributes = {MOUNT_ATTR_RDONLY, 0};
  step.recursive_attributes = {};
  step.propagation = 0;
  return step;
}

}  // namespace

Result<std::vector<MountStep>> plan_cgroup_mount(
    const Draft& draft, const MountStep& model,
    const std::vector<FilesystemParameter>& parameters) {
  const std::vector<CgroupHierarchy>& hierarchies = draft.host.cgroups;
  const bool unified = std::all_of(hierarchies.begin(), hierarchies.end(),
                                   [](const CgroupHierarchy& one) { return one.unified; });
  if (unified) {
    const MountStep step = TRY(plan_unified(draft, model, parameters));
    return std::vector<MountStep>{step};
  }
  if (!parameters.empty()) {
    return Error(cat("option ", quoted(parameters.front().key),
                     ": this host has several cgroup hierarchies: none of them takes it"));
  }
  std::vector<MountStep> steps;
  steps.push_back(plan_holder(model));
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    steps.push_back(plan_hierarchy(draft, model, hierarchy));
  }
  const uint64_t asked = model.attributes.set | model.recursive_attributes.set;
  if ((asked & MOUNT_ATTR_RDONLY) != 0) steps.push_back(plan_seal(model));
  return steps;
}

}  // namespace rt::plan
