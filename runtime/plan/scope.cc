// The unit of a container whose cgroup systemd makes, and where its cgroup is. The words of
// cgroupsPath are those of the callers: "slice:prefix:name". systemd.unit(5), systemd.slice(5).
#include <algorithm>

#include "runtime/plan/parts.h"
#include "runtime/plan/scope_parts.h"

namespace rt::plan {
namespace {

constexpr std::string_view kScope = ".scope";
constexpr std::string_view kSlice = ".slice";
constexpr size_t kLongestUnitName = 255;

bool is_unit_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view(":-_.\\").find(c) != std::string_view::npos;
}

Status check_unit_name(std::string_view name, std::string_view suffix) {
  if (name.size() > kLongestUnitName) {
    return Error(
        cat("a unit's name has at most ", kLongestUnitName, " bytes, this has ", name.size()));
  }
  if (name.size() <= suffix.size()) return Error("a unit without a name");
  const auto* wrong = std::ranges::find_if_not(name, is_unit_character);
  if (wrong == name.end()) return ok();
  return Error(cat(quoted(std::string_view(wrong, 1)), " cannot be in the name of a unit"));
}

Status check_slice(std::string_view slice) {
  if (!slice.ends_with(kSlice)) return Error("the name of a slice ends with \".slice\"");
  TRY(check_unit_name(slice, kSlice));
  const std::string_view name = slice.substr(0, slice.size() - kSlice.size());
  // systemd.slice(5): "-" stands between the names of the slices on the way.
  const bool has_empty_part =
      name.starts_with('-') || name.ends_with('-') || name.find("--") != std::string_view::npos;
  if (has_empty_part && name != "-") return Error("a slice without a name is on the way to it");
  return ok();
}

struct Names {
  std::string slice;
  std::string unit;
};

Result<Names> names_of(const Draft& draft, bool user) {
  const std::string& path = draft.config.linux_.cgroups_path;
  std::vector<std::string_view> parts = split(path, ':');
  if (path.empty()) parts = {"", "runtime", draft.request.id};
  if (parts.size() != 3) {
    return Error("systemd is to make it: expected slice:prefix:name")
        .with_hint("--cgroup-manager cgroupfs takes a path");
  }
  Names names;
  names.slice = parts[0];
  if (names.slice.empty()) names.slice = user ? "user.slice" : "system.slice";
  TRY(check_slice(names.slice), "slice ", quoted(names.slice));
  if (parts[2].empty()) return Error("the name behind the second \":\" is missing");
  if (parts[2].ends_with(kSlice)) {
    return Error(
        cat(quoted(parts[2]), ": a slice holds other units: a container's unit is a scope"));
  }
  names.unit = cat(parts[1], parts[1].empty() ? "" : "-", parts[2], kScope);
  TRY(check_unit_name(names.unit, kScope), "unit ", quoted(names.unit));
  return names;
}

/// systemd's names for cgroups keep clear of the kernel's files: those get a "_" in front.
std::string cgroup_name(std::string_view unit) {
  static constexpr std::string_view kTaken[] = {
      "_",      ".",     "cgroup.", "cpu.",     "cpuacct.",      "cpuset.",      "io.",
      "blkio.", "pids.", "memory.", "devices.", "bpf-firewall.", "bpf-devices.", "bpf-foreign.",
  };
  const bool taken = std::ranges::any_of(
      kTaken, [&](std::string_view prefix) { return unit.starts_with(prefix); });
  return cat(taken ? "_" : "", unit);
}

/// "/a.slice/a-b.slice" of "a-b.slice"; empty for "-.slice", the root of all.
std::string path_of_slice(std::string_view slice) {
  const std::string_view name = slice.substr(0, slice.size() - kSlice.size());
  if (name == "-") return "";
  std::string path;
  for (size_t end = name.find('-');; end = name.find('-', end + 1)) {
    path += cat('/', cgroup_name(cat(name.substr(0, end), kSlice)));
    if (end == std::string_view::npos) return path;
  }
}

/// The end of the component of `path` that begins with `prefix` and ends with `suffix`; nothing
/// when there is none.
std::optional<size_t> end_of_component(std::string_view path, std::string_view prefix,
                                       std::string_view suffix) {
  size_t end = 0;
  for (const std::string_view part : split(path, '/')) {
    end += part.size();
    if (part.starts_with(prefix) && part.ends_with(suffix)) return end;
    ++end;
  }
  return std::nullopt;
}

/// The cgroup of the user's own manager, by where the runtime is; nothing when it is elsewhere.
std::optional<std::string> manager_above(const std::string& own) {
  if (const auto end = end_of_component(own, "user@", ".service")) return own.substr(0, *end);
  const auto end = end_of_component(own, "user-", kSlice);
  if (!end) return std::nullopt;
  const std::string slice = own.substr(0, *end);
  const size_t name = slice.rfind('/') + 1;
  const std::string uid = slice.substr(name + 5, slice.size() - name - 5 - kSlice.size());
  return cat(slice, "/user@", uid, ".service");
}

/// The hierarchies in which systemd tells its units apart.
bool is_tracked(const CgroupHierarchy& hierarchy) {
  const std::vector<std::string>& controllers = hierarchy.controllers;
  return hierarchy.unified || std::ranges::find(controllers, "name=systemd") != controllers.end();
}

struct Manager {
  bool user = false;
  std::string cgroup;  // below which its slices are
};

/// Root asks the system's manager. Who is not root, also who only looks like it in a user
/// namespace of his own, asks his own.
Manager manager_of(const HostFacts& host) {
  if (!host.rootless()) return {};
  for (const CgroupHierarchy& hierarchy : host.cgroups) {
    if (!is_tracked(hierarchy)) continue;
    const auto above = manager_above(hierarchy.own_path);
    if (above) return {true, *above};
  }
  // Root of a user namespace that is a machine of its own: its systemd is the system's.
  if (host.euid == 0) return {};
  return {true, cat("/user.slice/user-", host.euid, ".slice/user@", host.euid, ".service")};
}

std::vector<CgroupDirectory> directories_of(const HostFacts& host, const ScopeStep& scope) {
  std::vector<CgroupDirectory> directories;
  for (const CgroupHierarchy& hierarchy : host.cgroups) {
    // v1 controllers are not for users.
    if (scope.user && !is_tracked(hierarchy)) continue;
    const std::vector<std::string>& controllers = hierarchy.controllers;
    CgroupDirectory directory;
    directory.hierarchy = hierarchy.mount_point;
    directory.path = cat(hierarchy.mount_point, scope.cgroup);
    directory.unified = hierarchy.unified;
    directory.cpuset =
        !hierarchy.unified && std::ranges::find(controllers, "cpuset") != controllers.end();
    directories.push_back(std::move(directory));
  }
  return directories;
}

/// What every scope of ours is.
std::vector<UnitProperty> properties_of(const Draft& draft, const Origin& origin) {
  return {
      {"Description", "s", {cat("container ", draft.request.id)}, 0, origin},
      // What is in it is the container's business.
      {"Delegate", "b", {"true"}, 0, origin},
      // Its end at shutdown is ordered by the engine.
      {"DefaultDependencies", "b", {"false"}, 0, origin},
      // Forgotten when it is empty, however that came about.
      {"CollectMode", "s", {"inactive-or-failed"}, 236, origin},
      {"CPUAccounting", "b", {"true"}, 0, origin},
      {"MemoryAccounting", "b", {"true"}, 0, origin},
      {"IOAccounting", "b", {"true"}, 230, origin},
      {"TasksAccounting", "b", {"true"}, 227, origin},
  };
}

}  // namespace

