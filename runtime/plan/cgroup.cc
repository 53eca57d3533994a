// Where the container's cgroup is in each hierarchy. runtime-spec config-linux.md, "Cgroups Path".
//
// An absolute path is below the hierarchy's mount, as the document has it. A relative one, and the
// default "runtime-ID", are below the runtime's own cgroup in v1. In v2 that one cannot give its
// children controllers, since the runtime is in it (cgroup-v2.rst, "No Internal Process
// Constraint"): there they are beside it, below its parent, except where it is the root, which the
// rule is not for, or where a user has been given nothing but the own one: what a limit needs is
// missing there then, but the container has a cgroup.
#include "runtime/plan/parts.h"

#include <algorithm>

namespace rt::plan {
namespace {

/// What a path that is not absolute is below.
std::string base_in(const CgroupHierarchy& hierarchy) {
  if (!hierarchy.unified || hierarchy.only_below_own) return hierarchy.own_path;
  return hierarchy.own_path.substr(0, hierarchy.own_path.rfind('/'));
}

/// Where in one hierarchy, as the hierarchy's own absolute path.
Result<std::string> path_in(const CgroupHierarchy& hierarchy, const Draft& draft) {
  const std::string& wanted = draft.config.linux_.cgroups_path;
  if (wanted.starts_with('/')) return clean_path(wanted);
  // cgroup_namespaces(7): "/.." is what lies outside the cgroup namespace we see through.
  if (is_within(hierarchy.own_path, "/..")) {
    return Error(cat(hierarchy.mount_point,
                     ": the runtime's own cgroup is outside its cgroup namespace: an absolute path "
                     "is needed"));
  }
  const std::string name = wanted.empty() ? cat("/runtime-", draft.request.id) : clean_path(wanted);
  return clean_path(cat(base_in(hierarchy), name));
}

bool is_for_systemd(std::string_view path) {
  return path.find('/') == std::string_view::npos && split(path, ':').size() == 3;
}

Status check_path(std::string_view path) {
  if (path.empty()) return ok();
  if (is_for_systemd(path)) {
    return Error(
        cat(quoted(path), ": slice:prefix:name is for systemd: it needs --systemd-cgroup"));
  }
  if (clean_path(path) == "/") return Error(cat(quoted(path), ": not a cgroup below another"));
  return ok();
}

Result<CgroupDirectory> directory_in(const CgroupHierarchy& hierarchy, const Draft& draft) {
  const std::string path = TRY(path_in(hierarchy, draft));
  const std::vector<std::string>& controllers = hierarchy.controllers;
  CgroupDirectory directory;
  directory.hierarchy = hierarchy.mount_point;
  directory.path = cat(hierarchy.mount_point, path);
  directory.unified = hierarchy.unified;
  directory.cpuset = !hierarchy.unified && std::find(controllers.begin(), controllers.end(),
                                                     "cpuset") != controllers.end();
  return directory;
}

}  // namespace

Result<CgroupStep> plan_cgroup(Draft& draft) {
  if (draft.request.cgroup_manager == CgroupManager::kSystemd) return plan_scope(draft);
  const std::string& wanted = draft.config.linux_.cgroups_path;
  CgroupStep step;
  if (draft.request.cgroup_manager == CgroupManager::kDisabled) {
    step.origin = "option: --cgroup-manager";
    return step;
  }
  step.origin = wanted.empty() ? "default: cgroupsPath" : "/linux/cgroupsPath";
  step.optional = wanted.empty() && draft.host.rootless();
  TRY(at(step.origin, check_path(wanted)), "linux.cgroupsPath");
  for (const CgroupHierarchy& hierarchy : draft.host.cgroups) {
    Result<CgroupDirectory> directory = directory_in(hierarchy, draft);
    if (!directory && step.optional) continue;
    step.directories.push_back(TRY(at(step.origin, std::move(directory)), "linux.cgroupsPath"));
  }
  return step;
}

}  // namespace rt::plan
