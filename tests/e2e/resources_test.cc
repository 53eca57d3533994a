// linux.resources: what the kernel's files say after create, and that the limits act. The same
// tests on cgroup v1, hybrid and v2, with either driver, with and without privileges (mode.h).
// runtime-spec config-linux.md, "Control groups".
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

/// Where one version of cgroups keeps a limit, and what is to be read there.
struct Place {
  const char* controller = nullptr;  // null: this version has no such limit
  const char* file = nullptr;
  const char* line = nullptr;  // one of the file's; DEVICE: a disk of this machine, "254:0"
};

struct Limit {
  const char* name;       // of the test
  const char* property;   // below linux.resources, as an error names it
  const char* resources;  // DEVICE: the members "major" and "minor" of that disk
  Place v1;
  Place v2;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Limit& limit, std::ostream* out) { *out << limit.property; }

constexpr Limit kLimits[] = {
    {"MemoryLimit",
     "memory.limit",
     R"({"memory": {"limit": 67108864}})",
     {"memory", "memory.limit_in_bytes", "67108864"},
     {"memory", "memory.max", "67108864"}},
    {"MemoryReservation",
     "memory.reservation",
     R"({"memory": {"reservation": 33554432}})",
     {"memory", "memory.soft_limit_in_bytes", "33554432"},
     {"memory", "memory.low", "33554432"}},
    {"MemorySwapIsWithTheMemoryInTheDocument",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": 100663296}})",
     {"memory", "memory.memsw.limit_in_bytes", "100663296"},
     {"memory", "memory.swap.max", "33554432"}},
    {"MemorySwapOfTheSizeOfTheLimitIsNone",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": 67108864}})",
     {"memory", "memory.memsw.limit_in_bytes", "67108864"},
     {"memory", "memory.swap.max", "0"}},
    {"MemorySwapWithoutLimit",
     "memory.swap",
     R"({"memory": {"limit": 67108864, "swap": -1}})",
     {"memory", "memory.memsw.limit_in_bytes", "9223372036854771712"},
     {"memory", "memory.swap.max", "max"}},
    {"MemoryKernelTcp",
     "memory.kernelTCP",
     R"({"memory": {"kernelTCP": 8388608}})",
     {"memory", "memory.kmem.tcp.limit_in_bytes", "8388608"},
     {}},
    {"MemorySwappiness",
     "memory.swappiness",
     R"({"memory": {"swappiness": 30}})",
     {"memory", "memory.swappiness", "30"},
     {}},
    {"MemoryDisableOomKiller",
     "memory.disableOOMKiller",
     R"({"memory": {"disableOOMKiller": true}})",
     {"memory", "memory.oom_control", "oom_kill_disable 1"},
     {}},
    {"MemoryUseHierarchy",
     "memory.useHierarchy",
     R"({"memory": {"useHierarchy": true}})",
     {"memory", "memory.use_hierarchy", "1"},
     {"memory", "cgroup.controllers", nullptr}},  // always: nothing to be read
    {"CpuShares",
     "cpu.shares",
     R"({"cpu": {"shares": 1024}})",
     {"cpu", "cpu.shares", "1024"},
     {"cpu", "cpu.weight", "100"}},
    {"CpuQuota",
     "cpu.quota",
     R"({"cpu": {"quota": 50000, "period": 200000}})",
     {"cpu", "cpu.cfs_quota_us", "50000"},
     {"cpu", "cpu.max", "50000 200000"}},
    {"CpuPeriod",
     "cpu.period",
     R"({"cpu": {"period": 200000}})",
     {"cpu", "cpu.cfs_period_us", "200000"},
     {"cpu", "cpu.max", "max 200000"}},
    {"CpuBurst",
     "cpu.burst",
     R"({"cpu": {"quota": 50000, "period": 100000, "burst": 20000}})",
     {"cpu", "cpu.cfs_burst_us", "20000"},
     {"cpu", "cpu.max.burst", "20000"}},
    {"CpuIdle",
     "cpu.idle",
     R"({"cpu": {"idle": 1}})",
     {"cpu", "cpu.idle", "1"},
     {"cpu", "cpu.idle", "1"}},
    {"CpuRealtimeRuntime",
     "cpu.realtimeRuntime",
     R"({"cpu": {"realtimeRuntime": 10000}})",
     {"cpu", "cpu.rt_runtime_us", "10000"},
     {}},
    {"CpuRealtimePeriod",
     "cpu.realtimePeriod",
     R"({"cpu": {"realtimePeriod": 500000}})",
     {"cpu", "cpu.rt_period_us", "500000"},
     {}},
    {"CpuSet",
     "cpu.cpus",
     R"({"cpu": {"cpus": "0"}})",
     {"cpuset", "cpuset.cpus", "0"},
     {"cpuset", "cpuset.cpus", "0"}},
    {"CpuSetMemory",
     "cpu.mems",
     R"({"cpu": {"mems": "0"}})",
     {"cpuset", "cpuset.mems", "0"},
     {"cpuset", "cpuset.mems", "0"}},
    {"Pids",
     "pids.limit",
     R"({"pids": {"limit": 20}})",
     {"pids", "pids.max", "20"},
     {"pids", "pids.max", "20"}},
    {"PidsWithoutLimit",
     "pids.limit",
     R"({"pids": {"limit": -1}})",
     {"pids", "pids.max", "max"},
     {"pids", "pids.max", "max"}},
    {"BlockIoWeight",
     "blockIO.weight",
     R"({"blockIO": {"weight": 500}})",
     {"blkio", "blkio.bfq.weight", "500"},
     {"io", "io.weight", "default 4950"}},
    {"BlockIoLeafWeight",
     "blockIO.leafWeight",
     R"({"blockIO": {"leafWeight": 500}})",
     {"blkio", "blkio.leaf_weight", "500"},
     {}},
    {"BlockIoWeightDevice",
     "blockIO.weightDevice",
     R"({"blockIO": {"weightDevice": [{DEVICE, "weight": 300}]}})",
     {"blkio", "blkio.bfq.weight_device", "DEVICE 300"},
     {"io", "io.bfq.weight", "DEVICE 300"}},
    {"BlockIoReadBytes",
     "blockIO.throttleReadBpsDevice",
     R"({"blockIO": {"throttleReadBpsDevice": [{DEVICE, "rate": 1048576}]}})",
     {"blkio", "blkio.throttle.read_bps_device", "DEVICE 1048576"},
     {"io", "io.max", "DEVICE rbps=1048576 wbps=max riops=max wiops=max"}},
    {"BlockIoWrittenBytes",
     "blockIO.throttleWriteBpsDevice",
     R"({"blockIO": {"throttleWriteBpsDevice": [{DEVICE, "rate": 1048576}]}})",
     {"blkio", "blkio.throttle.write_bps_device", "DEVICE 1048576"},
     {"io", "io.max", "DEVICE rbps=max wbps=1048576 riops=max wiops=max"}},
    {"BlockIoReads",
     "blockIO.throttleReadIOPSDevice",
     R"({"blockIO": {"throttleReadIOPSDevice": [{DEVICE, "rate": 100}]}})",
     {"blkio", "blkio.throttle.read_iops_device", "DEVICE 100"},
     {"io", "io.max", "DEVICE rbps=max wbps=max riops=100 wiops=max"}},
    {"BlockIoWrites",
     "blockIO.throttleWriteIOPSDevice",
     R"({"blockIO": {"throttleWriteIOPSDevice": [{DEVICE, "rate": 100}]}})",
     {"blkio", "blkio.throttle.write_iops_device", "DEVICE 100"},
     {"io", "io.max", "DEVICE rbps=max wbps=max riops=max wiops=100"}},
    {"HugePages",
     "hugepageLimits",
     R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})",
     {"hugetlb", "hugetlb.2MB.limit_in_bytes", "4194304"},
     {"hugetlb", "hugetlb.2MB.max", "4194304"}},
    {"HugePagesReserved",
     "hugepageLimits",
     R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})",
     {"hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes", "4194304"},
     {"hugetlb", "hugetlb.2MB.rsvd.max", "4194304"}},
    {"NetworkClass",
     "network.classID",
     R"({"network": {"classID": 1048577}})",
     {"net_cls", "net_cls.classid", "1048577"},
     {}},
    {"NetworkPriorities",
     "network.priorities",
     R"({"network": {"priorities": [{"name": "lo", "priority": 5}]}})",
     {"net_prio", "net_prio.ifpriomap", "lo 5"},
     {}},
    {"Unified",
     "unified",
     R"({"unified": {"memory.high": "33554432"}})",
     {},
     {"memory", "memory.high", "33554432"}},
};