void set_property(std::vector<UnitProperty>& properties, UnitProperty property) {
  std::erase_if(properties, [&](const UnitProperty& one) { return one.name == property.name; });
  properties.push_back(std::move(property));
}

Result<CgroupStep> plan_scope(Draft& draft) {
  const std::string& wanted = draft.config.linux_.cgroups_path;
  CgroupStep step;
  step.origin = wanted.empty() ? "default: cgroupsPath" : "/linux/cgroupsPath";
  const Manager manager = manager_of(draft.host);
  Result<Names> names = names_of(draft, manager.user);
  if (!names && !wanted.empty()) names = std::move(names).error().within(quoted(wanted));
  const Names known = TRY(at(step.origin, std::move(names)), "linux.cgroupsPath");
  ScopeStep scope;
  scope.unit = known.unit;
  scope.slice = known.slice;
  scope.user = manager.user;
  scope.cgroup = cat(manager.cgroup, path_of_slice(known.slice), '/', cgroup_name(known.unit));
  scope.helper = draft.request.systemd_helper;
  scope.properties = properties_of(draft, step.origin);
  std::vector<UnitProperty> annotated = TRY(annotated_properties(draft.config.annotations));
  for (UnitProperty& property : annotated) {
    set_property(scope.properties, std::move(property));
  }
  step.directories = directories_of(draft.host, scope);
  step.scope = std::move(scope);
  return step;
}

}  // namespace rt::plan
