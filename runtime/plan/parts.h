// The parts of make_plan, a file each. For this package alone.
//
// A part reads the document and what earlier parts have decided, and returns its own decision;
// make_plan.cc puts them together, in an order in which nobody reads what is not there yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/host.h"
#include "runtime/plan/make_plan.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"

namespace rt::plan {

/// A plan on its way.
struct Draft {
  const spec::Config& config;
  const Request& request;
  const HostFacts& host;
  Plan plan;  // what is decided so far

  void warn(Origin origin, std::string message);
  void note(Origin origin, std::string message);
};

// namespaces.cc
Result<std::vector<NamespaceStep>> plan_namespaces(Draft& draft);
std::vector<TimeOffset> plan_time_offsets(const Draft& draft);
std::vector<Sysctl> plan_sysctls(const Draft& draft);

// id_maps.cc
Result<std::optional<IdMaps>> plan_id_maps(Draft& draft);

// cgroup.cc
Result<CgroupStep> plan_cgroup(Draft& draft);

// cgroup_owner.cc: config-linux.md, "Cgroup ownership".
void plan_cgroup_owner(Draft& draft);

// scope.cc: the unit of a "slice:prefix:name", and where its cgroup is.
Result<CgroupStep> plan_scope(Draft& draft);
/// What systemd must know of the limits, or it would undo them. After plan_resources.
void plan_scope_properties(Draft& draft);

// resources.cc: the settings, and in plan.cgroup the controllers that they need.
Result<ResourcesStep> plan_resources(Draft& draft);

// device_rules.cc
/// The origin of the rules that every container has.
inline constexpr std::string_view kBaseDeviceRules = "default: devices";
Result<std::optional<DeviceFilter>> plan_device_filter(Draft& draft);

// device_exceptions.cc

/// The rules in the words of cgroup v1: the first allows everything and the others deny, or all of
/// them allow; of the devices that fit one entry, each access that is allowed is in that one entry.
/// An error when there are no such words. Not `strict`: where making any node is allowed by
/// default, nodes whose use is denied can be made too.
Result<std::vector<DeviceRule>> device_exceptions(const std::vector<DeviceRule>& rules,
                                                  bool strict);

// root.cc
Result<RootStep> plan_root(Draft& draft);

// mounts.cc
Result<std::vector<MountStep>> plan_mounts(Draft& draft);

// cgroup_mounts.cc: one mount of type "cgroup" becomes what this host has. `model` has its target,
// attributes, propagation and origin already; `parameters` are its own options.
Result<std::vector<MountStep>> plan_cgroup_mount(
    const Draft& draft, const MountStep& model, const std::vector<FilesystemParameter>& parameters);

// devices.cc
Result<std::vector<DeviceNode>> plan_devices(Draft& draft);
std::vector<Link> plan_links(const Draft& draft);

// console.cc
ConsoleStep make_console(const spec::Process& process);
Result<std::optional<ConsoleStep>> plan_console(const Draft& draft);

// process.cc
Result<std::optional<ProcessStep>> plan_process(Draft& draft);

// attributes.cc: scheduler, I/O priority, execution domain, memory policy, CPUs of exec.
Status plan_process_attributes(const Draft& draft, const spec::Process& process, ProcessStep& step);

// labels.cc
std::vector<LabelStep> plan_labels(const spec::Process& process);

// seccomp.cc
Result<std::optional<SeccompStep>> plan_seccomp(Draft& draft);

// net_devices.cc
std::vector<NetDeviceStep> plan_net_devices(Draft& draft);

// intel_rdt.cc
Result<std::optional<IntelRdtStep>> plan_intel_rdt(const Draft& draft);

// notify.cc: NOTIFY_SOCKET; one mount and one variable more.
void plan_notify(Draft& draft);

// capabilities.cc
CapabilitySets plan_capabilities(Draft& draft, const spec::Capabilities& names);

// parts.cc: paths and places.

/// `path` as an absolute path without "//", "." and "..", as if nothing were a symbolic link. A
/// ".." at the top stays at the top.
std::string clean_path(std::string_view path);

/// `path` itself when it is absolute, else below `directory`. Not cleaned: it is the host's, where
/// ".." behind a symbolic link means something.
std::string absolute_path(std::string_view directory, std::string_view path);

/// Whether `path` is `directory` or below it. Both cleaned.
bool is_within(std::string_view path, std::string_view directory);

/// `text` as it is when it is plain enough to print, in quotes otherwise.
std::string printable(std::string_view text);

/// `text` with control characters escaped, without quotes: for JSON pointers, which hold keys of
/// the document.
std::string escaped(std::string_view text);

}  // namespace rt::plan
