// The processes of the container's cgroup: listed, signalled, killed.
#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/freezer.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;

/// A listing ends, even of a tree that the payload makes grow all the time.
constexpr milliseconds kWalkPatience(2000);

struct OpenDirectory {
  std::string path;
  UniqueFd fd;
  bool unified = false;
  bool made = false;
};

/// The leaves that still exist.
Result<std::vector<OpenDirectory>> open_leaves(const std::vector<Directory>& directories) {
  std::vector<OpenDirectory> leaves;
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    std::optional<UniqueFd> fd = TRY(open_directory(directory));
    if (!fd) continue;
    leaves.push_back({.path = directory.path,
                      .fd = *std::move(fd),
                      .unified = directory.unified,
                      .made = directory.made});
  }
  return leaves;
}

/// Does `act` to the directory, and to those below it where they are ours.
Status for_each_directory(const OpenDirectory& leaf, const std::function<Status(int)>& act) {
  if (!leaf.made) return act(leaf.fd.get());
  Status walked =
      walk_tree(leaf.fd.get(), {.enter = act, .leave = nullptr}, Deadline(kWalkPatience));
  if (!walked && is_gone(walked.error())) return ok();
  return walked;
}

Result<std::vector<pid_t>> processes_in(std::span<const OpenDirectory> leaves) {
  std::set<pid_t> all;
  const auto collect = [&](int directory) -> Status {
    const std::vector<pid_t> pids = TRY(read_pids(directory));
    // 0 stands for a process that has no pid here, and cannot be named.
    std::ranges::copy_if(pids, std::inserter(all, all.end()), [](pid_t pid) { return pid > 0; });
    return ok();
  };
  for (const OpenDirectory& leaf : leaves) TRY(for_each_directory(leaf, collect));
  return std::vector<pid_t>(all.begin(), all.end());
}

struct Process {
  pid_t pid = 0;
  UniqueFd pidfd;
};

/// Opens those of `pids` that still run.
Result<std::vector<Process>> open_processes(std::span<const pid_t> pids) {
  std::vector<Process> opened;
  for (const pid_t pid : pids) {
    Result<UniqueFd> pidfd = sys::pidfd_open(pid);
    // EINVAL: the pid is a thread's now.
    const bool gone = !pidfd && (pidfd.error().code() == ESRCH || pidfd.error().code() == EINVAL);
    if (gone) continue;
    if (!pidfd) return std::move(pidfd).error();
    opened.push_back({.pid = pid, .pidfd = std::move(pidfd).value()});
  }
  return opened;
}

/// A pid may be a stranger's by the time it is opened. One that is listed again afterwards was the
/// container's when its pidfd was opened, or the pidfd's process is dead and the signal does
/// nothing.
Status signal_some(std::span<const OpenDirectory> leaves, std::span<const pid_t> pids, int signal) {
  const std::vector<Process> opened = TRY(open_processes(pids));
  const std::vector<pid_t> still = TRY(processes_in(leaves));
  for (const Process& process : opened) {
    if (!std::ranges::binary_search(still, process.pid)) continue;
    Status sent = sys::pidfd_send_signal(process.pidfd.get(), signal);
    if (!sent && sent.error().code() != ESRCH) {
      return std::move(sent).error().within("process ", process.pid);
    }
  }
  return ok();
}

Status signal_each(std::span<const OpenDirectory> leaves, std::span<const pid_t> pids, int signal) {
  static constexpr size_t kDescriptors = 256;  // well below the usual RLIMIT_NOFILE
  for (size_t i = 0; i < pids.size(); i += kDescriptors) {
    const auto some = pids.subspan(i, std::min(kDescriptors, pids.size() - i));
    TRY(signal_some(leaves, some, signal));
  }
  return ok();
}

/// Whether the kernel killed everything below a v2 directory at once. In a hybrid setup that is
/// everything below the v1 directories too, but for what was moved out of the v2 one.
Result<bool> kill_at_once(std::span<const OpenDirectory> leaves) {
  bool killed = false;
  for (const OpenDirectory& leaf : leaves) {
    if (!leaf.unified || !leaf.made) continue;
    if (TRY(write_control(leaf.fd.get(), "cgroup.kill", "1"))) killed = true;
  }
  return killed;
}

Status freeze_all(std::span<const OpenDirectory> leaves) {
  for (const OpenDirectory& leaf : leaves) {
    if (leaf.made) TRY(freeze(leaf.fd.get(), leaf.unified));
  }
  return ok();
}

