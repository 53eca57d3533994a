// What `update` writes: what changes, and what is about the same thing.
#include <functional>
#include <random>

#include "tests/unit/plan/settings.h"

namespace rt::plan::testing {
namespace {

std::vector<CgroupDirectory> directories_on(const HostFacts& host) {
  return plan_of(config_with({}), host).cgroup.directories;
}

Result<ResourcesStep> try_update(const spec::Resources& changes, const spec::Resources& now,
                                 const HostFacts& host, const Request& request = small_request()) {
  std::vector<Warning> warnings;
  Result<ResourcesStep> step =
      plan_update(changes, now, directories_on(host), request, host, warnings);
  EXPECT_TRUE(warnings.empty());
  return step;
}

Texts update(const spec::Resources& changes, const spec::Resources& now, const HostFacts& host) {
  const Result<ResourcesStep> step = try_update(changes, now, host);
  EXPECT_TRUE(is_ok(step));
  return step ? texts_of(step.value().settings) : Texts();
}

struct Row {
  const char* name;
  std::function<void(spec::Resources&)> now;
  std::function<void(spec::Resources&)> change;
  Texts v1;
  Texts v2;
};

class Update : public ::testing::TestWithParam<Row> {
 protected:
  static Texts on(const HostFacts& host) {
    spec::Resources now;
    GetParam().now(now);
    spec::Resources changes;
    GetParam().change(changes);
    return update(changes, now, host);
  }
};

TEST_P(Update, WritesTheFilesOfV1) { EXPECT_EQ(on(full_v1_host()), GetParam().v1); }
TEST_P(Update, WritesTheFilesOfV2) { EXPECT_EQ(on(root_host()), GetParam().v2); }

auto memory(std::optional<int64_t> limit, std::optional<int64_t> swap) {
  return [limit, swap](spec::Resources& resources) {
    resources.memory.emplace().limit = limit;
    resources.memory->swap = swap;
  };
}

template <class Change>
auto cpu(Change change) {
  return [change](spec::Resources& resources) { change(resources.cpu.emplace()); };
}

void nothing(spec::Resources& /*resources*/) {}

const std::string kV1Limit = "memory/box: memory.limit_in_bytes ";
const std::string kV1Swap = "memory/box: memory.memsw.limit_in_bytes ";
const std::string kV2Limit = "box: memory.max ";
const std::string kV2Swap = "box: memory.swap.max ";

/// v1 refuses a moment in which memory and swap together are less than memory alone.
INSTANTIATE_TEST_SUITE_P(
    Memory, Update,
    ::testing::Values(Row{"Both",
                          nothing,
                          memory(100, 300),
                          {kV1Limit + "100; last", kV1Swap + "300; last"},
                          {kV2Limit + "100; last", kV2Swap + "200; last"}},
                      Row{"BothLess",
                          memory(200, 400),
                          memory(100, 200),
                          {kV1Limit + "100; last", kV1Swap + "200; last"},
                          {kV2Limit + "100; last", kV2Swap + "100; last"}},
                      Row{"BothMore",
                          memory(100, 200),
                          memory(300, 600),
                          {kV1Swap + "600; last", kV1Limit + "300; last"},
                          {kV2Swap + "300; last", kV2Limit + "300; last"}},
                      Row{"MoreWithinTheOldTotal",
                          memory(100, 400),
                          memory(300, 600),
                          {kV1Limit + "300; last", kV1Swap + "600; last"},
                          {kV2Limit + "300; last", kV2Swap + "300; last"}},
                      Row{"LessMemoryOfTheSameTotal",
                          memory(200, 400),
                          memory(100, {}),
                          {kV1Limit + "100; last"},
                          {kV2Swap + "300; last", kV2Limit + "100; last"}},
                      Row{"MoreMemoryOfTheSameTotal",
                          memory(200, 400),
                          memory(400, {}),
                          {kV1Limit + "400; last"},
                          {kV2Limit + "400; last", kV2Swap + "0; last; may lack"}},
                      Row{"MemoryAlone",
                          memory(200, {}),
                          memory(100, {}),
                          {kV1Limit + "100; last"},
                          {kV2Limit + "100; last"}},
                      Row{"MemoryOfUnlimitedSwap",
                          memory(200, -1),
                          memory(100, {}),
                          {kV1Limit + "100; last"},
                          {kV2Limit + "100; last"}},
                      Row{"SwapAlone",
                          memory(200, 400),
                          memory({}, 300),
                          {kV1Swap + "300; last"},
                          {kV2Swap + "100; last"}},
                      Row{"UnlimitedSwap",
                          memory(200, 400),
                          memory({}, -1),
                          {kV1Swap + "-1; last; may lack"},
                          {kV2Swap + "max; last; may lack"}},
                      Row{"Unlimited",
                          memory(200, 400),
                          memory(-1, {}),
                          {kV1Swap + "-1; last; may lack", kV1Limit + "-1; last; may lack"},
                          {kV2Swap + "max; last; may lack", kV2Limit + "max; last; may lack"}},
                      Row{"LimitedAgain",
                          memory(-1, 400),
                          memory(100, {}),
                          {kV1Limit + "100; last"},
                          {kV2Limit + "100; last"}},
                      Row{"Zeros", memory(200, 400), memory(0, 0), {}, {}}),
    row_name<Row>);

const std::string kShares = "cpu/box: cpu.shares ";
const std::string kWeight = "box: cpu.weight ";

INSTANTIATE_TEST_SUITE_P(
    Cpu, Update,
    ::testing::Values(Row{"SharesAreAskedFor",
                          nothing,
                          cpu([](auto& c) { c.shares = 1024; }),
                          {kShares + "1024"},
                          {kWeight + "100"}},
                      Row{"QuotaOfTheSamePeriod",
                          cpu([](auto& c) { c.quota = 20000, c.period = 50000; }),
                          cpu([](auto& c) { c.quota = 10000, c.period = 0; }),
                          {"cpu/box: cpu.cfs_quota_us 10000"},
                          {"box: cpu.max 10000 50000"}},
                      Row{"PeriodOfTheSameQuota",
                          cpu([](auto& c) { c.quota = 20000; }),
                          cpu([](auto& c) { c.period = 50000; }),
                          {"cpu/box: cpu.cfs_period_us 50000"},
                          {"box: cpu.max 20000 50000"}},
                      Row{"NoQuotaOfTheSamePeriod",
                          cpu([](auto& c) { c.quota = 20000, c.period = 50000; }),
                          cpu([](auto& c) { c.quota = -1; }),
                          {"cpu/box: cpu.cfs_quota_us -1; may lack"},
                          {"box: cpu.max max 50000; may lack"}},
                      Row{"LessBurstFirst",
                          cpu([](auto& c) { c.quota = 50000, c.burst = 40000; }),
                          cpu([](auto& c) { c.quota = 20000, c.burst = 10000; }),
                          {"cpu/box: cpu.cfs_burst_us 10000", "cpu/box: cpu.cfs_quota_us 20000"},
                          {"box: cpu.max.burst 10000", "box: cpu.max 20000 100000"}},
                      Row{"MoreBurstLast",
                          cpu([](auto& c) { c.quota = 20000, c.burst = 10000; }),
                          cpu([](auto& c) { c.quota = 50000, c.burst = 40000; }),
                          {"cpu/box: cpu.cfs_quota_us 50000", "cpu/box: cpu.cfs_burst_us 40000"},
                          {"box: cpu.max 50000 100000", "box: cpu.max.burst 40000"}},
                      Row{"BurstAlone",
                          cpu([](auto& c) { c.quota = 20000; }),
                          cpu([](auto& c) { c.burst = 20000; }),
                          {"cpu/box: cpu.cfs_burst_us 20000"},
                          {"box: cpu.max.burst 20000"}},
                      Row{"NoMoreIdle",
                          cpu([](auto& c) { c.shares = 512, c.idle = 1; }),
                          cpu([](auto& c) { c.idle = 0; }),
                          {"cpu/box: cpu.idle 0; may lack", kShares + "512"},
                          {"box: cpu.idle 0; may lack", kWeight + "59"}},
                      Row{"Cpus",
                          cpu([](auto& c) { c.cpus = "0-1", c.mems = "0"; }),
                          cpu([](auto& c) { c.cpus = "1"; }),
                          {"cpuset/box: cpuset.cpus 1"},
                          {"box: cpuset.cpus 1"}}),
    row_name<Row>);

/// docker update --pids-limit 50: what it was not asked for is 0.
TEST(Update, LeavesAloneWhatDockerSendsAsZero) {
  spec::Resources now;
  now.memory.emplace().limit = 100, now.memory->reservation = 50;
  now.cpu.emplace().shares = 512, now.cpu->quota = 50000;
  spec::Resources changes;
  changes.memory.emplace().limit = 0, changes.memory->reservation = 0, changes.memory->kernel = 0;
  changes.cpu.emplace().shares = 0, changes.cpu->quota = 0, changes.cpu->period = 0;
  changes.block_io.emplace().weight = 0;
  EXPECT_TRUE(update(changes, now, full_v1_host()).empty());
  changes.pids_limit = 50;
  EXPECT_EQ(update(changes, now, full_v1_host()), (Texts{"pids/box: pids.max 50; last"}));
  EXPECT_EQ(update(changes, now, root_host()), (Texts{"box: pids.max 50; last"}));
}

/// CRI sends a rule that denies every device with every update.
TEST(Update, LeavesDevicesAlone) {
  spec::Resources changes;
  changes.devices = {{false, "", {}, {}, "rwm"}};
  const Result<ResourcesStep> step = try_update(changes, {}, root_host());
  ASSERT_TRUE(is_ok(step));
  EXPECT_EQ(step.value(), ResourcesStep());
}

TEST(Update, TakesRealTimeAwayWhereItWasGiven) {
  spec::Resources changes;
  changes.cpu.emplace().realtime_runtime = 0;
  EXPECT_TRUE(update(changes, {}, full_v1_host()).empty());
  spec::Resources now;
  now.cpu.emplace().realtime_runtime = 950000;
  EXPECT_EQ(update(changes, now, full_v1_host()), (Texts{"cpu/box: cpu.rt_runtime_us 0"}));
  changes.cpu->realtime_runtime = 200000, changes.cpu->realtime_period = 400000;
  EXPECT_EQ(update(changes, now, full_v1_host()),
            (Texts{"cpu/box: cpu.rt_runtime_us 200000", "cpu/box: cpu.rt_period_us 400000"}));
  changes.cpu->realtime_period = 2000000;
  EXPECT_EQ(update(changes, now, full_v1_host()),
            (Texts{"cpu/box: cpu.rt_period_us 2000000", "cpu/box: cpu.rt_runtime_us 200000"}));
}

TEST(Update, OriginsArePointersIntoTheResources) {
  spec::Resources changes;
  changes.memory.emplace().limit = 100;
  changes.unified = {{"misc.max", "x 1"}};
  spec::Resources now;
  now.memory.emplace().limit = 200, now.memory->swap = 400;
  const Result<ResourcesStep> step = try_update(changes, now, root_host());
  ASSERT_TRUE(is_ok(step));
  EXPECT_EQ(origins_of(step.value().settings),
            (Texts{"/memory/limit", "/memory/limit", "/unified/misc.max"}));
}

struct RefusedRow {
  const char* name;
  std::function<void(spec::Resources&)> now;
  std::function<void(spec::Resources&)> change;
  const char* pointer;
  const char* message;
};

class RefusedUpdates : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedUpdates, SayWhy) {
  spec::Resources now;
  GetParam().now(now);
  spec::Resources changes;
  GetParam().change(changes);
  for (const HostFacts& host : {root_host(), full_v1_host()}) {
    const Result<ResourcesStep> step = try_update(changes, now, host);
    ASSERT_TRUE(fails_with(step, GetParam().message));
    EXPECT_EQ(step.error().pointer(), GetParam().pointer);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedUpdates,
    ::testing::Values(
        RefusedRow{"LimitAboveTheTotal", memory(100, 200), memory(201, {}), "/memory/limit",
                   "memory.limit: memory and swap together (200) are less than the memory limit"},
        RefusedRow{"TotalBelowTheLimit", memory(100, 200), memory({}, 99), "/memory/swap",
                   "memory.swap: memory and swap together (99) are less than the memory limit 100"},
        RefusedRow{"SwapWithoutALimit", nothing, memory({}, 99), "/memory/swap",
                   "memory.swap: memory and swap together need a limit of memory alone"},
        RefusedRow{"QuotaBelowTheBurst", cpu([](auto& c) { c.quota = 9000, c.burst = 5000; }),
                   cpu([](auto& c) { c.quota = 4000; }), "/cpu/quota",
                   "cpu.quota: the burst 5000 is larger than the quota 4000"},
        RefusedRow{"SharesOfAnIdleCgroup", cpu([](auto& c) { c.idle = 1; }),
                   cpu([](auto& c) { c.shares = 5; }), "/cpu/shares",
                   "cpu.shares: an idle cgroup takes none"}),
    row_name<RefusedRow>);

TEST(Update, NeedsACgroup) {
  std::vector<Warning> warnings;
  spec::Resources changes;
  EXPECT_TRUE(is_ok(plan_update(changes, {}, {}, small_request(), root_host(), warnings)));
  changes.cpu.emplace().shares = 5;
  const auto step = plan_update(changes, {}, {}, small_request(), root_host(), warnings);
  EXPECT_TRUE(fails_with(step, "cpu.shares: the container has no cgroup"));
  EXPECT_TRUE(warnings.empty());
}

/// What the kernel makes of the files: it refuses what breaks its rules between two writes.
struct Bandwidth {
  int64_t quota = -1;
  int64_t period = 100000;
  int64_t burst = 0;

