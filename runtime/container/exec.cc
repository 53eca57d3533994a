// exec: one more process in a container.
#include <fcntl.h>

#include <optional>
#include <utility>

#include "runtime/container/bundle.h"
#include "runtime/container/console.h"
#include "runtime/container/container.h"
#include "runtime/container/exec_cgroup.h"
#include "runtime/container/exec_process.h"
#include "runtime/container/follow.h"
#include "runtime/container/foreground.h"
#include "runtime/container/hooks.h"
#include "runtime/container/output.h"
#include "runtime/container/step.h"
#include "runtime/kernel/host.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/plan/make_plan.h"
#include "runtime/stage/stages.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

Status check_joinable(const Observed& seen, const ExecOptions& options) {
  switch (seen.status) {
    case ContainerStatus::kCreated:
    case ContainerStatus::kRunning:
      return ok();
    case ContainerStatus::kPaused:
      if (options.ignore_paused) return ok();
      return Error("cannot exec in a paused container (use --ignore-paused to override)");
    case ContainerStatus::kCreating:
      return Error("cannot exec in a container that is being created");
    case ContainerStatus::kStopped:
      break;
  }
  return Error("cannot exec in a stopped container: container not running");
}

Result<plan::Plan> plan_exec(const Entry& entry, const Record& record, const ExecOptions& options,
                             const plan::HostFacts& host) {
  spec::Config config = TRY(load_config(entry));
  config.process = TRY(exec_process(config, options.request));
  plan::Request request;
  request.id = record.id;
  request.bundle = record.bundle;
  request.no_new_keyring = !record.own_keyring;
  request.preserve_fds = options.preserved_fds;
  request.resctrl_root = options.resctrl_root;
  request.cgroup_manager = options.cgroup_manager;
  request.systemd_helper = options.systemd_helper;
  return plan::make_exec_plan(config, request, host);
}

Result<stage::Target> find_target(const Observed& seen) {
  stage::Target target;
  target.pidfd = seen.init.get();
  target.namespaces = TRY(kernel::foreign_namespaces(seen.record.pid));
  if ((target.namespaces & CLONE_NEWNS) == 0) {
    target.root = TRY(sys::open(cat("/proc/", seen.record.pid, "/root"), O_PATH | O_DIRECTORY));
  }
  // What was read by number was init's if it is still there.
  const std::optional<size_t> ended =
      TRY(sys::wait_readable({seen.init.get()}, std::chrono::milliseconds(0)));
  if (ended) return Error("container not running");
  return target;
}

/// A process that has joined a container. Not released it is killed.
struct Joined {
  Joined(stage::Launch its_launch, UniqueFd its_report)
      : launch(std::move(its_launch)), report(std::move(its_report)) {}

  stage::Launch launch;
  UniqueFd report;
  UniqueFd console;
};

/// In the container's cgroup, or where its init is when that has none for processes any more.
Result<stage::Launch> launch_beside(const Observed& seen, const plan::Plan& plan,
                                    const ExecOptions& options,
                                    const stage::LaunchOptions& launch_options,
                                    const plan::HostFacts& host) {
  const auto directories = TRY(exec_cgroups(seen.record, options.cgroups, host));
  stage::Target target = TRY(find_target(seen));
  target.directories = directories;
  Result<stage::Launch> launch = stage::launch_exec(plan, std::move(target), launch_options);
  if (launch || launch.error().code() != EBUSY || !options.cgroups.empty()) return launch;
  target = TRY(find_target(seen));
  target.directories = TRY(beside_init(directories, seen.record.pid, host));
  return stage::launch_exec(plan, std::move(target), launch_options);
}

Result<Joined> join(const Store& store, const Observed& seen, const plan::Plan& plan,
                    const ExecOptions& options, const plan::HostFacts& host) {
  sys::Pipe pipe;
  if (stage::reports(plan)) {
    pipe = TRY(sys::pipe());
    TRY(sys::set_pipe_size(pipe.write.get(), 1));
  }
  stage::LaunchOptions launch_options;
  launch_options.report.writer = pipe.write.get();
  launch_options.filter_cache = store.filter_cache();
  stage::Launch launch = TRY(launch_beside(seen, plan, options, launch_options, host));
  for (const Error& warning : launch.warnings()) {
    if (options.warn) options.warn(warning.message());
  }
  Joined joined(std::move(launch), std::move(pipe.read));
  joined.console = joined.launch.take_console();
  return joined;
}

Status hand_over(Joined& joined, const plan::Plan& plan, const ExecOptions& options) {
  if (plan.console) {
    TRY(in_step(plan::Step::kConsole,
                hand_over_console(*plan.console, options.console_socket, joined.console)));
  }
  if (!options.pidfd_socket.empty()) {
    TRY(send_pidfd(options.pidfd_socket, joined.launch.pidfd()));
  }
  if (options.pid_file.empty()) return ok();
  return write_pid_file(options.pid_file, joined.launch.pid());
}

Status start_joined(Joined& joined, const Observed& seen, const plan::Plan& plan) {
  TRY(in_step(plan::Step::kRelease, joined.launch.release()));
  Started started = started_as(seen.record, plan, joined.launch, joined.report.get());
  started.status = seen.status;
  Status followed = follow(started);
  if (!followed) give_up(joined.launch.pidfd());
  return followed;
}

}  // namespace

Result<int> exec(const Store& store, const std::string& id, const ExecOptions& options) {
  const Entry entry = TRY(store.require(id));
  const Observed seen = TRY(observe(entry));
  TRY(check_joinable(seen, options), id);
  const plan::HostFacts host = TRY(kernel::probe_host(), id);
  const plan::Plan plan = TRY(plan_exec(entry, seen.record, options, host), id);
  TRY(check_console(plan.console, options.console_socket, options.detach));
  UniqueFd signals;
  if (!options.detach) signals = TRY(sys::block_signals());
  Joined joined = TRY(join(store, seen, plan, options, host), id);
  TRY(hand_over(joined, plan, options), id);
  TRY(start_joined(joined, seen, plan), id);
  if (options.detach) return 0;
  Status attended =
      attend(signals.get(), joined.launch.pidfd(), std::move(joined.console), Readiness());
  if (!attended) give_up(joined.launch.pidfd());
  const int status = TRY(sys::wait_for(joined.launch.pid()), id);
  TRY(attended, id);
  return exit_code_of(status);
}

}  // namespace rt::container
