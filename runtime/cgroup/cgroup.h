// The container's cgroup: made, entered, used for killing, removed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::cgroup {

/// A cgroup directory that the container uses, as the state record keeps it.
struct Directory {
  std::string path;      // host path
  bool unified = false;  // cgroup v2
  bool made = false;     // by us: ours to empty, with all below it, and to remove
  /// The container's processes are in it. False: a parent on the way to it, or one that is only
  /// announced; never looked into, and removed when it is empty, if we made it.
  bool leaf = true;
  /// systemd's, which removes it itself when it has heard from the kernel (v2) that nobody is in
  /// it.
  bool scope = false;
  bool operator==(const Directory&) const = default;
};

/// A cgroup that is there.
struct Made {
  std::vector<Directory> directories;
  /// systemd removes a scope that nobody is in: closing this ends the process that holds the place
  /// until the container's first is there. Empty where the cgroup stays by itself.
  UniqueFd holder;
};

/// What `make` will make, without making it: for the record, before the first side effect. Nothing
/// of ours can be in a directory that was only announced, so none of these is a leaf.
Result<std::vector<Directory>> announce(const plan::CgroupStep& step);

/// Makes the directories of the plan, parents included (0755); each leaf stands before the parents
/// that were made for it. A directory that exists is taken as it is when no process is in it, and
/// refused otherwise ("container's cgroup is not empty: N process(es) found"); a frozen one is
/// refused too, since its processes would never run ("container's cgroup unexpectedly frozen"). v1
/// cpuset: cpus and mems are copied down from the parent. v2: the controllers that the directory
/// needs are switched on all the way down, and the others where that is possible; one that cannot
/// be is an error that names the cgroup where it is missing. With step.scope systemd makes the
/// directories. With step.owner the v2 directory is handed over. With step.optional, what cannot be
/// made (EACCES, EPERM, EROFS, ENOENT) is left out. On failure what was made is removed again.
Result<Made> make(const plan::CgroupStep& step);

/// Whether a process put into the directories would be frozen: the container is paused.
Result<bool> frozen(const std::vector<Directory>& directories);

/// Freezes every process of the container, and waits until they have all stopped. ETIMEDOUT after
/// `patience`, and then they go on. An error where there is no freezer.
Status pause(const std::vector<Directory>& directories, std::chrono::milliseconds patience);

/// Lets them go on. An error when what is above the container's cgroup keeps them frozen.
Status resume(const std::vector<Directory>& directories, std::chrono::milliseconds patience);

/// Host path of the directory by which the container can be paused; empty when there is none.
Result<std::string> freezer_path(const std::vector<Directory>& directories);

/// Whether the kernel has killed a process of the container because its memory limit was reached.
Result<bool> was_out_of_memory(const std::vector<Directory>& directories);

/// The v2 directory, opened for CLONE_INTO_CGROUP; an empty UniqueFd when there is none.
Result<UniqueFd> open_unified(const std::vector<Directory>& directories);

/// Moves this process, which has a single thread, into every v1 directory. (Into the v2 one it was
/// cloned.)
Status enter(const std::vector<Directory>& directories);

/// Has systemd put `pid` into the container's scope: where the runtime is outside of what the
/// user's manager has been given, the kernel does not let the user do that (EACCES).
Status enter_scope(const plan::ScopeStep& scope, pid_t pid);

/// Tells systemd of properties of the container's scope: limits that it would write over.
Status set_scope_properties(const plan::ScopeStep& scope,
                            const std::vector<plan::UnitProperty>& properties);

/// Processes in the directories; in those made by us, also in all below them. A directory that
/// vanished (ENOENT, ENODEV) counts as empty. Each pid once, in ascending order.
Result<std::vector<pid_t>> processes(const std::vector<Directory>& directories);

/// Those that are still there when who is dying has had `patience` to do so: a process that was
/// killed is listed for a moment longer.
Result<std::vector<pid_t>> lasting_processes(const std::vector<Directory>& directories,
                                             std::chrono::milliseconds patience);

/// Sends `signal` to each of `processes`, through a pidfd that is checked to be in the cgroup
/// still.
Status signal_all(const std::vector<Directory>& directories, int signal);

/// Kills everything and waits until it is gone: cgroup.kill where there is a v2 directory made by
/// us (Linux 5.14), else the freezer (v1 or v2) and SIGKILL in rounds. A frozen cgroup is thawed.
/// ETIMEDOUT, with the pids that are left, after `patience`.
Status kill_all(const std::vector<Directory>& directories, std::chrono::milliseconds patience);

/// Removes the leaves, which only an empty cgroup allows; whether none is left. Nothing is waited
/// for, and what is not ours to remove stays.
Result<bool> remove_empty(const std::vector<Directory>& directories);

/// Removes the directories that we made, children first; one that is gone already is fine. EBUSY is
/// retried with growing pauses up to `patience`, then is an error that names the directory and the
/// pids in it. Never follows symbolic links.
Status remove(const std::vector<Directory>& directories, std::chrono::milliseconds patience);

}  // namespace rt::cgroup
