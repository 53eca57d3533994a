#include "runtime/kernel/host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

constexpr size_t kProcLimit = size_t{1} << 20;
constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

/// One line of /proc/self/cgroup: "4:memory:/path", "0::/path". cgroups(7).
struct Membership {
  std::vector<std::string> controllers;
  std::string path;
};

Result<std::vector<Membership>> read_memberships() {
  const std::string text =
      TRY(sys::read_file("/proc/self/cgroup", kProcLimit), "/proc/self/cgroup");
  std::vector<Membership> memberships;
  for (const std::string_view line : split(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    Membership membership;
    membership.path = line.substr(second + 1);
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    for (const std::string_view name : split(controllers, ',')) {
      if (!name.empty()) membership.controllers.emplace_back(name);
    }
    memberships.push_back(std::move(membership));
  }
  return memberships;
}

bool is_mounted(const std::string& path, int64_t magic) {
  const Result<int64_t> type = sys::filesystem_type(path);
  return type && type.value() == magic;
}

/// Where a v1 hierarchy is by convention: its controllers joined by commas, a named one by its
/// name.
std::string v1_mount_point(const Membership& membership) {
  std::string name;
  for (const std::string& controller : membership.controllers) {
    const std::string_view prefix = "name=";
    std::string_view part = controller;
    if (part.starts_with(prefix)) part.remove_prefix(prefix.size());
    if (!name.empty()) name += ',';
    name += part;
  }
  return cat(kCgroupRoot, '/', name);
}

/// Of a v2 hierarchy: those that are neither switched off nor in a v1 one.
Result<std::vector<std::string>> read_controllers(const std::string& mount_point) {
  const std::string file = mount_point + "/cgroup.controllers";
  const std::string text = TRY(sys::read_file(file, kProcLimit), file);
  std::vector<std::string> controllers;
  for (const std::string_view line : split(text, '\n')) {
    for (const std::string_view name : split(line, ' ')) {
      if (!name.empty()) controllers.emplace_back(name);
    }
  }
  return controllers;
}

/// Whether this user may make a cgroup beside the own one.
bool can_make_beside(const plan::CgroupHierarchy& hierarchy) {
  const std::string above = hierarchy.own_path.substr(0, hierarchy.own_path.rfind('/'));
  return sys::access_write(cat(hierarchy.mount_point, above)).ok();
}

Result<std::vector<plan::CgroupHierarchy>> probe_cgroups(bool rootless) {
  const std::vector<Membership> memberships = TRY(read_memberships());
  const bool pure_v2 = is_mounted(kCgroupRoot, CGROUP2_SUPER_MAGIC);
  std::vector<plan::CgroupHierarchy> hierarchies;
  for (const Membership& membership : memberships) {
    plan::CgroupHierarchy hierarchy;
    hierarchy.unified = membership.controllers.empty();
    hierarchy.controllers = membership.controllers;
    hierarchy.own_path = membership.path;
    hierarchy.mount_point = hierarchy.unified ? cat(kCgroupRoot, pure_v2 ? "" : "/unified")
                                              : v1_mount_point(membership);
    const int64_t magic = hierarchy.unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
    if (!is_mounted(hierarchy.mount_point, magic)) continue;
    if (hierarchy.unified) hierarchy.controllers = TRY(read_controllers(hierarchy.mount_point));
    hierarchy.only_below_own = rootless && hierarchy.unified && !can_make_beside(hierarchy);
    hierarchies.push_back(std::move(hierarchy));
  }
  return hierarchies;
}

/// Never the caller's PATH: the helper is privileged.
std::string find_helper(std::string_view name) {
  for (const std::string_view directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    const std::string path = cat(directory, name);
    if (sys::access_execute(path)) return path;
  }
  return {};
}

}  // namespace

Result<bool> in_initial_user_namespace() {
  // "0 0 4294967295": every id is itself.
  const std::string map =
      TRY(sys::read_file("/proc/self/uid_map", kProcLimit), "/proc/self/uid_map");
  std::vector<std::string_view> numbers;
  for (const std::string_view word : split(map, ' ')) {
    if (!word.empty()) numbers.push_back(word);
  }
  return numbers.size() == 3 && numbers[0] == "0" && numbers[1] == "0" &&
         numbers[2] == "4294967295\n";
}

Result<plan::HostFacts> probe_host() {
  plan::HostFacts facts;
  facts.euid = sys::geteuid();
  facts.egid = sys::getegid();
  facts.initial_user_namespace = TRY(in_initial_user_namespace());
  const sys::CapabilityState own = TRY(sys::capget());
  facts.effective_capabilities = own.effective;
  facts.bounding_capabilities = 0;
  facts.last_capability = 0;
  for (unsigned capability = 0; capability < 64; ++capability) {
    const std::optional<bool> granted = sys::bounding_capability(static_cast<int>(capability));
    if (!granted) break;  // the kernel has none of that number, nor above
    facts.last_capability = capability;
    if (*granted) facts.bounding_capabilities |= uint64_t{1} << capability;
  }
  facts.cgroups = TRY(probe_cgroups(facts.rootless()));
  if (facts.rootless()) {
    facts.newuidmap = find_helper("newuidmap");
    facts.newgidmap = find_helper("newgidmap");
  }
  return facts;
}

}  // namespace rt::kernel
