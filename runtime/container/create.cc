// create, and what run shares with it.
#include <fcntl.h>

#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/container/bring_up.h"
#include "runtime/container/clock.h"
#include "runtime/container/console.h"
#include "runtime/container/container.h"
#include "runtime/container/output.h"
#include "runtime/container/process.h"
#include "runtime/container/step.h"
#include "runtime/container/teardown.h"
#include "runtime/stage/stages.h"
#include "runtime/sys/file.h"

namespace rt::container {
namespace {

/// Everything that is asked for and cannot be done, in one error.
Status check_supported(const plan::Plan& plan) {
  if (plan.unsupported.empty()) return ok();
  std::string all;
  for (const plan::Unsupported& part : plan.unsupported) {
    all += cat(all.empty() ? "" : ", ", part.what, " (", part.origin, ')');
  }
  return Error(cat("not supported by this version: ", all)).at(plan.unsupported[0].origin);
}

/// In runc's words: orchestrators and people know them.
Status check_terminal(const plan::Plan& plan, const CreateOptions& options, Terminal terminal) {
  const bool given = !options.console_socket.empty();
  if (given && (!plan.console || terminal == Terminal::kHere)) {
    return Error("cannot use console socket if runtime will not detach or allocate tty");
  }
  if (given || !plan.console || terminal == Terminal::kHere) return ok();
  return Error("cannot allocate tty if runtime will detach without setting console socket")
      .at(plan.console->origin);
}

Status hand_over_console(const plan::Plan& plan, const CreateOptions& options, UniqueFd& console) {
  if (!plan.console) return ok();
  if (options.console_socket.empty()) return prepare_console(console.get(), *plan.console);
  TRY(send_console(options.console_socket, console.get()));
  console.reset();
  return ok();
}

Result<Record> first_record(const plan::Plan& plan) {
  Record record;
  record.id = plan.id;
  record.bundle = plan.bundle;
  record.rootfs = plan.root.path;
  record.annotations = plan.annotations;
  record.has_process = plan.process.has_value();
  record.created = rfc3339_now();
  record.boot_id = TRY(boot_id());
  record.cgroups = TRY(cgroup::announce(plan.cgroup));
  return record;
}

/// What a failed create leaves is removed. Init is gone by then: ~Launch.
void take_back(Entry& entry, const Record& record) {
  // An error here must not hide the one that brought us here; the record stays for `delete
  // --force`.
  const Status killed = kill_processes(record);
  if (killed) static_cast<void>(remove_traces(entry, record));
}

Status note_created(const Entry& entry, Record& record, const stage::Launch& launch) {
  record.phase = Phase::kCreated;
  record.pid = launch.pid();
  record.start_time = TRY(start_time_of(launch.pid()));
  return entry.save(record);
}

Result<UniqueFd> open_gate(const Entry& entry, Gate gate) {
  if (gate == Gate::kNone) return UniqueFd();
  TRY(entry.make_fifo());
  // For reading and writing: opening does not wait for the other end, and init never sees an end of
  // file.
  UniqueFd fifo = TRY(entry.open_fifo(O_RDWR), entry.path());
  return fifo;
}

}  // namespace

Result<Live> bring_up(const Store& store, const plan::Plan& plan, const CreateOptions& options,
                      Gate gate, Terminal terminal) {
  TRY(check_supported(plan));
  TRY(check_terminal(plan, options, terminal));
  Record record = TRY(in_step(plan::Step::kRecord, first_record(plan)));
  Entry entry = TRY(in_step(plan::Step::kRecord, store.reserve(plan.id)));
  Rollback undo;
  undo.add([&] { take_back(entry, record); });
  TRY(in_step(plan::Step::kRecord, entry.save(record)));
  const UniqueFd fifo = TRY(in_step(plan::Step::kRecord, open_gate(entry, gate)));
  stage::LaunchOptions launch_options;
  launch_options.exec_fifo = fifo.get();
  launch_options.cgroup_made = [&](const std::vector<cgroup::Directory>& made) {
    record.cgroups = made;
    return entry.save(record);
  };
  // Below `undo`: it is killed before its cgroup is removed.
  stage::Launch launch = TRY(stage::launch(plan, launch_options));
  UniqueFd console = launch.take_console();
  TRY(in_step(plan::Step::kConsole, hand_over_console(plan, options, console)));
  TRY(in_step(plan::Step::kCreated, note_created(entry, record, launch)));
  if (!options.pid_file.empty()) {
    TRY(in_step(plan::Step::kCreated, write_pid_file(options.pid_file, launch.pid())));
    undo.add([&] { sys::try_unlink(options.pid_file); });
  }
  TRY(in_step(plan::Step::kRelease, launch.release()));
  undo.commit();
  Live live(std::move(entry), std::move(record), std::move(launch));
  live.console = std::move(console);
  return live;
}

Status create(const Store& store, const plan::Plan& plan, const CreateOptions& options) {
  TRY(bring_up(store, plan, options, Gate::kFifo, Terminal::kSocket));
  return ok();
}

Status run_detached(const Store& store, const plan::Plan& plan, const CreateOptions& options) {
  TRY(bring_up(store, plan, options, Gate::kNone, Terminal::kSocket));
  return ok();
}

}  // namespace rt::container