std::string trimmed(const std::string& text) {
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

/// "254:0" of the first disk that is no loop or memory device; empty when there is none.
std::string disk() {
  const Result<std::vector<std::string>> names = sys::list_directory("/sys/block");
  for (const std::string& name : names ? names.value() : std::vector<std::string>()) {
    if (name.starts_with("loop") || name.starts_with("ram") || name.starts_with("zram")) continue;
    const Result<std::string> numbers = sys::read_file(cat("/sys/block/", name, "/dev"), 64);
    if (numbers) return trimmed(numbers.value());
  }
  return "";
}

/// Whether requests to the disk have weights.
bool scheduled_by_bfq(const std::string& device) {
  const Result<std::string> text =
      sys::read_file(cat("/sys/dev/block/", device, "/queue/scheduler"), 4096);
  return text && text.value().find("[bfq]") != std::string::npos;
}

std::string with_device(std::string text, const std::string& device) {
  for (size_t at = text.find("DEVICE"); at != std::string::npos; at = text.find("DEVICE")) {
    text.replace(at, 6, device);
  }
  return text;
}

class Resources : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || with_systemd()) return;
    config_.set_string("/linux/cgroupsPath", workplace_path(id()));
  }

  /// The hierarchy where the container can have this controller; fails the test's precondition,
  /// with the reason in why_not_, when there is none.
  std::optional<Hierarchy> available(const std::string& controller) {
    const std::optional<Hierarchy> found = hierarchy_with(controller);
    if (!found) {
      why_not_ = cat("the controller ", controller,
                     rootless() ? " is not delegated to this user" : " is absent on this machine");
    }
    return found;
  }

  /// Of the created container, in that hierarchy.
  [[nodiscard]] std::string file(const Hierarchy& hierarchy, std::string_view name) const {
    return trimmed(read(cat(cgroup_of(pid(), hierarchy), '/', name)));
  }

  /// A limit's own file and the number behind `key` in it, of a container that runs.
  [[nodiscard]] int64_t number(const Hierarchy& hierarchy, const char* name,
                               std::string_view key) const {
    const std::string text = file(hierarchy, name);
    for (const std::string_view line : split(text, '\n')) {
      const std::vector<std::string_view> words = split(line, ' ');
      if (words.size() == 2 && words[0] == key) return parse_int(words[1]).value_or(-1);
    }
    return -1;
  }

  std::string why_not_;
};

