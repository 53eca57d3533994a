// Where the payload says that it is ready, when our caller wants to know. sd_notify(3).
#include <linux/mount.h>
#include <sys/mount.h>

#include <string>
#include <vector>

#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

// The places that other runtimes have it at.
constexpr std::string_view kDirectory = "/run/notify";
constexpr std::string_view kSocket = "/run/notify/notify.sock";
constexpr std::string_view kVariable = "NOTIFY_SOCKET=";
constexpr std::string_view kOrigin = "environment: NOTIFY_SOCKET";

MountStep mount_of(const std::string& directory) {
  MountStep step;
  step.target = kDirectory;
  step.what = BindMount{.source = directory, .recursive = false};
  // A socket takes messages all the same.
  step.attributes.set =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  step.propagation = MS_PRIVATE | MS_REC;
  step.origin = kOrigin;
  return step;
}

}  // namespace

void plan_notify(Draft& draft) {
  Plan& plan = draft.plan;
  const std::string& directory = draft.request.notify_directory;
  if (directory.empty() || !plan.process) return;
  if (plan.root.method == RootMethod::kJoined || plan.root.method == RootMethod::kChroot) {
    draft.warn(Origin(kOrigin),
               "not passed on: its socket needs a mount namespace of the container's own");
    return;
  }
  plan.notify_directory = directory;
  // After those of the document, which may cover /run.
  plan.mounts.push_back(mount_of(directory));
  std::vector<std::string>& env = plan.process->env;
  std::erase_if(env, [](const std::string& one) { return one.starts_with(kVariable); });
  env.push_back(cat(kVariable, kSocket));
}

}  // namespace rt::plan
