// Each property of linux.resources, as cgroup v1 has it and as v2 has it.
#include <functional>

#include "tests/unit/plan/settings.h"

namespace rt::plan::testing {
namespace {

struct Row {
  const char* name;
  std::function<void(spec::Resources&)> ask;
  Texts v1;
  Texts v2;
};

spec::Resources asked(const Row& row) {
  spec::Resources resources;
  row.ask(resources);
  return resources;
}

template <class Change>
auto memory(Change change) {
  return [change](spec::Resources& resources) { change(resources.memory.emplace()); };
}

template <class Change>
auto cpu(Change change) {
  return [change](spec::Resources& resources) { change(resources.cpu.emplace()); };
}

template <class Change>
auto block_io(Change change) {
  return [change](spec::Resources& resources) { change(resources.block_io.emplace()); };
}

auto hugepages(const std::vector<spec::HugepageLimit>& limits) {
  return [limits](spec::Resources& resources) { resources.hugepage_limits = limits; };
}

auto pids(int64_t limit) {
  return [limit](spec::Resources& resources) { resources.pids_limit = limit; };
}

auto unified(const std::map<std::string, std::string>& files) {
  return [files](spec::Resources& resources) { resources.unified = files; };
}

class Resources : public ::testing::TestWithParam<Row> {};

TEST_P(Resources, AreTheFilesOfV1) {
  EXPECT_EQ(settings_of(asked(GetParam()), full_v1_host()), GetParam().v1);
}

TEST_P(Resources, AreTheFilesOfV2) {
  EXPECT_EQ(settings_of(asked(GetParam()), root_host()), GetParam().v2);
}

INSTANTIATE_TEST_SUITE_P(
    Memory, Resources,
    ::testing::Values(
        Row{"Limit",
            memory([](auto& m) { m.limit = 1073741824; }),
            {"memory/box: memory.limit_in_bytes 1073741824; last"},
            {"box: memory.max 1073741824; last"}},
        Row{"NoLimit",
            memory([](auto& m) { m.limit = -1; }),
            {"memory/box: memory.limit_in_bytes -1; last; may lack",
             "memory/box: memory.memsw.limit_in_bytes -1; last; may lack"},
            {"box: memory.max max; last; may lack", "box: memory.swap.max max; last; may lack"}},
        Row{"LimitAndSwap",
            memory([](auto& m) { m.limit = 100, m.swap = 300; }),
            {"memory/box: memory.limit_in_bytes 100; last",
             "memory/box: memory.memsw.limit_in_bytes 300; last"},
            {"box: memory.max 100; last", "box: memory.swap.max 200; last"}},
        Row{"NoSwapAtAll",
            memory([](auto& m) { m.limit = 100, m.swap = 100; }),
            {"memory/box: memory.limit_in_bytes 100; last",
             "memory/box: memory.memsw.limit_in_bytes 100; last; warns"},
            {"box: memory.max 100; last", "box: memory.swap.max 0; last; may lack"}},
        Row{"SwapWithoutEnd",
            memory([](auto& m) { m.limit = 100, m.swap = -1; }),
            {"memory/box: memory.limit_in_bytes 100; last",
             "memory/box: memory.memsw.limit_in_bytes -1; last; may lack"},
            {"box: memory.max 100; last", "box: memory.swap.max max; last; may lack"}},
        Row{"SwapWithoutEndAlone",
            memory([](auto& m) { m.swap = -1; }),
            {"memory/box: memory.memsw.limit_in_bytes -1; last; may lack"},
            {"box: memory.swap.max max; last; may lack"}},
        Row{"Reservation",
            memory([](auto& m) { m.reservation = 50; }),
            {"memory/box: memory.soft_limit_in_bytes 50; last"},
            {"box: memory.low 50; last"}},
        Row{"UnlimitedReservation",
            memory([](auto& m) { m.reservation = -1; }),
            {"memory/box: memory.soft_limit_in_bytes -1; last"},
            {"box: memory.low max; last"}},
        Row{"NoLimitOfTheKernel",
            memory([](auto& m) { m.kernel = -1, m.kernel_tcp = -1; }),
            {"memory/box: memory.kmem.limit_in_bytes -1; may lack",
             "memory/box: memory.kmem.tcp.limit_in_bytes -1; may lack"},
            {}},
        Row{"OomKiller",
            memory([](auto& m) { m.disable_oom_killer = false; }),
            {"memory/box: memory.oom_control 0; may lack"},
            {}},
        Row{"Hierarchy",
            memory([](auto& m) { m.use_hierarchy = true; }),
            {"memory/box: memory.use_hierarchy 1; may lack"},
            {}},
        Row{"CheckBeforeUpdate", memory([](auto& m) { m.check_before_update = true; }), {}, {}},
        Row{"Zeros",
            memory([](auto& m) {
              m.limit = 0, m.swap = 0, m.reservation = 0, m.kernel = 0, m.kernel_tcp = 0;
            }),
            {},
            {}}),
    row_name<Row>);

INSTANTIATE_TEST_SUITE_P(
    Cpu, Resources,
    ::testing::Values(
        Row{"Shares",
            cpu([](auto& c) { c.shares = 512; }),
            {"cpu/box: cpu.shares 512; warns"},
            {"box: cpu.weight 59; warns"}},
        Row{"Quota",
            cpu([](auto& c) { c.quota = 50000; }),
            {"cpu/box: cpu.cfs_quota_us 50000"},
            {"box: cpu.max 50000 100000"}},
        Row{"NoQuota",
            cpu([](auto& c) { c.quota = -1; }),
            {"cpu/box: cpu.cfs_quota_us -1; may lack"},
            {"box: cpu.max max 100000; may lack"}},
        Row{"Period",
            cpu([](auto& c) { c.period = 50000; }),
            {"cpu/box: cpu.cfs_period_us 50000"},
            {"box: cpu.max max 50000"}},
        Row{"QuotaOfALongPeriod",
            cpu([](auto& c) { c.quota = 300000, c.period = 200000; }),
            {"cpu/box: cpu.cfs_period_us 200000", "cpu/box: cpu.cfs_quota_us 300000"},
            {"box: cpu.max 300000 200000"}},
        Row{"QuotaOfAShortPeriod",
            cpu([](auto& c) { c.quota = 30000, c.period = 20000; }),
            {"cpu/box: cpu.cfs_quota_us 30000", "cpu/box: cpu.cfs_period_us 20000"},
            {"box: cpu.max 30000 20000"}},
        Row{"Burst",
            cpu([](auto& c) { c.quota = 50000, c.burst = 20000; }),
            {"cpu/box: cpu.cfs_quota_us 50000", "cpu/box: cpu.cfs_burst_us 20000"},
            {"box: cpu.max 50000 100000", "box: cpu.max.burst 20000"}},
        Row{"NoBurst",
            cpu([](auto& c) { c.quota = 50000, c.burst = 0; }),
            {"cpu/box: cpu.cfs_burst_us 0; may lack", "cpu/box: cpu.cfs_quota_us 50000"},
            {"box: cpu.max.burst 0; may lack", "box: cpu.max 50000 100000"}},
        Row{"Cpus",
            cpu([](auto& c) { c.cpus = "0-1", c.mems = "0"; }),
            {"cpuset/box: cpuset.cpus 0-1", "cpuset/box: cpuset.mems 0"},
            {"box: cpuset.cpus 0-1", "box: cpuset.mems 0"}},
        Row{"Idle",
            cpu([](auto& c) { c.shares = 2, c.idle = 1; }),
            {"cpu/box: cpu.shares 2; warns", "cpu/box: cpu.idle 1"},
            {"box: cpu.weight 1; warns", "box: cpu.idle 1"}},
        Row{"NotIdle",
            cpu([](auto& c) { c.shares = 1024, c.idle = 0; }),
            {"cpu/box: cpu.idle 0; may lack", "cpu/box: cpu.shares 1024; warns"},
            {"box: cpu.idle 0; may lack", "box: cpu.weight 100; warns"}},
        Row{"NoRealTime",
            cpu([](auto& c) { c.realtime_runtime = 0, c.realtime_period = 0; }),
            {},
            {}},
        Row{"Zeros", cpu([](auto& c) { c.shares = 0, c.quota = 0, c.period = 0; }), {}, {}}),
    row_name<Row>);

INSTANTIATE_TEST_SUITE_P(
    BlockIo, Resources,
    ::testing::Values(
        Row{"Weight",
            block_io([](auto& io) { io.weight = 500; }),
            {"blkio/box: blkio.weight 500 | blkio.bfq.weight 500"},
            {"box: io.bfq.weight 500 | io.weight 4950"}},
        Row{"WeightOfADevice",
            block_io([](auto& io) { io.weight_device = {{8, 16, 1000, {}}, {8, 0, 10, 0}}; }),
            {"blkio/box: blkio.weight_device 8:16 1000 | blkio.bfq.weight_device 8:16 1000; unseen",
             "blkio/box: blkio.weight_device 8:0 10 | blkio.bfq.weight_device 8:0 10; unseen"},
            {"box: io.bfq.weight 8:16 1000 | io.weight 8:16 10000; unseen",
             "box: io.bfq.weight 8:0 10 | io.weight 8:0 1; unseen"}},
        Row{"Rates",
            block_io([](auto& io) {
              io.throttle_read_bps_device = {{8, 0, 1048576}};
              io.throttle_write_bps_device = {{8, 0, 2048}};
              io.throttle_read_iops_device = {{8, 0, 100}, {8, 16, 0}};
              io.throttle_write_iops_device = {{8, 0, 200}};
            }),
            {"blkio/box: blkio.throttle.read_bps_device 8:0 1048576; unseen",
             "blkio/box: blkio.throttle.write_bps_device 8:0 2048; unseen",
             "blkio/box: blkio.throttle.read_iops_device 8:0 100; unseen",
             "blkio/box: blkio.throttle.read_iops_device 8:16 0; unseen",
             "blkio/box: blkio.throttle.write_iops_device 8:0 200; unseen"},
            {"box: io.max 8:0 rbps=1048576; unseen", "box: io.max 8:0 wbps=2048; unseen",
             "box: io.max 8:0 riops=100; unseen", "box: io.max 8:16 riops=max; unseen",
             "box: io.max 8:0 wiops=200; unseen"}},
        Row{"Zeros",
            block_io([](auto& io) {
              io.weight = 0, io.leaf_weight = 0, io.weight_device = {{8, 0, 0, 0}};
            }),
            {},
            {}}),
    row_name<Row>);

INSTANTIATE_TEST_SUITE_P(
    Counts, Resources,
    ::testing::Values(
        Row{"HugePages",
            hugepages({{"2MB", 4194304}}),
            {"hugetlb/box: hugetlb.2MB.limit_in_bytes 4194304",
             "hugetlb/box: hugetlb.2MB.rsvd.limit_in_bytes 4194304; may lack"},
            {"box: hugetlb.2MB.max 4194304", "box: hugetlb.2MB.rsvd.max 4194304; may lack"}},
        Row{"NoHugePages",
            hugepages({{"1GB", 0}}),
            {"hugetlb/box: hugetlb.1GB.limit_in_bytes 0",
             "hugetlb/box: hugetlb.1GB.rsvd.limit_in_bytes 0; may lack"},
            {"box: hugetlb.1GB.max 0", "box: hugetlb.1GB.rsvd.max 0; may lack"}},
        Row{"Pids", pids(20), {"pids/box: pids.max 20; last"}, {"box: pids.max 20; last"}},
        Row{"NoMorePids", pids(0), {"pids/box: pids.max 0; last"}, {"box: pids.max 0; last"}},
        Row{"AnyPids",
            pids(-1),
            {"pids/box: pids.max max; last; may lack"},
            {"box: pids.max max; last; may lack"}},
        Row{"AsManyPidsAsThereCanBe",
            pids(4194304),
            {"pids/box: pids.max 4194304; last"},
            {"box: pids.max 4194304; last"}},
        Row{"MorePidsThanThereCanBe",
            pids(4194305),
            {"pids/box: pids.max max; last"},
            {"box: pids.max max; last"}},
        Row{"Rdma",
            [](auto& r) {
              r.rdma = {{"mlx5_1", {3, 10000}}, {"rxe3", {{}, 0}}, {"siw0", {7, {}}}};
            },
            {"rdma/box: rdma.max mlx5_1 hca_handle=3 hca_object=10000; unseen",
             "rdma/box: rdma.max rxe3 hca_object=0; unseen",
             "rdma/box: rdma.max siw0 hca_handle=7; unseen"},
            {"box: rdma.max mlx5_1 hca_handle=3 hca_object=10000; unseen",
             "box: rdma.max rxe3 hca_object=0; unseen", "box: rdma.max siw0 hca_handle=7; unseen"}},
        Row{"NoNetwork", [](auto& r) { r.network.emplace().class_id = 0; }, {}, {}}),
    row_name<Row>);

struct OneVersionRow {
  const char* name;
  std::function<void(spec::Resources&)> ask;
  Texts settings;
};

class OfV1Alone : public ::testing::TestWithParam<OneVersionRow> {};

TEST_P(OfV1Alone, AreWrittenThere) {
  spec::Resources resources;
  GetParam().ask(resources);
  EXPECT_EQ(settings_of(resources, full_v1_host()), GetParam().settings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OfV1Alone,
    ::testing::Values(
        OneVersionRow{"KernelMemory",
                      memory([](auto& m) { m.kernel = 7, m.kernel_tcp = 8; }),
                      {"memory/box: memory.kmem.limit_in_bytes 7; warns",
                       "memory/box: memory.kmem.tcp.limit_in_bytes 8; warns"}},
        OneVersionRow{"Behaviour",
                      memory([](auto& m) {
                        m.swappiness = 0, m.disable_oom_killer = true, m.use_hierarchy = false;
                      }),
                      {"memory/box: memory.use_hierarchy 0", "memory/box: memory.swappiness 0",
                       "memory/box: memory.oom_control 1"}},
        OneVersionRow{"RealTime",
                      cpu([](auto& c) { c.realtime_runtime = 950, c.realtime_period = 500000; }),
                      {"cpu/box: cpu.rt_runtime_us 950", "cpu/box: cpu.rt_period_us 500000"}},
        OneVersionRow{"RealTimeOfTheUsualPeriod",
                      cpu([](auto& c) { c.realtime_runtime = 950, c.realtime_period = 1000000; }),
                      {"cpu/box: cpu.rt_period_us 1000000", "cpu/box: cpu.rt_runtime_us 950"}},
        OneVersionRow{
            "LeafWeight",
            block_io([](auto& io) { io.leaf_weight = 300, io.weight_device = {{8, 0, {}, 20}}; }),
            {"blkio/box: blkio.leaf_weight 300",
             "blkio/box: blkio.leaf_weight_device 8:0 20; unseen"}},
        OneVersionRow{"Network",
                      [](auto& r) {
                        r.network.emplace().class_id = 1048577;
                        r.network->priorities = {{"eth0", 5}, {"lo", 0}};
                      },
                      {"net_cls/box: net_cls.classid 1048577",
                       "net_prio/box: net_prio.ifpriomap eth0 5; unseen",
                       "net_prio/box: net_prio.ifpriomap lo 0; unseen"}}),
    row_name<OneVersionRow>);

class Unified : public ::testing::TestWithParam<OneVersionRow> {};

TEST_P(Unified, IsWrittenAsItIs) {
  spec::Resources resources;
  GetParam().ask(resources);
  EXPECT_EQ(settings_of(resources, root_host()), GetParam().settings);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Unified,
    ::testing::Values(
        OneVersionRow{"OfMemory",
                      unified({{"memory.high", "max"},
                               {"memory.max", "1G"},
                               {"memory.min", "4097"},
                               {"memory.oom.group", "1"}}),
                      {"box: memory.high max; last", "box: memory.max 1G; last",
                       "box: memory.min 4097; last", "box: memory.oom.group 1; last"}},
        OneVersionRow{"OfPids", unified({{"pids.max", "12"}}), {"box: pids.max 12; last"}},
        OneVersionRow{"LineByLine",
                      unified({{"io.max", "8:0 rbps=1\n\n8:16 wiops=max\n"}}),
                      {"box: io.max 8:0 rbps=1; unseen", "box: io.max 8:16 wiops=max; unseen"}},
        OneVersionRow{"Empty", unified({{"cpuset.cpus", ""}}), {"box: cpuset.cpus ; unseen"}},
        OneVersionRow{"HugePages",
                      unified({{"hugetlb.1GB.max", "1073741824"}}),
                      {"box: hugetlb.1GB.max 1073741824"}},
        OneVersionRow{"NothingThatIsKnown",
                      unified({{"misc.new_file", "a b"}}),
                      {"box: misc.new_file a b; unseen"}},
        OneVersionRow{
            "OfEveryCgroup", unified({{"cgroup.max.depth", "3"}}), {"box: cgroup.max.depth 3"}}),
    row_name<OneVersionRow>);

TEST(Unified, HasTheLastWord) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100;
  resources.unified = {{"memory.max", "200"}};
  EXPECT_EQ(settings_of(resources, root_host()),
            (Texts{"box: memory.max 100; last", "box: memory.max 200; last"}));
}

TEST(Resources, AreWhereEachControllerIs) {
  spec::Resources resources;
  resources.memory.emplace().limit = 100;
  resources.hugepage_limits = {{"2MB", 0}};
  resources.unified = {{"misc.max", "res_a 1"}};
  EXPECT_EQ(settings_of(resources, hybrid_host()),
            (Texts{"memory/box: memory.limit_in_bytes 100; last", "unified/box: hugetlb.2MB.max 0",
                   "unified/box: hugetlb.2MB.rsvd.max 0; may lack",
                   "unified/box: misc.max res_a 1; unseen"}));
}

TEST(Resources, HaveTheirOrigins) {
  spec::Resources resources;
  spec::Memory& memory = resources.memory.emplace();
  memory.limit = 1, memory.swap = 1, memory.reservation = 1;
  spec::Cpu& cpu = resources.cpu.emplace();
  cpu.shares = 2, cpu.quota = 1000, cpu.burst = 1, cpu.period = 1000, cpu.cpus = "0";
  resources.block_io.emplace().weight_device = {{8, 0, 10, {}}};
  resources.block_io->throttle_write_iops_device = {{8, 0, 10}};
  resources.hugepage_limits = {{"2MB", 0}};
  resources.pids_limit = 1;
  resources.rdma = {{"a~b", {1, {}}}};
  resources.unified = {{"misc.a~b", "1"}};
  EXPECT_EQ(origins_of(plan_of(config_with(resources)).resources.settings),
            (Texts{"/linux/resources/memory/limit", "/linux/resources/memory/swap",
                   "/linux/resources/memory/reservation", "/linux/resources/cpu/shares",
                   "/linux/resources/cpu/quota", "/linux/resources/cpu/burst",
                   "/linux/resources/cpu/cpus", "/linux/resources/blockIO/weightDevice/0/weight",
                   "/linux/resources/blockIO/throttleWriteIOPSDevice/0",
                   "/linux/resources/hugepageLimits/0", "/linux/resources/hugepageLimits/0",
                   "/linux/resources/pids/limit", "/linux/resources/rdma/a~0b",
                   "/linux/resources/unified/misc.a~0b"}));
}

TEST(Resources, ThatAreNoneAreNoSettings) {
  EXPECT_TRUE(plan_of(small_config()).resources.settings.empty());
  EXPECT_TRUE(settings_of({}, root_host()).empty());
  EXPECT_TRUE(settings_of({}, full_v1_host()).empty());
}

}  // namespace
}  // namespace rt::plan::testing
