// update: the limits of a container that is there already.
#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "runtime/cgroup/limits.h"
#include "runtime/container/container.h"
#include "runtime/container/hooks.h"
#include "runtime/container/merge.h"
#include "runtime/kernel/host.h"
#include "runtime/kernel/intel_rdt.h"
#include "runtime/plan/make_plan.h"
#include "spec/diagnostic.h"
#include "spec/load.h"
#include "spec/validate.h"
#include "spec/write_resources.h"

namespace rt::container {
namespace {

using plan::CgroupDirectory;
using plan::CgroupHierarchy;
using spec::Resources;

/// How long the kernel may take to reclaim what a lower memory limit leaves no room for.
constexpr std::chrono::milliseconds kReclaimPatience{5000};

bool is_error(const spec::Diagnostic& diagnostic) {
  return diagnostic.severity == spec::Severity::kError;
}

/// "--resources:3:5 /memory/limit"
std::string place_of(size_t line, size_t column, std::string_view pointer) {
  return cat("--resources:", line, ':', column, pointer.empty() ? "" : " ", pointer);
}

std::string describe(const spec::Diagnostic& one) {
  return cat(place_of(one.line, one.column, one.pointer), ": ", one.message);
}

/// The document, when there is one, or what the command line says.
Result<Resources> read_changes(const UpdateOptions& options) {
  if (!options.document) {
    const std::vector<spec::Diagnostic> found = spec::validate_resources(options.changes);
    const auto first = std::ranges::find_if(found, is_error);
    if (first == found.end()) return meant(options.changes);
    return Error(cat(first->pointer, ": ", first->message)).within("update");
  }
  spec::LoadedResources loaded = spec::load_resources(*options.document);
  const auto first = std::ranges::find_if(loaded.diagnostics, is_error);
  if (first != loaded.diagnostics.end()) {
    const auto errors = std::ranges::count_if(loaded.diagnostics, is_error);
    Error error = Error(describe(*first)).at(first->pointer);
    if (errors == 1) return error;
    return std::move(error).with_hint("the first of ", errors, " errors");
  }
  for (const spec::Diagnostic& warning : loaded.diagnostics) {
    if (options.warn) options.warn(describe(warning));
  }
  return meant(*std::move(loaded.resources));
}

/// Where the document, if there is one, has what the plan names by its pointer.
std::string place_of(std::string_view origin, const UpdateOptions& options) {
  // Some parts of the plan name the place that it would have in config.json.
  constexpr std::string_view kResources = "/linux/resources";
  std::string_view pointer = origin;
  if (pointer.starts_with(kResources)) pointer.remove_prefix(kResources.size());
  if (!options.document || !pointer.starts_with('/')) return std::string(pointer);
  const spec::Position position = spec::locate(*options.document, pointer);
  return place_of(position.line, position.column, pointer);
}

Error placed(Error error, const UpdateOptions& options) {
  const std::string place = place_of(error.pointer(), options);
  return place.empty() ? error : std::move(error).with_hint(place);
}

/// A document of the entry's own, which is written as a whole or not at all: somebody else, or the
/// disk, has damaged one that cannot be read. Without it we would not know what the container has,
/// and one value may be relative to another (swap to memory): whoever updates is to say what holds.
Result<Resources> read_own(const Entry& entry, const char* name, std::string_view text,
                           std::string_view hint) {
  spec::LoadedResources loaded = spec::load_resources(text);
  if (loaded.resources) return *std::move(loaded.resources);
  const auto first = std::ranges::find_if(loaded.diagnostics, is_error);
  return Error(cat(entry.path(), '/', name, ':', first->line, ':', first->column,
                   ": damaged: ", first->message))
      .with_hint(hint);
}

/// What the container has: of the last update, or of its config.
Result<Resources> load_resources(const Entry& entry, const spec::Config& config) {
  const std::optional<std::string> text = TRY(entry.load_resources());
  if (!text) return config.linux_.resources.value_or(Resources());
  return read_own(entry, Entry::kResources, *text,
                  "it keeps what updates have set, and those limits still hold; remove it, and "
                  "repeat these updates");
}

/// With what an update was changing that was killed, and of which the kernel may have a part.
Result<Resources> with_interrupted(const Entry& entry, const Resources& changes) {
  const std::optional<std::string> text = TRY(entry.load_intent());
  if (!text) return changes;
  const Resources interrupted = TRY(read_own(
      entry, Entry::kIntent, *text,
      "it keeps what an update that was killed was changing; remove it, and repeat that update"));
  return merge(interrupted, changes);
}

/// The directories of the container as the plan names them, each with its hierarchy.
std::vector<CgroupDirectory> directories_of(const Record& record, const plan::HostFacts& host) {
  std::vector<CgroupDirectory> directories;
  for (const cgroup::Directory& one : record.cgroups) {
    if (!one.leaf) continue;
    CgroupDirectory directory;
    directory.path = one.path;
    directory.unified = one.unified;
    for (const CgroupHierarchy& hierarchy : host.cgroups) {
      const bool above =
          hierarchy.unified == one.unified && one.path.starts_with(cat(hierarchy.mount_point, '/'));
      // The innermost: a hierarchy may be mounted below another one.
      if (above && hierarchy.mount_point.size() > directory.hierarchy.size()) {
        directory.hierarchy = hierarchy.mount_point;
      }
    }
    if (!directory.hierarchy.empty()) directories.push_back(std::move(directory));
  }
  return directories;
}

/// All that one update writes, and how the container was before.
struct UpdatePlan {
  Resources now;
  Resources merged;
  plan::ResourcesStep step;
  std::optional<plan::DeviceFilter> old_devices;  // as `step.devices` replaces it
  std::optional<plan::IntelRdtStep> rdt;
  std::optional<plan::ScopeStep> scope;  // where systemd has made the cgroup, with its properties
  std::vector<plan::Warning> warnings;
};

/// What two values that were set at different times mean together.
Status check_merged(const Resources& merged) {
  const std::vector<spec::Diagnostic> found = spec::validate_resources(merged);
  const auto first = std::ranges::find_if(found, is_error);
  if (first == found.end()) return ok();
  return Error(cat("with what the container has: ", first->pointer, ": ", first->message));
}

Result<std::optional<plan::IntelRdtStep>> plan_rdt(spec::Config config,
                                                   const plan::Request& request,
                                                   const UpdateOptions& options) {
  if (options.l3_cache_schema.empty() && options.mem_bw_schema.empty()) {
    return std::optional<plan::IntelRdtStep>();
  }
  std::optional<spec::IntelRdt>& rdt = config.linux_.intel_rdt;
  if (!rdt) {
    return Error("--l3-cache-schema, --mem-bw-schema: the container has no group of resctrl")
        .with_hint("its config.json has no linux.intelRdt");
  }
  rdt->l3_cache_schema = options.l3_cache_schema;
  rdt->mem_bw_schema = options.mem_bw_schema;
  rdt->schemata.clear();
  return plan::plan_rdt_update(config, request);
}

Result<UpdatePlan> plan_all(const Entry& entry, const Record& record, const Resources& changes,
                            const UpdateOptions& options) {
  spec::Config config = TRY(load_config(entry));
  const plan::HostFacts host = TRY(kernel::probe_host());
  plan::Request request;
  request.id = record.id;
  request.bundle = record.bundle;
  request.strict = options.strict;
  request.resctrl_root = options.resctrl_root;
  request.cgroup_manager = options.cgroup_manager;
  request.systemd_helper = options.systemd_helper;
  UpdatePlan all;
  all.now = TRY(load_resources(entry, config));
  all.merged = merge(all.now, changes);
  TRY(check_merged(all.merged));
  all.rdt = TRY(plan_rdt(config, request, options));
  if (is_empty(changes)) return all;
  const std::vector<CgroupDirectory> directories = directories_of(record, host);
  if (directories.empty()) return Error("a container without a cgroup has no limits to change");
  all.step = TRY(plan::plan_update(changes, all.now, directories, request, host, all.warnings));
  if (!changes.devices.empty()) {
    all.step.devices = TRY(plan::plan_device_update(changes.devices, directories, request, host));
    all.old_devices = TRY(plan::plan_device_filter(all.now.devices, directories, request, host));
  }
  config.linux_.resources = all.merged;
  all.scope = plan::plan_scope_update(config, request, host, all.step, directories);
  return all;
}

/// What was done, and how to undo it.
class Undo {
 public:
  void add(std::function<Status()> action) { actions_.push_back(std::move(action)); }

