// The mounts of a process, as the kernel tells them: /proc/PID/mountinfo. proc(5). Shared by the
// other files of this package.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace rt::kernel {

/// A line of it.
struct MountInfo {
  uint64_t id = 0;  // statx(2), stx_mnt_id; another mount may get it later
  dev_t device = 0;
  std::string root;   // what of the file system is seen: "/", "/null"
  std::string point;  // where it is, from the reader's root
  std::string type;   // "tmpfs"
};

/// The lines of `text`; what is none is passed over.
std::vector<MountInfo> parse_mountinfo(std::string_view text);

/// Those of the process `pid`, or of this one ("self").
Result<std::vector<MountInfo>> read_mountinfo(const std::string& pid = "self");

}  // namespace rt::kernel