/// SIGKILL waits in a frozen v1 cgroup until that is thawed, wherever below the payload froze it.
Status thaw_all(std::span<const OpenDirectory> leaves) {
  for (const OpenDirectory& leaf : leaves) {
    TRY(for_each_directory(leaf, [&](int directory) { return thaw(directory, leaf.unified); }));
  }
  return ok();
}

/// Kills one by one. What is frozen meanwhile cannot fork out of the list.
Status kill_frozen(std::span<const OpenDirectory> leaves) {
  TRY(freeze_all(leaves));
  const Result<std::vector<pid_t>> pids = processes_in(leaves);
  Status killed = pids ? signal_each(leaves, pids.value(), SIGKILL) : Status(pids.error());
  TRY(thaw_all(leaves));
  return killed;
}

/// Who is left after another attempt to kill all.
Result<std::vector<pid_t>> kill_round(std::span<const OpenDirectory> leaves, bool first) {
  const bool at_once = TRY(kill_at_once(leaves));
  if (!at_once || !first) {
    TRY(kill_frozen(leaves));
    return processes_in(leaves);
  }
  std::vector<pid_t> left = TRY(processes_in(leaves));
  if (!left.empty()) TRY(thaw_all(leaves));
  return left;
}

Status wait_for_one(const std::vector<pid_t>& pids, milliseconds patience) {
  const std::vector<Process> opened = TRY(open_processes({pids.data(), 1}));
  if (opened.empty()) return ok();
  TRY(sys::wait_readable({opened.front().pidfd.get()}, patience));
  return ok();
}

/// Waits while they die, up to `patience`; who is left.
Result<std::vector<pid_t>> wait_until_gone(std::span<const OpenDirectory> leaves,
                                           std::vector<pid_t> pids, milliseconds patience) {
  const Deadline deadline(patience);
  while (!pids.empty() && !deadline.passed()) {
    TRY(wait_for_one(pids, deadline.left()));
    std::vector<pid_t> left = TRY(processes_in(leaves));
    // Dead but still listed, or somebody new: not without a pause.
    if (left == pids) TRY(sys::wait_readable({}, std::min(milliseconds(1), deadline.left())));
    pids = std::move(left);
  }
  return pids;
}

Error survivors(std::span<const OpenDirectory> leaves, const std::vector<pid_t>& pids) {
  Error error = Error::from_wire(
      ETIMEDOUT, "", cat("cgroup: processes are still there after SIGKILL: ", join(pids)));
  for (const OpenDirectory& leaf : leaves) {
    const Result<std::string> above = frozen_above(leaf.fd.get(), leaf.unified, leaf.path);
    if (!above || above.value().empty()) continue;
    return std::move(error).with_hint("cgroup ", quoted(above.value()), " is frozen");
  }
  return error;
}

}  // namespace

Result<std::vector<pid_t>> processes(const std::vector<Directory>& directories) {
  const std::vector<OpenDirectory> leaves = TRY(open_leaves(directories));
  return processes_in(leaves);
}

Result<std::vector<pid_t>> lasting_processes(const std::vector<Directory>& directories,
                                             milliseconds patience) {
  const std::vector<OpenDirectory> leaves = TRY(open_leaves(directories));
  std::vector<pid_t> pids = TRY(processes_in(leaves));
  return wait_until_gone(leaves, std::move(pids), patience);
}

Status signal_all(const std::vector<Directory>& directories, int signal) {
  const std::vector<OpenDirectory> leaves = TRY(open_leaves(directories));
  const std::vector<pid_t> pids = TRY(processes_in(leaves));
  return signal_each(leaves, pids, signal);
}

Status kill_all(const std::vector<Directory>& directories, milliseconds patience) {
  const std::vector<OpenDirectory> leaves = TRY(open_leaves(directories));
  const Deadline deadline(patience);
  milliseconds pause(100);
  for (bool first = true;; first = false) {
    std::vector<pid_t> left = TRY(kill_round(leaves, first));
    left = TRY(wait_until_gone(leaves, std::move(left), std::min(pause, deadline.left())));
    if (left.empty()) return ok();
    if (deadline.passed()) return survivors(leaves, left);
    pause = std::min(pause * 2, milliseconds(1000));
  }
}

}  // namespace rt::cgroup
