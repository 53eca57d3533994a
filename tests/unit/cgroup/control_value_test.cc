#include "runtime/cgroup/control_value.h"

#include <gtest/gtest.h>

namespace rt::cgroup {
namespace {

struct ShownRow {
  const char* name;
  const char* file;
  const char* asked;
  const char* shown;
  bool same;
};

class ShownValues : public ::testing::TestWithParam<ShownRow> {};

TEST_P(ShownValues, AreComparedByWhatTheyMean) {
  const ShownRow& row = GetParam();
  EXPECT_EQ(is_same_value(row.file, row.asked, row.shown), row.same);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ShownValues,
    ::testing::Values(
        ShownRow{"Equal", "pids.max", "17", "17", true},
        ShownRow{"Other", "pids.max", "17", "18", false},
        ShownRow{"Max", "memory.max", "max", "max", true},
        ShownRow{"MaxButANumber", "memory.max", "max", "4096", false},
        ShownRow{"MinusOneOfV1", "memory.limit_in_bytes", "-1", "9223372036854771712", true},
        ShownRow{"MinusOneButANumber", "memory.limit_in_bytes", "-1", "4096", false},
        ShownRow{"TooMuchToCount", "memory.max", "9223372036854775807", "max", true},
        ShownRow{"LargePages", "memory.limit_in_bytes", "-1", "9223372036854710272", true},
        ShownRow{"Rounded", "memory.max", "4097", "4096", false},
        ShownRow{"Suffix", "memory.high", "16M", "16777216", true},
        ShownRow{"SmallSuffix", "memory.high", "1g", "1073741824", true},
        ShownRow{"OtherSuffix", "memory.high", "16M", "16777217", false},
        ShownRow{"SuffixOfTooMuch", "memory.high", "99999999999999E", "1", false},
        ShownRow{"WhiteSpace", "cpu.max", "50000  100000", "50000 100000\n", true},
        ShownRow{"LeftOut", "cpu.max", "50000", "50000 100000", true},
        ShownRow{"MaxWithPeriod", "cpu.max", "max", "max 100000", true},
        ShownRow{"OtherPeriod", "cpu.max", "50000 100000", "50000 50000", false},
        ShownRow{"Default", "io.weight", "200", "default 200", true},
        ShownRow{"DefaultAmongDevices", "io.weight", "200", "default 200\n8:0 300", true},
        ShownRow{"OtherDefault", "io.weight", "200", "default 100", false},
        ShownRow{"OomControl", "memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0", true},
        ShownRow{"NoOomControl", "memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 1",
                 false},
        ShownRow{"CpuList", "cpuset.cpus", "0,1", "0-1", true},
        ShownRow{"CpuListInAnyOrder", "cpuset.cpus", "3,0-1,2", "0-3", true},
        ShownRow{"CpuListWithHole", "cpuset.cpus", "0,2", "0-2", false},
        ShownRow{"CpuListCutDown", "cpuset.cpus", "0-7", "0-1", false},
        ShownRow{"OverlappingCpus", "cpuset.cpus", "0-2,1-3", "0-3", true},
        ShownRow{"NoCpuList", "cpuset.cpus", "all", "0-3", false},
        ShownRow{"BackwardsCpuList", "cpuset.mems", "1-0", "0-1", false},
        ShownRow{"Nothing", "cpuset.cpus", "", "", true},
        ShownRow{"NothingAsked", "cpuset.cpus", "", "0", false},
        ShownRow{"NothingShown", "cpuset.cpus", "0", "", false}),
    [](const auto& info) { return info.param.name; });

struct RestoreRow {
  const char* name;
  const char* file;
  const char* written;
  const char* before;
  const char* text;
};

class RestoredValues : public ::testing::TestWithParam<RestoreRow> {};

TEST_P(RestoredValues, AreWhatWasThere) {
  const RestoreRow& row = GetParam();
  EXPECT_EQ(text_to_restore(row.file, row.written, row.before), row.text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RestoredValues,
    ::testing::Values(
        RestoreRow{"Number", "pids.max", "20", "max", "max"},
        RestoreRow{"Nothing", "cpuset.cpus", "0", "", ""},
        RestoreRow{"Pair", "cpu.max", "1000 10000", "max 100000", "max 100000"},
        RestoreRow{"OomControl", "memory.oom_control", "1",
                   "oom_kill_disable 0\nunder_oom 0\noom_kill 3", "0"},
        RestoreRow{"DeviceThatHadALimit", "io.max", "8:0 rbps=5",
                   "8:16 rbps=1 wbps=max\n8:0 rbps=7 wbps=max", "8:0 rbps=7 wbps=max"},
        RestoreRow{"DeviceThatHadNone", "io.max", "8:0 rbps=5", "8:16 rbps=1",
                   "8:0 rbps=max wbps=max riops=max wiops=max"},
        RestoreRow{"DeviceOfV1", "blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0"},
        RestoreRow{"Devices", "blkio.throttle.read_bps_device", "8:0 5\n8:16 6", "8:16 1",
                   "8:0 0\n8:16 1"},
        RestoreRow{"NotTheLongerNumber", "blkio.throttle.read_bps_device", "8:1 5", "8:16 1",
                   "8:1 0"},
        RestoreRow{"WeightOfAll", "io.weight", "200", "default 100\n8:0 300", "default 100"},
        RestoreRow{"WeightOfADevice", "io.weight", "8:0 200", "default 100", "8:0 default"},
        RestoreRow{"Rdma", "rdma.max", "mlx5_0 hca_handle=2",
                   "mlx5_0 hca_handle=max hca_object=max", "mlx5_0 hca_handle=max hca_object=max"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rt::cgroup
