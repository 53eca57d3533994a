// The container's cgroup while the container is set up: made, limited, entered.
#pragma once

#include <sys/types.h>

#include <functional>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/plan/plan.h"
#include "runtime/sys/process.h"

namespace rt::stage {

class Placement {
 public:
  explicit Placement(const plan::Plan& plan) : plan_(plan) {}

  /// Makes the cgroup of a new container, and tells `made` before anybody is in it.
  Status make(const std::function<Status(const std::vector<cgroup::Directory>&)>& made);
  /// Takes that of a container which is there. It has its limits.
  void take(std::vector<cgroup::Directory> directories);

  /// What is to hold from the first process on: limits, and the device filter.
  Result<std::vector<plan::Warning>> limit();
  /// What setting the container up could exceed. Precondition: init has nothing left to do.
  Result<std::vector<plan::Warning>> limit_tightly();

  /// clone(2), into the v2 cgroup where that can be done. Into the others the child goes itself.
  /// Sets `asks` before, for the child: it is to ask for its place in the v2 cgroup first.
  Result<sys::Child> clone(bool& asks);
  /// Gives the child that place.
  Status move(pid_t pid);
  /// The child is where it belongs: nobody need hold the place any more.
  void settle() { holder_.reset(); }

  [[nodiscard]] const std::vector<cgroup::Directory>& directories() const { return directories_; }

  /// Whether the kernel has killed for the memory limit.
  [[nodiscard]] bool was_out_of_memory() const;

 private:
  const plan::Plan& plan_;
  std::vector<cgroup::Directory> directories_;
  UniqueFd holder_;  // cgroup::Made
  bool is_new_ = true;
};

}  // namespace rt::stage
