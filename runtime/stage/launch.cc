// The runtime's own part of a container's creation.
#include <sys/wait.h>

#include <utility>

#include "runtime/kernel/devices.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/root.h"
#include "runtime/stage/context.h"
#include "runtime/stage/protocol.h"
#include "runtime/stage/stages.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::stage {
namespace {

using plan::Step;

/// A child of ours that is killed and reaped unless it is let go.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] UniqueFd take_pidfd() { return std::move(pidfd_); }
  void let_go() { pid_ = 0; }

  /// Waits for its end; its wait status.
  Result<int> wait() { return sys::wait_for(std::exchange(pid_, 0)); }

  void end() {
    if (pid_ == 0) return;
    static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    static_cast<void>(wait());
  }

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return cat("was killed by signal ", WTERMSIG(status));
  return cat("ended with status ", WEXITSTATUS(status));
}

/// The children of one launch, and what the runtime does with them, step by step.
class Launcher {
 public:
  Launcher(const plan::Plan& plan, const LaunchOptions& options)
      : plan_(plan), options_(options), context_(plan) {}

  Result<Launch> run() {
    TRY(in_step(Step::kCgroup, make_cgroup()));
    TRY(in_step(Step::kHostObjects, open_host_objects()));
    TRY(in_step(Step::kClone, clone_stage1()));
    if (context_.cgroup_by_pid) TRY(in_step(Step::kCgroup, enter_cgroup()));
    if (plan_.id_maps) TRY(in_step(Step::kIdMaps, write_id_maps()));
    TRY(in_step(Step::kInit, meet_init()));
    if (plan_.console) TRY(in_step(Step::kConsole, receive_console()));
    TRY(in_step(Step::kInit, wait_until_ready()));
    const pid_t pid = init_.pid();
    init_.let_go();
    return Launch(pid, init_.take_pidfd(), std::move(channel_), std::move(console_));
  }

 private:
  template <class T>
  static Result<T> in_step(Step step, Result<T> result) {
    if (!result) return std::move(result).error().in_step(plan::name_of(step));
    return result;
  }

  Status open_host_objects() {
    context_.namespaces = TRY(kernel::open_namespaces(plan_.namespaces));
    TRY(refuse_host_settings(context_));
    context_.root_tree = TRY(kernel::clone_root(plan_.root));
    context_.mount_trees = TRY(kernel::clone_sources(plan_.mounts));
    context_.device_trees = TRY(kernel::clone_devices(plan_.devices));
    return ok();
  }

  Status make_cgroup() {
    directories_ = TRY(at(plan_.cgroup.origin, cgroup::make(plan_.cgroup)));
    if (!options_.cgroup_made) return ok();
    return options_.cgroup_made(directories_);
  }

  Status clone_stage1() {
    const UniqueFd unified = TRY(cgroup::open_unified(directories_));
    for (const cgroup::Directory& directory : directories_) {
      context_.cgroup_by_pid = context_.cgroup_by_pid || !directory.unified;
    }
    context_.exec_fifo = options_.exec_fifo;
    sys::SocketPair pair = TRY(sys::socket_pair());
    context_.channel = std::move(pair.theirs);
    sys::Child child = TRY(sys::clone(0, unified ? unified.get() : -1));
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

  Status enter_cgroup() {
    TRY(hear({Message::kPlacePlease}));
    TRY(at(plan_.cgroup.origin, cgroup::enter(directories_, stage1_.pid())));
    return send_message(channel_.get(), Message::kPlaced);
  }

  Status write_id_maps() {
    TRY(hear({Message::kIdMapsPlease}));
    TRY(kernel::write_id_maps(*plan_.id_maps, stage1_.pid()));
    return send_message(channel_.get(), Message::kIdMapsWritten);
  }

  /// Init is known by its first message: the kernel says which process of ours sent it.
  Status meet_init() {
    const Heard heard = TRY(hear({Message::kInitHere}));
    const pid_t pid = heard.sender;
    // It is our child and not waited for: the number cannot mean another process.
    UniqueFd pidfd = TRY(sys::pidfd_open(pid));
    init_ = Child(pid, std::move(pidfd));
    TRY(stage1_.wait());
    return send_message(channel_.get(), Message::kGoOn);
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

  Result<Heard> hear(std::initializer_list<Message> messages) {
    Result<Heard> heard = expect(channel_.get(), messages);
    if (heard || heard.error().code() != ECONNRESET) return heard;
    return death_of_peer();
  }

  /// The channel closed: both are gone, or init is and stage 1 was before.
  Error death_of_peer() {
    const bool was_init = init_.pid() != 0;
    Child& dead = was_init ? init_ : stage1_;
    const Result<int> status = dead.wait();
    const std::string how = status ? how_it_ended(status.value()) : status.error().message();
    return Error(cat(was_init ? "the container's init " : "stage 1 ", how,
                     " before the container was set up"));
  }

  const plan::Plan& plan_;
  const LaunchOptions& options_;
  Context context_;
  std::vector<cgroup::Directory> directories_;
  UniqueFd channel_;
  UniqueFd console_;
  Child stage1_;
  Child init_;
};

}  // namespace

Launch::Launch(pid_t pid, UniqueFd pidfd, UniqueFd channel, UniqueFd console)
    : pid_(pid),
      pidfd_(std::move(pidfd)),
      channel_(std::move(channel)),
      console_(std::move(console)) {}

Launch::Launch(Launch&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)),
      console_(std::move(other.console_)),
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
  channel_.reset();
  return ok();
}

Result<Launch> launch(const plan::Plan& plan, const LaunchOptions& options) {
  Launcher launcher(plan, options);
  return launcher.run();
}

}  // namespace rt::stage
