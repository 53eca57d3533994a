// The rules of config.json's "linux", except sysctl, seccomp and resources.
#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "runtime/base/text.h"
#include "spec/validate_parts.h"
#include "spec/words.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

void check_namespaces(const Path& at, const std::vector<Namespace>& namespaces, Findings findings) {
  for (size_t i = 0; i < namespaces.size(); ++i) {
    const Namespace& entry = namespaces[i];
    const Path place = at.element(i);
    const bool known =
        findings.expect_word(place.member("type"), entry.type, "namespace type", kNamespaceTypes);
    const auto end = namespaces.begin() + static_cast<std::ptrdiff_t>(i);
    const auto same = [&](const Namespace& other) { return other.type == entry.type; };
    if (known && std::any_of(namespaces.begin(), end, same)) {
      findings.error(place.member("type"), cat("the namespace ", entry.type, " is there twice"));
    }
    if (!entry.path.empty()) findings.expect_absolute(place.member("path"), entry.path);
  }
}

/// Two ranges of ids that share one, if any; the later of both.
std::optional<size_t> find_overlap(const std::vector<IdMapping>& mappings,
                                   uint32_t IdMapping::* start) {
  std::vector<size_t> order(mappings.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return mappings[a].*start < mappings[b].*start; });
  for (size_t i = 1; i < order.size(); ++i) {
    const IdMapping& before = mappings[order[i - 1]];
    const IdMapping& after = mappings[order[i]];
    if (uint64_t{before.*start} + before.size > after.*start) {
      return std::max(order[i - 1], order[i]);
    }
  }
  return std::nullopt;
}

void check_user_namespace(const Path& at, const Linux& linux_config, Findings findings) {
  const std::pair<std::string_view, const std::vector<IdMapping>&> maps[] = {
      {"uidMappings", linux_config.uid_mappings}, {"gidMappings", linux_config.gid_mappings}};
  const Namespace* user = find_namespace(linux_config, "user");
  for (const auto& [name, mappings] : maps) {
    if (user == nullptr && !mappings.empty()) {
      findings.error(at.member(name), "needs a namespace of type \"user\"");
    }
    if (user != nullptr && user->path.empty() && mappings.empty()) {
      findings.error(at.member(name), "a new user namespace needs it: no id is valid in it yet");
    }
    check_mappings(at.member(name), mappings, findings);
  }
}

void check_time_offsets(const Path& at, const Linux& linux_config, Findings findings) {
  static constexpr std::string_view kClocks[] = {"monotonic", "boottime"};
  if (linux_config.time_offsets.empty()) return;
  const Namespace* time = find_namespace(linux_config, "time");
  if (time == nullptr) {
    findings.error(at, "needs a namespace of type \"time\"");
  } else if (!time->path.empty()) {
    findings.error(at, "the clocks of a time namespace that is joined cannot be set");
  }
  for (const auto& [clock, offset] : linux_config.time_offsets) {
    const Path entry = at.member(clock);
    if (!is_one_of(clock, kClocks)) {
      findings.error(entry, cat("unknown clock ", quoted(clock), did_you_mean(clock, kClocks)),
                     Place::kKey);
    }
    if (offset.nanosecs >= 1'000'000'000) {
      findings.error(entry.member("nanosecs"),
                     cat("expected less than a second (1000000000), found ", offset.nanosecs));
    }
  }
}

void check_device(const Path& at, const Device& device, Findings findings) {
  static constexpr std::string_view kTypes[] = {"c", "b", "u", "p"};
  constexpr uint32_t kModeBits = 0177777;  // orchestrators leave the file type in
  findings.expect_word(at.member("type"), device.type, "device type", kTypes);
  findings.expect_absolute(at.member("path"), device.path);
  findings.expect_range(at.member("major"), device.major, 0, kHighestMajor);
  findings.expect_range(at.member("minor"), device.minor, 0, kHighestMinor);
  if (device.file_mode && *device.file_mode > kModeBits) {
    findings.error(at.member("fileMode"), cat("not a file mode: ", *device.file_mode));
  }
  if (device.uid) findings.expect_id(at.member("uid"), *device.uid);
  if (device.gid) findings.expect_id(at.member("gid"), *device.gid);
}

