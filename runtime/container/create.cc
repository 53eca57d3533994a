// create, and what run shares with it.
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/bring_up.h"
#include "runtime/container/clock.h"
#include "runtime/container/console.h"
#include "runtime/container/container.h"
#include "runtime/container/hooks.h"
#include "runtime/container/output.h"
#include "runtime/container/process.h"
#include "runtime/container/status.h"
#include "runtime/container/step.h"
#include "runtime/container/teardown.h"
#include "runtime/kernel/intel_rdt.h"
#include "runtime/stage/stages.h"
#include "runtime/sys/file.h"

namespace rt::container {
namespace {

/// The ways between init and whoever starts it.
struct Ways {
  UniqueFd exec_fifo;
  UniqueFd report_keeper;
  UniqueFd report_writer;
  UniqueFd report_reader;
};

Result<Ways> open_ways(const Entry& entry, const plan::Plan& plan, Gate gate) {
  Ways ways;
  if (gate == Gate::kFifo) {
    TRY(entry.make_fifo(Fifo::kExec));
    // For reading and writing: opening does not wait for the other end, and init never sees an end
    // of file.
    ways.exec_fifo = TRY(entry.open_fifo(Fifo::kExec, O_RDWR), entry.path());
  }
  if (!stage::reports(plan)) return ways;
  if (gate == Gate::kFifo) {
    TRY(entry.make_fifo(Fifo::kReport));
    ways.report_keeper = TRY(entry.open_fifo(Fifo::kReport, O_RDWR), entry.path());
    ways.report_writer = TRY(entry.open_fifo(Fifo::kReport, O_WRONLY), entry.path());
  } else {
    sys::Pipe pipe = TRY(sys::pipe());
    ways.report_reader = std::move(pipe.read);
    ways.report_writer = std::move(pipe.write);
  }
  // What init offers is to be more than fits.
  constexpr size_t kLeast = 4096;
  TRY(sys::set_pipe_size(ways.report_writer.get(), kLeast));
  return ways;
}

/// One container on its way. What is there of it goes when this does, unless it is released.
class Creation {
 public:
  Creation(const Store& store, const plan::Plan& plan, const CreateOptions& options)
      : store_(store), plan_(plan), options_(options) {}
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  ~Creation() {
    launch_.reset();  // killed before its cgroup is removed
    if (!entry_ || released_) return;
    const bool gone = take_back(*entry_, record_);
    // Otherwise `delete` runs them.
    if (gone && hooks_ran_) run_poststop_hooks(plan_.hooks, record_, options_.warn);
  }

  Status reserve(Gate gate) {
    record_ = TRY(first_record(plan_));
    const bool notifies = !plan_.notify_directory.empty();
    if (notifies) record_.notify_socket = options_.notify_socket;
    entry_ = TRY(store_.reserve(plan_.id));
    TRY(entry_->save(record_));
    TRY(entry_->save_config(options_.config));
    ways_ = TRY(open_ways(*entry_, plan_, gate));
    if (notifies) TRY(entry_->make_notify_directory());
    // Otherwise `start` listens.
    if (gate == Gate::kNone) readiness_ = TRY(Readiness::listen(*entry_, record_, options_.warn));
    return ok();
  }

  Status launch() {
    stage::LaunchOptions options;
    options.exec_fifo = ways_.exec_fifo.get();
    options.report = {.writer = ways_.report_writer.get(), .keeper = ways_.report_keeper.get()};
    options.filter_cache = store_.filter_cache();
    options.state = [this](plan::HookKind kind, pid_t pid) {
      hooks_ran_ = true;
      const bool started = kind == plan::HookKind::kStartContainer;
      const auto status = started ? ContainerStatus::kCreated : ContainerStatus::kCreating;
      return to_hook_json(state_of(record_, status, pid));
    };
    options.cgroup_made = [this](const std::vector<cgroup::Directory>& made) {
      record_.cgroups = made;
      return entry_->save(record_);
    };
    launch_.emplace(TRY(stage::launch(plan_, options)));
    // The end of the report is to be seen.
    ways_.report_writer.reset();
    for (const Error& warning : launch_->warnings()) {
      if (options_.warn) options_.warn(located(warning, options_.config).message());
    }
    return ok();
  }

