// What systemd must know of the limits: at every daemon-reload it writes what it knows to the
// scope's files again, and to those that it has not been told of what means "no limit".
// org.freedesktop.systemd1(5), systemd.resource-control(5).
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "runtime/plan/parts.h"
#include "runtime/plan/scope_parts.h"
#include "spec/number_list.h"

namespace rt::plan {
namespace {

using Properties = std::vector<UnitProperty>;

constexpr uint64_t kInfinity = std::numeric_limits<uint64_t>::max();

/// What properties are made of.
struct Source {
  const ResourcesStep& resources;
  const std::vector<CgroupDirectory>& directories;
};

/// A number, or what stands for no limit.
std::optional<uint64_t> parse_limit(std::string_view text) {
  if (text == "max" || text == "-1") return kInfinity;
  return parse_uint(text);
}

std::optional<std::string> number(std::string_view text) {
  const std::optional<uint64_t> value = parse_limit(text);
  return value ? std::optional(std::to_string(*value)) : std::nullopt;
}

/// That of all devices, of "default 100" or of "100".
std::optional<std::string> default_weight(std::string_view text) {
  constexpr std::string_view kDefault = "default ";
  if (text.starts_with(kDefault)) text.remove_prefix(kDefault.size());
  return number(text);
}

/// Files with one number.
struct FileRow {
  std::string_view file;
  std::string_view property;
  unsigned since;
  std::optional<std::string> (*value)(std::string_view);
};

constexpr FileRow kFiles[] = {
    {"cpu.weight", "CPUWeight", 232, number},
    {"io.weight", "IOWeight", 230, default_weight},
    {"memory.high", "MemoryHigh", 231, number},
    {"memory.low", "MemoryLow", 231, number},
    {"memory.max", "MemoryMax", 231, number},
    {"memory.min", "MemoryMin", 240, number},
    {"memory.swap.max", "MemorySwapMax", 232, number},
    {"memory.zswap.max", "MemoryZSwapMax", 253, number},
    {"pids.max", "TasksMax", 227, number},
    // v1
    {"blkio.weight", "BlockIOWeight", 0, number},
    {"cpu.shares", "CPUShares", 0, number},
    {"memory.limit_in_bytes", "MemoryLimit", 0, number},
};

UnitProperty property_of(std::string_view name, unsigned since, std::string word,
                         const Origin& origin) {
  return {std::string(name), "t", {std::move(word)}, since, origin};
}

/// Microseconds of CPU in a second. systemd would round it up to the same itself.
uint64_t quota_per_second(uint64_t quota, uint64_t period) {
  constexpr uint64_t kSecond = 1000000;
  constexpr uint64_t kStep = 10000;
  if (quota == kInfinity || quota > kInfinity / kSecond) return kInfinity;
  const uint64_t rate = quota * kSecond / period;
  return (rate + kStep - 1) / kStep * kStep;
}

/// cpu.max: "50000 100000", "max".
void add_cpu_quota(const CgroupSetting& setting, std::string_view value, Properties& properties) {
  const std::vector<std::string_view> words = split(value, ' ');
  const std::optional<uint64_t> quota = parse_limit(words[0]);
  const std::optional<uint64_t> period = words.size() > 1 ? parse_uint(words[1]) : std::nullopt;
  constexpr uint64_t kUsualPeriod = 100000;
  if (!quota) return;
  const uint64_t rate =
      quota_per_second(*quota, std::max<uint64_t>(period.value_or(kUsualPeriod), 1));
  set_property(properties,
               property_of("CPUQuotaPerSecUSec", 0, std::to_string(rate), setting.origin));
  if (!period) return;
  set_property(properties,
               property_of("CPUQuotaPeriodUSec", 242, std::to_string(*period), setting.origin));
}

/// v1 has quota and period in a file each.
void add_v1_cpu_quota(const Source& source, const CgroupSetting& setting, std::string_view quota,
                      Properties& properties) {
  std::string value(quota);
  for (const CgroupSetting& other : source.resources.settings) {
    const CgroupSetting::Form& form = other.forms.front();
    if (form.file == "cpu.cfs_period_us") value = cat(quota, ' ', form.value);
  }
  add_cpu_quota(setting, value, properties);
}

/// AllowedCPUs, AllowedMemoryNodes: a bit for each, the lowest first. Of v2 alone.
void add_cpuset(const CgroupSetting& setting, std::string_view name, std::string_view list,
                Properties& properties) {
  const auto ranges = spec::parse_number_list(list);
  if (!ranges) return;
  std::vector<unsigned> bytes;
  for (const spec::NumberRange& range : *ranges) {
    for (uint64_t i = range.first; i <= std::min(range.last, spec::kHighestCpu); ++i) {
      if (bytes.size() <= i / 8) bytes.resize(i / 8 + 1);
      bytes[i / 8] |= 1U << (i % 8);
    }
  }
  UnitProperty property{
      std::string(name), "ay", {std::to_string(bytes.size())}, 244, setting.origin};
  for (const unsigned byte : bytes) property.words.push_back(std::to_string(byte));
  set_property(properties, std::move(property));
}

/// What one form of the setting is for systemd; false when it is nothing.
bool add_form(const Source& source, const CgroupSetting& setting, const CgroupSetting::Form& form,
              Properties& properties) {
  const auto directory =
      std::ranges::find(source.directories, setting.directory, &CgroupDirectory::path);
  const bool unified = directory == source.directories.end() || directory->unified;
  if (form.file == "cpu.max") {
    add_cpu_quota(setting, form.value, properties);
  } else if (form.file == "cpu.cfs_quota_us") {
    add_v1_cpu_quota(source, setting, form.value, properties);
  } else if (form.file == "cpu.idle" && form.value == "1") {
    // CPUWeight=idle.
    set_property(properties, property_of("CPUWeight", 252, "0", setting.origin));
  } else if (unified && form.file == "cpuset.cpus") {
    add_cpuset(setting, "AllowedCPUs", form.value, properties);
  } else if (unified && form.file == "cpuset.mems") {
    add_cpuset(setting, "AllowedMemoryNodes", form.value, properties);
  } else {
    const auto* row = std::ranges::find(kFiles, form.file, &FileRow::file);
    const auto value = row == std::end(kFiles) ? std::nullopt : row->value(form.value);
    if (!value) return false;
    set_property(properties, property_of(row->property, row->since, *value, setting.origin));
  }
  return true;
}

/// Of quota and period in a file each an update may write one: adds the other, which the container
/// has. systemd knows what they make together.
void complete_v1_quota(std::vector<CgroupSetting>& settings,
                       const std::optional<spec::Resources>& whole) {
  const auto find = [&](std::string_view file) {
    return std::ranges::find_if(
        settings, [&](const CgroupSetting& setting) { return setting.forms.front().file == file; });
  };
  const auto quota = find("cpu.cfs_quota_us");
  const auto period = find("cpu.cfs_period_us");
  const bool has_one = (quota == settings.end()) != (period == settings.end());
  if (!has_one || !whole || !whole->cpu) return;
  CgroupSetting other = quota == settings.end() ? *period : *quota;
  if (quota == settings.end()) {
    if (whole->cpu->quota.value_or(0) == 0) return;
    other.forms = {{"cpu.cfs_quota_us", std::to_string(*whole->cpu->quota)}};
  } else {
    if (whole->cpu->period.value_or(0) == 0) return;
    other.forms = {{"cpu.cfs_period_us", std::to_string(*whole->cpu->period)}};
  }
  settings.push_back(std::move(other));
}

/// Whether one of the directories is the scope's: in every hierarchy it has the unit's name.
bool is_of(const ScopeStep& scope, const std::vector<CgroupDirectory>& directories) {
  const std::string_view name = std::string_view(scope.cgroup).substr(scope.cgroup.rfind('/'));
  return std::ranges::any_of(directories, [&](const CgroupDirectory& directory) {
    return directory.path.ends_with(name);
  });
}

}  // namespace

std::vector<UnitProperty> unit_properties(const ResourcesStep& resources,
                                          const std::vector<CgroupDirectory>& directories) {
  const Source source{resources, directories};
  Properties properties;
  for (const CgroupSetting& setting : resources.settings) {
    bool known = false;
    for (const CgroupSetting::Form& form : setting.forms) {
      known = known || add_form(source, setting, form, properties);
    }
  }
  if (!resources.devices || resources.devices->unified) return properties;
  for (UnitProperty& property : device_properties(*resources.devices)) {
    properties.push_back(std::move(property));
  }
  return properties;
}

void plan_scope_properties(Draft& draft) {
  const CgroupStep& cgroup = draft.plan.cgroup;
  for (UnitProperty& property : unit_properties(draft.plan.resources, cgroup.directories)) {
    set_property(draft.plan.cgroup.scope->properties, std::move(property));
  }
}

std::optional<ScopeStep> plan_scope_update(const spec::Config& config, const Request& request,
                                           const HostFacts& host, const ResourcesStep& resources,
                                           const std::vector<CgroupDirectory>& directories) {
  if (request.cgroup_manager != CgroupManager::kSystemd) return std::nullopt;
  Draft draft{config, request, host, {}};
  Result<CgroupStep> cgroup = plan_scope(draft);
  if (!cgroup || !is_of(*cgroup.value().scope, directories)) return std::nullopt;
  ScopeStep scope = *std::move(cgroup.value().scope);
  scope.properties.clear();
  ResourcesStep told = resources;
  complete_v1_quota(told.settings, config.linux_.resources);
  for (UnitProperty& property : unit_properties(told, directories)) {
    // systemd adds to the list that it has; an empty one takes that away.
    constexpr std::string_view kList = "DeviceAllow";
    if (property.name == kList) {
      scope.properties.push_back({property.name, property.signature, {"0"}, 0, property.origin});
    }
    scope.properties.push_back(std::move(property));
  }
  return scope;
}

}  // namespace rt::plan