class EveryLimit : public Resources, public ::testing::WithParamInterface<Limit> {
 protected:
  /// create fails, and names the property in its words or by its place in the document. Without any
  /// cgroup that is the reason, also for values that would not limit anything.
  ::testing::AssertionResult is_refused(const Limit& limit) const {
    const Outcome outcome = create();
    constexpr std::string_view kNoCgroup = "not delegated to this user";
    if (rootless() && outcome.err.find(kNoCgroup) != std::string::npos) {
      return fails_saying(outcome, kNoCgroup);
    }
    std::string pointer = limit.property;
    std::ranges::replace(pointer, '.', '/');
    if (outcome.err.find(pointer) != std::string::npos) return fails_saying(outcome, pointer);
    return fails_saying(outcome, limit.property);
  }

  /// Whether a new cgroup of the hierarchy has this file.
  [[nodiscard]] bool kernel_has(const Hierarchy& hierarchy, const Place& place) const {
    const std::string probe = cat(hierarchy.mount, workplace_path(id() + "-probe"));
    if (hierarchy.unified) {
      const std::string above = probe.substr(0, probe.rfind('/'));
      static_cast<void>(
          sys::write_file(above + "/cgroup.subtree_control", cat('+', place.controller)));
    }
    EXPECT_EQ(::mkdir(probe.c_str(), 0755), 0);
    const bool there = exists(cat(probe, '/', place.file));
    EXPECT_EQ(::rmdir(probe.c_str()), 0);
    return there;
  }
};