  Status hand_over_terminal() {
    console_ = launch_->take_console();
    if (!plan_.console) return ok();
    return in_step(plan::Step::kConsole,
                   hand_over_console(*plan_.console, options_.console_socket, console_));
  }

  Status note() {
    TRY(note_created(*entry_, record_, launch_->pid()));
    if (!options_.pidfd_socket.empty()) TRY(send_pidfd(options_.pidfd_socket, launch_->pidfd()));
    if (options_.pid_file.empty()) return ok();
    return write_pid_file(options_.pid_file, launch_->pid());
  }

  Status release() {
    Status released = launch_->release();
    if (!released && !options_.pid_file.empty()) sys::try_unlink(options_.pid_file);
    released_ = released.ok();
    if (!released) return why_not_released(std::move(released).error());
    return released;
  }

  /// A scope is gone with its last process, and with it what the kernel has counted there.
  [[nodiscard]] Error why_not_released(Error error) const {
    const auto& settings = plan_.resources.settings;
    const bool limited = std::ranges::any_of(settings, [](const plan::CgroupSetting& setting) {
      return setting.forms.front().file.starts_with("memory.");
    });
    if (plan_.cgroup.scope && limited) {
      return Error("container init was killed (memory limit too low?)");
    }
    return explain_end(std::move(error), record_.cgroups);
  }

  Live take() {
    Live live(*std::move(entry_), std::move(record_), *std::move(launch_));
    entry_.reset();
    live.console = std::move(console_);
    live.report = std::move(ways_.report_reader);
    live.readiness = std::move(readiness_);
    return live;
  }

 private:
  const Store& store_;
  const plan::Plan& plan_;
  const CreateOptions& options_;
  Record record_;
  std::optional<Entry> entry_;
  Ways ways_;
  std::optional<stage::Launch> launch_;
  UniqueFd console_;
  Readiness readiness_;
  bool hooks_ran_ = false;
  bool released_ = false;
};

}  // namespace

Result<Record> first_record(const plan::Plan& plan) {
  Record record;
  record.id = plan.id;
  record.bundle = plan.bundle;
  record.rootfs = plan.root.path;
  record.annotations = plan.annotations;
  record.has_process = plan.process.has_value();
  record.own_keyring = plan.new_keyring;
  record.poststop_hooks = plan.has_hooks(plan::HookKind::kPoststop);
  record.created = rfc3339_now();
  record.boot_id = TRY(boot_id());
  record.cgroups = TRY(cgroup::announce(plan.cgroup));
  if (plan.intel_rdt) {
    record.rdt_directories =
        TRY(at(plan.intel_rdt->origin, kernel::announce_rdt_group(*plan.intel_rdt)));
  }
  return record;
}

Status note_created(const Entry& entry, Record& record, pid_t pid) {
  record.phase = Phase::kCreated;
  record.pid = pid;
  record.start_time = TRY(start_time_of(pid));
  return entry.save(record);
}

Result<Live> bring_up(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                      Gate gate, Terminal terminal) {
  TRY(check_console(plan.console, options.console_socket, terminal == Terminal::kSocket));
  Creation creation(store, plan, options);
  TRY(in_step(plan::Step::kRecord, creation.reserve(gate)));
  TRY(creation.launch());
  TRY(creation.hand_over_terminal());
  TRY(in_step(plan::Step::kCreated, creation.note()));
  TRY(in_step(plan::Step::kRelease, creation.release()));
  return creation.take();
}

Status create(const Store& store, const plan::Plan& plan, const CreateOptions& options) {
  TRY(bring_up(store, plan, options, Gate::kFifo, Terminal::kSocket));
  return ok();
}

}  // namespace rt::container
