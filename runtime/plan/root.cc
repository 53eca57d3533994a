// The container's root directory and how it becomes that. runtime-spec config.md, "Root";
// config-linux.md, "Rootfs Mount Propagation".
#include "runtime/plan/parts.h"

#include <linux/mount.h>

#include "runtime/plan/mount_options.h"

namespace rt::plan {
namespace {

RootMethod method_of(const Draft& draft) {
  const NamespaceStep* mount = draft.plan.find(NamespaceKind::kMount);
  if (mount == nullptr) return RootMethod::kChroot;
  if (!mount->join.empty()) return RootMethod::kJoined;
  return draft.request.no_pivot ? RootMethod::kMove : RootMethod::kPivot;
}

struct Offender {
  bool present;
  std::string_view place;
  std::string_view pointer;
};

/// What changes mounts needs a mount namespace of the container's own. (The mounts themselves, and
/// linux.devices, are looked at where they are planned.)
Status check_own_namespace(const spec::Config& config, std::string_view why) {
  const spec::Linux& document = config.linux_;
  const Offender offenders[] = {
      {config.root && config.root->readonly, "root.readonly", "/root/readonly"},
      {!document.masked_paths.empty(), "linux.maskedPaths", "/linux/maskedPaths"},
      {!document.readonly_paths.empty(), "linux.readonlyPaths", "/linux/readonlyPaths"},
      {!document.rootfs_propagation.empty(), "linux.rootfsPropagation", "/linux/rootfsPropagation"},
  };
  for (const Offender& offender : offenders) {
    if (offender.present) return Error(cat(offender.place, ": ", why)).at(offender.pointer);
  }
  return ok();
}

Result<unsigned long> propagation(const std::string& word) {
  if (word.empty()) return static_cast<unsigned long>(MS_PRIVATE | MS_REC);
  const unsigned long flags = propagation_of(word);
  if (flags == 0) {
    return Error(cat("linux.rootfsPropagation: unknown propagation ", quoted(word)))
        .at("/linux/rootfsPropagation");
  }
  return flags;
}

Status set_path(const Draft& draft, RootStep& step) {
  const std::optional<spec::Root>& root = draft.config.root;
  if (!root || root->path.empty()) return Error("root.path: missing").at("/root");
  step.path = absolute_path(draft.request.bundle, root->path);
  step.readonly = root->readonly;
  step.origin = "/root/path";
  step.readonly_origin = "/root/readonly";
  return ok();
}

}  // namespace

Result<RootStep> plan_root(Draft& draft) {
  RootStep step;
  step.method = method_of(draft);
  if (step.method == RootMethod::kJoined) {
    step.origin = draft.plan.find(NamespaceKind::kMount)->origin;
    TRY(check_own_namespace(draft.config,
                            "would change a mount namespace that belongs to another container"));
    return step;
  }
  TRY(set_path(draft, step));
  if (step.method == RootMethod::kChroot) {
    TRY(check_own_namespace(draft.config, "needs a mount namespace: it would be made on the host"));
    draft.warn("/linux/namespaces",
               "without a mount namespace the root is changed by chroot alone, which does not "
               "confine a process that is root");
    return step;
  }
  step.propagation = TRY(propagation(draft.config.linux_.rootfs_propagation));
  step.propagation_last = (step.propagation & (MS_SHARED | MS_UNBINDABLE)) != 0;
  step.propagation_origin = draft.config.linux_.rootfs_propagation.empty()
                                ? "default: rootfsPropagation"
                                : "/linux/rootfsPropagation";
  return step;
}

}  // namespace rt::plan
