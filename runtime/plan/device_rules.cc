// Which devices the container may use. runtime-spec config-linux.md, "Allowed Device list".
//
// The specification has rules "applied in the order they are listed"; what a container without
// rules may use, it leaves open. Here nothing is allowed but the default devices, with and without
// a list: a list that denies everything first (all engines send it) says the same, and one that
// forgot to is not a way to the disks of the host.
#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

namespace rt::plan {
namespace {

constexpr std::string_view kPointer = "/linux/resources/devices";
constexpr std::string_view kPlace = "linux.resources.devices";

struct BaseRule {
  char type;
  std::optional<uint32_t> major;
  std::optional<uint32_t> minor;
  bool only_mknod;
};

/// config-linux.md, "Default Devices", and the pseudo terminals of a devpts (major 136). Making a
/// node of any device is harmless: it cannot be opened.
constexpr std::array kBaseRules = {
    BaseRule{'c', {}, {}, true},    // any
    BaseRule{'b', {}, {}, true},    //
    BaseRule{'c', 1, 3, false},     // null
    BaseRule{'c', 1, 5, false},     // zero
    BaseRule{'c', 1, 7, false},     // full
    BaseRule{'c', 1, 8, false},     // random
    BaseRule{'c', 1, 9, false},     // urandom
    BaseRule{'c', 5, 0, false},     // tty
    BaseRule{'c', 5, 1, false},     // console
    BaseRule{'c', 5, 2, false},     // ptmx
    BaseRule{'c', 136, {}, false},  // pts/0, pts/1, ...
};

void add_base_rules(std::vector<DeviceRule>& rules) {
  for (const BaseRule& base : kBaseRules) {
    DeviceRule rule;
    rule.allow = true;
    rule.type = base.type;
    rule.major = base.major;
    rule.minor = base.minor;
    rule.read = !base.only_mknod;
    rule.write = !base.only_mknod;
    rule.mknod = true;
    rule.origin = kBaseDeviceRules;
    rules.push_back(std::move(rule));
  }
}

bool matches_everything(const DeviceRule& rule) {
  return rule.type == 'a' && !rule.major && !rule.minor && rule.read && rule.write && rule.mknod;
}

/// Nothing, or -1: any. The largest number of 32 bits is no device's, and means that to cgroup v1.
Result<std::optional<uint32_t>> device_number(const std::optional<int64_t>& number,
                                              std::string_view name) {
  if (!number || *number == -1) return std::optional<uint32_t>();
  if (*number < 0 || *number >= std::numeric_limits<uint32_t>::max()) {
    return Error(cat(name, ' ', *number, ": out of range"));
  }
  return std::optional(static_cast<uint32_t>(*number));
}

Result<DeviceRule> read_rule(const spec::DeviceRule& wanted) {
  // The specification does not say what a rule without an access is for. It is no rule for nothing:
  // "deny" would not deny.
  const std::string_view access = wanted.access.empty() ? "rwm" : std::string_view(wanted.access);
  DeviceRule rule;
  rule.allow = wanted.allow;
  rule.type = wanted.type.empty() ? 'a' : wanted.type[0];
  rule.major = TRY(device_number(wanted.major, "major"));
  rule.minor = TRY(device_number(wanted.minor, "minor"));
  rule.read = access.find('r') != access.npos;
  rule.write = access.find('w') != access.npos;
  rule.mknod = access.find('m') != access.npos;
  return rule;
}

/// The rules of the document behind the base rules. What stands in front of one that matches
/// everything means nothing any more, and is left out.
Result<std::vector<DeviceRule>> read_rules(const std::vector<spec::DeviceRule>& wanted) {
  std::vector<DeviceRule> rules;
  add_base_rules(rules);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Origin origin = cat(kPointer, '/', i);
    DeviceRule rule = TRY(at(origin, read_rule(wanted[i])), kPlace, '[', i, ']');
    rule.origin = origin;
    const bool afresh = matches_everything(rule);
    const bool denies = afresh && !rule.allow;
    if (afresh) rules.clear();
    rules.push_back(std::move(rule));
    if (denies) add_base_rules(rules);
  }
  return rules;
}

/// A denial of single devices is of their use: where making any node is allowed by default, v1 has
/// no words for one that cannot be made. Docker denies c 10:229 and may give it back for reading:
/// its node is made all the same, by the runtime first of all.
void leave_making(std::vector<DeviceRule>& rules) {
  const bool by_default = std::ranges::any_of(
      rules, [](const DeviceRule& rule) { return rule.origin == kBaseDeviceRules; });
  for (DeviceRule& rule : rules) {
    const bool whole = rule.read && rule.write && rule.mknod;
    if (by_default && !rule.allow && rule.major && whole) rule.mknod = false;
  }
}

/// Whether this is what engines send as "nothing but the default devices".
bool only_denies_everything(const std::vector<spec::DeviceRule>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [](const spec::DeviceRule& entry) {
    const Result<DeviceRule> rule = read_rule(entry);
    return rule && matches_everything(rule.value()) && !rule.value().allow;
  });
}

