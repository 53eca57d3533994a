// What is counted, or tagged: huge pages, network packets, processes, RDMA. runtime-spec
// config-linux.md, the sections of these names.
#include "runtime/base/text.h"
#include "runtime/plan/resources_parts.h"
#include "spec/diagnostic.h"

namespace rt::plan {
namespace {

using Missing = CgroupSetting::Missing;

constexpr Controller kHugetlb = {"hugetlb", "hugetlb"};
constexpr Controller kNetClass = {"net_cls", ""};
constexpr Controller kNetPriority = {"net_prio", ""};
constexpr Controller kPids = {"pids", "pids"};
constexpr Controller kRdma = {"rdma", "rdma"};

/// The kernel has no more processes than this: PID_MAX_LIMIT of linux/threads.h. It refuses a
/// larger limit.
constexpr int64_t kMostProcesses = 4194304;

}  // namespace

Status plan_hugepages(Limits& limits) {
  const std::vector<spec::HugepageLimit>& wanted = limits.wanted().hugepage_limits;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string file = cat("hugetlb.", wanted[i].page_size);
    const std::string bytes = std::to_string(wanted[i].limit);
    Limit limit = {.property = cat("/hugepageLimits/", i),
                   .controller = kHugetlb,
                   .v1 = {{cat(file, ".limit_in_bytes"), bytes}},
                   .v2 = {{cat(file, ".max"), bytes}}};
    TRY(limits.add(limit));
    // What is reserved, before it is used: Linux 5.7. In vain without the other for who does not
    // reserve.
    limit.v1 = {{cat(file, ".rsvd.limit_in_bytes"), bytes}};
    limit.v2 = {{cat(file, ".rsvd.max"), bytes}};
    limit.missing = Missing::kNothing;
    TRY(limits.add(std::move(limit)));
  }
  return ok();
}

Status plan_network(Limits& limits) {
  if (!limits.wanted().network) return ok();
  const spec::Network& network = *limits.wanted().network;
  if (network.class_id.value_or(0) != 0) {
    TRY(limits.add({.property = "/network/classID",
                    .controller = kNetClass,
                    .v1 = {{"net_cls.classid", std::to_string(*network.class_id)}}}));
  }
  for (size_t i = 0; i < network.priorities.size(); ++i) {
    const spec::InterfacePriority& one = network.priorities[i];
    TRY(limits.add({.property = cat("/network/priorities/", i),
                    .controller = kNetPriority,
                    .v1 = {{"net_prio.ifpriomap", cat(one.name, ' ', one.priority)}},
                    .shows_value = false}));
  }
  return ok();
}

/// 0 is a limit: the container's first process is there already when it is written.
Status plan_pids(Limits& limits) {
  if (!limits.wanted().pids_limit) return ok();
  const int64_t limit = *limits.wanted().pids_limit;
  const std::string value = limit < 0 || limit > kMostProcesses ? "max" : std::to_string(limit);
  return limits.add({.property = "/pids/limit",
                     .controller = kPids,
                     .v1 = {{"pids.max", value}},
                     .v2 = {{"pids.max", value}},
                     .implied = limit < 0,
                     .time = LimitTime::kLast});
}

Status plan_rdma(Limits& limits) {
  for (const auto& [device, most] : limits.wanted().rdma) {
    std::string line = device;
    if (most.hca_handles) line += cat(" hca_handle=", *most.hca_handles);
    if (most.hca_objects) line += cat(" hca_object=", *most.hca_objects);
    TRY(limits.add({.property = cat("/rdma/", spec::escape_pointer(device)),
                    .controller = kRdma,
                    .v1 = {{"rdma.max", line}},
                    .v2 = {{"rdma.max", line}},
                    .shows_value = false}));
  }
  return ok();
}

}  // namespace rt::plan