TEST_P(EveryLimit, IsInTheKernelsFile) {
  const Limit& limit = GetParam();
  std::string resources = limit.resources;
  const std::string device = disk();
  if (resources.find("DEVICE") != std::string::npos) {
    if (device.empty()) GTEST_SKIP() << "this machine has no disk";
    const std::vector<std::string_view> numbers = split(device, ':');
    resources =
        with_device(resources, cat(R"("major": )", numbers[0], R"(, "minor": )", numbers[1]));
  }
  config_.set("/linux/resources", resources);
  const char* controller = limit.v1.controller != nullptr ? limit.v1.controller : "memory";
  const std::optional<Hierarchy> v1 = hierarchy_with(controller);
  const bool unified = v1 ? v1->unified : true;
  const Place& place = unified ? limit.v2 : limit.v1;
  if (place.controller == nullptr) {
    EXPECT_TRUE(is_refused(limit)) << "it cannot be had here";
    return;
  }
  const std::optional<Hierarchy> hierarchy = available(place.controller);
  if (!hierarchy) {
    EXPECT_TRUE(is_refused(limit)) << why_not_;
    GTEST_SKIP() << why_not_;
  }
  if (std::string_view(place.file).find("bfq.weight") != std::string::npos &&
      resources.find("weightDevice") != std::string::npos && !scheduled_by_bfq(device)) {
    EXPECT_TRUE(is_refused(limit));
    GTEST_SKIP() << "the disk " << device << " is not scheduled by bfq";
  }
  if (!kernel_has(*hierarchy, place)) GTEST_SKIP() << "this kernel has no " << place.file;
  ASSERT_TRUE(succeeds(create()));
  if (place.line != nullptr) {
    const std::string text = file(*hierarchy, place.file);
    const std::string wanted = with_device(place.line, device);
    EXPECT_NE(std::ranges::count(split(text, '\n'), wanted), 0)
        << place.file << ": \"" << text << "\" instead of \"" << wanted << '"';
  }
  EXPECT_TRUE(succeeds(remove()));
}

INSTANTIATE_TEST_SUITE_P(Resources, EveryLimit, ::testing::ValuesIn(kLimits),
                         [](const auto& limit) { return std::string(limit.param.name); });

