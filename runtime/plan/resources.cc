// linux.resources of the document as values for the control files of this machine. Each controller
// is looked for by itself, in a v1 hierarchy and else in the v2 one: v1, v2 and a mixture of both
// are the same to what follows. runtime-spec config-linux.md, "Control groups".
#include <algorithm>
#include <utility>

#include "runtime/plan/parts.h"
#include "runtime/plan/resources_parts.h"

namespace rt::plan {
namespace {

/// What engines send without having been asked for it. A container runs without it where the
/// machine cannot do it: nothing is exceeded.
constexpr std::string_view kUnasked[] = {
    "/cpu/shares",  // containerd: 1024 with every container, 2 with the sandbox of a pod
};

bool has(const CgroupHierarchy& hierarchy, std::string_view controller) {
  return std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end();
}

bool is_for(const CgroupHierarchy& hierarchy, const Controller& controller) {
  if (!hierarchy.unified) return !controller.v1.empty() && has(hierarchy, controller.v1);
  if (controller.v2.empty()) return controller.v1.empty();
  return has(hierarchy, controller.v2);
}

bool is_index(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

/// "blockIO.weightDevice[0].weight" of "/blockIO/weightDevice/0/weight".
std::string words_of(std::string_view property) {
  std::string words;
  for (const std::string_view part : split(property.substr(1), '/')) {
    if (is_index(part)) {
      words += cat('[', part, ']');
    } else {
      words += cat(words.empty() ? "" : ".", escaped(part));
    }
  }
  return words;
}

/// "/memory" of "/memory/limit".
std::string_view group_of(std::string_view property) {
  return property.substr(0, property.find('/', 1));
}

void need(CgroupDirectory& directory, std::string_view controller, const Origin& origin) {
  if (!directory.unified || controller.empty()) return;
  if (std::ranges::find(directory.needs, controller, &ControllerNeed::name) ==
      directory.needs.end()) {
    directory.needs.push_back({std::string(controller), origin});
  }
}

}  // namespace

CgroupDirectory* Limits::directory_in(const CgroupHierarchy& hierarchy) const {
  const auto found =
      std::ranges::find(directories_, hierarchy.mount_point, &CgroupDirectory::hierarchy);
  return found == directories_.end() ? nullptr : &*found;
}

CgroupDirectory* Limits::find(const Controller& controller) const {
  // The kernel has a controller in one hierarchy alone.
  for (const CgroupHierarchy& hierarchy : context_.host.cgroups) {
    CgroupDirectory* directory = directory_in(hierarchy);
    if (directory != nullptr && is_for(hierarchy, controller)) return directory;
  }
  return nullptr;
}

bool Limits::unified(const Controller& controller) const {
  const CgroupDirectory* directory = find(controller);
  return directory != nullptr && directory->unified;
}

Error Limits::why_not(const Controller& controller) const {
  if (directories_.empty()) return Error("the container has no cgroup");
  std::string mounted;
  for (const CgroupHierarchy& hierarchy : context_.host.cgroups) {
    if (is_for(hierarchy, controller)) {
      return Error(cat("the container has no cgroup in ", hierarchy.mount_point));
    }
    for (const std::string& name : hierarchy.controllers) {
      if (name.starts_with("name=")) continue;
      mounted += cat(mounted.empty() ? "" : ", ", name, hierarchy.unified ? " (v2)" : "");
    }
  }
  const bool v2_alone = controller.v1.empty();
  if (v2_alone && !std::ranges::any_of(context_.host.cgroups, &CgroupHierarchy::unified)) {
    return Error("cgroup v2 is not mounted on this machine");
  }
  return Error(cat("controller ", printable(v2_alone ? controller.v2 : controller.v1),
                   " is not available ", v2_alone ? "in cgroup v2" : "on this machine"))
      .with_hint("mounted are ", mounted.empty() ? "none" : mounted);
}

Error Limits::error(std::string_view property, std::string_view why) const {
  const std::string_view prefix = context_.pointer.empty() ? "" : "linux.resources.";
  return Error(cat(prefix, words_of(property), ": ", why)).at(cat(context_.pointer, property));
}

void Limits::warn(std::string_view property, std::string message) {
  Warning warning = {cat(context_.pointer, property), std::move(message)};
  if (std::ranges::find(warnings_, warning) == warnings_.end()) {
    warnings_.push_back(std::move(warning));
  }
}

bool Limits::is_unasked(const Limit& limit) const {
  // Who updates has been asked.
  return !context_.update && std::ranges::find(kUnasked, limit.property) != std::end(kUnasked);
}

/// There is no cgroup for the limit.
Status Limits::do_without(const Limit& limit) {
  if (limit.implied) return ok();
  const std::string why = why_not(limit.controller).message();
  if (context_.strict) return error(limit.property, why);
  if (context_.may_lack_cgroup) {
    const std::string_view group = group_of(limit.property);
    warn(group, cat(group.substr(1), " limits are not applied: ", why));
    return ok();
  }
  if (!is_unasked(limit)) return error(limit.property, why);
  warn(limit.property, cat(words_of(limit.property), " is not applied: ", why));
  return ok();
}

Status Limits::add(Limit limit) {
  using Missing = CgroupSetting::Missing;
  CgroupDirectory* directory = find(limit.controller);
  if (directory == nullptr) return do_without(limit);
  CgroupSetting setting;
  setting.forms = std::move(directory->unified ? limit.v2 : limit.v1);
  if (setting.forms.empty()) {
    if (limit.implied) return ok();
    return error(limit.property,
                 cat("cgroup v", directory->unified ? '2' : '1', " has no such setting"));
  }
  setting.directory = directory->path;
  setting.missing = limit.missing;
  if (is_unasked(limit)) setting.missing = Missing::kWarning;
  if (limit.implied) setting.missing = Missing::kNothing;
  if (context_.strict && setting.missing == Missing::kWarning) setting.missing = Missing::kError;
  setting.time = limit.time;
  setting.shows_value = limit.shows_value;
  setting.origin = cat(context_.pointer, limit.property);
  if (setting.missing == Missing::kError) need(*directory, limit.controller.v2, setting.origin);
  settings.push_back(std::move(setting));
  return ok();
}

namespace {

Result<std::vector<CgroupSetting>> settings_of(Limits limits) {
  TRY(plan_memory(limits));
  TRY(plan_cpu(limits));
  TRY(plan_block_io(limits));
  TRY(plan_hugepages(limits));
  TRY(plan_network(limits));
  TRY(plan_pids(limits));
  TRY(plan_rdma(limits));
  // Last: who names a file means what he says.
  TRY(plan_unified(limits));
  return std::move(limits.settings);
}

}  // namespace

Result<ResourcesStep> plan_resources(Draft& draft) {
  ResourcesStep step;
  const spec::Resources none;
  const std::optional<spec::Resources>& wanted = draft.config.linux_.resources;
  CgroupStep& cgroup = draft.plan.cgroup;
  const bool disabled = draft.request.cgroup_manager == CgroupManager::kDisabled;
  const LimitsContext context = {.wanted = wanted ? *wanted : none,
                                 .now = none,
                                 .host = draft.host,
                                 .pointer = "/linux/resources",
                                 .strict = draft.request.strict,
                                 .may_lack_cgroup = disabled || cgroup.optional};
  step.settings = TRY(settings_of(Limits(context, cgroup.directories, draft.plan.warnings)));
  step.devices = TRY(plan_device_filter(draft));
  return step;
}

Result<ResourcesStep> plan_update(const spec::Resources& changes, const spec::Resources& now,
                                  const std::vector<CgroupDirectory>& directories,
                                  const Request& request, const HostFacts& host,
                                  std::vector<Warning>& warnings) {
  ResourcesStep step;
  std::vector<CgroupDirectory> copies = directories;
  const LimitsContext context = {.wanted = changes,
                                 .now = now,
                                 .host = host,
                                 .pointer = "",
                                 .update = true,
                                 .strict = request.strict};
  step.settings = TRY(settings_of(Limits(context, copies, warnings)));
  return step;
}

}  // namespace rt::plan
