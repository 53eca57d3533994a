// The runtime's own part of a container's creation.
#include <fcntl.h>
#include <sys/wait.h>

#include <utility>

#include "runtime/kernel/attributes.h"
#include "runtime/kernel/devices.h"
#include "runtime/kernel/hooks.h"
#include "runtime/kernel/intel_rdt.h"
#include "runtime/kernel/labels.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/root.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/stage/child.h"
#include "runtime/stage/context.h"
#include "runtime/stage/placement.h"
#include "runtime/stage/protocol.h"
#include "runtime/stage/stages.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::stage {
namespace {

using plan::Step;

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return cat("was killed by signal ", WTERMSIG(status));
  return cat("ended with status ", WEXITSTATUS(status));
}

}  // namespace

/// The children of one launch, and what the runtime does with them, step by step.
class Launcher {
 public:
  Launcher(const plan::Plan& plan, const LaunchOptions& options)
      : plan_(plan), options_(options), context_(plan, options), placement_(plan) {}

  Result<Launch> create() {
    TRY(in_step(Step::kCgroup, placement_.make(options_.cgroup_made)));
    TRY(in_step(Step::kResources, keep_warnings(placement_.limit())));
    TRY(in_step(Step::kHostObjects, open_host_objects()));
    TRY(in_step(Step::kClone, clone_stage1()));
    if (context_.asks_for_place) TRY(in_step(Step::kEnterCgroup, give_place()));
    if (plan_.id_maps) TRY(in_step(Step::kIdMaps, write_id_maps()));
    return bring_init_up();
  }

  Result<Launch> join(Target& target) {
    context_.target = &target;
    placement_.take(std::move(target.directories));
    TRY(in_step(Step::kSeccomp, make_filter()));
    if (plan_.process && plan_.process->cpu_affinity) {
      const plan::CpuAffinityStep& affinity = *plan_.process->cpu_affinity;
      TRY(at(affinity.origin, kernel::set_cpu_affinity(affinity.initial)));
    }
    TRY(in_step(Step::kClone, clone_stage1()));
    if (context_.asks_for_place) TRY(in_step(Step::kEnterCgroup, give_place()));
    return bring_init_up();
  }

 private:
  template <class T>
  static Result<T> in_step(Step step, Result<T> result) {
    if (!result) return std::move(result).error().in_step(plan::name_of(step));
    return result;
  }

  Result<Launch> bring_init_up() {
    TRY(in_step(Step::kInit, meet_init()));
    TRY(in_step(Step::kIntelRdt, enter_intel_rdt()));
    TRY(in_step(Step::kNetDevices, move_net_devices()));
    TRY(in_step(Step::kInit, send_message(channel_.get(), Message::kGoOn)));
    if (plan_.enters_root_last()) TRY(run_hooks());
    if (plan_.console) TRY(in_step(Step::kConsole, receive_console()));
    TRY(in_step(Step::kInit, wait_until_ready()));
    TRY(in_step(Step::kTightLimits, keep_warnings(placement_.limit_tightly())));
    const pid_t pid = init_.pid();
    init_.let_go();
    Launch launch(pid, init_.take_pidfd(), std::move(channel_));
    launch.console_ = std::move(console_);
    launch.net_devices_ = std::move(net_devices_);
    launch.warnings_ = std::move(warnings_);
    return launch;
  }

  Status open_host_objects() {
    context_.namespaces = TRY(kernel::open_namespaces(plan_.namespaces));
    TRY(refuse_host_settings(context_));
    const bool joined = plan_.root.method == plan::RootMethod::kJoined;
    if (!joined && context_.root_place() == kernel::RootPlace::kOwnPath) {
      context_.root_path = TRY(at(plan_.root.origin, sys::open(plan_.root.path, O_PATH)));
    }
    context_.root_tree = TRY(kernel::clone_root(plan_.root));
    context_.mount_trees = TRY(kernel::clone_sources(plan_.mounts));
    context_.device_trees = TRY(kernel::clone_devices(plan_.devices));
    return in_step(Step::kSeccomp, make_filter());
  }

  Status make_filter() {
    if (!plan_.process || !plan_.process->seccomp) return ok();
    const plan::SeccompStep& step = *plan_.process->seccomp;
    context_.rootless = sys::geteuid() != 0;
    context_.filter = TRY(at(step.origin, kernel::make_filter(step, options_.filter_cache)));
    return keep_warnings(kernel::filter_warnings(step));
  }

  Status keep_warnings(const Result<std::vector<plan::Warning>>& result) {
    if (!result) return result.error();
    for (const plan::Warning& warning : result.value()) {
      warnings_.push_back(Error(warning.message).at(warning.origin));
    }
    return ok();
  }

  Status clone_stage1() {
    if (plan_.process) {
      context_.proc = TRY(kernel::open_proc_for_labels(plan_.process->labels));
    }
    sys::SocketPair pair = TRY(sys::socket_pair());
    context_.channel = std::move(pair.theirs);
    context_.cgroups = &placement_.directories();
    sys::Child child = TRY(placement_.clone(context_.asks_for_place));
    if (child.pid == 0) {
      pair.ours.reset();
      stage1_main(context_);
    }
    stage1_ = Child(child.pid, std::move(child.pidfd));
    channel_ = std::move(pair.ours);
    // What the child has now must not keep the channel, or the host's mounts, alive here.
    context_.channel.reset();
    return ok();
  }

  Status give_place() {
    TRY(hear({Message::kPlacePlease}));
    TRY(placement_.move(stage1_.pid()));
    return send_message(channel_.get(), Message::kPlaced);
  }

  Status write_id_maps() {
    TRY(hear({Message::kIdMapsPlease}));
    TRY(kernel::write_id_maps(*plan_.id_maps, stage1_.pid()));
    TRY(give_stdio());
    return send_message(channel_.get(), Message::kIdMapsWritten);
  }