TEST_F(Resources, ThatAreNotNamedAreNotLimited) {
  const std::optional<Hierarchy> pids = available("pids");
  if (!pids) GTEST_SKIP() << why_not_;
  config_.set("/linux/resources", R"({"pids": {"limit": 20}})");
  ASSERT_TRUE(succeeds(create()));
  if (const std::optional<Hierarchy> memory = hierarchy_with("memory")) {
    const std::string limit =
        file(*memory, memory->unified ? "memory.max" : "memory.limit_in_bytes");
    EXPECT_EQ(limit, memory->unified ? "max" : "9223372036854771712");
  }
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Resources, MemoryBeyondTheLimitKillsWhoTakesIt) {
  const std::optional<Hierarchy> memory = available("memory");
  if (!memory) GTEST_SKIP() << why_not_;
  config_.set("/linux/resources/memory", R"({"limit": 16777216})");
  start_sleeping(
      "dd if=/dev/zero of=/dev/null bs=4M count=1 || touch /tmp/small-failed; "
      "dd if=/dev/zero of=/dev/null bs=64M count=1; echo $? > /tmp/status");
  EXPECT_EQ(trimmed(read(rootfs() + "/tmp/status")), "137");
  EXPECT_FALSE(exists(rootfs() + "/tmp/small-failed")) << "what is below the limit is killed too";
  EXPECT_GE(number(*memory, memory->unified ? "memory.events" : "memory.oom_control", "oom_kill"),
            1);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Resources, ForkFailsAtTheLimitOfProcesses) {
  if (!available("pids")) GTEST_SKIP() << why_not_;
  config_.set("/linux/resources/pids", R"({"limit": 4})");
  for (const char* children : {"1 2 3", "1 2 3 4"}) {
    config_.shell(
        cat("for i in ", children, "; do sleep 1000 & done; touch '/tmp/", children, "'"));
    ASSERT_TRUE(succeeds(create()));
    // With systemd one that held the place until init came: a zombie counts.
    reap_orphans();
    ASSERT_TRUE(succeeds(start()));
    EXPECT_TRUE(becomes("stopped"));
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
  EXPECT_TRUE(exists(rootfs() + "/tmp/1 2 3"));
  EXPECT_FALSE(exists(rootfs() + "/tmp/1 2 3 4"));
}

TEST_F(Resources, TimeBeyondTheQuotaIsWaitedFor) {
  const std::optional<Hierarchy> cpu = available("cpu");
  if (!cpu) GTEST_SKIP() << why_not_;
  config_.set("/linux/resources/cpu", R"({"quota": 10000, "period": 100000})");
  config_.shell("while true; do :; done");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(eventually([&] { return number(*cpu, "cpu.stat", "nr_throttled") >= 5; }))
      << file(*cpu, "cpu.stat");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// mknod is what the default list allows for every device; opening is what the rules decide. 240 is
/// a major number for local use: nobody answers there when the rules allow it.
constexpr const char* kTryDevices =
    "mknod /dev/tried c 240 77; head -c 1 /dev/tried; "
    "echo x > /dev/null && head -c 1 /dev/zero | wc -c";
constexpr const char* kDenied = "/dev/tried: Operation not permitted";
constexpr const char* kAllowed = "/dev/tried: No such device or address";

class Devices : public Resources {
 protected:
  void SetUp() override {
    Resources::SetUp();
    if (IsSkipped()) return;
    if (rootless()) GTEST_SKIP() << "device rules and nodes need privileges";
    for (const char* set : {"bounding", "effective", "permitted"}) {
      config_.add(cat("/process/capabilities/", set), R"("CAP_MKNOD")");
    }
  }
};

TEST_F(Devices, ThatAreDeniedCannotBeOpened) {
  config_.set("/linux/resources/devices", R"([{"allow": false, "access": "rwm"}])");
  const Outcome outcome = run_shell(kTryDevices);
  EXPECT_NE(outcome.err.find(kDenied), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out, "1\n") << "the default list is always allowed: " << outcome.err;
}

TEST_F(Devices, ThatAreAllowedCanBeOpened) {
  config_.set("/linux/resources/devices",
              R"([{"allow": false, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 240, "minor": 77, "access": "r"}])");
  const Outcome outcome = run_shell(kTryDevices);
  EXPECT_NE(outcome.err.find(kAllowed), std::string::npos) << outcome.err;
}

TEST_F(Devices, AreDecidedByTheLastRuleForThem) {
  config_.set("/linux/resources/devices",
              R"([{"allow": true, "access": "rwm"},
                  {"allow": false, "type": "c", "major": 240, "access": "r"}])");
  const Outcome outcome = run_shell(kTryDevices);
  EXPECT_NE(outcome.err.find(kDenied), std::string::npos) << outcome.err;
}

TEST_F(Devices, OfAllKindsAreForThePrivileged) {
  config_.set("/linux/resources/devices", R"([{"allow": true, "access": "rwm"}])");
  const Outcome outcome = run_shell(kTryDevices);
  EXPECT_NE(outcome.err.find(kAllowed), std::string::npos) << outcome.err;
}

TEST_F(Devices, AreInTheListOfVersionOne) {
  const std::optional<Hierarchy> devices = hierarchy_with("devices");
  if (!devices) GTEST_SKIP() << "there is no hierarchy of devices: they are a program in version 2";
  config_.set("/linux/resources/devices",
              R"([{"allow": false, "access": "rwm"},
                  {"allow": true, "type": "b", "major": 7, "minor": 9, "access": "rw"}])");
  ASSERT_TRUE(succeeds(create()));
  const std::string list = file(*devices, "devices.list");
  EXPECT_NE(std::ranges::count(split(list, '\n'), "b 7:9 rwm"), 0) << list;
  EXPECT_NE(std::ranges::count(split(list, '\n'), "c 1:3 rwm"), 0) << list;
  EXPECT_EQ(std::ranges::count(split(list, '\n'), "a *:* rwm"), 0) << list;
  EXPECT_TRUE(succeeds(remove()));
}

/// Where device rules are a program: cgroup v2, and no hierarchy of devices.
std::optional<Hierarchy> hierarchy_of_programs() {
  if (hierarchy_with("devices")) return std::nullopt;
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.unified) return hierarchy;
  }
  return std::nullopt;
}

