// Which namespaces to make and which to join, and what is set in them: clock offsets and kernel
// parameters. runtime-spec config-linux.md, "Namespaces", "Offset for Time Namespace", "Sysctl".
#include "runtime/plan/parts.h"
#include "spec/diagnostic.h"

#include <array>
#include <utility>

namespace rt::plan {
namespace {

struct KindRow {
  std::string_view type;  // as the document says
  NamespaceKind kind;
};

constexpr std::array kKinds = {
    KindRow{"mount", NamespaceKind::kMount},     KindRow{"uts", NamespaceKind::kUts},
    KindRow{"ipc", NamespaceKind::kIpc},         KindRow{"pid", NamespaceKind::kPid},
    KindRow{"network", NamespaceKind::kNetwork}, KindRow{"user", NamespaceKind::kUser},
    KindRow{"cgroup", NamespaceKind::kCgroup},   KindRow{"time", NamespaceKind::kTime},
};

Result<NamespaceKind> kind_of(std::string_view type) {
  for (const KindRow& row : kKinds) {
    if (row.type == type) return row.kind;
  }
  return Error(cat("unknown namespace ", quoted(type)));
}

constexpr unsigned kCapSysAdmin = 21;

/// The kernel refuses what follows with a bare EPERM; the plan can say why beforehand.
void warn_without_privilege(Draft& draft, const std::vector<NamespaceStep>& steps) {
  if (steps.empty()) return;
  for (const NamespaceStep& step : steps) {
    if (step.kind == NamespaceKind::kUser) return;
  }
  if ((draft.host.effective_capabilities >> kCapSysAdmin & 1) != 0) return;
  draft.warn("/linux/namespaces",
             "the kernel lets only root (CAP_SYS_ADMIN) do this without a user namespace");
}

/// As sysctl(8): the first separator decides which of the two separates; the other is then part of
/// a name. "net.ipv4.conf.eth0/1.rp_filter" is net/ipv4/conf/eth0.1/rp_filter.
std::string file_of(std::string_view key) {
  std::string file(key);
  const size_t first = key.find_first_of("./");
  if (first == std::string_view::npos || key[first] == '/') return file;
  for (char& c : file) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return file;
}

}  // namespace

Result<std::vector<NamespaceStep>> plan_namespaces(Draft& draft) {
  const std::vector<spec::Namespace>& wanted = draft.config.linux_.namespaces;
  std::vector<NamespaceStep> steps;
  for (size_t i = 0; i < wanted.size(); ++i) {
    NamespaceStep step;
    step.origin = cat("/linux/namespaces/", i);
    step.kind = TRY(at(step.origin, kind_of(wanted[i].type)), "linux.namespaces[", i, "]");
    step.join = wanted[i].path;
    steps.push_back(std::move(step));
  }
  warn_without_privilege(draft, steps);
  return steps;
}

std::vector<TimeOffset> plan_time_offsets(const Draft& draft) {
  std::vector<TimeOffset> offsets;
  offsets.reserve(draft.config.linux_.time_offsets.size());
  for (const auto& [clock, offset] : draft.config.linux_.time_offsets) {
    offsets.push_back({clock, offset.secs, offset.nanosecs,
                       cat("/linux/timeOffsets/", spec::escape_pointer(clock))});
  }
  return offsets;
}

std::vector<Sysctl> plan_sysctls(const Draft& draft) {
  std::vector<Sysctl> sysctls;
  sysctls.reserve(draft.config.linux_.sysctl.size());
  for (const auto& [key, value] : draft.config.linux_.sysctl) {
    sysctls.push_back({file_of(key), value, cat("/linux/sysctl/", spec::escape_pointer(key))});
  }
  return sysctls;
}

}  // namespace rt::plan
