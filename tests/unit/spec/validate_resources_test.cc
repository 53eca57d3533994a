// The rules of config.json's "linux.resources".
#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using testing::expect_rejected;
using testing::in_resources;
using testing::Rejection;
using testing::Rejects;

using ResourceRules = Rejects;
TEST_P(ResourceRules, AreKept) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Validate, ResourceRules,
    ::testing::Values(
        Rejection{"DeviceType", in_resources(R"("devices": [{"allow": true, "type": "p"}])"),
                  "/linux/resources/devices/0/type", 5, "unknown device type \"p\""},
        Rejection{"DeviceAccess", in_resources(R"("devices": [{"allow": true, "access": "rx"}])"),
                  "/linux/resources/devices/0/access", 5, "expected letters of \"rwm\""},
        Rejection{"DeviceMajor", in_resources(R"("devices": [{"allow": true, "major": -2}])"),
                  "/linux/resources/devices/0/major", 5, "expected -1 to 4095, found -2"},
        Rejection{"DeviceMinor", in_resources(R"("devices": [{"allow": true, "minor": 1048576}])"),
                  "/linux/resources/devices/0/minor", 5, "expected -1 to 1048575, found 1048576"},
        Rejection{"DeviceWithoutAllow", in_resources(R"("devices": [{"access": "r"}])"),
                  "/linux/resources/devices/0", 5, "missing \"allow\""},
        Rejection{"MemoryLimit", in_resources(R"("memory": {"limit": -2})"),
                  "/linux/resources/memory/limit", 5, "expected at least -1, found -2"},
        Rejection{"KernelTcp", in_resources(R"("memory": {"kernelTCP": -2})"),
                  "/linux/resources/memory/kernelTCP", 5, "expected at least -1, found -2"},
        Rejection{"Swappiness", in_resources(R"("memory": {"swappiness": 101})"),
                  "/linux/resources/memory/swappiness", 5, "expected 0 to 100, found 101"},
        Rejection{"SwapBelowLimit", in_resources(R"("memory": {"limit": 200, "swap": 100})"),
                  "/linux/resources/memory/swap", 5, "memory and swap together (100) are less"},
        Rejection{"Burst", in_resources(R"("cpu": {"quota": 1000, "burst": 1001})"),
                  "/linux/resources/cpu/burst", 5, "the burst 1001 is larger than the quota 1000"},
        Rejection{"Period", in_resources(R"("cpu": {"period": 999})"),
                  "/linux/resources/cpu/period", 5,
                  "expected 1000 to 1000000 microseconds, or 0 for none, found 999"},
        Rejection{"Quota", in_resources(R"("cpu": {"quota": 999})"), "/linux/resources/cpu/quota",
                  5, "expected at least 1000 microseconds, 0 for none or -1 for no limit"},
        Rejection{"RealtimeRuntime", in_resources(R"("cpu": {"realtimeRuntime": -2})"),
                  "/linux/resources/cpu/realtimeRuntime", 5, "expected at least -1, found -2"},
        Rejection{"Cpus", in_resources(R"("cpu": {"cpus": "a"})"), "/linux/resources/cpu/cpus", 5,
                  "not a list such as \"0-3,7\": \"a\""},
        Rejection{"Mems", in_resources(R"("cpu": {"mems": "0-99999999999"})"),
                  "/linux/resources/cpu/mems", 5, "no number can be above 1023, found 99999999999"},
        Rejection{"Idle", in_resources(R"("cpu": {"idle": 2})"), "/linux/resources/cpu/idle", 5,
                  "expected 0 to 1, found 2"},
        Rejection{"Weight", in_resources(R"("blockIO": {"weight": 9})"),
                  "/linux/resources/blockIO/weight", 5, "expected 10 to 1000, or 0 for none"},
        Rejection{"LeafWeight", in_resources(R"("blockIO": {"leafWeight": 1001})"),
                  "/linux/resources/blockIO/leafWeight", 5, "expected 10 to 1000"},
        Rejection{"WeightDevice",
                  in_resources(R"("blockIO": {"weightDevice": [{"major": 8, "minor": 0}]})"),
                  "/linux/resources/blockIO/weightDevice/0", 5, "at least one of weight and"},
        Rejection{"ThrottleMinor", in_resources(R"("blockIO": {"throttleReadIOPSDevice": [
            {"major": 8, "minor": -1, "rate": 5}]})"),
                  "/linux/resources/blockIO/throttleReadIOPSDevice/0/minor", 6,
                  "expected 0 to 1048575, found -1"},
        Rejection{"ThrottleWithoutRate", in_resources(R"("blockIO": {"throttleReadBpsDevice": [
            {"major": 8, "minor": 1}]})"),
                  "/linux/resources/blockIO/throttleReadBpsDevice/0", 6, "missing \"rate\""},
        Rejection{"PageSize",
                  in_resources(R"("hugepageLimits": [{"pageSize": "64kB", "limit": 1}])"),
                  "/linux/resources/hugepageLimits/0/pageSize", 5, "expected a size such as"},
        Rejection{"PageSizeOfNothing",
                  in_resources(R"("hugepageLimits": [{"pageSize": "0MB", "limit": 1}])"),
                  "/linux/resources/hugepageLimits/0/pageSize", 5, "expected a size such as"},
        Rejection{"PageSizeTwice",
                  in_resources(R"("hugepageLimits": [{"pageSize": "2MB", "limit": 1},
            {"pageSize": "2MB", "limit": 2}])"),
                  "/linux/resources/hugepageLimits/1/pageSize", 6, "the page size 2MB is there"},
        Rejection{"Interface",
                  in_resources(R"("network": {"priorities": [{"name": "a b", "priority": 1}]})"),
                  "/linux/resources/network/priorities/0/name", 5, "not a network device's name"},
        Rejection{"Pids", in_resources(R"("pids": {"limit": -2})"), "/linux/resources/pids/limit",
                  5, "expected at least -1, found -2"},
        Rejection{"RdmaWithoutLimit", in_resources(R"("rdma": {"mlx5_1": {}})"),
                  "/linux/resources/rdma/mlx5_1", 5, "at least one of hcaHandles and hcaObjects"},
        Rejection{"RdmaName", in_resources(R"("rdma": {"a b": {"hcaObjects": 1}})"),
                  "/linux/resources/rdma/a b", 5, "not an RDMA device's name"},
        Rejection{"UnifiedPath", in_resources(R"("unified": {"../memory.max": "1"})"),
                  "/linux/resources/unified/..~1memory.max", 5, "not the name of a cgroup file"},
        Rejection{"UnifiedParent", in_resources(R"("unified": {"..": "1"})"),
                  "/linux/resources/unified/..", 5, "not the name of a cgroup file"}),
    testing::name_of);

