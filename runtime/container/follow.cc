#include "runtime/container/follow.h"

#include "runtime/container/hooks.h"
#include "runtime/container/step.h"
#include "runtime/kernel/hooks.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/stage/report.h"
#include "runtime/sys/seccomp.h"
#include "spec/process_state.h"

namespace rt::container {
namespace {

Status hand_over(const Started& started, int number) {
  const UniqueFd listener = TRY(sys::pidfd_getfd(started.pidfd, number));
  spec::ProcessState document;
  document.fds.emplace_back(spec::kSeccompFd);
  document.pid = started.pid;
  document.metadata = started.listener_metadata;
  document.state = state_of(started.record, started.status, started.record.pid);
  return kernel::send_listener(started.listener_path, listener.get(), spec::to_json(document));
}

}  // namespace

Started started_as(const Record& record, const plan::Plan& plan, const stage::Launch& launch,
                   int report) {
  Started started(record);
  started.report = report;
  started.pid = launch.pid();
  started.pidfd = launch.pidfd();
  if (!plan.process || !plan.process->seccomp) return started;
  const plan::SeccompStep& seccomp = *plan.process->seccomp;
  started.listener_path = seccomp.listener_path;
  started.listener_metadata = seccomp.listener_metadata;
  started.notifies = seccomp.notifies;
  return started;
}

Status follow(const Started& started) {
  if (started.report < 0) return ok();
  bool executes = false;
  bool agent_waits = started.notifies;
  while (true) {
    stage::Report report = TRY(stage::read_report(started.report));
    if (report.failure) return *std::move(report.failure);
    if (report.listener) {
      TRY(in_step(plan::Step::kSeccomp,
                  at("/linux/seccomp/listenerPath", hand_over(started, *report.listener))));
      TRY(stage::take_offer(started.report));
      agent_waits = false;
    } else if (report.executes) {
      executes = true;
    } else if (executes && agent_waits) {
      return Error("init could not hand its listener over: the filter must allow write")
          .at("/linux/seccomp")
          .in_step(plan::name_of(plan::Step::kSeccomp));
    } else if (executes) {
      return ok();
    } else {
      return Error("the container's init was killed before it executed the payload");
    }
  }
}

Status run_poststart_hooks(const std::vector<plan::HookStep>& hooks, const Started& started) {
  const std::string state =
      to_hook_json(state_of(started.record, ContainerStatus::kRunning, started.pid));
  return in_step(plan::Step::kPoststartHooks,
                 kernel::run_hooks(hooks, plan::HookKind::kPoststart,
                                   {.state = state, .directory = started.record.bundle}));
}

}  // namespace rt::container
