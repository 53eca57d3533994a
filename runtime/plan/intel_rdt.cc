// The container's share of caches and memory bandwidth. runtime-spec config-linux.md, "IntelRdt".
#include "runtime/plan/parts.h"

#include <algorithm>

namespace rt::plan {
namespace {

constexpr const char* kOrigin = "/linux/intelRdt";

/// Directories that the kernel has in a group (info, in the root alone): no groups.
constexpr std::string_view kReserved[] = {"info", "mon_groups", "mon_data"};

/// "If closID is not set, runtimes MUST use the container ID".
Result<std::string> group_of(const spec::IntelRdt& wanted, const std::string& id) {
  if (!wanted.clos_id.empty()) return wanted.clos_id;
  if (std::ranges::find(kReserved, id) == std::end(kReserved)) return id;
  return Error(cat("the container's id ", quoted(id),
                   " cannot be the name of a resctrl group: closID is needed"));
}

/// "The runtimes MUST write l3CacheSchema first", and what `schemata` has "must be written last".
std::vector<SchemataLine> lines_of(const spec::IntelRdt& wanted) {
  std::vector<SchemataLine> lines;
  if (!wanted.l3_cache_schema.empty()) {
    lines.push_back({wanted.l3_cache_schema, true, cat(kOrigin, "/l3CacheSchema")});
  }
  if (!wanted.mem_bw_schema.empty()) {
    lines.push_back({wanted.mem_bw_schema, true, cat(kOrigin, "/memBwSchema")});
  }
  for (size_t i = 0; i < wanted.schemata.size(); ++i) {
    lines.push_back({wanted.schemata[i], false, cat(kOrigin, "/schemata/", i)});
  }
  return lines;
}

}  // namespace

Result<std::optional<IntelRdtStep>> plan_intel_rdt(const Draft& draft) {
  const std::optional<spec::IntelRdt>& wanted = draft.config.linux_.intel_rdt;
  if (!wanted) return std::optional<IntelRdtStep>();
  IntelRdtStep step;
  step.origin = kOrigin;
  step.root = draft.request.resctrl_root;
  step.group = TRY(at(step.origin, group_of(*wanted, draft.request.id)), "linux.intelRdt");
  step.named = !wanted->clos_id.empty();
  step.schemata = lines_of(*wanted);
  if (wanted->enable_monitoring) step.monitoring = draft.request.id;
  return std::optional<IntelRdtStep>(std::move(step));
}

Result<std::optional<IntelRdtStep>> plan_rdt_update(const spec::Config& config,
                                                    const Request& request) {
  const HostFacts nothing;  // is needed of the host
  return plan_intel_rdt({config, request, nothing, {}});
}

}  // namespace rt::plan
