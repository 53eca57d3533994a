#include "runtime/cgroup/limits.h"

#include "runtime/cgroup/control.h"

namespace rt::cgroup {
namespace {

using plan::CgroupSetting;
using Warnings = std::vector<plan::Warning>;

/// Whether the kernel keeps the file only for the sake of old programs: memory.kmem.* from
/// Linux 5.16 on. That is as if there were none.
bool stands_empty(const CgroupSetting& setting, const Status& written) {
  const bool refused = !written && written.error().code() == EOPNOTSUPP;
  return refused && setting.missing == CgroupSetting::Missing::kWarning;
}

Status write_one(OpenDirectories& directories, const CgroupSetting& setting, Warnings& warnings) {
  const std::optional<Control> control = TRY(find_control(directories, setting));
  std::optional<plan::Warning> warning;
  if (control) {
    const Status written = write_value(*control, control->form->value);
    if (stands_empty(setting, written)) {
      warning = {.origin = setting.origin, .message = written.error().message()};
    } else {
      TRY(written);
      warning = check_value(*control);
    }
  } else {
    warning = TRY(accept_missing(directories, setting));
  }
  if (warning) warnings.push_back(*std::move(warning));
  return ok();
}

}  // namespace

Result<Warnings> write_limits(const std::vector<CgroupSetting>& settings, plan::LimitTime time) {
  OpenDirectories directories;
  Warnings warnings;
  std::vector<const CgroupSetting*> wanted;
  for (const CgroupSetting& setting : settings) {
    if (setting.time == time) wanted.push_back(&setting);
  }
  TRY(in_turn(wanted, [&](const CgroupSetting* setting) {
    return write_one(directories, *setting, warnings);
  }));
  return warnings;
}

}  // namespace rt::cgroup
