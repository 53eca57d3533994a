// What is in /dev. runtime-spec config-linux.md, "Devices", "Default Devices", "/dev symbolic
// links".
#include "runtime/plan/parts.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <limits>

namespace rt::plan {
namespace {

struct DefaultDevice {
  const char* path;
  uint32_t major;
  uint32_t minor;
};

/// config-linux.md, "Default Devices", but for /dev/console and /dev/ptmx. Numbers: the kernel's
/// admin-guide/devices.txt.
constexpr std::array kDefaultDevices = {
    DefaultDevice{"/dev/null", 1, 3},    DefaultDevice{"/dev/zero", 1, 5},
    DefaultDevice{"/dev/full", 1, 7},    DefaultDevice{"/dev/random", 1, 8},
    DefaultDevice{"/dev/urandom", 1, 9}, DefaultDevice{"/dev/tty", 5, 0},
};

struct DefaultLink {
  const char* path;
  const char* target;
};

constexpr std::array kDefaultLinks = {
    DefaultLink{"/dev/fd", "/proc/self/fd"},
    DefaultLink{"/dev/stdin", "/proc/self/fd/0"},
    DefaultLink{"/dev/stdout", "/proc/self/fd/1"},
    DefaultLink{"/dev/stderr", "/proc/self/fd/2"},
};

/// A /dev of the host is used as it is.
bool dev_is_bound(const Plan& plan) {
  return std::any_of(plan.mounts.begin(), plan.mounts.end(), [](const MountStep& step) {
    return step.target == "/dev" && std::holds_alternative<BindMount>(step.what);
  });
}

bool is_mounted(const Plan& plan, std::string_view path) {
  return std::any_of(plan.mounts.begin(), plan.mounts.end(),
                     [&](const MountStep& step) { return step.target == path; });
}

bool is_device(const std::vector<DeviceNode>& devices, std::string_view path) {
  return std::any_of(devices.begin(), devices.end(),
                     [&](const DeviceNode& device) { return device.path == path; });
}

bool has_own_dev(const Plan& plan) {
  return plan.root.method != RootMethod::kJoined && !dev_is_bound(plan);
}

/// mknod(2) of a device is refused in a user namespace, whoever asks.
bool needs_bind(const Draft& draft) {
  return draft.plan.find(NamespaceKind::kUser) != nullptr || draft.host.rootless();
}

Result<uint32_t> device_number(int64_t number, std::string_view name) {
  if (number < 0 || number > std::numeric_limits<uint32_t>::max()) {
    return Error(cat(name, ' ', number, ": out of range"));
  }
  return static_cast<uint32_t>(number);
}

uint32_t type_bits(char type) {
  if (type == 'p') return S_IFIFO;
  return type == 'b' ? S_IFBLK : S_IFCHR;
}

/// Some callers pass st_mode as stat(2) gave it, type included.
Result<uint32_t> permissions(const std::optional<uint32_t>& mode, char type) {
  if (!mode) return uint32_t{0666};
  const uint32_t given = *mode & S_IFMT;
  if (given != 0 && given != type_bits(type)) {
    return Error(cat("fileMode ", *mode, ": its type bits are not those of type \"", type, '"'));
  }
  if ((*mode & ~uint32_t{S_IFMT | 07777}) != 0)
    return Error(cat("fileMode ", *mode, ": too large"));
  return *mode & 07777;
}

Result<char> device_type(const std::string& type) {
  if (type == "u") return 'c';
  if (type == "c" || type == "b" || type == "p") return type[0];
  return Error(cat("unknown type ", quoted(type)));
}

/// Where only bind mounts give a device, and no mount can be made.
Status check_bind(const Draft& draft) {
  if (draft.plan.root.method != RootMethod::kChroot) return ok();
  return Error("needs a mount namespace: in a user namespace a device can only be bound");
}

Result<DeviceNode> plan_device(Draft& draft, const spec::Device& wanted, const Origin& origin) {
  DeviceNode node;
  node.path = clean_path(wanted.path);
  node.origin = origin;
  if (node.path == "/") return Error("not a place for a device");
  node.type = TRY(device_type(wanted.type));
  node.mode = TRY(permissions(wanted.file_mode, node.type));
  node.uid = wanted.uid.value_or(0);
  node.gid = wanted.gid.value_or(0);
  if (node.type == 'p') return node;
  node.major = TRY(device_number(wanted.major, "major"));
  node.minor = TRY(device_number(wanted.minor, "minor"));
  if (!needs_bind(draft)) return node;
  TRY(check_bind(draft));
  node.bind = node.path;
  if (wanted.file_mode || wanted.uid || wanted.gid) {
    draft.warn(origin, "the host's device is bound: fileMode, uid and gid are the host's");
  }
  return node;
}

Result<std::vector<DeviceNode>> plan_wanted(Draft& draft) {
  std::vector<DeviceNode> nodes;
  const std::vector<spec::Device>& wanted = draft.config.linux_.devices;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Origin origin = cat("/linux/devices/", i);
    const std::string place = cat("linux.devices[", i, "] ", printable(wanted[i].path));
    if (draft.plan.root.method == RootMethod::kJoined) {
      return Error(cat(place, ": would change a mount namespace that belongs to another container"))
          .at(origin);
    }
    nodes.push_back(TRY(at(origin, plan_device(draft, wanted[i], origin)), place));
  }
  return nodes;
}

std::vector<DeviceNode> default_devices(Draft& draft, const std::vector<DeviceNode>& wanted) {
  std::vector<DeviceNode> nodes;
  if (!has_own_dev(draft.plan)) return nodes;
  if (needs_bind(draft) && draft.plan.root.method == RootMethod::kChroot) {
    draft.warn("default: devices", "left out: without a mount namespace no device can be bound");
    return nodes;
  }
  for (const DefaultDevice& device : kDefaultDevices) {
    if (is_device(wanted, device.path) || is_mounted(draft.plan, device.path)) continue;
    DeviceNode node;
    node.path = device.path;
    node.major = device.major;
    node.minor = device.minor;
    if (needs_bind(draft)) node.bind = device.path;
    node.origin = "default: devices";
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

Result<std::vector<DeviceNode>> plan_devices(Draft& draft) {
  const std::vector<DeviceNode> wanted = TRY(plan_wanted(draft));
  std::vector<DeviceNode> nodes = default_devices(draft, wanted);
  nodes.insert(nodes.end(), wanted.begin(), wanted.end());
  return nodes;
}

std::vector<Link> plan_links(const Draft& draft) {
  const Plan& plan = draft.plan;
  std::vector<Link> links;
  if (!has_own_dev(plan)) return links;
  const auto add = [&](const char* path, const char* target) {
    if (is_device(plan.devices, path) || is_mounted(plan, path)) return;
    links.push_back({path, target, "default: links"});
  };
  for (const DefaultLink& link : kDefaultLinks) add(link.path, link.target);
  const bool has_devpts =
      std::any_of(plan.mounts.begin(), plan.mounts.end(), [](const MountStep& step) {
        const auto* fresh = std::get_if<NewFilesystem>(&step.what);
        return step.target == "/dev/pts" && fresh != nullptr && fresh->type == "devpts";
      });
  if (has_devpts) add("/dev/ptmx", "pts/ptmx");
  return links;
}

}  // namespace rt::plan