  /// What init will do too; but it may not give away what belongs to an id that its user namespace
  /// does not map, as the pipes of most callers do. With a terminal they are not the container's.
  Status give_stdio() {
    if (!plan_.process || plan_.console) return ok();
    const std::optional<uint32_t> uid = plan_.id_maps->host_uid(plan_.process->uid);
    return uid ? kernel::give_stdio(*uid) : ok();
  }

  /// Init is known by its first message: the kernel says which process of ours sent it.
  Status meet_init() {
    const Heard heard = TRY(hear({Message::kInitHere}));
    const pid_t pid = heard.sender;
    // It is our child and not waited for: the number cannot mean another process.
    UniqueFd pidfd = TRY(sys::pidfd_open(pid));
    init_ = Child(pid, std::move(pidfd));
    placement_.settle();
    TRY(stage1_.wait());
    return ok();
  }

  Status enter_intel_rdt() {
    if (!plan_.intel_rdt) return ok();
    const plan::IntelRdtStep& step = *plan_.intel_rdt;
    // A process that joins the container finds the group made.
    if (context_.target == nullptr) TRY(at(step.origin, kernel::make_rdt_group(step)));
    return at(step.origin, kernel::enter_rdt_group(step, init_.pid()));
  }

  Status move_net_devices() {
    if (plan_.net_devices.empty()) return ok();
    const UniqueFd network = TRY(sys::open(cat("/proc/", init_.pid(), "/ns/net"), O_RDONLY));
    net_devices_ = TRY(kernel::move_net_devices(plan_.net_devices, network.get()));
    return ok();
  }

  Status run_hooks() {
    TRY(hear({Message::kHooksPlease}));
    const std::string state = options_.state(plan::HookKind::kPrestart, init_.pid());
    const kernel::HookInput input = {.state = state, .directory = plan_.bundle};
    TRY(in_step(Step::kPrestartHooks,
                kernel::run_hooks(plan_.hooks, plan::HookKind::kPrestart, input)));
    TRY(in_step(Step::kCreateRuntimeHooks,
                kernel::run_hooks(plan_.hooks, plan::HookKind::kCreateRuntime, input)));
    return send_message(channel_.get(), Message::kHooksDone);
  }

  Status receive_console() {
    Heard heard = TRY(hear({Message::kConsole}));
    if (!heard.descriptor) return Error("init sent no terminal");
    console_ = std::move(heard.descriptor);
    return ok();
  }

  Status wait_until_ready() {
    const Heard heard = TRY(hear({Message::kReady, Message::kRlimitsPlease}));
    if (heard.message == Message::kReady) return ok();
    if (!plan_.process) return Error("init asks for limits that nobody set");
    TRY(in_step(Step::kRlimits, kernel::set_rlimits(plan_.process->rlimits, init_.pid())));
    TRY(send_message(channel_.get(), Message::kRlimitsSet));
    TRY(hear({Message::kReady}));
    return ok();
  }

  /// The next of these messages. Warnings on the way are kept.
  Result<Heard> hear(std::vector<Message> messages) {
    messages.push_back(Message::kWarning);
    while (true) {
      Result<Heard> heard = expect(channel_.get(), messages);
      if (!heard && heard.error().code() == ECONNRESET) return death_of_peer();
      if (!heard || !heard.value().warning) return heard;
      warnings_.push_back(*std::move(heard.value().warning));
    }
  }

  /// The channel closed: both are gone, or init is and stage 1 was before.
  Error death_of_peer() {
    const bool was_init = init_.pid() != 0;
    Child& dead = was_init ? init_ : stage1_;
    const Result<int> status = dead.wait();
    const std::string how = status ? how_it_ended(status.value()) : status.error().message();
    if (placement_.was_out_of_memory()) {
      return Error("container init was OOM-killed (memory limit too low?)");
    }
    return Error(cat(was_init ? "the container's init " : "stage 1 ", how,
                     " before the container was set up"));
  }

  const plan::Plan& plan_;
  const LaunchOptions& options_;
  Context context_;
  Placement placement_;
  std::vector<Error> warnings_;
  kernel::MovedNetDevices net_devices_;
  UniqueFd channel_;
  UniqueFd console_;
  Child stage1_;
  Child init_;
};

Launch::Launch(pid_t pid, UniqueFd pidfd, UniqueFd channel)
    : pid_(pid), pidfd_(std::move(pidfd)), channel_(std::move(channel)) {}

Launch::Launch(Launch&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)),
      console_(std::move(other.console_)),
      net_devices_(std::move(other.net_devices_)),
      warnings_(std::move(other.warnings_)),
      released_(other.released_) {}

Launch::~Launch() {
  if (released_ || pid_ == 0) return;
  static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
  static_cast<void>(sys::wait_for(pid_));
}

Status Launch::release() {
  // Init answers when it no longer dies with us: before that we must not end.
  TRY(ask(channel_.get(), Message::kRelease, Message::kReleased));
  released_ = true;
  net_devices_.keep();
  channel_.reset();
  return ok();
}

Result<Launch> launch(const plan::Plan& plan, const LaunchOptions& options) {
  Launcher launcher(plan, options);
  return launcher.create();
}

Result<Launch> launch_exec(const plan::Plan& plan, Target target, const LaunchOptions& options) {
  Launcher launcher(plan, options);
  return launcher.join(target);
}

bool reports(const plan::Plan& plan) {
  const bool notifies = plan.process && plan.process->seccomp && plan.process->seccomp->notifies;
  return notifies || plan.has_hooks(plan::HookKind::kStartContainer) ||
         plan.has_hooks(plan::HookKind::kPoststart);
}

}  // namespace rt::stage
