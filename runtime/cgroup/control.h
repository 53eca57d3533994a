// A setting and the control file that it is written to. Shared by the files of this package.
#pragma once

#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/cgroup_step.h"

namespace rt::cgroup {

/// cgroup directories by their paths, each opened once.
class OpenDirectories {
 public:
  /// -1 when there is no such directory. Refuses what is in no cgroup file system, v1 or v2.
  Result<int> open(const std::string& path);

 private:
  std::map<std::string, UniqueFd> opened_;
};

/// The form of a setting that this kernel has a file for, and the file.
struct Control {
  const plan::CgroupSetting* setting = nullptr;
  const plan::CgroupSetting::Form* form = nullptr;
  int directory = -1;
  UniqueFd file;
};

/// Opens the first of the setting's files that is there; nothing when there is none.
Result<std::optional<Control>> find_control(OpenDirectories& directories,
                                            const plan::CgroupSetting& setting);

/// None of a setting's files is there: an error or a warning that says what the kernel or the
/// cgroup lacks, or nothing, as the setting has it.
Result<std::optional<plan::Warning>> accept_missing(OpenDirectories& directories,
                                                    const plan::CgroupSetting& setting);

/// Writes `value`, each of its lines in a write(2) of its own; an empty value is a line too. The
/// error has the setting's origin, the kernel's errno, and a hint at what to do.
Status write_value(const Control& control, std::string_view value);

/// What the file shows, without the last newline; nothing when it shows nothing.
std::optional<std::string> read_value(const Control& control);

/// Warns when the kernel has made another value of the setting's.
std::optional<plan::Warning> check_value(const Control& control);

/// Calls `write` for each of `waiting`, in their order. A value that the kernel refuses while
/// another one is still the old (EINVAL: burst above quota, memory above memory and swap) is
/// written again after the others.
template <class Each, class Write>
Status in_turn(std::vector<Each> waiting, const Write& write) {
  while (!waiting.empty()) {
    std::vector<Each> refused;
    std::optional<Error> reason;
    for (const Each& one : waiting) {
      Status written = write(one);
      if (!written && written.error().code() != EINVAL) return written;
      if (written) continue;
      refused.push_back(one);
      if (!reason) reason = std::move(written).error();
    }
    if (refused.size() == waiting.size()) return *std::move(reason);
    waiting = std::move(refused);
  }
  return ok();
}

}  // namespace rt::cgroup
