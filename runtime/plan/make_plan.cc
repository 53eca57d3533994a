#include "runtime/plan/make_plan.h"

#include "runtime/plan/parts.h"

namespace rt::plan {

Result<Plan> make_plan(const spec::Config& config, const Request& request, const HostFacts& host) {
  Draft draft{config, request, host, {}};
  Plan& plan = draft.plan;
  plan.id = request.id;
  plan.bundle = request.bundle;
  plan.annotations = config.annotations;
  plan.new_keyring = !request.no_new_keyring;
  plan.keyring_origin = request.no_new_keyring ? "option: --no-new-keyring" : "default: keyring";
  // Namespaces first: nearly everything else depends on what is the container's own.
  plan.namespaces = TRY(plan_namespaces(draft));
  plan.id_maps = TRY(plan_id_maps(draft));
  plan.time_offsets = plan_time_offsets(draft);
  plan.hostname = config.hostname;
  plan.domainname = config.domainname;
  plan.sysctls = plan_sysctls(draft);
  // Before the mounts: a mount of type "cgroup" shows the container's own cgroup.
  plan.cgroup = TRY(plan_cgroup(draft));
  plan.root = TRY(plan_root(draft));
  plan.mounts = TRY(plan_mounts(draft));
  // After the mounts: what is mounted on /dev decides what is made in it.
  plan.devices = TRY(plan_devices(draft));
  plan.links = plan_links(draft);
  plan.console = TRY(plan_console(draft));
  const spec::Linux& linux_section = config.linux_;
  for (size_t i = 0; i < linux_section.readonly_paths.size(); ++i) {
    plan.readonly_paths.push_back(
        {linux_section.readonly_paths[i], cat("/linux/readonlyPaths/", i)});
  }
  for (size_t i = 0; i < linux_section.masked_paths.size(); ++i) {
    plan.masked_paths.push_back({linux_section.masked_paths[i], cat("/linux/maskedPaths/", i)});
  }
  plan.process = TRY(plan_process(draft));
  note_unsupported(draft);
  return std::move(draft.plan);
}

}  // namespace rt::plan
