// linux.resources that this machine cannot do, in whole or in part.
#include <functional>
#include <random>

#include "runtime/plan/describe.h"
#include "tests/unit/plan/settings.h"

namespace rt::plan::testing {
namespace {

using Ask = std::function<void(spec::Resources&)>;

struct RefusedRow {
  const char* name;
  HostFacts host;
  Ask ask;
  const char* pointer;  // below /linux/resources
  const char* message;  // after "linux.resources."
};

class RefusedResources : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedResources, SayWhy) {
  spec::Resources resources;
  GetParam().ask(resources);
  EXPECT_TRUE(fails_at(try_plan(config_with(resources), GetParam().host),
                       cat("/linux/resources", GetParam().pointer),
                       cat("linux.resources.", GetParam().message)));
}

/// config-linux.md, "Unified": "If the conversion is not possible the runtime MUST generate an
/// error".
INSTANTIATE_TEST_SUITE_P(
    NotOfV2, RefusedResources,
    ::testing::Values(
        RefusedRow{"Kernel", root_host(), [](auto& r) { r.memory.emplace().kernel = 1; },
                   "/memory/kernel", "memory.kernel: cgroup v2 has no such setting"},
        RefusedRow{"KernelTcp", root_host(), [](auto& r) { r.memory.emplace().kernel_tcp = 1; },
                   "/memory/kernelTCP", "memory.kernelTCP: cgroup v2 has no such setting"},
        RefusedRow{"Swappiness", root_host(), [](auto& r) { r.memory.emplace().swappiness = 0; },
                   "/memory/swappiness", "memory.swappiness: cgroup v2 has no such setting"},
        RefusedRow{
            "OomKiller", root_host(), [](auto& r) { r.memory.emplace().disable_oom_killer = true; },
            "/memory/disableOOMKiller", "memory.disableOOMKiller: cgroup v2 has no such setting"},
        RefusedRow{"Hierarchy", root_host(),
                   [](auto& r) { r.memory.emplace().use_hierarchy = false; },
                   "/memory/useHierarchy", "memory.useHierarchy: cgroup v2 has no such setting"},
        RefusedRow{"RealtimeRuntime", root_host(),
                   [](auto& r) { r.cpu.emplace().realtime_runtime = 1; }, "/cpu/realtimeRuntime",
                   "cpu.realtimeRuntime: cgroup v2 has no such setting"},
        RefusedRow{"RealtimePeriod", root_host(),
                   [](auto& r) { r.cpu.emplace().realtime_period = 1; }, "/cpu/realtimePeriod",
                   "cpu.realtimePeriod: cgroup v2 has no such setting"},
        RefusedRow{"LeafWeight", root_host(),
                   [](auto& r) { r.block_io.emplace().leaf_weight = 10; }, "/blockIO/leafWeight",
                   "blockIO.leafWeight: cgroup v2 has no such setting"},
        RefusedRow{"LeafWeightOfADevice", root_host(),
                   [](auto& r) { r.block_io.emplace().weight_device = {{8, 0, {}, 10}}; },
                   "/blockIO/weightDevice/0/leafWeight",
                   "blockIO.weightDevice[0].leafWeight: cgroup v2 has no such setting"},
        RefusedRow{"NetworkClass", root_host(), [](auto& r) { r.network.emplace().class_id = 1; },
                   "/network/classID",
                   "network.classID: controller net_cls is not available on this machine"},
        RefusedRow{"NetworkPriority", root_host(),
                   [](auto& r) { r.network.emplace().priorities = {{"lo", 1}}; },
                   "/network/priorities/0",
                   "network.priorities[0]: controller net_prio is not available"}),
    row_name<RefusedRow>);

INSTANTIATE_TEST_SUITE_P(
    Controllers, RefusedResources,
    ::testing::Values(
        RefusedRow{"Missing", v1_host(), [](auto& r) { r.pids_limit = 1; }, "/pids/limit",
                   "pids.limit: controller pids is not available on this machine (mounted are "
                   "cpuset, cpu, cpuacct, memory)"},
        RefusedRow{"MissingOfV2", root_host(), [](auto& r) { r.unified = {{"perf.x", "1"}}; },
                   "/unified/perf.x",
                   "unified.perf.x: controller perf is not available in cgroup v2 (mounted are "
                   "cpuset (v2), cpu (v2), io (v2), "},
        RefusedRow{"OfV1InUnified", hybrid_host(),
                   [](auto& r) { r.unified = {{"memory.max", "1"}}; }, "/unified/memory.max",
                   "unified.memory.max: controller memory is not available in cgroup v2 (mounted "
                   "are cpuset, cpu, memory, blkio, pids, devices, hugetlb (v2), "},
        RefusedRow{"UnifiedWithoutV2", full_v1_host(),
                   [](auto& r) { r.unified = {{"cgroup.max.depth", "1"}}; },
                   "/unified/cgroup.max.depth",
                   "unified.cgroup.max.depth: cgroup v2 is not mounted on this machine"},
        RefusedRow{"LimitOfUnifiedWithoutV2", full_v1_host(),
                   [](auto& r) { r.unified = {{"memory.max", "1"}}; }, "/unified/memory.max",
                   "unified.memory.max: cgroup v2 is not mounted on this machine"},
        RefusedRow{"NothingMounted", HostFacts(), [](auto& r) { r.memory.emplace().limit = 1; },
                   "/memory/limit", "memory.limit: the container has no cgroup"},
        RefusedRow{"NoDot", root_host(), [](auto& r) { r.unified = {{"\x1bx", "1"}}; },
                   "/unified/\x1bx", "unified.\\x1bx: controller \"\\x1bx\" is not available"}),
    row_name<RefusedRow>);

INSTANTIATE_TEST_SUITE_P(
    Values, RefusedResources,
    ::testing::Values(
        RefusedRow{"SwapWithoutALimit", root_host(), [](auto& r) { r.memory.emplace().swap = 100; },
                   "/memory/swap",
                   "memory.swap: memory and swap together need a limit of memory alone"},
        RefusedRow{"SwapOfUnlimitedMemory", full_v1_host(),
                   [](auto& r) { r.memory.emplace().limit = -1, r.memory->swap = 100; },
                   "/memory/swap", "memory.swap: memory and swap together need a limit"},
        RefusedRow{
            "SwapBelowTheLimit", root_host(),
            [](auto& r) { r.memory.emplace().limit = 101, r.memory->swap = 100; }, "/memory/swap",
            "memory.swap: memory and swap together (100) are less than the memory limit 101"},
        RefusedRow{"BurstAboveTheQuota", root_host(),
                   [](auto& r) { r.cpu.emplace().quota = 1000, r.cpu->burst = 1001; }, "/cpu/burst",
                   "cpu.burst: the burst 1001 is larger than the quota 1000"},
        RefusedRow{"Freeze", root_host(), [](auto& r) { r.unified = {{"cgroup.freeze", "1"}}; },
                   "/unified/cgroup.freeze",
                   "unified.cgroup.freeze: not a limit: only the runtime"},
        RefusedRow{"Procs", root_host(), [](auto& r) { r.unified = {{"cgroup.procs", "1"}}; },
                   "/unified/cgroup.procs", "unified.cgroup.procs: not a limit"}),
    row_name<RefusedRow>);

/// What containerd asks for with every container.
spec::Resources unasked_shares() {
  spec::Resources resources;
  resources.cpu.emplace().shares = 1024;
  return resources;
}

HostFacts host_without_cpu() {
  HostFacts host = root_host();
  std::erase(host.cgroups[0].controllers, "cpu");
  return host;
}

TEST(Resources, ThatNobodyAskedForAreWarnedOf) {
  const Plan plan = plan_of(config_with(unasked_shares()), host_without_cpu());
  EXPECT_TRUE(plan.resources.settings.empty());
  EXPECT_TRUE(warns(plan, "/linux/resources/cpu/shares",
                    "cpu.shares is not applied: controller cpu is not available on this machine"));
}

TEST(StrictResources, AreErrorsWhereOthersAreWarnedOf) {
  const auto strictly = [](const spec::Resources& resources, const HostFacts& host) {
    return make_plan(config_with(resources), strict_request(), host);
  };
  EXPECT_TRUE(fails_at(strictly(unasked_shares(), host_without_cpu()),
                       "/linux/resources/cpu/shares",
                       "linux.resources.cpu.shares: controller cpu is not available"));
  EXPECT_EQ(texts_of(strictly(unasked_shares(), root_host()).value().resources.settings),
            (Texts{"box: cpu.weight 100"}));
  spec::Resources no_swap;
  no_swap.memory.emplace().limit = 1, no_swap.memory->swap = 1;
  EXPECT_EQ(texts_of(strictly(no_swap, full_v1_host()).value().resources.settings).at(1),
            "memory/box: memory.memsw.limit_in_bytes 1; last");
}

/// As podman without root on a machine with v1: nobody names a path, and none can be had.
HostFacts host_beyond_reach() {
  HostFacts host = root_host();
  host.cgroups[0].own_path = "/../other";
  host.euid = 1000;
  return host;
}

spec::Config without_path(const spec::Resources& resources) {
  spec::Config config = config_with(resources);
  config.linux_.cgroups_path.clear();
  return config;
}

TEST(Resources, OfAContainerWithoutACgroupAreWarnedOfOnce) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100, resources.memory->swap = 100;
  resources.pids_limit = 2048;
  const Plan plan = plan_of(without_path(resources), host_beyond_reach());
  EXPECT_TRUE(plan.cgroup.directories.empty());
  EXPECT_TRUE(plan.resources.settings.empty());
  std::vector<Warning> warnings = plan.warnings;
  std::erase_if(warnings, [](const Warning& warning) {
    return !warning.origin.starts_with("/linux/resources");
  });
  const std::vector<Warning> expected = {
      {"/linux/resources/memory", "memory limits are not applied: the container has no cgroup"},
      {"/linux/resources/pids", "pids limits are not applied: the container has no cgroup"}};
  EXPECT_EQ(warnings, expected);
  EXPECT_TRUE(fails_at(make_plan(without_path(resources), strict_request(), host_beyond_reach()),
                       "/linux/resources/memory/limit",
                       "linux.resources.memory.limit: the container has no cgroup"));
}

