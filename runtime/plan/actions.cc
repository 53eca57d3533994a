#include <iterator>

#include "runtime/plan/describe.h"
#include "runtime/plan/listing.h"

namespace rt::plan {
namespace {

/// What a step does, in words; for those that the document has no part in, one text.
struct Row {
  Step step;
  void (*list)(const Plan&, Listing&) = nullptr;
  const char* text = nullptr;
};

constexpr Row kRows[] = {
    {Step::kRecord, nullptr, "write the state record: creating"},
    {Step::kHostObjects, list_host_objects},
    {Step::kCgroup, list_cgroup},
    {Step::kResources, list_limits},
    {Step::kClone, list_clone},
    {Step::kEnterCgroup, list_enter_cgroup},
    {Step::kOomScore, list_oom_score},
    {Step::kJoin, list_join},
    {Step::kUserNamespace, list_user_namespace},
    {Step::kIdMaps, list_id_maps},
    {Step::kNamespaces, list_namespaces},
    {Step::kTimeOffsets, list_time_offsets},
    {Step::kInit, nullptr, "clone init"},
    {Step::kIntelRdt, list_intel_rdt},
    {Step::kNetDevices, list_net_devices},
    {Step::kSession, list_session},
    {Step::kHostname, list_hostname},
    {Step::kLoopback, list_loopback},
    {Step::kPrepareMounts, list_prepare_mounts},
    {Step::kPlaceRoot, list_place_root},
    {Step::kEnterRootFirst, list_enter_root_first},
    {Step::kMounts, list_mounts},
    {Step::kDevices, list_devices},
    {Step::kPrestartHooks, list_hooks<HookKind::kPrestart>},
    {Step::kCreateRuntimeHooks, list_hooks<HookKind::kCreateRuntime>},
    {Step::kCreateContainerHooks, list_hooks<HookKind::kCreateContainer>},
    {Step::kSysctl, list_sysctl},
    {Step::kEnterRootLast, list_enter_root_last},
    {Step::kConsole, list_console},
    {Step::kWorkingDirectory, list_working_directory},
    {Step::kReadonlyPaths, list_readonly_paths},
    {Step::kMaskedPaths, list_masked_paths},
    {Step::kReadonlyRoot, list_readonly_root},
    {Step::kStdio, list_stdio},
    {Step::kProcessAttributes, list_process_attributes},
    {Step::kUser, list_user},
    {Step::kLabel, list_label},
    {Step::kExecutable, list_executable},
    {Step::kRlimits, list_rlimits},
    {Step::kTightLimits, list_tight_limits},
    {Step::kCreated, nullptr, "write the state record: created"},
    {Step::kRelease, nullptr, "let init go on"},
    {Step::kStartContainerHooks, list_hooks<HookKind::kStartContainer>},
    {Step::kSeccomp, list_seccomp},
    {Step::kExecute, list_execute},
    {Step::kPoststartHooks, list_hooks<HookKind::kPoststart>},
    {Step::kKill, nullptr, "kill what is left of the container"},
    {Step::kRemoveCgroup, list_remove_cgroup},
    {Step::kRemoveIntelRdt, list_remove_intel_rdt},
    {Step::kRemoveRecord, nullptr, "remove the state record"},
    {Step::kPoststopHooks, list_hooks<HookKind::kPoststop>},
};

static_assert(std::size(kRows) == std::size(kSteps), "every step has its words");

void list_step(const Plan& plan, Step step, Listing& list) {
  for (const Row& row : kRows) {
    if (row.step != step) continue;
    if (row.list != nullptr) row.list(plan, list);
    if (row.text != nullptr) list.add(row.text, kAlways);
  }
}

}  // namespace

std::vector<Action> actions(const Plan& plan) {
  std::vector<Action> out;
  for (const StepRow& row : kSteps) {
    Listing list(row, out);
    list_step(plan, row.step, list);
  }
  return out;
}

}  // namespace rt::plan
