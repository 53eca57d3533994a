// config-linux.md, "Allowed Device list", "Memory", "CPU", "Block IO", "Huge page limits",
// "Network", "PIDs": what the kernel's files say of a container that has each property.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"

namespace rt::conformance {
namespace {

using testing::Hierarchy;

/// A property of linux.resources and where it is found again. BLOCK in a text stands for a block
/// device of this machine ("8:0"), DISK for its two numbers as JSON members.
struct Limit {
  const char* name;  // of the test
  const char* resources;
  const char* controller;
  const char* file;  // v1
  const char* text;
  const char* unified_file;  // v2; null: there is no such thing, and asking for it is an error
  const char* unified_text;  // one of the texts between "|"
};

// GoogleTest asks for it by this name.  NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const Limit& limit, std::ostream* out) { *out << limit.resources; }

constexpr Limit kLimits[] = {
    {"MemoryLimit", R"("memory": {"limit": 67108864})", "memory", "memory.limit_in_bytes",
     "67108864", "memory.max", "67108864"},
    {"MemoryUnlimited", R"("memory": {"limit": -1})", "memory", "memory.limit_in_bytes",
     "9223372036854771712", "memory.max", "max"},
    {"MemoryReservation", R"("memory": {"reservation": 33554432})", "memory",
     "memory.soft_limit_in_bytes", "33554432", "memory.low", "33554432"},
    {"MemorySwap", R"("memory": {"limit": 67108864, "swap": 100663296})", "memory",
     "memory.memsw.limit_in_bytes", "100663296", "memory.swap.max", "33554432"},
    {"MemoryWithoutSwap", R"("memory": {"limit": 67108864, "swap": 67108864})", "memory",
     "memory.memsw.limit_in_bytes", "67108864", "memory.swap.max", "0"},
    {"KernelTcp", R"("memory": {"kernelTCP": 4194304})", "memory", "memory.kmem.tcp.limit_in_bytes",
     "4194304", nullptr, nullptr},
    {"Swappiness", R"("memory": {"swappiness": 7})", "memory", "memory.swappiness", "7", nullptr,
     nullptr},
    {"OomKiller", R"("memory": {"disableOOMKiller": true})", "memory", "memory.oom_control",
     "oom_kill_disable 1\nunder_oom 0\noom_kill 0", nullptr, nullptr},
    {"CpuShares", R"("cpu": {"shares": 512})", "cpu", "cpu.shares", "512", "cpu.weight", "59|20"},
    {"CpuQuota", R"("cpu": {"quota": 50000, "period": 200000})", "cpu", "cpu.cfs_quota_us", "50000",
     "cpu.max", "50000 200000"},
    {"CpuPeriod", R"("cpu": {"quota": 50000, "period": 200000})", "cpu", "cpu.cfs_period_us",
     "200000", "cpu.max", "50000 200000"},
    {"CpuPeriodAlone", R"("cpu": {"period": 200000})", "cpu", "cpu.cfs_period_us", "200000",
     "cpu.max", "max 200000"},
    {"CpuBurst", R"("cpu": {"quota": 50000, "period": 200000, "burst": 10000})", "cpu",
     "cpu.cfs_burst_us", "10000", "cpu.max.burst", "10000"},
    {"CpuRealtime", R"("cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000})", "cpu",
     "cpu.rt_runtime_us", "1000", nullptr, nullptr},
    {"Cpus", R"("cpu": {"cpus": "0"})", "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0"},
    {"Mems", R"("cpu": {"mems": "0"})", "cpuset", "cpuset.mems", "0", "cpuset.mems", "0"},
    {"CpuIdle", R"("cpu": {"idle": 1})", "cpu", "cpu.idle", "1", "cpu.idle", "1"},
    {"LeafWeight", R"("blockIO": {"leafWeight": 500})", "io", "blkio.leaf_weight", "500", nullptr,
     nullptr},
    {"ReadBytes", R"("blockIO": {"throttleReadBpsDevice": [{DISK, "rate": 1048576}]})", "io",
     "blkio.throttle.read_bps_device", "BLOCK 1048576", "io.max",
     "BLOCK rbps=1048576 wbps=max riops=max wiops=max"},
    {"WriteBytes", R"("blockIO": {"throttleWriteBpsDevice": [{DISK, "rate": 1048576}]})", "io",
     "blkio.throttle.write_bps_device", "BLOCK 1048576", "io.max",
     "BLOCK rbps=max wbps=1048576 riops=max wiops=max"},
    {"ReadOperations", R"("blockIO": {"throttleReadIOPSDevice": [{DISK, "rate": 99}]})", "io",
     "blkio.throttle.read_iops_device", "BLOCK 99", "io.max",
     "BLOCK rbps=max wbps=max riops=99 wiops=max"},
    {"WriteOperations", R"("blockIO": {"throttleWriteIOPSDevice": [{DISK, "rate": 99}]})", "io",
     "blkio.throttle.write_iops_device", "BLOCK 99", "io.max",
     "BLOCK rbps=max wbps=max riops=max wiops=99"},
    {"Hugepages", R"("hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}])", "hugetlb",
     "hugetlb.2MB.limit_in_bytes", "4194304", "hugetlb.2MB.max", "4194304"},
    {"HugepageReservations", R"("hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}])",
     "hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes", "4194304", "hugetlb.2MB.rsvd.max", "4194304"},
    {"ClassId", R"("network": {"classID": 1048577})", "net_cls", "net_cls.classid", "1048577",
     nullptr, nullptr},
    {"Pids", R"("pids": {"limit": 77})", "pids", "pids.max", "77", "pids.max", "77"},
    {"PidsUnlimited", R"("pids": {"limit": -1})", "pids", "pids.max", "max", "pids.max", "max"},
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A block device that this machine has: "8:0".
std::string block_device() {
  const Result<UniqueFd> all = sys::open("/sys/block", O_RDONLY | O_DIRECTORY);
  if (!all) return "";
  for (const std::string& name : sys::list_directory(all.value().get()).value()) {
    const Result<std::string> numbers = sys::read_file(cat("/sys/block/", name, "/dev"), 64);
    if (numbers) return first_line(numbers.value());
  }
  return "";
}

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  const size_t at = text.find(word);
  return at == text.npos ? text : text.replace(at, word.size(), by);
}

