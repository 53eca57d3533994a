// Stage 1: the process between the runtime and init. It changes its own namespaces, which a process
// with children and open records must not do, and leaves init behind as the runtime's child.
#include <cstdlib>

#include "runtime/kernel/namespaces.h"
#include "runtime/kernel/process.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/sys/process.h"

namespace rt::stage {
namespace {

using plan::NamespaceKind;
using plan::Step;

Status set_oom_score(Context& context) {
  // In the cgroup first: all that follows is accounted to the container.
  if (context.cgroup_by_pid)
    TRY(ask(context.channel.get(), Message::kPlacePlease, Message::kPlaced));
  const auto& process = context.plan.process;
  if (!process || !process->oom_score_adj) return ok();
  return at("/process/oomScoreAdj", kernel::set_oom_score_adj(*process->oom_score_adj));
}

Status join(Context& context) {
  // CVE-2016-9962: a process of a namespace that is joined must not look into this one.
  if (!context.namespaces.empty()) TRY(sys::set_dumpable(false));
  return kernel::join_namespaces(context.namespaces);
}

Status make_user_namespace(Context& context) {
  if (!context.plan.id_maps) return ok();
  TRY(at(context.plan.find(NamespaceKind::kUser)->origin, kernel::make_user_namespace()));
  // /proc/PID/uid_map belongs to root while the process is not dumpable: an unprivileged runtime
  // could not open it.
  TRY(sys::set_dumpable(true));
  TRY(ask(context.channel.get(), Message::kIdMapsPlease, Message::kIdMapsWritten));
  TRY(sys::set_dumpable(false));
  return kernel::become_namespace_root(!context.plan.id_maps->deny_setgroups);
}

Status make_namespaces(Context& context) {
  TRY(sys::set_dumpable(false));
  return at("/linux/namespaces", kernel::make_namespaces(context.plan.namespaces));
}

Status write_time_offsets(Context& context) {
  if (context.plan.time_offsets.empty()) return ok();
  // As with the id maps: the file must be ours for a moment.
  TRY(sys::set_dumpable(true));
  Status written = kernel::write_time_offsets(context.plan.time_offsets);
  TRY(sys::set_dumpable(false));
  return written;
}

/// Init is the runtime's child, not ours: whoever called the runtime shall be able to wait for it.
Status clone_init(Context& context) {
  const sys::Child init = TRY(sys::clone(CLONE_PARENT));
  if (init.pid == 0) init_main(context);
  return ok();
}

constexpr Handler kHandlers[] = {
    {Step::kOomScore, set_oom_score},
    {Step::kJoin, join},
    {Step::kUserNamespace, make_user_namespace},
    {Step::kNamespaces, make_namespaces},
    {Step::kTimeOffsets, write_time_offsets},
    {Step::kInit, clone_init},
};

}  // namespace

void stage1_main(Context& context) {
  Status done = sys::set_parent_death_signal(SIGKILL);
  if (done) done = run_steps(plan::Actor::kStage1, kHandlers, context);
  if (!done) static_cast<void>(send_failure(context.channel.get(), done.error()));
  sys::exit_now(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace rt::stage
