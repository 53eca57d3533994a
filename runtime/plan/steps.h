// The order of everything, as data. The stages execute these rows from top to bottom, each process
// its own; `runtime plan` prints them in the same order. Moving a step is moving a line.
#pragma once

#include <string_view>

namespace rt::plan {

enum class Phase { kCreate, kStart, kDelete };
enum class Actor { kRuntime, kStage1, kInit };

enum class Step {
  kRecord,
  kHostObjects,
  kCgroup,
  kResources,
  kClone,
  kEnterCgroup,
  kOomScore,
  kJoin,
  kUserNamespace,
  kIdMaps,
  kNamespaces,
  kTimeOffsets,
  kInit,
  kIntelRdt,
  kNetDevices,
  kSession,
  kHostname,
  kLoopback,
  kPrepareMounts,
  kPlaceRoot,
  kEnterRootFirst,
  kMounts,
  kDevices,
  kPrestartHooks,
  kCreateRuntimeHooks,
  kCreateContainerHooks,
  kSysctl,
  kEnterRootLast,
  kConsole,
  kWorkingDirectory,
  kReadonlyPaths,
  kMaskedPaths,
  kReadonlyRoot,
  kStdio,
  kProcessAttributes,
  kUser,
  kLabel,
  kExecutable,
  kRlimits,
  kTightLimits,
  kCreated,
  kRelease,
  kStartContainerHooks,
  kSeccomp,
  kExecute,
  kPoststartHooks,
  kKill,
  kRemoveCgroup,
  kRemoveIntelRdt,
  kRemoveRecord,
  kPoststopHooks,
};

/// Whether a process that joins the container later (exec) goes through the step too.
enum class Exec { kNot, kToo };

// In the order in which a row is read.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct StepRow {
  Step step;
  Phase phase;
  Actor actor;
  std::string_view name;
  Exec exec = Exec::kNot;
};

