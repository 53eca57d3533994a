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
  kClone,
  kOomScore,
  kJoin,
  kUserNamespace,
  kIdMaps,
  kNamespaces,
  kTimeOffsets,
  kInit,
  kSession,
  kHostname,
  kLoopback,
  kSysctl,
  kPrepareMounts,
  kEnterRoot,
  kMounts,
  kDevices,
  kConsole,
  kWorkingDirectory,
  kReadonlyPaths,
  kMaskedPaths,
  kReadonlyRoot,
  kStdio,
  kUser,
  kExecutable,
  kRlimits,
  kCreated,
  kRelease,
  kExecute,
  kKill,
  kRemoveCgroup,
  kRemoveRecord,
};

struct StepRow {
  Step step;
  Phase phase;
  Actor actor;
  std::string_view name;
};

inline constexpr StepRow kSteps[] = {
    // First of all: whatever happens from here on, `delete --force` knows what to clean up.
    {Step::kRecord, Phase::kCreate, Actor::kRuntime, "record"},
    // Before the host objects: on cgroup v1 the mount of type "cgroup" binds these directories.
    {Step::kCgroup, Phase::kCreate, Actor::kRuntime, "cgroup"},
    // While only the host can be seen: sources, namespaces and devices become descriptors.
    {Step::kHostObjects, Phase::kCreate, Actor::kRuntime, "host objects"},
    {Step::kClone, Phase::kCreate, Actor::kRuntime, "clone"},
    // Before the process stops being dumpable: /proc/self is root's from then on.
    {Step::kOomScore, Phase::kCreate, Actor::kStage1, "oom score"},
    {Step::kJoin, Phase::kCreate, Actor::kStage1, "join namespaces"},
    // Before the other new namespaces, so that it owns them.
    {Step::kUserNamespace, Phase::kCreate, Actor::kStage1, "user namespace"},
    {Step::kIdMaps, Phase::kCreate, Actor::kRuntime, "id maps"},
    {Step::kNamespaces, Phase::kCreate, Actor::kStage1, "namespaces"},
    // Before the first process enters the new time namespace: the offsets are fixed from then on.
    {Step::kTimeOffsets, Phase::kCreate, Actor::kStage1, "time offsets"},
    {Step::kInit, Phase::kCreate, Actor::kStage1, "init"},
    {Step::kSession, Phase::kCreate, Actor::kInit, "session"},
    {Step::kHostname, Phase::kCreate, Actor::kInit, "hostname"},
    {Step::kLoopback, Phase::kCreate, Actor::kInit, "loopback"},
    // While the host's /proc is visible: nothing in the image can stand in for /proc/sys.
    {Step::kSysctl, Phase::kCreate, Actor::kInit, "sysctl"},
    // Likewise: the kernel gives a user namespace a proc or sysfs only while it sees one.
    {Step::kPrepareMounts, Phase::kCreate, Actor::kInit, "prepare mounts"},
    {Step::kEnterRoot, Phase::kCreate, Actor::kInit, "enter root"},
    // In the jail: no link of the image can name anything of the host any more.
    {Step::kMounts, Phase::kCreate, Actor::kInit, "mounts"},
    {Step::kDevices, Phase::kCreate, Actor::kInit, "devices"},
    {Step::kConsole, Phase::kCreate, Actor::kInit, "console"},
    {Step::kWorkingDirectory, Phase::kCreate, Actor::kInit, "working directory"},
    {Step::kReadonlyPaths, Phase::kCreate, Actor::kInit, "read-only paths"},
    {Step::kMaskedPaths, Phase::kCreate, Actor::kInit, "masked paths"},
    // After all that is made below it.
    {Step::kReadonlyRoot, Phase::kCreate, Actor::kInit, "read-only root"},
    {Step::kStdio, Phase::kCreate, Actor::kInit, "stdio"},
    // Groups, ids, capabilities, no_new_privs: from here on init has no more rights than the
    // payload.
    {Step::kUser, Phase::kCreate, Actor::kInit, "user"},
    // As the container's user, so that the answer is the one execve(2) will give.
    {Step::kExecutable, Phase::kCreate, Actor::kInit, "executable"},
    // Last: a low limit must not break the runtime itself. What init may not raise by its own
    // rights
    // (EPERM) the runtime raises for it.
    {Step::kRlimits, Phase::kCreate, Actor::kInit, "rlimits"},
    {Step::kCreated, Phase::kCreate, Actor::kRuntime, "created"},
    {Step::kRelease, Phase::kStart, Actor::kRuntime, "release"},
    {Step::kExecute, Phase::kStart, Actor::kInit, "execute"},
    {Step::kKill, Phase::kDelete, Actor::kRuntime, "kill"},
    {Step::kRemoveCgroup, Phase::kDelete, Actor::kRuntime, "remove cgroup"},
    {Step::kRemoveRecord, Phase::kDelete, Actor::kRuntime, "remove record"},
};

constexpr std::string_view name_of(Step step) {
  for (const StepRow& row : kSteps) {
    if (row.step == step) return row.name;
  }
  return "";
}

}  // namespace rt::plan
