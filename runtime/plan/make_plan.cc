#include "runtime/plan/make_plan.h"

#include <algorithm>

#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// What every process of the container has.
Draft begin(const spec::Config& config, const Request& request, const HostFacts& host) {
  Draft draft{config, request, host, {}};
  Plan& plan = draft.plan;
  plan.id = request.id;
  plan.bundle = request.bundle;
  plan.annotations = config.annotations;
  plan.new_keyring = !request.no_new_keyring;
  plan.keyring_origin = request.no_new_keyring ? "option: --no-new-keyring" : "default: keyring";
  plan.preserved_fds = std::max(request.preserve_fds, request.listen_fds);
  plan.listen_fds = request.listen_fds;
  return draft;
}

std::vector<PathStep> path_steps(const std::vector<std::string>& paths, std::string_view pointer) {
  std::vector<PathStep> steps;
  steps.reserve(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) steps.push_back({paths[i], cat(pointer, '/', i)});
  return steps;
}

/// The payload, and what of the section "linux" is about it.
Result<std::optional<ProcessStep>> plan_payload(Draft& draft) {
  std::optional<ProcessStep> process = TRY(plan_process(draft));
  if (process) process->seccomp = TRY(plan_seccomp(draft));
  return process;
}

}  // namespace

Result<Plan> make_plan(const spec::Config& config, const Request& request, const HostFacts& host) {
  Draft draft = begin(config, request, host);
  Plan& plan = draft.plan;
  // Namespaces first: nearly everything else depends on what is the container's own.
  plan.namespaces = TRY(plan_namespaces(draft));
  plan.id_maps = TRY(plan_id_maps(draft));
  plan.time_offsets = plan_time_offsets(draft);
  plan.hostname = config.hostname;
  plan.domainname = config.domainname;
  plan.sysctls = plan_sysctls(draft);
  // Before the mounts: a mount of type "cgroup" shows the container's own cgroup.
  plan.cgroup = TRY(plan_cgroup(draft));
  plan.resources = TRY(plan_resources(draft));
  if (plan.cgroup.scope) plan_scope_properties(draft);
  plan.root = TRY(plan_root(draft));
  plan.mounts = TRY(plan_mounts(draft));
  // After the mounts: what is mounted on /dev decides what is made in it.
  plan.devices = TRY(plan_devices(draft));
  plan.links = plan_links(draft);
  plan.console = TRY(plan_console(draft));
  plan.readonly_paths = path_steps(config.linux_.readonly_paths, "/linux/readonlyPaths");
  plan.masked_paths = path_steps(config.linux_.masked_paths, "/linux/maskedPaths");
  plan.net_devices = plan_net_devices(draft);
  plan.intel_rdt = TRY(plan_intel_rdt(draft));
  plan.hooks = plan_hooks(config);
  plan.process = TRY(plan_payload(draft));
  plan_notify(draft);
  // After the mounts and the process: whether it can write to its cgroup, and who it is.
  plan_cgroup_owner(draft);
  return std::move(draft.plan);
}

Result<Plan> make_exec_plan(const spec::Config& config, const Request& request,
                            const HostFacts& host) {
  Draft draft = begin(config, request, host);
  Plan& plan = draft.plan;
  // What its ids mean.
  plan.namespaces = TRY(plan_namespaces(draft));
  plan.id_maps = TRY(plan_id_maps(draft));
  plan.intel_rdt = TRY(plan_intel_rdt(draft));
  plan.process = TRY(plan_payload(draft));
  if (!plan.process) return Error("no process to execute");
  if (config.process->terminal) plan.console = make_console(*config.process);
  if (request.cgroup_manager == CgroupManager::kSystemd) {
    // That it joins; a container whose cgroup is none of systemd's has none.
    Result<CgroupStep> cgroup = plan_scope(draft);
    if (cgroup) plan.cgroup.scope = std::move(cgroup).value().scope;
  }
  return std::move(draft.plan);
}

}  // namespace rt::plan