void check_devices(const Path& at, const std::vector<Device>& devices, Findings findings) {
  std::set<std::string_view> paths;
  for (size_t i = 0; i < devices.size(); ++i) {
    const Path entry = at.element(i);
    check_device(entry, devices[i], findings);
    if (!paths.insert(devices[i].path).second) {
      findings.error(entry.member("path"),
                     cat("the device ", quoted(devices[i].path), " is there twice"));
    }
  }
}

void check_net_devices(const Path& at, const Linux& linux_config, Findings findings) {
  if (linux_config.net_devices.empty()) return;
  if (find_namespace(linux_config, "network") == nullptr) {
    findings.error(at, "needs a namespace of type \"network\"");
  }
  std::set<std::string_view> names;
  for (const auto& [host_name, device] : linux_config.net_devices) {
    const Path entry = at.member(host_name);
    if (!is_interface_name(host_name)) {
      findings.error(entry, cat("not a network device's name: ", quoted(host_name)), Place::kKey);
    }
    const std::string_view name = device.name.empty() ? host_name : device.name;
    if (!device.name.empty() && !is_interface_name(name)) {
      findings.error(entry.member("name"), cat("not a network device's name: ", quoted(name)));
    }
    const size_t percent = name.find('%');  // "eth%d": the kernel chooses the number
    if (percent != name.npos && (!name.ends_with("%d") || percent + 2 != name.size())) {
      findings.error(entry.member("name"), cat("% is only for %d at the end: ", quoted(name)));
    } else if (percent == name.npos && !names.insert(name).second) {
      findings.error(entry, cat("two devices get the name ", quoted(name)));
    }
  }
}

void check_cgroups_path(const Path& at, std::string_view path, Findings findings) {
  for (const std::string_view part : rt::split(path, '/')) {
    if (part == "..") return findings.error(at, cat("\"..\" in the path ", quoted(path)));
  }
  if (path.find('\n') != path.npos) findings.error(at, "a line feed in the path");
}

void check_paths(const Path& at, const std::vector<std::string>& paths, Findings findings) {
  for (size_t i = 0; i < paths.size(); ++i) findings.expect_absolute(at.element(i), paths[i]);
}

void check_intel_rdt(const Path& at, const IntelRdt& rdt, Findings findings) {
  const auto has_newline = [](std::string_view text) { return text.find('\n') != text.npos; };
  // Directories that resctrl itself has: a class cannot be one of them.
  static constexpr std::string_view kReserved[] = {".", "..", "info", "mon_groups", "mon_data"};
  const std::string& clos = rdt.clos_id;
  const bool is_root = clos == "/";
  if (!is_root && (is_one_of(clos, kReserved) || clos.find_first_of("/\n") != clos.npos)) {
    findings.error(at.member("closID"), cat("not the name of a class: ", quoted(clos)));
  }
  const std::string& cache = rdt.l3_cache_schema;
  if (!cache.empty() && (!cache.starts_with("L3:") || has_newline(cache))) {
    findings.warning(at.member("l3CacheSchema"),
                     cat("should be one line that starts with L3:, found ", quoted(cache)));
  }
  const std::string& bandwidth = rdt.mem_bw_schema;
  if (!bandwidth.empty() && (!bandwidth.starts_with("MB:") || has_newline(bandwidth))) {
    findings.error(at.member("memBwSchema"),
                   cat("must be one line that starts with MB:, found ", quoted(bandwidth)));
  }
  const Path schemata = at.member("schemata");
  for (size_t i = 0; i < rdt.schemata.size(); ++i) {
    if (has_newline(rdt.schemata[i])) findings.error(schemata.element(i), "more than one line");
    if (rdt.schemata[i].empty()) findings.error(schemata.element(i), "an empty line");
  }
}

/// The label becomes a mount option in quotes (`context="..."`).
void check_mount_label(const Path& at, std::string_view label, Findings findings) {
  if (label.find_first_of("\"\n") != label.npos) {
    findings.error(at, cat("not an SELinux context: ", quoted(label)));
  }
}