inline constexpr StepRow kSteps[] = {
    // First of all: whatever happens from here on, `delete --force` knows what to clean up.
    {Step::kRecord, Phase::kCreate, Actor::kRuntime, "record"},
    // Before the host objects: on cgroup v1 the mount of type "cgroup" binds these directories.
    {Step::kCgroup, Phase::kCreate, Actor::kRuntime, "cgroup"},
    // While nobody is in it: no process of the container is ever without its limits.
    {Step::kResources, Phase::kCreate, Actor::kRuntime, "resources"},
    // While only the host can be seen: sources, namespaces and devices become descriptors.
    {Step::kHostObjects, Phase::kCreate, Actor::kRuntime, "host objects"},
    {Step::kClone, Phase::kCreate, Actor::kRuntime, "clone", Exec::kToo},
    // The first thing that stage 1 does: all that follows is accounted to the container. And while
    // the paths of the host's cgroups still lead there.
    {Step::kEnterCgroup, Phase::kCreate, Actor::kStage1, "enter cgroup", Exec::kToo},
    // Before the process stops being dumpable: /proc/self is root's from then on.
    {Step::kOomScore, Phase::kCreate, Actor::kStage1, "oom score", Exec::kToo},
    {Step::kJoin, Phase::kCreate, Actor::kStage1, "join namespaces", Exec::kToo},
    // Before the other new namespaces, so that it owns them.
    {Step::kUserNamespace, Phase::kCreate, Actor::kStage1, "user namespace"},
    {Step::kIdMaps, Phase::kCreate, Actor::kRuntime, "id maps"},
    {Step::kNamespaces, Phase::kCreate, Actor::kStage1, "namespaces"},
    // Before the first process enters the new time namespace: the offsets are fixed from then on.
    {Step::kTimeOffsets, Phase::kCreate, Actor::kStage1, "time offsets"},
    {Step::kInit, Phase::kCreate, Actor::kStage1, "init", Exec::kToo},
    // Before init goes on: what is in the container's network or memory bandwidth from the first.
    {Step::kIntelRdt, Phase::kCreate, Actor::kRuntime, "intel rdt"},
    {Step::kNetDevices, Phase::kCreate, Actor::kRuntime, "network devices"},
    {Step::kSession, Phase::kCreate, Actor::kInit, "session", Exec::kToo},
    {Step::kHostname, Phase::kCreate, Actor::kInit, "hostname"},
    {Step::kLoopback, Phase::kCreate, Actor::kInit, "loopback"},
    // While the host's /proc is visible: the kernel gives a user namespace a proc or sysfs only
    // while it sees one.
    {Step::kPrepareMounts, Phase::kCreate, Actor::kInit, "prepare mounts"},
    {Step::kPlaceRoot, Phase::kCreate, Actor::kInit, "place root"},
    // In the jail from here on: no link of the image can name anything of the host any more. Hooks
    // that must run before the pivot put it off.
    {Step::kEnterRootFirst, Phase::kCreate, Actor::kInit, "enter root"},
    {Step::kMounts, Phase::kCreate, Actor::kInit, "mounts"},
    {Step::kDevices, Phase::kCreate, Actor::kInit, "devices"},
    {Step::kPrestartHooks, Phase::kCreate, Actor::kRuntime, "prestart hooks"},
    {Step::kCreateRuntimeHooks, Phase::kCreate, Actor::kRuntime, "createRuntime hooks"},
    {Step::kCreateContainerHooks, Phase::kCreate, Actor::kInit, "createContainer hooks"},
    // After the hooks, which may bring the network interface that a parameter is about; by a
    // descriptor of the host's /proc: nothing in the image can stand in for it.
    {Step::kSysctl, Phase::kCreate, Actor::kInit, "sysctl"},
    {Step::kEnterRootLast, Phase::kCreate, Actor::kInit, "enter root"},
    {Step::kConsole, Phase::kCreate, Actor::kInit, "console", Exec::kToo},
    {Step::kWorkingDirectory, Phase::kCreate, Actor::kInit, "working directory"},
    {Step::kReadonlyPaths, Phase::kCreate, Actor::kInit, "read-only paths"},
    {Step::kMaskedPaths, Phase::kCreate, Actor::kInit, "masked paths"},
    // After all that is made below it.
    {Step::kReadonlyRoot, Phase::kCreate, Actor::kInit, "read-only root"},
    {Step::kStdio, Phase::kCreate, Actor::kInit, "stdio", Exec::kToo},
    // While init still has the rights for it.
    {Step::kProcessAttributes, Phase::kCreate, Actor::kInit, "process attributes", Exec::kToo},
    // Groups, ids, capabilities, no_new_privs: from here on init acts with no more rights than the
    // payload. (What loading a filter needs it keeps, but not in its effective set: decision 12.)
    {Step::kUser, Phase::kCreate, Actor::kInit, "user", Exec::kToo},
    {Step::kLabel, Phase::kCreate, Actor::kInit, "security label", Exec::kToo},
    // As the container's user, so that the answer is the one execve(2) will give.
    {Step::kExecutable, Phase::kCreate, Actor::kInit, "executable", Exec::kToo},
    // Last: a low limit must not break the runtime itself. What init may not raise by its own
    // rights (EPERM) the runtime raises for it.
    {Step::kRlimits, Phase::kCreate, Actor::kInit, "rlimits", Exec::kToo},
    // Memory and the number of processes, which setting the container up takes more of than the
    // payload may need: when init is alone and has nothing left to do.
    {Step::kTightLimits, Phase::kCreate, Actor::kRuntime, "memory and pids"},
    {Step::kCreated, Phase::kCreate, Actor::kRuntime, "created"},
    {Step::kRelease, Phase::kStart, Actor::kRuntime, "release"},
    {Step::kStartContainerHooks, Phase::kStart, Actor::kInit, "startContainer hooks"},
    // The last thing but the execution: the filter need allow nothing that init itself does.
    {Step::kSeccomp, Phase::kStart, Actor::kInit, "seccomp", Exec::kToo},
    {Step::kExecute, Phase::kStart, Actor::kInit, "execute", Exec::kToo},
    {Step::kPoststartHooks, Phase::kStart, Actor::kRuntime, "poststart hooks"},
    {Step::kKill, Phase::kDelete, Actor::kRuntime, "kill"},
    {Step::kRemoveCgroup, Phase::kDelete, Actor::kRuntime, "remove cgroup"},
    {Step::kRemoveIntelRdt, Phase::kDelete, Actor::kRuntime, "remove intel rdt group"},
    {Step::kRemoveRecord, Phase::kDelete, Actor::kRuntime, "remove record"},
    {Step::kPoststopHooks, Phase::kDelete, Actor::kRuntime, "poststop hooks"},
};

constexpr std::string_view name_of(Step step) {
  for (const StepRow& row : kSteps) {
    if (row.step == step) return row.name;
  }
  return "";
}

}  // namespace rt::plan
