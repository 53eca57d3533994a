// The mounts of a container that show files of the host. CRIU does not save them: it is told their
// names, and on restore where they are. For this package alone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/criu_views.h"
#include "runtime/plan/plan.h"

namespace rt::container {

/// What to tell CRIU for a dump of the container whose init is `pid`: "mnt[MOUNT POINT]:NAME". The
/// name is where config.json has the mount, which the image has no part in (CVE-2026-119101); the
/// mount point is where the links of the image have led it. A mount that does not show any more
/// what the plan has there is not named, and CRIU decides about it.
Result<std::vector<std::string>> name_host_mounts(const plan::Plan& plan, pid_t pid);

/// In the child that becomes runtime-criu: leaves the host's mount namespace, so that nothing which
/// is mounted from here on shows on the host. /tmp is an empty one then, for us and CRIU: nothing
/// is left there of who is killed. Other users' processes that CRIU makes can reach it. The
/// directory `work`, in which CRIU mounts what it needs, is opened anew there, under its number.
Status enter_own_mounts(int work);

/// Where make_cgroup_yard puts the host's cgroup hierarchy, in the form that CRIU wants: it would
/// mount it anew, and that takes the option nsdelegate away from the host.
inline constexpr const char* kCgroupYard = "/tmp/yard";
/// In the child, after enter_own_mounts. `hierarchy`: where cgroup v2 is mounted.
Status make_cgroup_yard(const std::string& hierarchy);

/// The same mounts for a restore: made detached in the runtime, from the descriptors of their
/// sources.
class HostMounts {
 public:
  /// Where `attach` puts the mount that becomes the container's root.
  static constexpr const char* kRoot = "/tmp/root";

  static Result<HostMounts> make(const plan::Plan& plan);

  /// "mnt[NAME]:HOST PATH"
  [[nodiscard]] const std::vector<std::string>& external() const { return external_; }

  /// In the child, after enter_own_mounts.
  [[nodiscard]] Status attach() const;

  /// In a child that has entered the mount namespace of the container, which has these mounts, and
  /// does not run yet: CRIU gives a mount the attributes that the files say, and here each gets
  /// those which the plan has for what it shows, if it lacks them.
  [[nodiscard]] Status protect(const std::vector<kernel::MountInfo>& mounts, int root) const;

 private:
  struct Tree {
    std::string path;
    UniqueFd tree;
  };
  struct Restriction {
    Location location;
    uint64_t attributes = 0;
  };

  Status add(const View& view, UniqueFd tree, const std::vector<kernel::MountInfo>& host);
  void restrict(const Location& location, uint64_t attributes);

  UniqueFd root_;
  std::vector<Tree> trees_;
  std::vector<std::string> external_;
  std::vector<Restriction> restrictions_;
};

}  // namespace rt::container