TEST(Resources, OfAContainerThatIsToHaveNoCgroupAreWarnedOf) {
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kDisabled;
  spec::Resources resources;
  resources.unified = {{"memory.high", "1"}};
  const Result<Plan> plan = make_plan(config_with(resources), request, root_host());
  ASSERT_TRUE(is_ok(plan));
  EXPECT_TRUE(plan.value().resources.settings.empty());
  EXPECT_TRUE(warns(plan.value(), "/linux/resources/unified",
                    "unified limits are not applied: the container has no cgroup"));
}

TEST(Resources, ThatAreNoLimitsNeedNoCgroup) {
  spec::Resources resources;
  resources.memory.emplace().limit = -1, resources.memory->disable_oom_killer = false;
  resources.cpu.emplace().quota = -1, resources.cpu->burst = 0, resources.cpu->idle = 0;
  resources.pids_limit = -1;
  EXPECT_TRUE(settings_of(resources, HostFacts()).empty());
  EXPECT_TRUE(is_ok(make_plan(config_with(resources), strict_request(), HostFacts())));
}

TEST(Resources, SayWhichControllersOfV2TheyNeed) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100, resources.memory->reservation = 50;
  resources.cpu.emplace().shares = 1024, resources.cpu->cpus = "0";
  resources.pids_limit = -1;
  resources.unified = {{"cgroup.max.depth", "1"}, {"io.max", "8:0 rbps=1"}, {"memory.high", "1"}};
  const std::vector<ControllerNeed> expected = {
      {"memory", "/linux/resources/memory/limit"},
      {"cpuset", "/linux/resources/cpu/cpus"},
      {"io", "/linux/resources/unified/io.max"},
  };
  EXPECT_EQ(plan_of(config_with(resources)).cgroup.directories.at(0).needs, expected);
}

