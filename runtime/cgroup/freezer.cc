#include "runtime/cgroup/freezer.h"

#include "runtime/cgroup/directory.h"

namespace rt::cgroup {

Result<bool> is_frozen(int directory, bool unified) {
  const char* file = unified ? "cgroup.events" : "freezer.state";
  const std::optional<std::string> text = TRY(read_control(directory, file));
  if (!text) return false;
  // v1 says FREEZING while some process has not stopped yet.
  if (!unified) return *text != "THAWED";
  for (const std::string_view line : split(*text, '\n')) {
    if (line == "frozen 1") return true;
  }
  return false;
}

Status freeze(int directory, bool unified) {
  if (unified) {
    TRY(write_control(directory, "cgroup.freeze", "1"));
  } else {
    TRY(write_control(directory, "freezer.state", "FROZEN"));
  }
  return ok();
}

Status thaw(int directory, bool unified) {
  if (unified) {
    TRY(write_control(directory, "cgroup.freeze", "0"));
  } else {
    TRY(write_control(directory, "freezer.state", "THAWED"));
  }
  return ok();
}

}  // namespace rt::cgroup