  /// Undoes it all, newest first; the error, and what could not be undone.
  Error after(Error error) {
    for (; !actions_.empty(); actions_.pop_back()) {
      const Status undone = actions_.back()();
      if (!undone) error = std::move(error).with_hint("and to undo it: ", undone.error().message());
    }
    return error;
  }

 private:
  std::vector<std::function<Status()>> actions_;
};

/// Tells systemd of the new limits, or a daemon-reload would bring the old ones back. It writes
/// them at once, so it must not hear of one before the kernel has taken that.
Status tell_systemd(const UpdatePlan& all) {
  TRY(cgroup::set_scope_properties(*all.scope, all.scope->properties));
  // It has less words for devices than there are.
  const bool devices = all.step.devices && !all.step.devices->unified;
  return devices ? cgroup::set_device_filter(*all.step.devices) : ok();
}

/// The limits come last: update_limits leaves nothing half done by itself.
Status write_all(const Entry& entry, const Resources& changes, UpdatePlan& all, Undo& undo) {
  const std::optional<std::string> earlier = TRY(entry.load_intent());
  TRY(entry.save_intent(spec::to_json(changes)));
  undo.add(
      [&entry, earlier] { return earlier ? entry.save_intent(*earlier) : entry.drop_intent(); });
  TRY(entry.save_resources(spec::to_json(all.merged)));
  undo.add([&] { return entry.save_resources(spec::to_json(all.now)); });
  if (all.rdt) {
    const std::string before = TRY(kernel::update_rdt_group(*all.rdt));
    undo.add([&, before] { return kernel::restore_rdt_group(*all.rdt, before); });
  }
  if (all.step.devices) {
    if (all.old_devices) {
      undo.add([&] { return cgroup::set_device_filter(*all.old_devices); });
    }
    TRY(cgroup::set_device_filter(*all.step.devices));
  }
  std::function<Status()> agree;
  if (all.scope) agree = [&] { return tell_systemd(all); };
  const std::vector<plan::Warning> warnings =
      TRY(cgroup::update_limits(all.step.settings, kReclaimPatience, agree));
  all.warnings.insert(all.warnings.end(), warnings.begin(), warnings.end());
  // If it stays, the next update writes the same once more.
  static_cast<void>(entry.drop_intent());
  return ok();
}

Status update_locked(const Entry& entry, const Record& record, const Resources& asked,
                     const UpdateOptions& options) {
  const Resources changes = TRY(with_interrupted(entry, asked));
  UpdatePlan all = TRY(plan_all(entry, record, changes, options));
  Undo undo;
  Status written = write_all(entry, changes, all, undo);
  if (!written) return undo.after(std::move(written).error());
  for (const plan::Warning& warning : all.warnings) {
    if (options.warn) options.warn(cat(place_of(warning.origin, options), ": ", warning.message));
  }
  return ok();
}

}  // namespace

Status update(const Store& store, const std::string& id, const UpdateOptions& options) {
  const Resources changes = TRY(read_changes(options));
  const std::optional<Entry> entry = TRY(store.find_locked(id));
  if (!entry) return no_such_container(id);
  const Observed seen = TRY(observe(*entry));
  if (!seen.init) return Error(cat(id, ": container not running"));
  Status updated = update_locked(*entry, seen.record, changes, options);
  if (!updated) return placed(std::move(updated).error(), options).within(id);
  return ok();
}

}  // namespace rt::container
