#include "runtime/cgroup/owner.h"

#include <fcntl.h>

#include "runtime/cgroup/directory.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

constexpr const char* kDelegate = "/sys/kernel/cgroup/delegate";
constexpr size_t kMaxDelegate = size_t{64} << 10;
// The group stays: config-linux.md speaks of the owner.
constexpr auto kSameGroup = static_cast<gid_t>(-1);

/// The files by which a cgroup is managed from within. cgroups(7). Linux 4.15 lists them.
std::string delegate_files() {
  Result<std::string> text = sys::read_file(kDelegate, kMaxDelegate);
  if (text) return std::move(text).value();
  return "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
}

Status give(int directory, const std::string& name, uint32_t uid) {
  Status given = sys::fchownat(directory, name, uid, kSameGroup, AT_SYMLINK_NOFOLLOW);
  // Of some files it is said that not every cgroup has them.
  if (given || is_gone(given.error())) return ok();
  return std::move(given).error().within(name);
}

}  // namespace

Status hand_over(int directory, uint32_t uid) {
  TRY(sys::fchown(directory, uid, kSameGroup), "owner ", uid);
  const std::string files = delegate_files();
  for (const std::string_view name : split(files, '\n')) {
    if (name.empty() || name.find('/') != std::string_view::npos) continue;
    TRY(give(directory, std::string(name), uid), "owner ", uid);
  }
  return ok();
}

}  // namespace rt::cgroup
