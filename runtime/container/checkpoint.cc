#include "runtime/container/checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "runtime/container/criu.h"
#include "runtime/container/criu_image.h"
#include "runtime/container/criu_mounts.h"
#include "runtime/container/criu_streams.h"
#include "runtime/container/hooks.h"
#include "runtime/container/process.h"
#include "runtime/container/teardown.h"
#include "runtime/kernel/host.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/plan/make_plan.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

Status check_savable(const Observed& seen) {
  switch (seen.status) {
    case ContainerStatus::kRunning:
    case ContainerStatus::kPaused:
      return ok();
    case ContainerStatus::kCreated:
    case ContainerStatus::kCreating:
      return Error("cannot checkpoint a container that was not started");
    case ContainerStatus::kStopped:
      break;
  }
  return Error("cannot checkpoint a stopped container: container not running");
}

/// The plan that the container was made by.
Result<plan::Plan> plan_of(const Entry& entry, const Record& record, const plan::HostFacts& host) {
  spec::Config config = TRY(load_config(entry));
  // Who made its cgroup, and by which path, does not matter any more.
  config.linux_.cgroups_path.clear();
  plan::Request request;
  request.id = record.id;
  request.bundle = record.bundle;
  if (!record.notify_socket.empty()) {
    request.notify_directory = TRY(sys::realpath(entry.path())) + "/notify";
  }
  return plan::make_plan(config, request, host);
}

/// Whether `pid` is `ancestor`, or descends from it; true too when it is gone.
bool descends(pid_t pid, pid_t ancestor) {
  while (pid > 1 && pid != ancestor) {
    const Result<ProcessStat> stat = read_stat(pid);
    if (!stat) return true;
    pid = stat.value().parent;
  }
  return pid == ancestor;
}

/// A container on its way into files.
class Dump {
 public:
  Dump(const Observed& seen, const CheckpointOptions& options) : seen_(seen), options_(options) {}

  Status prepare(const Entry& entry) {
    const plan::HostFacts host = TRY(kernel::probe_host());
    const plan::Plan plan = TRY(plan_of(entry, seen_.record, host));
    if (plan.root.method != plan::RootMethod::kPivot) {
      return Error("only a container with a mount namespace of its own can be saved");
    }
    const auto task = options_.pre_dump ? CriuOrder::Task::kPreDump : CriuOrder::Task::kDump;
    order_ = TRY(begin_order(task, options_.image));
    order_.pid = seen_.record.pid;
    order_.parent = options_.parent_path;
    order_.track_memory = options_.pre_dump || !options_.parent_path.empty();
    order_.leave_running = options_.leave_running;
    order_.tcp_skip_in_flight = options_.tcp_skip_in_flight;
    order_.link_remap = options_.link_remap;
    order_.freeze_cgroup = TRY(cgroup::freezer_path(seen_.record.cgroups));
    order_.external = TRY(name_host_mounts(plan, order_.pid));
    TRY(name_namespaces(plan));
    std::vector<pid_t> processes = TRY(cgroup::processes(seen_.record.cgroups));
    if (processes.empty()) processes = {order_.pid};
    TRY(name_streams(processes));
    look_at_privileges(processes);
    warn_of_strangers(processes);
    hierarchy_ = unified_hierarchy(host);
    if (!hierarchy_.empty()) order_.cgroup_yard = kCgroupYard;
    return ok();
  }

  Status run() {
    // Until the container is deleted: what CRIU has ended, we must be there for.
    signals_ = TRY(sys::block_signals());
    CriuConversation conversation;
    conversation.prepare = [this] { return enter(); };
    conversation.signals = signals_.get();
    const CriuProgram program = {.helper = options_.image.criu_helper, .criu = options_.image.criu};
    // First: when CRIU is done, the container may be gone.
    TRY(save_facts(order_.images.get(), facts_));
    Result<pid_t> done = run_criu(program, order_, conversation, log_path(options_.image, order_));
    if (done) return ok();
    // An interruption may have come too late.
    const bool ended = done.error().code() == EINTR && TRY(has_ended());
    return ended ? ok() : Status(std::move(done).error());
  }

 private:
  /// CRIU ends the processes when all of them are saved.
  [[nodiscard]] Result<bool> has_ended() const {
    constexpr std::chrono::milliseconds kNow(0);
    const auto ended = TRY(sys::wait_readable({seen_.init.get()}, kNow));
    return ended.has_value();
  }

  Status name_namespaces(const plan::Plan& plan) {
    const SharedNamespaces shared = TRY(shared_namespaces(plan));
    for (const SharedNamespace& one : shared.named) {
      const struct stat info = TRY(sys::stat(cat("/proc/", order_.pid, "/ns/", one.file)));
      order_.external.push_back(cat(one.file, '[', info.st_ino, "]:", one.name));
    }
    std::vector<plan::NamespaceStep> steps;
    for (const SharedNamespace& one : shared.entered) {
      steps.push_back(one.step);
      steps.back().join = cat("/proc/", order_.pid, "/ns/", one.file);
    }
    namespaces_ = TRY(kernel::open_namespaces(steps));
    return ok();
  }

  Status name_streams(const std::vector<pid_t>& processes) {
    facts_.streams = TRY(look_at_streams(order_.pid, processes));
    for (const auto& [name, mode] : facts_.streams) {
      const bool is_file = name.starts_with("file[");
      const bool known = std::ranges::find(order_.external, name) != order_.external.end();
      if (is_file && !known) order_.external.push_back(name);
    }
    return ok();
  }

  void look_at_privileges(const std::vector<pid_t>& processes) {
    const NoNewPrivileges count = count_no_new_privileges(processes);
    facts_.no_new_privileges = count.set != 0 && count.unset == 0;
    if (count.set == 0 || count.unset == 0 || !options_.warn) return;
    options_.warn(cat("no_new_privs of ", count.set, " of ", count.set + count.unset,
                      " processes is lost: CRIU does not save it"));
  }

  /// CRIU saves init and who descends from it.
  void warn_of_strangers(const std::vector<pid_t>& processes) const {
    const auto strangers =
        std::ranges::count_if(processes, [&](pid_t pid) { return !descends(pid, order_.pid); });
    if (strangers == 0 || options_.leave_running || options_.pre_dump || !options_.warn) return;
    options_.warn(cat(strangers, " process(es) that exec started are not saved, and end"));
  }

  /// In the child.
  Status enter() {
    // What a process has in its memory is nobody else's.
    TRY(sys::umask(S_IRWXG | S_IRWXO));
    TRY(kernel::join_namespaces(namespaces_));
    TRY(enter_own_mounts(order_.work.get()));
    return hierarchy_.empty() ? ok() : make_cgroup_yard(hierarchy_);
  }

  const Observed& seen_;
  const CheckpointOptions& options_;
  CriuOrder order_;
  UniqueFd signals_;
  ImageFacts facts_;
  std::vector<kernel::OpenNamespace> namespaces_;
  std::string hierarchy_;  // of cgroup v2
};

}  // namespace

Status checkpoint(const Store& store, const std::string& id, const CheckpointOptions& options) {
  std::optional<Entry> entry = TRY(store.find_locked(id));
  if (!entry) return no_such_container(id);
  const Observed seen = TRY(observe(*entry));
  TRY(check_savable(seen), id);
  Dump dump(seen, options);
  TRY(dump.prepare(*entry), "checkpoint ", id);
  TRY(dump.run(), "checkpoint ", id);
  if (options.leave_running || options.pre_dump) return ok();
  return take_down(*entry, seen, Processes::kPerhaps, options.warn);
}

}  // namespace rt::container