TEST(Resources, AloneAreValidatedWithPointersOfTheirOwn) {
  const LoadedResources bad = load_resources(R"({"memory": {"swappiness": 101}})");
  ASSERT_EQ(bad.diagnostics.size(), 1U);
  EXPECT_EQ(bad.diagnostics[0].pointer, "/memory/swappiness");
  const LoadedResources good = load_resources(R"({"pids": {"limit": 0}, "cpu": {"shares": 2}})");
  ASSERT_TRUE(good.resources.has_value());
  EXPECT_EQ(good.resources->pids_limit, 0);
  EXPECT_EQ(good.resources->cpu->shares, 2U);
}

/// The least and the most that each rule lets through, and what stands for nothing.
TEST(Resources, AtTheEndsOfTheirRangesAreAccepted) {
  for (const char* text : {
           R"({"memory": {"limit": -1, "reservation": 0, "swap": -1, "kernelTCP": -1,
               "swappiness": 100}})",
           R"({"memory": {"limit": 100, "swap": 100}})",
           R"({"memory": {"limit": 9223372036854775807, "swap": -1}})",
           R"({"cpu": {"quota": -1, "period": 1000, "burst": 5, "realtimeRuntime": -1}})",
           R"({"cpu": {"quota": 1000, "period": 1000000, "burst": 1000, "shares": 0}})",
           R"({"cpu": {"quota": 0, "period": 0, "burst": 0, "cpus": "", "mems": "", "idle": 1}})",
           R"({"blockIO": {"weight": 0, "leafWeight": 1000, "weightDevice": [
               {"major": 0, "minor": 0, "weight": 10},
               {"major": 4095, "minor": 1048575, "leafWeight": 1000}]}})",
           R"({"pids": {"limit": -1}})",
           R"({"pids": {"limit": 0}})",
           R"({"hugepageLimits": [{"pageSize": "64KB", "limit": 18446744073709551615},
               {"pageSize": "1GB", "limit": 0}]})",
           R"({"network": {"classID": 4294967295,
               "priorities": [{"name": "a23456789012345", "priority": 4294967295}]}})",
           R"({"rdma": {"mlx5_1": {"hcaHandles": 0}, "rxe3": {"hcaObjects": 4294967295}}})",
           R"({"unified": {"memory.high": "", "io.max": "8:0 rbps=1\n8:16 rbps=2", "x": "y"}})",
           R"({"devices": [{"allow": false}, {"allow": true, "type": "a", "access": ""},
               {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "rwm"},
               {"allow": true, "type": "b", "major": 4095, "minor": 1048575, "access": "mwr"}]})",
       }) {
    const LoadedResources loaded = load_resources(text);
    EXPECT_TRUE(loaded.resources.has_value() && loaded.diagnostics.empty())
        << render_text(loaded.diagnostics, text, "r");
  }
}

TEST(Resources, PidsWithoutALimitSayNothing) {
  const LoadedResources loaded = load_resources(R"({"pids": {}})");
  ASSERT_TRUE(loaded.resources.has_value());
  EXPECT_FALSE(loaded.resources->pids_limit.has_value());
}

}  // namespace
}  // namespace spec
