// What makes up the settings of linux.resources: a file for each family of controllers, and what
// they share. For this package alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/cgroup_step.h"
#include "runtime/plan/host.h"
#include "spec/config.h"

namespace rt::plan {

/// A controller in the words of both versions of cgroups. Empty: that version has none.
struct Controller {
  std::string_view v1;  // "blkio"
  std::string_view v2;  // "io"
};

/// One property of the document on its way to a control file.
struct Limit {
  std::string property;  // JSON pointer below the resources: "/memory/limit"
  Controller controller;
  // "= {}": so that an initialiser may leave one out.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::vector<CgroupSetting::Form> v1 = {};  // empty: v1 has no such setting
  std::vector<CgroupSetting::Form> v2 = {};  // empty: v2 has no such setting
  // NOLINTEND(readability-redundant-member-init)
  /// The kernel does it of itself ("no limit"): where it cannot be written nothing is lost.
  bool implied = false;
  CgroupSetting::Missing missing = CgroupSetting::Missing::kError;
  LimitTime time = LimitTime::kFirst;
  bool shows_value = true;
};

/// Who asks for limits, and how much he insists.
struct LimitsContext {
  const spec::Resources& wanted;
  const spec::Resources& now;  // what holds already; nothing for a new cgroup
  const HostFacts& host;
  std::string_view pointer;  // of `wanted` in its document: "/linux/resources", ""
  bool update = false;
  bool strict = false;
  /// A container without a cgroup: what it asks for is warned of, and no error.
  bool may_lack_cgroup = false;
};

/// Collects the settings, in the order of writing.
class Limits {
 public:
  Limits(LimitsContext context, std::vector<CgroupDirectory>& directories,
         std::vector<Warning>& warnings)
      : context_(context), directories_(directories), warnings_(warnings) {}

  [[nodiscard]] const spec::Resources& wanted() const { return context_.wanted; }
  [[nodiscard]] const spec::Resources& now() const { return context_.now; }

  /// Whether the controller is to be written to in its v2 form.
  [[nodiscard]] bool unified(const Controller& controller) const;

  /// Finds the cgroup of the limit's controller, v1 or v2, and adds the setting. An error where
  /// this machine cannot do it.
  Status add(Limit limit);

  /// An error that names the property in the words of the document: "linux.resources.memory.swap".
  [[nodiscard]] Error error(std::string_view property, std::string_view why) const;

  std::vector<CgroupSetting> settings;

 private:
  [[nodiscard]] CgroupDirectory* find(const Controller& controller) const;
  [[nodiscard]] CgroupDirectory* directory_in(const CgroupHierarchy& hierarchy) const;
  /// Why `find` finds nothing.
  [[nodiscard]] Error why_not(const Controller& controller) const;
  [[nodiscard]] bool is_unasked(const Limit& limit) const;
  Status do_without(const Limit& limit);
  void warn(std::string_view property, std::string message);

  LimitsContext context_;
  std::vector<CgroupDirectory>& directories_;
  std::vector<Warning>& warnings_;
};

// resources_memory.cc
Status plan_memory(Limits& limits);

// resources_cpu.cc: the time of CPUs, and which of them.
Status plan_cpu(Limits& limits);
/// The weight of cgroup v2 for shares of v1: 1 to 10000.
uint64_t cpu_weight(uint64_t shares);

// resources_io.cc
Status plan_block_io(Limits& limits);
/// The weight of io.weight, 1 to 10000, for one of 10 to 1000.
uint64_t io_weight(uint64_t weight);

// resources_counts.cc: huge pages, network, processes, RDMA.
Status plan_hugepages(Limits& limits);
Status plan_network(Limits& limits);
Status plan_pids(Limits& limits);
Status plan_rdma(Limits& limits);

// resources_unified.cc: control files of cgroup v2, as the document has them.
Status plan_unified(Limits& limits);

}  // namespace rt::plan
