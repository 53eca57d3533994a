// All that a document may ask for and this version does not carry out. Nothing is passed over in
// silence: `create` refuses a plan that has any of it.
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

void note_if(Draft& draft, bool present, std::string_view pointer, std::string_view what) {
  if (present) draft.not_supported(Origin(pointer), std::string(what));
}

void note_process(Draft& draft) {
  if (!draft.config.process) return;
  const spec::Process& process = *draft.config.process;
  note_if(draft, !process.apparmor_profile.empty(), "/process/apparmorProfile",
          "AppArmor profiles");
  note_if(draft, !process.selinux_label.empty(), "/process/selinuxLabel", "SELinux labels");
  note_if(draft, process.scheduler.has_value(), "/process/scheduler", "scheduling attributes");
  note_if(draft, process.io_priority.has_value(), "/process/ioPriority", "I/O priorities");
  if (process.exec_cpu_affinity) {
    draft.warn("/process/execCPUAffinity", "is for exec, which this version does not have");
  }
}

void note_hooks(Draft& draft) {
  const spec::Hooks& hooks = draft.config.hooks;
  note_if(draft, !hooks.prestart.empty(), "/hooks/prestart", "prestart hooks");
  note_if(draft, !hooks.create_runtime.empty(), "/hooks/createRuntime", "createRuntime hooks");
  note_if(draft, !hooks.create_container.empty(), "/hooks/createContainer",
          "createContainer hooks");
  note_if(draft, !hooks.start_container.empty(), "/hooks/startContainer", "startContainer hooks");
  note_if(draft, !hooks.poststart.empty(), "/hooks/poststart", "poststart hooks");
  note_if(draft, !hooks.poststop.empty(), "/hooks/poststop", "poststop hooks");
}

/// "LINUX" without flags is what every process has.
bool changes_personality(const spec::Personality& personality) {
  return personality.domain != "LINUX" || !personality.flags.empty();
}

void note_linux(Draft& draft) {
  const spec::Linux& document = draft.config.linux_;
  note_if(draft, document.seccomp.has_value(), "/linux/seccomp", "seccomp filters");
  note_if(draft, !document.mount_label.empty(), "/linux/mountLabel", "SELinux labels");
  note_if(draft, !document.net_devices.empty(), "/linux/netDevices", "moving network devices");
  note_if(draft, document.intel_rdt.has_value(), "/linux/intelRdt", "Intel RDT");
  note_if(draft, document.memory_policy.has_value(), "/linux/memoryPolicy", "memory policies");
  note_if(draft, document.personality && changes_personality(*document.personality),
          "/linux/personality", "execution domains");
  if (document.resources && *document.resources != spec::Resources()) {
    draft.warn("/linux/resources", "resource limits are not applied by this version");
  }
}

void note_mounts(Draft& draft) {
  const std::vector<spec::Mount>& mounts = draft.config.mounts;
  for (size_t i = 0; i < mounts.size(); ++i) {
    note_if(draft, !mounts[i].uid_mappings.empty(), cat("/mounts/", i, "/uidMappings"),
            "id-mapped mounts");
    note_if(draft, !mounts[i].gid_mappings.empty(), cat("/mounts/", i, "/gidMappings"),
            "id-mapped mounts");
  }
}

}  // namespace

void note_unsupported(Draft& draft) {
  note_mounts(draft);
  note_process(draft);
  note_hooks(draft);
  note_linux(draft);
}

}  // namespace rt::plan
