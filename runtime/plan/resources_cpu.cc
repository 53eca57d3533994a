// The time of CPUs, and which of them. runtime-spec config-linux.md, "CPU";
// Documentation/scheduler/sched-bwc.rst, sched-rt-group.rst. Times in microseconds.
#include <cmath>

#include "runtime/base/text.h"
#include "runtime/plan/resources_parts.h"

namespace rt::plan {
namespace {

using Form = CgroupSetting::Form;

constexpr Controller kCpu = {"cpu", "cpu"};
constexpr Controller kCpuset = {"cpuset", "cpuset"};
constexpr uint64_t kDefaultPeriod = 100000;
constexpr uint64_t kDefaultRealtimePeriod = 1000000;

const spec::Cpu& cpu_of(const spec::Resources& resources) {
  static const spec::Cpu kNone;
  return resources.cpu ? *resources.cpu : kNone;
}

/// How much of the time, as the document says it. 0, where that is none.
struct Bandwidth {
  int64_t quota = 0;  // below 0: no limit
  uint64_t period = 0;
  std::optional<uint64_t> burst;
};

Bandwidth bandwidth_of(const spec::Cpu& cpu) {
  return {cpu.quota.value_or(0), cpu.period.value_or(0), cpu.burst};
}

/// A quota, its period, and how much of it can be saved up.
class BandwidthLimits {
 public:
  explicit BandwidthLimits(Limits& limits)
      : limits_(limits),
        asked_(bandwidth_of(cpu_of(limits.wanted()))),
        old_(bandwidth_of(cpu_of(limits.now()))) {
    new_.quota = asked_.quota != 0 ? asked_.quota : old_.quota;
    new_.period = asked_.period != 0 ? asked_.period : old_.period;
    new_.burst = asked_.burst ? asked_.burst : old_.burst;
  }

  Status plan() {
    if (asked_.quota == 0 && asked_.period == 0 && !asked_.burst) return ok();
    TRY(check());
    // The kernel takes no burst above the quota, at any time.
    const bool burst_first = asked_.burst && *asked_.burst <= old_.burst.value_or(0);
    if (burst_first) TRY(add_burst());
    TRY(limits_.unified(kCpu) ? add_max() : add_v1());
    return asked_.burst && !burst_first ? add_burst() : ok();
  }

 private:
  [[nodiscard]] Status check() const {
    const uint64_t burst = new_.burst.value_or(0);
    if (new_.quota <= 0 || burst <= static_cast<uint64_t>(new_.quota)) return ok();
    return limits_.error(asked_.burst ? "/cpu/burst" : "/cpu/quota",
                         cat("the burst ", burst, " is larger than the quota ", new_.quota));
  }

  Status add_max() {
    if (asked_.quota == 0 && asked_.period == 0) return ok();
    const std::string quota = new_.quota > 0 ? std::to_string(new_.quota) : "max";
    const uint64_t period = new_.period != 0 ? new_.period : kDefaultPeriod;
    return limits_.add({.property = asked_.quota != 0 ? "/cpu/quota" : "/cpu/period",
                        .controller = kCpu,
                        .v2 = {{"cpu.max", cat(quota, ' ', period)}},
                        .implied = new_.quota < 0 && asked_.period == 0});
  }

  /// A file each, and between the two writes the share must not be above the old and the new one:
  /// more than what the parent has is refused.
  Status add_v1() {
    const uint64_t old_period = old_.period != 0 ? old_.period : kDefaultPeriod;
    const bool period_first = asked_.period >= old_period;
    if (period_first) TRY(add_period());
    if (asked_.quota != 0) {
      TRY(limits_.add({.property = "/cpu/quota",
                       .controller = kCpu,
                       .v1 = {{"cpu.cfs_quota_us", std::to_string(asked_.quota)}},
                       .implied = asked_.quota < 0}));
    }
    return period_first ? ok() : add_period();
  }

  Status add_period() {
    if (asked_.period == 0) return ok();
    return limits_.add({.property = "/cpu/period",
                        .controller = kCpu,
                        .v1 = {{"cpu.cfs_period_us", std::to_string(asked_.period)}}});
  }

  /// Linux 5.14.
  Status add_burst() {
    const std::string burst = std::to_string(*asked_.burst);
    return limits_.add({.property = "/cpu/burst",
                        .controller = kCpu,
                        .v1 = {{"cpu.cfs_burst_us", burst}},
                        .v2 = {{"cpu.max.burst", burst}},
                        .implied = *asked_.burst == 0});
  }