TEST_F(Devices, AreOneProgramHoweverOftenTheyAreUpdated) {
  constexpr int kUpdates = 100;
  const std::optional<Hierarchy> unified = hierarchy_of_programs();
  if (!unified) GTEST_SKIP() << "device rules are files in version 1";
  config_.set("/linux/resources", R"({"devices": [{"allow": false, "access": "rwm"}]})");
  ASSERT_TRUE(succeeds(create()));
  const std::string cgroup = cgroup_of(pid(), *unified);
  const std::optional<unsigned> before = device_programs(cgroup);
  ASSERT_TRUE(before);
  EXPECT_GE(*before, 1U);
  for (int i = 0; i < kUpdates; ++i) {
    Call call;
    call.input =
        cat(R"({"pids": {"limit": )", 100 + i, R"(}, "devices": [{"allow": false},)",
            R"( {"allow": true, "type": "c", "major": 10, "minor": )", i, R"(, "access": "rw"}]})");
    ASSERT_TRUE(succeeds(runtime({"update", "--resources", "-", id()}, std::move(call)))) << i;
  }
  EXPECT_EQ(device_programs(cgroup), before);
  EXPECT_TRUE(succeeds(remove()));
}

class TooLow : public Resources {
 protected:
  /// A container with these limits comes up and ends, or it is said which of them does not do. That
  /// nothing hangs is what the patience of a Call is for.
  void expect_an_answer(const std::string& what) {
    const Outcome created = create();
    if (created.exit_code != 0) {
      EXPECT_TRUE(fails_saying(created, "too low")) << what;
      return;
    }
    const Outcome started = start();
    if (started.exit_code == 0) {
      EXPECT_TRUE(becomes("stopped")) << what;
    } else {
      EXPECT_TRUE(fails_saying(started, "too low")) << what;
    }
    EXPECT_TRUE(succeeds(remove_by_force())) << what;
  }
};

TEST_F(TooLow, MemoryIsSaidSoOrItStarts) {
  if (!available("memory")) GTEST_SKIP() << why_not_;
  bool started = false;
  for (uint64_t kibibytes = 4; kibibytes <= 8192; kibibytes *= 2) {
    config_.set("/linux/resources/memory", cat(R"({"limit": )", kibibytes << 10, '}'));
    expect_an_answer(cat(kibibytes, " KiB"));
    if (HasFailure()) return;
  }
  const Outcome enough = run_shell("echo enough");
  started = enough.out == "enough\n";
  EXPECT_TRUE(started) << "8 MiB: " << enough.err;
}

TEST_F(TooLow, ProcessesAreSaidSoOrItStarts) {
  if (!available("pids")) GTEST_SKIP() << why_not_;
  for (const int limit : {1, 2}) {
    config_.set("/linux/resources/pids", cat(R"({"limit": )", limit, '}'));
    expect_an_answer(cat(limit, " processes"));
  }
  config_.set("/linux/resources/pids", R"({"limit": 1})");
  EXPECT_EQ(run_shell("echo alone").out, "alone\n") << "one process is enough for one process";
}

/// The number behind `key` of the v2 hierarchy's root; 0 where there is none.
int64_t root_statistic(std::string_view key) {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (!hierarchy.unified) continue;
    const Result<std::string> text = sys::read_file(hierarchy.mount + "/cgroup.stat", 4096);
    for (const std::string_view line : split(text ? text.value() : "", '\n')) {
      const std::vector<std::string_view> words = split(line, ' ');
      if (words.size() == 2 && words[0] == key) return parse_int(words[1]).value_or(0);
    }
  }
  return 0;
}

TEST_F(Resources, OfManyContainersLeaveNoCgroup) {
  // A removed cgroup dies when the last page that was charged to it is gone: those of the image's
  // files may be cached still. More than a tenth would be a leak.
  constexpr int kCycles = 200;
  constexpr int64_t kDying = kCycles / 10;
  const bool limited = available("memory") && available("pids");
  if (limited) {
    config_.set("/linux/resources", R"({"memory": {"limit": 67108864}, "pids": {"limit": 20}})");
  }
  if (!limited) config_.erase("/linux/cgroupsPath");
  const std::set<std::string> cgroups = all_cgroups();
  const int64_t dying = root_statistic("nr_dying_descendants");
  for (int i = 0; i < kCycles; ++i) {
    ASSERT_TRUE(succeeds(create())) << i;
    ASSERT_TRUE(succeeds(remove_by_force())) << i;
    reap_orphans();
  }
  for (const std::string& path : all_cgroups()) {
    EXPECT_TRUE(cgroups.contains(path) || path.find(id()) == std::string::npos) << path;
  }
  EXPECT_TRUE(eventually([&] { return root_statistic("nr_dying_descendants") <= dying + kDying; }))
      << root_statistic("nr_dying_descendants") << " instead of " << dying;
}

}  // namespace
}  // namespace rt::testing
