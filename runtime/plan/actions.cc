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
    {Step::kClone, list_clone},
    {Step::kOomScore, list_oom_score},
    {Step::kJoin, list_join},
    {Step::kUserNamespace, list_user_namespace},
    {Step::kIdMaps, list_id_maps},
    {Step::kNamespaces, list_namespaces},
    {Step::kTimeOffsets, list_time_offsets},
    {Step::kInit, nullptr, "clone init"},
    {Step::kSession, list_session},
    {Step::kHostname, list_hostname},
    {Step::kLoopback, list_loopback},
    {Step::kSysctl, list_sysctl},
    {Step::kPrepareMounts, list_prepare_mounts},
    {Step::kEnterRoot, list_enter_root},
    {Step::kMounts, list_mounts},
    {Step::kDevices, list_devices},
    {Step::kConsole, list_console},
    {Step::kWorkingDirectory, list_working_directory},
    {Step::kReadonlyPaths, list_readonly_paths},
    {Step::kMaskedPaths, list_masked_paths},
    {Step::kReadonlyRoot, list_readonly_root},
    {Step::kStdio, list_stdio},
    {Step::kUser, list_user},
    {Step::kExecutable, list_executable},
    {Step::kRlimits, list_rlimits},
    {Step::kCreated, nullptr, "write the state record: created"},
    {Step::kRelease, nullptr, "let init go on"},
    {Step::kExecute, list_execute},
    {Step::kKill, nullptr, "kill what is left of the container"},
    {Step::kRemoveCgroup, list_remove_cgroup},
    {Step::kRemoveRecord, nullptr, "remove the state record"},
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
