#include "runtime/stage/placement.h"

#include "runtime/cgroup/limits.h"

namespace rt::stage {

Status Placement::make(const std::function<Status(const std::vector<cgroup::Directory>&)>& made) {
  cgroup::Made all = TRY(at(plan_.cgroup.origin, cgroup::make(plan_.cgroup)));
  directories_ = std::move(all.directories);
  holder_ = std::move(all.holder);
  return made ? made(directories_) : ok();
}

void Placement::take(std::vector<cgroup::Directory> directories) {
  directories_ = std::move(directories);
  is_new_ = false;
}

Result<std::vector<plan::Warning>> Placement::limit() {
  std::vector<plan::Warning> warnings =
      TRY(cgroup::write_limits(plan_.resources.settings, plan::LimitTime::kFirst));
  if (plan_.resources.devices) {
    // Whoever holds the place of a scope opens nothing.
    TRY(cgroup::set_device_filter(*plan_.resources.devices, cgroup::Payload::kNotYet));
  }
  return warnings;
}

Result<std::vector<plan::Warning>> Placement::limit_tightly() {
  if (!is_new_) return std::vector<plan::Warning>();
  return cgroup::write_limits(plan_.resources.settings, plan::LimitTime::kLast);
}

Result<sys::Child> Placement::clone(bool& asks) {
  const UniqueFd unified = TRY(cgroup::open_unified(directories_));
  asks = false;
  Result<sys::Child> child = sys::clone(0, unified ? unified.get() : -1);
  if (child || child.error().code() != EACCES || !plan_.cgroup.scope) return child;
  // A user may move processes only within what is the user's own: systemd does the rest.
  asks = true;
  return sys::clone(0);
}

Status Placement::move(pid_t pid) { return cgroup::enter_scope(*plan_.cgroup.scope, pid); }

bool Placement::was_out_of_memory() const {
  const Result<bool> answer = cgroup::was_out_of_memory(directories_);
  return answer && answer.value();
}

}  // namespace rt::stage
