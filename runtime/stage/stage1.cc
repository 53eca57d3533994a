// Stage 1: the process between the runtime and init. It changes its own namespaces, which a process
// with children and open records must not do, and leaves init behind as the runtime's child.
#include <cstdlib>

#include "runtime/kernel/attributes.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/kernel/process.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::stage {
namespace {

using plan::NamespaceKind;
using plan::Step;

Status enter_cgroup(Context& context) {
  if (context.asks_for_place) {
    TRY(ask(context.channel.get(), Message::kPlacePlease, Message::kPlaced));
  }
  TRY(at(context.plan.cgroup.origin, cgroup::enter(*context.cgroups)));
  const auto& process = context.plan.process;
  if (context.target == nullptr || !process || !process->cpu_affinity) return ok();
  // Which CPUs there are is the cgroup's to say: config.md, "execCPUAffinity", field final.
  const plan::CpuAffinityStep& affinity = *process->cpu_affinity;
  return at(affinity.origin, kernel::set_cpu_affinity(affinity.final));
}

Status set_oom_score(Context& context) {
  const auto& process = context.plan.process;
  if (!process || !process->oom_score_adj) return ok();
  return at("/process/oomScoreAdj", kernel::set_oom_score_adj(*process->oom_score_adj));
}

/// All of its namespaces at once, and its root directory.
Status join_container(const Target& target) {
  TRY(sys::set_dumpable(false));
  if (target.namespaces == 0) return ok();
  const Status joined = sys::setns(target.pidfd, target.namespaces);
  if (!joined && joined.error().code() == ESRCH) return Error("container not running");
  TRY(joined);
  if (target.root) {
    TRY(sys::fchdir(target.root.get()));
    TRY(sys::chroot("."));
  }
  if ((target.namespaces & CLONE_NEWUSER) == 0) return ok();
  return kernel::become_namespace_root(true);
}

Status join(Context& context) {
  // CVE-2016-9962: a process of a namespace that is joined must not look into this one.
  if (context.target != nullptr) return join_container(*context.target);
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
    {Step::kEnterCgroup, enter_cgroup},
    {Step::kOomScore, set_oom_score},
    {Step::kJoin, join},
    {Step::kUserNamespace, make_user_namespace},
    {Step::kNamespaces, make_namespaces},
    {Step::kTimeOffsets, write_time_offsets},
    {Step::kInit, clone_init},
};

/// What the runtime holds open of the host must not come along to where others may look into our
/// process, dumpable or not: those with CAP_SYS_PTRACE in a pid namespace that is joined
/// (CVE-2016-9962).
Status close_hosts(const Context& context) {
  const LaunchOptions& options = context.options;
  std::vector<int> kept = {context.channel.get(), options.exec_fifo,       options.report.writer,
                           options.report.keeper, context.root_path.get(), context.root_tree.get(),
                           context.proc.get()};
  for (const kernel::OpenNamespace& target : context.namespaces) kept.push_back(target.fd.get());
  for (const UniqueFd& tree : context.mount_trees) kept.push_back(tree.get());
  for (const UniqueFd& tree : context.device_trees) kept.push_back(tree.get());
  if (context.target != nullptr) {
    kept.push_back(context.target->pidfd);
    kept.push_back(context.target->root.get());
  }
  return sys::close_from(3 + static_cast<int>(context.plan.preserved_fds), kept);
}

}  // namespace

void stage1_main(Context& context) {
  Status done = sys::set_parent_death_signal(SIGKILL);
  if (done) done = close_hosts(context);
  // While our rights and the host's mounts are what they were: from here it comes along into the
  // new mount namespace, wherever its path may be out of reach.
  if (done && context.root_path) done = sys::fchdir(context.root_path.get());
  if (done) done = run_steps(plan::Actor::kStage1, kHandlers, context);
  if (!done) static_cast<void>(send_failure(context.channel.get(), done.error()));
  sys::exit_now(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace rt::stage