class Limits : public Conformance, public ::testing::WithParamInterface<Limit> {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    block_ = block_device();
    hierarchy_ = testing::hierarchy_with(GetParam().controller);
    // v1 calls it by another name.
    if (!hierarchy_ && GetParam().controller == std::string_view("io")) {
      hierarchy_ = testing::hierarchy_with("blkio");
    }
    if (!hierarchy_) GTEST_SKIP() << "no controller " << GetParam().controller;
    if (block_.empty() && std::string_view(GetParam().resources).find("DISK") != std::string::npos)
      GTEST_SKIP() << "no block device";
    config_.set_string("/linux/cgroupsPath", cat('/', id()));
    config_.set("/linux/resources", resources());
  }

  [[nodiscard]] std::string resources() const {
    const size_t colon = std::min(block_.find(':'), block_.size());
    const std::string disk = cat(R"("major": )", block_.substr(0, colon), R"(, "minor": )",
                                 block_.substr(std::min(colon + 1, block_.size())));
    return cat('{', replaced(GetParam().resources, "DISK", disk), '}');
  }

  /// Whether a cgroup of a container has this file on this machine.
  [[nodiscard]] bool has_file(const std::string& file) {
    config_.erase("/linux/resources");
    start_waiting();
    const bool there = ::access(cat(cgroup(), '/', file).c_str(), F_OK) == 0;
    end();
    config_.set("/linux/resources", resources());
    return there;
  }

  [[nodiscard]] std::string cgroup() const { return testing::cgroup_of(pid(), *hierarchy_); }
  [[nodiscard]] bool unified() const { return hierarchy_->unified; }

  std::string block_;
  std::optional<Hierarchy> hierarchy_;
};

TEST_P(Limits, AreInTheKernelsFiles) {
  const char* name = unified() ? GetParam().unified_file : GetParam().file;
  if (name == nullptr) GTEST_SKIP() << "cgroup v2 has nothing of the kind";
  if (!has_file(name)) GTEST_SKIP() << "this kernel has no " << name;
  start_waiting();
  std::string found = read(cat(cgroup(), '/', name));
  if (!found.empty()) found.pop_back();
  const std::string wanted =
      replaced(unified() ? GetParam().unified_text : GetParam().text, "BLOCK", block_);
  const std::vector<std::string_view> texts = split(wanted, '|');
  const bool is_one = std::ranges::find(texts, found) != texts.end();
  EXPECT_TRUE(is_one) << name << ": " << found << ", not " << wanted;
  end();
}

INSTANTIATE_TEST_SUITE_P(Resources, Limits, ::testing::ValuesIn(kLimits),
                         [](const auto& info) { return std::string(info.param.name); });

std::vector<Limit> limits_of_version_one() {
  std::vector<Limit> limits;
  std::ranges::copy_if(kLimits, std::back_inserter(limits),
                       [](const Limit& limit) { return limit.unified_file == nullptr; });
  return limits;
}

using VersionOneLimits = Limits;