TEST(Resources, OfV1NeedNoControllersOfV2) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100;
  for (const auto& directory : plan_of(config_with(resources), hybrid_host()).cgroup.directories) {
    EXPECT_TRUE(directory.needs.empty()) << directory.path;
  }
}

TEST(Resources, AreListedWhenTheyAreWritten) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100, resources.memory->swap = 100;
  resources.block_io.emplace().weight = 500;
  resources.cpu.emplace().shares = 1024;
  Texts lines;
  for (const Action& action : actions(plan_of(config_with(resources)))) {
    const bool limit = action.step == Step::kResources && !action.text.starts_with("devices: ");
    if (!limit && action.step != Step::kTightLimits) continue;
    lines.push_back(cat(name_of(action.step), ": ", action.text, ": ", action.origin));
  }
  EXPECT_EQ(lines,
            (Texts{"resources: cpu.weight 100 in /sys/fs/cgroup/box; a warning where it is "
                   "missing: /linux/resources/cpu/shares",
                   "resources: io.bfq.weight 500, else io.weight 4950 in /sys/fs/cgroup/box: "
                   "/linux/resources/blockIO/weight",
                   "memory and pids: memory.max 100 in /sys/fs/cgroup/box: "
                   "/linux/resources/memory/limit",
                   "memory and pids: memory.swap.max 0 in /sys/fs/cgroup/box; nothing where it is "
                   "missing: /linux/resources/memory/swap"}));
}

