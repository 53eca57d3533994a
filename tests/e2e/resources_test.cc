// linux.resources: what the kernel's files say after create, and that the limits act. The same
// tests on cgroup v1, hybrid and v2, with either driver, with and without privileges (mode.h).
// runtime-spec config-linux.md, "Control groups".
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/e2e/limits.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

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

  /// Whether the limit is for a device of this kind: DEVICE, RDMA.
  [[nodiscard]] static bool needs(const char* kind) {
    return std::string_view(GetParam().resources).find(kind) != std::string_view::npos;
  }

  /// Of the version of cgroups that has the controller on this machine.
  [[nodiscard]] static const Place& place_here() {
    const Limit& limit = GetParam();
    const char* controller = limit.v1.controller != nullptr ? limit.v1.controller : "memory";
    const std::optional<Hierarchy> v1 = hierarchy_with(controller);
    return v1 && !v1->unified ? limit.v1 : limit.v2;
  }

  /// Whether this kernel and its devices have what is limited. If not: the reason is in why_not_,
  /// and goes_elsewhere_ is whether another file has the limit all the same.
  bool can_have(const Hierarchy& hierarchy, const Place& place, const std::string& disk) {
    if (needs("RDMA") && rdma_device().empty()) {
      why_not_ = "this machine has no RDMA device";
    } else if (!kernel_has(hierarchy, place.controller, place.file)) {
      why_not_ = cat("this kernel has no ", place.file);
      goes_elsewhere_ = place.instead != nullptr;
    } else if (needs("weightDevice") && !scheduled_by_bfq(disk)) {
      why_not_ = cat("the disk ", disk, " is not scheduled by bfq");
    } else if (place.before != nullptr && kernel_has(hierarchy, place.controller, place.before)) {
      why_not_ = cat("this kernel has ", place.before);
      goes_elsewhere_ = true;
    }
    return why_not_.empty();
  }

  /// Whether a new cgroup of the hierarchy has this file.
  [[nodiscard]] bool kernel_has(const Hierarchy& hierarchy, const char* controller,
                                const char* file) const {
    const std::string probe = cat(hierarchy.mount, workplace_path(id() + "-probe"));
    if (hierarchy.unified) {
      const std::string above = probe.substr(0, probe.rfind('/'));
      static_cast<void>(sys::write_file(above + "/cgroup.subtree_control", cat('+', controller)));
    }
    EXPECT_EQ(::mkdir(probe.c_str(), 0755), 0);
    const bool there = exists(cat(probe, '/', file));
    EXPECT_EQ(::rmdir(probe.c_str()), 0);
    return there;
  }

  bool goes_elsewhere_ = false;
};

TEST_P(EveryLimit, IsInTheKernelsFile) {
  const Limit& limit = GetParam();
  const std::string device = disk();
  const std::string rdma = rdma_device();
  if (needs("DEVICE") && device.empty()) GTEST_SKIP() << "this machine has no disk";
  config_.set("/linux/resources", in_json(limit.resources, device, rdma.empty() ? "none" : rdma));
  const Place& place = place_here();
  if (place.controller == nullptr) {
    EXPECT_TRUE(is_refused(limit)) << "it cannot be had here";
    return;
  }
  const std::optional<Hierarchy> hierarchy = available(place.controller);
  if (!hierarchy || !can_have(*hierarchy, place, device)) {
    EXPECT_TRUE(goes_elsewhere_ || is_refused(limit)) << why_not_;
    GTEST_SKIP() << why_not_;
  }
  ASSERT_TRUE(succeeds(create()));
  if (place.line != nullptr) {
    const std::string text = file(*hierarchy, place.file);
    const std::string wanted = replaced(replaced(place.line, "DEVICE", device), "RDMA", rdma);
    EXPECT_TRUE(has_line(text, wanted))
        << place.file << ": \"" << text << "\" instead of \"" << wanted << '"';
  }
  EXPECT_TRUE(succeeds(remove()));
}

INSTANTIATE_TEST_SUITE_P(Resources, EveryLimit, ::testing::ValuesIn(kLimits),
                         [](const auto& limit) { return std::string(limit.param.name); });

/// Newer kernels take the value and do nothing.
TEST_F(Resources, OfTheKernelsMemoryAreInTheFileOrAWarningSaysWhatIs) {
  const std::optional<Hierarchy> memory = available("memory");
  if (!memory) GTEST_SKIP() << why_not_;
  config_.set("/linux/resources/memory", R"({"kernel": 33554432})");
  const Outcome outcome = create();
  if (memory->unified) {
    EXPECT_TRUE(fails_saying(outcome, "/memory/kernel"));
    return;
  }
  ASSERT_TRUE(succeeds(outcome));
  const std::string text = file(*memory, "memory.kmem.limit_in_bytes");
  const std::string both = cat("asked for 33554432, the kernel made it ", text);
  EXPECT_EQ(outcome.err.find(both) != std::string::npos, text != "33554432") << outcome.err;
  EXPECT_TRUE(succeeds(remove()));
}

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

TEST_F(Devices, ThatAreDeniedAreMadeAllTheSame) {
  config_.add("/linux/devices",
              R"({"path": "/dev/given", "type": "c", "major": 240, "minor": 77})");
  config_.set("/linux/resources/devices",
              R"([{"allow": false, "access": "rwm"},
                  {"allow": false, "type": "c", "major": 240, "minor": 77, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 240, "minor": 77, "access": "r"}])");
  const Outcome outcome = run_shell("head -c 1 /dev/given; mknod /dev/tried c 240 77 && echo made");
  EXPECT_NE(outcome.err.find("/dev/given: No such device or address"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(outcome.out, "made\n") << outcome.err;
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
  for (uint64_t kibibytes = 4; kibibytes <= 8192; kibibytes *= 2) {
    config_.set("/linux/resources/memory", cat(R"({"limit": )", kibibytes << 10, '}'));
    expect_an_answer(cat(kibibytes, " KiB"));
    if (HasFailure()) return;
  }
  const Outcome enough = run_shell("echo enough");
  EXPECT_EQ(enough.out, "enough\n") << "8 MiB: " << enough.err;
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