/// "Unified": a value for v1 that has no counterpart where v2 has the controller.
TEST_P(VersionOneLimits, AreAnErrorWhereVersionTwoHasTheController) {
  if (!unified()) GTEST_SKIP() << "cgroup v1 has the controller";
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(Resources, VersionOneLimits, ::testing::ValuesIn(limits_of_version_one()),
                         [](const auto& info) { return std::string(info.param.name); });

class Resources : public Conformance {
 protected:
  /// The text of a file of the container's cgroup, by its name in v1 and in v2.
  [[nodiscard]] std::string limit(const Hierarchy& hierarchy, const std::string& file) const {
    return first_line(read(cat(testing::cgroup_of(pid(), hierarchy), '/', file)));
  }
};

/// The kernel's own smallest limit, or one task: anything but no limit.
TEST_F(Resources, APidsLimitOfZeroIsALimit) {
  const auto hierarchy = testing::hierarchy_with("pids");
  if (!hierarchy) GTEST_SKIP() << "no controller pids";
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  config_.set("/linux/resources", R"({"pids": {"limit": 0}})");
  start_waiting();
  const std::string found = limit(*hierarchy, "pids.max");
  EXPECT_TRUE(found == "0" || found == "1") << found;
  end();
}

TEST_F(Resources, OfAHugepageSizeThatTheKernelHasNotAreAnError) {
  if (!testing::hierarchy_with("hugetlb")) GTEST_SKIP() << "no controller hugetlb";
  config_.set("/linux/resources", R"({"hugepageLimits": [{"pageSize": "3MB", "limit": 4194304}]})");
  EXPECT_TRUE(refuses());
}

TEST_F(Resources, OfARateWithoutADeviceAreAnError) {
  if (!testing::hierarchy_with("io") && !testing::hierarchy_with("blkio")) {
    GTEST_SKIP() << "no controller io";
  }
  // Minor numbers end before: no such disk can be.
  config_.set("/linux/resources",
              R"({"blockIO": {"throttleReadBpsDevice": [
                  {"major": 4095, "minor": 1048575, "rate": 1048576}]}})");
  EXPECT_TRUE(refuses());
}

/// A device number that no driver has: EPERM when a rule denies it, ENXIO when none does.
class AllowedDevices : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    config_.set("/linux/devices", R"([{"type": "c", "path": "/dev/probed", "major": 4000,
                                       "minor": 7, "fileMode": 438}])");
  }
  /// What reading and writing come to: "ENXIO EPERM".
  std::string answers(const std::string& rules) {
    config_.set("/linux/resources",
                cat(R"({"devices": [{"allow": false, "access": "rwm"})", rules, "]}"));
    const Json report = look({"path=/dev/probed"});
    EXPECT_EQ(path_at(report, "/dev/null", "write"), "");
    return cat(path_at(report, "/dev/probed", "read"), ' ',
               path_at(report, "/dev/probed", "write"));
  }
  static constexpr const char* kAllow =
      R"(, {"allow": true, "type": "c", "major": 4000, "minor": 7, "access": "rwm"})";
  static constexpr const char* kDenyWrite =
      R"(, {"allow": false, "type": "c", "major": 4000, "minor": 7, "access": "w"})";
};

TEST_F(AllowedDevices, AreNoOthersThanThoseListed) {
  EXPECT_EQ(answers(""), "EPERM EPERM");
  EXPECT_EQ(answers(kAllow), "ENXIO ENXIO");
}

TEST_F(AllowedDevices, RulesApplyInTheListedOrder) {
  EXPECT_EQ(answers(cat(kAllow, kDenyWrite)), "ENXIO EPERM");
  EXPECT_EQ(answers(cat(kDenyWrite, kAllow)), "ENXIO ENXIO");
}

TEST_F(AllowedDevices, AnAccessIsForWhatItNames) {
  EXPECT_EQ(answers(R"(, {"allow": true, "type": "c", "major": 4000, "minor": 7, "access": "r"})"),
            "ENXIO EPERM");
  EXPECT_EQ(answers(R"(, {"allow": true, "type": "c", "major": 4000, "minor": 7, "access": "w"})"),
            "EPERM ENXIO");
}

TEST_F(AllowedDevices, WithoutANumberAreAll) {
  EXPECT_EQ(answers(R"(, {"allow": true, "type": "c", "major": 4000, "access": "rwm"})"),
            "ENXIO ENXIO");
  EXPECT_EQ(answers(R"(, {"allow": true, "type": "c", "access": "rwm"})"), "ENXIO ENXIO");
  EXPECT_EQ(answers(R"(, {"allow": true, "type": "b", "access": "rwm"})"), "EPERM EPERM");
  EXPECT_EQ(answers(R"(, {"allow": true, "access": "rwm"})"), "ENXIO ENXIO") << "type: all";
}

}  // namespace
}  // namespace rt::conformance