uint64_t weight_of(uint64_t shares) {
  spec::Resources resources;
  resources.cpu.emplace().shares = shares;
  const Plan plan = plan_of(config_with(resources));
  return parse_uint(plan.resources.settings.at(0).forms.at(0).value).value();
}

TEST(CpuWeight, IsExactWhereBothScalesMeet) {
  EXPECT_EQ(weight_of(1), 1U);
  EXPECT_EQ(weight_of(2), 1U);
  EXPECT_EQ(weight_of(3), 2U);
  EXPECT_EQ(weight_of(1024), 100U);
  EXPECT_EQ(weight_of(262143), 10000U);
  EXPECT_EQ(weight_of(262144), 10000U);
  EXPECT_EQ(weight_of(~uint64_t{0}), 10000U);
}

TEST(CpuWeight, GrowsWithTheShares) {
  uint64_t last = 1;
  for (uint64_t shares = 1; shares < 300000; shares += 1 + shares / 50) {
    const uint64_t weight = weight_of(shares);
    EXPECT_GE(weight, last) << shares;
    EXPECT_LE(weight, 10000U) << shares;
    last = weight;
  }
}

TEST(IoWeight, GrowsFrom1To10000) {
  uint64_t last = 0;
  for (uint16_t weight = 10; weight <= 1000; ++weight) {
    spec::Resources resources;
    resources.block_io.emplace().weight = weight;
    const Plan plan = plan_of(config_with(resources));
    const CgroupSetting::Form& form = plan.resources.settings.at(0).forms.at(1);
    const uint64_t scaled = parse_uint(form.value).value();
    EXPECT_EQ(scaled == 1, weight == 10);
    EXPECT_GT(scaled, last);
    last = scaled;
  }
  EXPECT_EQ(last, 10000U);
}

}  // namespace
}  // namespace rt::plan::testing
