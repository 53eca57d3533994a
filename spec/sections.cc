#include "spec/sections.h"

namespace spec {
namespace {

struct Row {
  std::string_view pointer;  // and all below it
  std::string_view section;
};

/// The parts of an object stand before it.
constexpr Row kRows[] = {
    {"/ociVersion", "config.md, \"Specification version\""},
    {"/root", "config.md, \"Root\""},
    {"/mounts", "config.md, \"Mounts\""},
    {"/process/rlimits", "config.md, \"POSIX process\""},
    {"/process/user", "config.md, \"POSIX-platform User\""},
    {"/process/capabilities", "config.md, \"Linux Process\""},
    {"/process/noNewPrivileges", "config.md, \"Linux Process\""},
    {"/process/oomScoreAdj", "config.md, \"Linux Process\""},
    {"/process/apparmorProfile", "config.md, \"Linux Process\""},
    {"/process/selinuxLabel", "config.md, \"Linux Process\""},
    {"/process/scheduler", "config.md, \"Linux Process\""},
    {"/process/ioPriority", "config.md, \"Linux Process\""},
    {"/process/execCPUAffinity", "config.md, \"Linux Process\""},
    {"/process", "config.md, \"Process\""},
    {"/hostname", "config.md, \"Hostname\""},
    {"/domainname", "config.md, \"Domainname\""},
    {"/hooks", "config.md, \"POSIX-platform Hooks\""},
    {"/annotations", "config.md, \"Annotations\""},
    {"/linux/namespaces", "config-linux.md, \"Namespaces\""},
    {"/linux/uidMappings", "config-linux.md, \"User namespace mappings\""},
    {"/linux/gidMappings", "config-linux.md, \"User namespace mappings\""},
    {"/linux/timeOffsets", "config-linux.md, \"Offset for Time Namespace\""},
    {"/linux/devices", "config-linux.md, \"Devices\""},
    {"/linux/netDevices", "config-linux.md, \"Network Devices\""},
    {"/linux/cgroupsPath", "config-linux.md, \"Cgroups Path\""},
    {"/linux/resources/devices", "config-linux.md, \"Allowed Device list\""},
    {"/linux/resources/memory", "config-linux.md, \"Memory\""},
    {"/linux/resources/cpu", "config-linux.md, \"CPU\""},
    {"/linux/resources/blockIO", "config-linux.md, \"Block IO\""},
    {"/linux/resources/hugepageLimits", "config-linux.md, \"Huge page limits\""},
    {"/linux/resources/network", "config-linux.md, \"Network\""},
    {"/linux/resources/pids", "config-linux.md, \"PIDs\""},
    {"/linux/resources/rdma", "config-linux.md, \"RDMA\""},
    {"/linux/resources/unified", "config-linux.md, \"Unified\""},
    {"/linux/resources", "config-linux.md, \"Control groups\""},
    {"/linux/intelRdt", "config-linux.md, \"IntelRdt\""},
    {"/linux/memoryPolicy", "config-linux.md, \"Memory policy\""},
    {"/linux/sysctl", "config-linux.md, \"Sysctl\""},
    {"/linux/seccomp", "config-linux.md, \"Seccomp\""},
    {"/linux/rootfsPropagation", "config-linux.md, \"Rootfs Mount Propagation\""},
    {"/linux/maskedPaths", "config-linux.md, \"Masked Paths\""},
    {"/linux/readonlyPaths", "config-linux.md, \"Readonly Paths\""},
    {"/linux/mountLabel", "config-linux.md, \"Mount Label\""},
    {"/linux/personality", "config-linux.md, \"Personality\""},
};

}  // namespace

std::string_view section_of(std::string_view pointer) {
  for (const Row& row : kRows) {
    if (!pointer.starts_with(row.pointer)) continue;
    const std::string_view rest = pointer.substr(row.pointer.size());
    if (rest.empty() || rest.starts_with('/')) return row.section;
  }
  return {};
}

}  // namespace spec
