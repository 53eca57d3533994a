// restore: a container with processes that were saved.
#include <signal.h>

#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/bring_up.h"
#include "runtime/container/checkpoint.h"
#include "runtime/container/console.h"
#include "runtime/container/criu.h"
#include "runtime/container/criu_image.h"
#include "runtime/container/follow.h"
#include "runtime/container/hooks.h"
#include "runtime/container/output.h"
#include "runtime/container/restore_order.h"
#include "runtime/container/step.h"
#include "runtime/container/teardown.h"
#include "runtime/kernel/hooks.h"
#include "runtime/kernel/intel_rdt.h"
#include "runtime/stage/placement.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// A container on its way back. What is there of it goes when this does, unless it is released.
class Restoration {
 public:
  Restoration(const Store& store, const plan::Plan& plan, const RestoreOptions& options)
      : store_(store), plan_(plan), options_(options), placement_(plan), order_(plan, options) {}
  Restoration(const Restoration&) = delete;
  Restoration& operator=(const Restoration&) = delete;
  ~Restoration() {
    if (!entry_ || released_) return;
    if (init_) static_cast<void>(sys::pidfd_send_signal(init_.get(), SIGKILL));
    if (record_.pid != 0 && !options_.create.pid_file.empty()) {
      sys::try_unlink(options_.create.pid_file);
    }
    const bool gone = take_back(*entry_, record_);
    if (gone && hooks_ran_) run_poststop_hooks(plan_.hooks, record_, options_.create.warn);
  }

  Status reserve() {
    record_ = TRY(first_record(plan_));
    entry_ = TRY(store_.reserve(plan_.id));
    TRY(entry_->save(record_));
    TRY(entry_->save_config(options_.create.config));
    // Whoever was told of its readiness was so before; but its mount may be in the image.
    TRY(entry_->make_notify_directory());
    return ok();
  }

  Status make_cgroup() {
    TRY(in_step(plan::Step::kCgroup,
                placement_.make([this](const std::vector<cgroup::Directory>& made) {
                  record_.cgroups = made;
                  return entry_->save(record_);
                })));
    TRY(in_step(plan::Step::kResources, warn_of(placement_.limit())));
    return ok();
  }

  Status run() {
    TRY(order_.prepare());
    CriuConversation conversation;
    conversation.prepare = [this] { return order_.enter(); };
    conversation.notice = [this](CriuNotice& notice) { return serve(notice); };
    const CriuProgram program = {.helper = options_.image.criu_helper, .criu = options_.image.criu};
    const CriuOrder& order = order_.order();
    TRY(run_criu(program, order, conversation, log_path(options_.image, order)), "restore ",
        plan_.id);
    placement_.settle();
    if (!init_) return Error("criu has brought back nothing");
    Started started(record_);
    started.pid = record_.pid;
    started.pidfd = init_.get();
    TRY(run_poststart_hooks(plan_.hooks, started));
    released_ = true;
    return ok();
  }

  Attended attended() {
    return {.entry = *entry_,
            .record = record_,
            .pid = record_.pid,
            .pidfd = init_.get(),
            .console = std::move(console_),
            .readiness = {}};
  }

 private:
  Status serve(CriuNotice& notice) {
    if (notice.moment == "setup-namespaces") return run_hooks(notice.pid);
    if (notice.moment == "orphan-pts-master") return take_console(std::move(notice.descriptor));
    // All is there, and nothing of the container runs.
    if (notice.moment == "post-restore") return note(notice.pid);
    return ok();
  }

  Status run_hooks(pid_t pid) {
    hooks_ran_ = true;
    const std::string state = to_hook_json(state_of(record_, ContainerStatus::kCreating, pid));
    const kernel::HookInput input = {.state = state, .directory = plan_.bundle};
    TRY(in_step(plan::Step::kPrestartHooks,
                kernel::run_hooks(plan_.hooks, plan::HookKind::kPrestart, input)));
    return in_step(plan::Step::kCreateRuntimeHooks,
                   kernel::run_hooks(plan_.hooks, plan::HookKind::kCreateRuntime, input));
  }