bool has_controller(const CgroupDirectory& directory, const HostFacts& host) {
  return std::any_of(host.cgroups.begin(), host.cgroups.end(),
                     [&](const CgroupHierarchy& hierarchy) {
                       const std::vector<std::string>& names = hierarchy.controllers;
                       return hierarchy.mount_point == directory.hierarchy &&
                              std::find(names.begin(), names.end(), "devices") != names.end();
                     });
}

/// Where the rules are set: in the v1 hierarchy of the controller "devices", else in v2, which has
/// no such controller: any of its directories takes a program.
const CgroupDirectory* find_directory(const std::vector<CgroupDirectory>& directories,
                                      const HostFacts& host) {
  const CgroupDirectory* found = nullptr;
  for (const CgroupDirectory& directory : directories) {
    if (!directory.unified && has_controller(directory, host)) return &directory;
    if (directory.unified) found = &directory;
  }
  return found;
}

/// Whether going without a filter gives away more than the default devices.
bool denies_something(const std::vector<spec::DeviceRule>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [](const spec::DeviceRule& entry) {
    return !entry.allow && !only_denies_everything({entry});
  });
}

/// What the user hears of having no filter; empty: nothing worth a word.
///
/// Without privilege a filter can be neither attached nor written, and is not what keeps the
/// devices of the host safe: mknod(2) asks for CAP_MKNOD in the initial user namespace, mounts made
/// in another one are nodev, and a node bound from the host still asks for the host's permissions.
/// What is lost is a rule that would deny one of these.
std::string without_filter(const std::vector<spec::DeviceRule>& wanted, bool harmless) {
  if (!harmless) {
    return "not limited: without a cgroup for it the container may use every device of the host "
           "that its capabilities let it make and open";
  }
  if (!denies_something(wanted)) return "";
  return "ignored: needs a cgroup, and privileges in the initial user namespace";
}

}  // namespace

std::string to_text(const DeviceRule& rule) {
  const auto number = [](const std::optional<uint32_t>& value) {
    return value ? cat(*value) : "*";
  };
  return cat(rule.allow ? "allow " : "deny ", rule.type, ' ', number(rule.major), ':',
             number(rule.minor), ' ', rule.read ? "r" : "", rule.write ? "w" : "",
             rule.mknod ? "m" : "");
}

Result<std::optional<DeviceFilter>> plan_device_filter(
    const std::vector<spec::DeviceRule>& rules, const std::vector<CgroupDirectory>& directories,
    const Request& request, const HostFacts& host) {
  const CgroupDirectory* directory = find_directory(directories, host);
  if (directory == nullptr || host.rootless()) return std::optional<DeviceFilter>();
  DeviceFilter filter;
  filter.directory = directory->path;
  filter.unified = directory->unified;
  filter.rules = TRY(read_rules(rules));
  if (!filter.unified) {
    filter.rules = TRY(device_exceptions(filter.rules, request.strict));
  } else if (!request.strict) {
    leave_making(filter.rules);
  }
  return std::optional(std::move(filter));
}

Result<std::optional<DeviceFilter>> plan_device_filter(Draft& draft) {
  const std::optional<spec::Resources>& resources = draft.config.linux_.resources;
  const std::vector<spec::DeviceRule> wanted =
      resources ? resources->devices : std::vector<spec::DeviceRule>();
  std::optional<DeviceFilter> filter =
      TRY(plan_device_filter(wanted, draft.plan.cgroup.directories, draft.request, draft.host));
  if (filter) return filter;
  const bool harmless = draft.host.rootless() || draft.plan.find(NamespaceKind::kUser) != nullptr;
  std::string message = without_filter(wanted, harmless);
  if (message.empty()) return filter;
  if (draft.request.strict && !wanted.empty()) {
    return Error(cat(kPlace, ": ", message)).at(kPointer);
  }
  draft.warn(Origin(kPointer), std::move(message));
  return filter;
}

Result<std::optional<DeviceFilter>> plan_device_update(
    const std::vector<spec::DeviceRule>& changes, const std::vector<CgroupDirectory>& directories,
    const Request& request, const HostFacts& host) {
  if (only_denies_everything(changes)) return std::optional<DeviceFilter>();
  std::optional<DeviceFilter> filter = TRY(plan_device_filter(changes, directories, request, host));
  if (filter) return filter;
  return Error(cat(kPlace, ": needs a cgroup, and privileges in the initial user namespace"))
      .at(kPointer);
}

}  // namespace rt::plan
