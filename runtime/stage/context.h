// What the processes of a container's creation share: made by the runtime, inherited by stage 1 and
// init. Private to this package.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/kernel/console.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/kernel/restrict.h"
#include "runtime/kernel/root.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/steps.h"
#include "runtime/stage/stages.h"

namespace rt::stage {

struct Context {
  Context(const plan::Plan& the_plan, const LaunchOptions& the_options)
      : plan(the_plan), options(the_options) {}

  const plan::Plan& plan;
  const LaunchOptions& options;
  UniqueFd channel;             // this process's end
  bool asks_for_place = false;  // stage 1 is to be put into the v2 cgroup by systemd
  const std::vector<cgroup::Directory>* cgroups = nullptr;  // stage 1 enters the v1 ones of them
  const Target* target = nullptr;                           // exec: the container that is joined

  // The host's objects that the container gets, opened or cloned by the runtime.
  std::vector<kernel::OpenNamespace> namespaces;
  UniqueFd root_path;  // the root file system's directory, for hooks: RootPlace::kOwnPath
  UniqueFd root_tree;
  kernel::Trees mount_trees;
  std::vector<UniqueFd> device_trees;
  std::optional<kernel::Filter> filter;
  bool rootless = false;
  UniqueFd proc;  // the host's /proc, for labels

  // Of init.
  UniqueFd sysctls;
  kernel::Masks masks;
  kernel::Console console;
  UniqueFd root;  // "/" of the container
  std::string executable;
  std::string obstacle;  // what execve(2) will fail at, in words; empty: nothing is seen
  std::string offer;     // report.h

  [[nodiscard]] kernel::RootPlace root_place() const {
    return plan.enters_root_last() ? kernel::RootPlace::kOwnPath : kernel::RootPlace::kOverHost;
  }
};

/// One row of the walk of stage 1 or init: `run` carries out `step`.
struct Handler {
  plan::Step step;
  Status (*run)(Context& context);
};

/// Carries out the rows of plan::kSteps that belong to `actor` at create, in their order, each by
/// its handler; those that exec has too, when a container is joined. An error gets the step's name.
template <size_t N>
Status run_steps(plan::Actor actor, const Handler (&handlers)[N], Context& context) {
  for (const plan::StepRow& row : plan::kSteps) {
    if (row.actor != actor || row.phase != plan::Phase::kCreate) continue;
    if (context.target != nullptr && row.exec == plan::Exec::kNot) continue;
    for (const Handler& handler : handlers) {
      if (handler.step != row.step) continue;
      Status done = handler.run(context);
      if (!done) return std::move(done).error().in_step(row.name);
    }
  }
  return ok();
}

/// In the runtime: hostname, domainname and sysctls must not reach a namespace of its own, joined
/// by path (CVE-2022-0811's kin). host_settings.cc.
Status refuse_host_settings(const Context& context);

/// The whole life of stage 1: joins, makes namespaces, clones init, ends.
[[noreturn]] void stage1_main(Context& context);

/// The whole life of init until it becomes the payload: setting the container up (init.cc), then
/// waiting, and the execution (execute.cc).
[[noreturn]] void init_main(Context& context);

/// From the released channel on.
[[noreturn]] void wait_and_execute(Context& context);

}  // namespace rt::stage