  [[nodiscard]] bool holds() const { return quota < 0 || burst <= quota; }
  [[nodiscard]] double share() const {
    return quota < 0 ? 1e9 : static_cast<double>(quota) / static_cast<double>(period);
  }

  void write(const CgroupSetting::Form& form) {
    const auto words = split(form.value, ' ');
    const int64_t value = parse_int(words[0]).value_or(-1);
    if (form.file == "cpu.max.burst" || form.file == "cpu.cfs_burst_us") burst = value;
    if (form.file == "cpu.cfs_period_us") period = value;
    if (form.file == "cpu.max" || form.file == "cpu.cfs_quota_us") quota = value;
    if (words.size() == 2) period = parse_int(words[1]).value();
  }
};

spec::Cpu random_cpu(std::mt19937& random, bool complete) {
  const auto number = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  spec::Cpu cpu;
  if (complete || number(0, 2) != 0) cpu.quota = number(0, 4) == 0 ? -1 : number(1000, 90000);
  if (complete || number(0, 2) != 0) cpu.period = number(1000, 300000);
  if (complete || number(0, 2) != 0) cpu.burst = number(0, 90000);
  return cpu;
}

void set_bandwidth(Bandwidth& now, const std::vector<CgroupSetting>& settings, double most) {
  for (const CgroupSetting& setting : settings) {
    now.write(setting.forms[0]);
    ASSERT_TRUE(now.holds()) << to_text(setting);
    ASSERT_LE(now.share(), most) << to_text(setting);
  }
}

TEST(Update, OfBandwidthNeverBreaksARuleOfTheKernel) {
  std::mt19937 random(4);
  unsigned planned = 0;
  for (int round = 0; round < 4000; ++round) {
    const HostFacts host = round % 2 == 0 ? root_host() : full_v1_host();
    spec::Resources now;
    now.cpu = random_cpu(random, true);
    const Result<ResourcesStep> first = try_update(now, {}, host);
    spec::Resources changes;
    changes.cpu = random_cpu(random, false);
    const Result<ResourcesStep> second = try_update(changes, now, host);
    if (!first || !second) continue;
    ++planned;
    Bandwidth state;
    set_bandwidth(state, first.value().settings, state.share());
    Bandwidth end = state;
    for (const CgroupSetting& setting : second.value().settings) end.write(setting.forms[0]);
    set_bandwidth(state, second.value().settings, std::max(state.share(), end.share()) + 1e-9);
  }
  EXPECT_GT(planned, 1000U);
}

}  // namespace
}  // namespace rt::plan::testing
