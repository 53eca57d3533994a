// Config to Plan. Pure: reads no file, makes no system call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/host.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

namespace rt::plan {

/// Who makes the container's cgroup.
enum class CgroupManager {
  kFilesystem,  // the runtime, through the cgroup file system
  kSystemd,     // systemd, as a scope unit
  kDisabled,    // nobody: the container stays where the runtime is
};

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
  CgroupManager cgroup_manager = CgroupManager::kFilesystem;
  std::string systemd_helper;  // host path of the program that talks to systemd
  bool strict = false;         // --strict: a limit that this machine has not is always an error
};

/// The hooks of `config`, by kind in the order of HookKind: all that start and delete need of a
/// plan later.
std::vector<HookStep> plan_hooks(const spec::Config& config);

/// What `exec` will do: the steps for one more process of the container that `config` made.
/// `config.process` is that process; the rest is as it was at create.
Result<Plan> make_exec_plan(const spec::Config& config, const Request& request,
                            const HostFacts& host);

/// What `update` writes: the settings of `changes`, for the cgroup that the container has. A value
/// of 0, where that is no limit, and an absent one leave things as they are. `now` is what the
/// container has been given so far: some limits are written together with another one.
Result<ResourcesStep> plan_update(const spec::Resources& changes, const spec::Resources& now,
                                  const std::vector<CgroupDirectory>& directories,
                                  const Request& request, const HostFacts& host,
                                  std::vector<Warning>& warnings);

/// The device filter of a container with these rules, in its cgroup; nothing where none can be set.
Result<std::optional<DeviceFilter>> plan_device_filter(
    const std::vector<spec::DeviceRule>& rules, const std::vector<CgroupDirectory>& directories,
    const Request& request, const HostFacts& host);

/// The same for `update`, in place of the filter that the container has; an error where none can be
/// set. Nothing when `changes` only deny everything: engines send that with every update, and do
/// not mean it.
Result<std::optional<DeviceFilter>> plan_device_update(
    const std::vector<spec::DeviceRule>& changes, const std::vector<CgroupDirectory>& directories,
    const Request& request, const HostFacts& host);

/// What systemd must know of limits and a device filter, or it would undo them. Each property once.
std::vector<UnitProperty> unit_properties(const ResourcesStep& resources,
                                          const std::vector<CgroupDirectory>& directories);

/// The scope that the container of `config` is in, with the properties for `resources` alone: whom
/// `update` tells what. `config` has the limits that hold after it. Nothing when systemd did not
/// make its cgroup, which has `directories`.
std::optional<ScopeStep> plan_scope_update(const spec::Config& config, const Request& request,
                                           const HostFacts& host, const ResourcesStep& resources,
                                           const std::vector<CgroupDirectory>& directories);

/// The container's group of resctrl with the schemata that `config` has: what `update` writes.
Result<std::optional<IntelRdtStep>> plan_rdt_update(const spec::Config& config,
                                                    const Request& request);

/// Everything create, start and delete will do. `config` has passed spec::validate. An error is the
/// first thing that cannot be planned; it has the JSON pointer and names the place in the words of
/// the document: "mounts[3] /proc: unknown option \"foo\"".
Result<Plan> make_plan(const spec::Config& config, const Request& request, const HostFacts& host);

}  // namespace rt::plan