void check_root_mount(const Path& at, const Linux& linux_config, Findings findings) {
  if (!linux_config.rootfs_propagation.empty()) {
    findings.in("config-linux.md, \"Rootfs Mount Propagation\"")
        .expect_word(at.member("rootfsPropagation"), linux_config.rootfs_propagation, "propagation",
                     kPropagations);
  }
  check_paths(at.member("maskedPaths"), linux_config.masked_paths,
              findings.in("config-linux.md, \"Masked Paths\""));
  check_paths(at.member("readonlyPaths"), linux_config.readonly_paths,
              findings.in("config-linux.md, \"Readonly Paths\""));
  check_mount_label(at.member("mountLabel"), linux_config.mount_label,
                    findings.in("config-linux.md, \"Mount Label\""));
}

}  // namespace

void check_mappings(const Path& at, const std::vector<IdMapping>& mappings, Findings findings) {
  constexpr size_t kMostLines = 340;                               // user_namespaces(7), Linux 4.15
  constexpr uint64_t kEnd = std::numeric_limits<uint32_t>::max();  // the last id stands for -1
  if (mappings.size() > kMostLines) {
    findings.error(at, cat("more than ", kMostLines, " entries: ", mappings.size()));
  }
  for (size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& mapping = mappings[i];
    const Path entry = at.element(i);
    if (mapping.size == 0) findings.error(entry.member("size"), "maps no id");
    if (uint64_t{mapping.container_id} + mapping.size > kEnd ||
        uint64_t{mapping.host_id} + mapping.size > kEnd) {
      findings.error(entry, "the range goes beyond the last id (4294967294)");
    }
  }
  const std::pair<std::string_view, uint32_t IdMapping::*> sides[] = {
      {"containerID", &IdMapping::container_id}, {"hostID", &IdMapping::host_id}};
  for (const auto& [name, start] : sides) {
    if (const auto entry = find_overlap(mappings, start)) {
      const Path place = at.element(*entry);
      findings.error(place.member(name), "the range overlaps with that of another entry");
    }
  }
}

void check_linux(const Path& at, const Linux& linux_config, Findings findings) {
  check_namespaces(at.member("namespaces"), linux_config.namespaces,
                   findings.in("config-linux.md, \"Namespaces\""));
  check_user_namespace(at, linux_config,
                       findings.in("config-linux.md, \"User namespace mappings\""));
  check_time_offsets(at.member("timeOffsets"), linux_config,
                     findings.in("config-linux.md, \"Offset for Time Namespace\""));
  check_devices(at.member("devices"), linux_config.devices,
                findings.in("config-linux.md, \"Devices\""));
  check_net_devices(at.member("netDevices"), linux_config,
                    findings.in("config-linux.md, \"Network Devices\""));
  check_cgroups_path(at.member("cgroupsPath"), linux_config.cgroups_path,
                     findings.in("config-linux.md, \"Cgroups Path\""));
  if (linux_config.resources) {
    check_resources(at.member("resources"), *linux_config.resources, findings);
  }
  if (linux_config.intel_rdt) {
    check_intel_rdt(at.member("intelRdt"), *linux_config.intel_rdt,
                    findings.in("config-linux.md, \"IntelRdt\""));
  }
  if (linux_config.memory_policy) {
    check_memory_policy(at.member("memoryPolicy"), *linux_config.memory_policy,
                        findings.in("config-linux.md, \"Memory policy\""));
  }
  check_sysctl(at.member("sysctl"), linux_config, findings.in("config-linux.md, \"Sysctl\""));
  if (linux_config.seccomp) {
    check_seccomp(at.member("seccomp"), *linux_config.seccomp,
                  findings.in("config-linux.md, \"Seccomp\""));
  }
  check_root_mount(at, linux_config, findings);
  if (linux_config.personality) {
    check_personality(at.member("personality"), *linux_config.personality,
                      findings.in("config-linux.md, \"Personality\""));
  }
}

}  // namespace spec