  Status take_console(UniqueFd master) {
    if (!plan_.console) return Error("the image has a terminal, and config.json has none");
    console_ = std::move(master);
    return in_step(plan::Step::kConsole,
                   hand_over_console(*plan_.console, options_.create.console_socket, console_));
  }

  Status note(pid_t pid) {
    init_ = TRY(sys::pidfd_open(pid));
    TRY(in_step(plan::Step::kReadonlyRoot, order_.finish_mounts(pid)));
    if (plan_.intel_rdt) {
      TRY(in_step(plan::Step::kIntelRdt, enter_intel_rdt(*plan_.intel_rdt, pid)));
    }
    TRY(in_step(plan::Step::kTightLimits, warn_of(placement_.limit_tightly())));
    return in_step(plan::Step::kCreated, write_down(pid));
  }

  Status write_down(pid_t pid) {
    TRY(note_created(*entry_, record_, pid));
    const CreateOptions& create = options_.create;
    if (!create.pidfd_socket.empty()) TRY(send_pidfd(create.pidfd_socket, init_.get()));
    return create.pid_file.empty() ? ok() : write_pid_file(create.pid_file, pid);
  }

  static Status enter_intel_rdt(const plan::IntelRdtStep& step, pid_t pid) {
    TRY(at(step.origin, kernel::make_rdt_group(step)));
    return at(step.origin, kernel::enter_rdt_group(step, pid));
  }

  Status warn_of(const Result<std::vector<plan::Warning>>& result) {
    if (!result) return result.error();
    for (const plan::Warning& warning : result.value()) {
      const Error error = Error(warning.message).at(warning.origin);
      if (options_.create.warn) {
        options_.create.warn(located(error, options_.create.config).message());
      }
    }
    return ok();
  }

  const Store& store_;
  const plan::Plan& plan_;
  const RestoreOptions& options_;
  stage::Placement placement_;
  Record record_;
  std::optional<Entry> entry_;
  RestoreOrder order_;
  UniqueFd init_;  // pidfd
  UniqueFd console_;
  bool hooks_ran_ = false;
  bool released_ = false;
};

Status bring_back(Restoration& restoration) {
  TRY(in_step(plan::Step::kRecord, restoration.reserve()));
  TRY(restoration.make_cgroup());
  return restoration.run();
}

/// What cannot be brought back as config.json has it.
Status check_restorable(const plan::Plan& plan, const RestoreOptions& options) {
  const bool alone = options.image.cgroups_mode == "ignore";
  if (alone && plan.makes(plan::NamespaceKind::kCgroup)) {
    return Error("--manage-cgroups-mode ignore: the container would see the host's cgroups")
        .with_hint("CRIU brings no cgroup namespace back then");
  }
  if (plan.root.method != plan::RootMethod::kPivot) {
    return Error(
        "only a container with a mount namespace of its own, and with pivot_root(2), can "
        "be restored");
  }
  return ok();
}

}  // namespace

Status restore_detached(const Store& store, const plan::Plan& plan, const RestoreOptions& options) {
  TRY(check_restorable(plan, options));
  TRY(check_console(plan.console, options.create.console_socket, true));
  Restoration restoration(store, plan, options);
  return bring_back(restoration);
}

Result<RunOutcome> restore(const Store& store, const plan::Plan& plan,
                           const RestoreOptions& options, AfterRun after) {
  TRY(check_restorable(plan, options));
  TRY(check_console(plan.console, options.create.console_socket, false));
  const UniqueFd signals = TRY(sys::block_signals());
  // CRIU's orphan is ours to wait for.
  TRY(sys::set_child_subreaper(true));
  Restoration restoration(store, plan, options);
  TRY(bring_back(restoration));
  TRY(sys::set_child_subreaper(false));
  return attend_to_end(restoration.attended(), plan, signals.get(), after, options.create.warn);
}

}  // namespace rt::container
