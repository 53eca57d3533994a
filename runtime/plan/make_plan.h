// Config to Plan. Pure: reads no file, makes no system call.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/host.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

namespace rt::plan {

/// What the command line adds to the document.
struct Request {
  std::string id;
  std::string bundle;            // absolute host path
  bool no_pivot = false;         // --no-pivot
  unsigned preserve_fds = 0;     // --preserve-fds: descriptors from 3 on
  unsigned listen_fds = 0;       // the first of them are those of sd_listen_fds(3)
  std::string notify_directory;  // absolute host path for the container's NOTIFY_SOCKET; or empty
  bool no_new_keyring = false;   // --no-new-keyring
  std::string resctrl_root;      // --resctrl-root; empty: where resctrl is mounted
};

/// The hooks of `config`, by kind in the order of HookKind: all that start and delete need of a
/// plan later.
std::vector<HookStep> plan_hooks(const spec::Config& config);

/// What `exec` will do: the steps for one more process of the container that `config` made.
/// `config.process` is that process; the rest is as it was at create.
Result<Plan> make_exec_plan(const spec::Config& config, const Request& request,
                            const HostFacts& host);

/// Everything create, start and delete will do. `config` has passed spec::validate. An error is the
/// first thing that cannot be planned; it has the JSON pointer and names the place in the words of
/// the document: "mounts[3] /proc: unknown option \"foo\"".
Result<Plan> make_plan(const spec::Config& config, const Request& request, const HostFacts& host);

}  // namespace rt::plan