  Limits& limits_;
  Bandwidth asked_;
  Bandwidth old_;
  Bandwidth new_;
};

/// v1 alone. The order of the two is that of quota and period.
Status add_realtime(Limits& limits) {
  const spec::Cpu& cpu = cpu_of(limits.wanted());
  const spec::Cpu& now = cpu_of(limits.now());
  const uint64_t period = cpu.realtime_period.value_or(0);
  const int64_t runtime = cpu.realtime_runtime.value_or(0);
  const auto add_period = [&]() -> Status {
    if (period == 0) return ok();
    return limits.add({.property = "/cpu/realtimePeriod",
                       .controller = kCpu,
                       .v1 = {{"cpu.rt_period_us", std::to_string(period)}}});
  };
  const bool period_first = period >= now.realtime_period.value_or(kDefaultRealtimePeriod);
  if (period_first) TRY(add_period());
  // 0 is what a new cgroup has.
  const bool taken_away = cpu.realtime_runtime && now.realtime_runtime.value_or(0) != 0;
  if (runtime != 0 || taken_away) {
    TRY(limits.add({.property = "/cpu/realtimeRuntime",
                    .controller = kCpu,
                    .v1 = {{"cpu.rt_runtime_us", std::to_string(runtime)}}}));
  }
  return period_first ? ok() : add_period();
}

Status add_shares(Limits& limits, uint64_t shares) {
  if (shares == 0) return ok();
  return limits.add({.property = "/cpu/shares",
                     .controller = kCpu,
                     .v1 = {{"cpu.shares", std::to_string(shares)}},
                     .v2 = {{"cpu.weight", std::to_string(cpu_weight(shares))}}});
}

Status add_idle(Limits& limits, const std::optional<int64_t>& idle) {
  if (!idle) return ok();
  const std::string value = std::to_string(*idle);
  return limits.add({.property = "/cpu/idle",  // Linux 5.15
                     .controller = kCpu,
                     .v1 = {{"cpu.idle", value}},
                     .v2 = {{"cpu.idle", value}},
                     .implied = *idle == 0});
}

/// An idle cgroup has a weight of its own, and takes no other. It keeps none for later.
Status add_weight(Limits& limits) {
  const spec::Cpu& cpu = cpu_of(limits.wanted());
  const spec::Cpu& now = cpu_of(limits.now());
  const bool was_idle = now.idle.value_or(0) != 0;
  uint64_t shares = cpu.shares.value_or(0);
  if (was_idle && cpu.idle.value_or(1) != 0) {
    if (shares != 0) return limits.error("/cpu/shares", "an idle cgroup takes none");
    return add_idle(limits, cpu.idle);
  }
  if (was_idle && shares == 0) shares = now.shares.value_or(0);
  const bool idle_first = cpu.idle.value_or(1) == 0;
  if (idle_first) TRY(add_idle(limits, cpu.idle));
  TRY(add_shares(limits, shares));
  return idle_first ? ok() : add_idle(limits, cpu.idle);
}

/// Which CPUs and which memory nodes.
Status add_cpuset(Limits& limits, std::string_view name, const std::string& list) {
  if (list.empty()) return ok();
  const Form form = {cat("cpuset.", name), list};
  return limits.add(
      {.property = cat("/cpu/", name), .controller = kCpuset, .v1 = {form}, .v2 = {form}});
}

}  // namespace

uint64_t cpu_weight(uint64_t shares) {
  constexpr uint64_t kLeast = 2;
  constexpr uint64_t kMost = 262144;
  if (shares <= kLeast) return 1;
  if (shares >= kMost) return 10000;
  // A parabola through 2 -> 1, 1024 -> 100 (what a new cgroup has of both) and 262144 -> 10000, in
  // logarithms. Not the line of runtimes before 2025, which gives 1024 shares a weight of 39.
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<uint64_t>(std::ceil(std::pow(10.0, ((l * l) + (125 * l) - 126) / 612)));
}

Status plan_cpu(Limits& limits) {
  if (!limits.wanted().cpu) return ok();
  const spec::Cpu& cpu = *limits.wanted().cpu;
  TRY(add_weight(limits));
  TRY(BandwidthLimits(limits).plan());
  TRY(add_realtime(limits));
  TRY(add_cpuset(limits, "cpus", cpu.cpus));
  return add_cpuset(limits, "mems", cpu.mems);
}

}  // namespace rt::plan
