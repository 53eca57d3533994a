// What the kernel tells of a container's cgroup when it happens: nothing is asked again and again.
//
// v1: an eventfd that memory.oom_control is registered with (cgroup-v1/memory.rst, "OOM Control").
// v2: POLLPRI of memory.events, which counts (cgroup-v2.rst, "Memory Interface Files"), and of
// pressure triggers (accounting/psi.rst, Linux 5.2).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/cgroup/stats.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {

/// When the processes of a container have waited too long for a resource.
struct PressureTrigger {
  std::string resource;  // "cpu", "memory", "io"
  /// In the kernel's words: "some 150000 2000000" is some of them, for 150 ms of two seconds.
  std::string condition;
  bool operator==(const PressureTrigger&) const = default;
};

/// v2: a process was killed. v1: the container's limit was reached, or that of a cgroup above it.
struct OutOfMemory {};
/// v2: memory.events is another one now.
struct MemoryEvents {
  Table counts;
};
/// A trigger has fired; how things are by now.
struct PressureRose {
  PressureTrigger trigger;
  Pressure pressure;
};
/// Something that happened.
using Notice = std::variant<OutOfMemory, MemoryEvents, PressureRose>;

class Watch {
 public:
  /// What happened before is not told. A trigger that the kernel refuses, or that there is no file
  /// for, is an error.
  static Result<Watch> start(const std::vector<Directory>& directories,
                             const std::vector<PressureTrigger>& triggers);

  /// Whether there is anything to tell of memory: false without the memory controller.
  [[nodiscard]] bool sees_memory() const;

  /// Adds what is to be waited for.
  void watch(std::vector<sys::Watched>& watched) const;
  /// What has happened since the last time, `watched` being poll's answer.
  Result<std::vector<Notice>> take(const std::vector<sys::Watched>& watched);

 private:
  struct Alarm {
    PressureTrigger trigger;
    UniqueFd file;  // empty once the cgroup is gone
  };

  Status register_v1(UniqueFd memory);
  Status arm(const std::vector<Directory>& directories, const PressureTrigger& trigger);
  Status take_v1(std::vector<Notice>& notices);
  Status take_v2(std::vector<Notice>& notices);
  Status take_pressure(const std::vector<sys::Watched>& watched, std::vector<Notice>& notices);

  UniqueFd oom_;     // v1: counts
  UniqueFd memory_;  // v1: the directory
  UniqueFd events_;  // v2: memory.events
  Table events_so_far_;
  std::vector<Alarm> alarms_;
};

}  // namespace rt::cgroup
