// The command update: the limits of a container that is there already, in the kernel's own files.
// What a limit is on either version of cgroups: resources_test.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// A limit as the two versions of cgroups keep it.
struct Knob {
  const char* controller;
  const char* v1;
  const char* v2;
};

constexpr Knob kMemory = {"memory", "memory.limit_in_bytes", "memory.max"};
constexpr Knob kReservation = {"memory", "memory.soft_limit_in_bytes", "memory.low"};
constexpr Knob kPids = {"pids", "pids.max", "pids.max"};
constexpr Knob kShares = {"cpu", "cpu.shares", "cpu.weight"};
constexpr Knob kQuota = {"cpu", "cpu.cfs_quota_us", "cpu.max"};
constexpr Knob kPeriod = {"cpu", "cpu.cfs_period_us", "cpu.max"};
constexpr Knob kBurst = {"cpu", "cpu.cfs_burst_us", "cpu.max.burst"};
constexpr Knob kIdle = {"cpu", "cpu.idle", "cpu.idle"};
constexpr Knob kCpus = {"cpuset", "cpuset.cpus", "cpuset.cpus"};
constexpr Knob kNodes = {"cpuset", "cpuset.mems", "cpuset.mems"};

class Update : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped()) return;
    for (const char* controller : {"memory", "pids", "cpu", "cpuset"}) {
      if (!hierarchy_with(controller)) GTEST_SKIP() << "no cgroup controller " << controller;
    }
    config_.set("/linux/resources", R"({"memory": {"limit": 268435456}, "pids": {"limit": 100}})");
  }

  [[nodiscard]] Outcome update(std::vector<std::string> words) const {
    words.insert(words.begin(), "update");
    words.push_back(id());
    return runtime(words);
  }
  [[nodiscard]] Outcome update_with(std::string_view document) const {
    Call call;
    call.input = document;
    return runtime({"update", "--resources", "-", id()}, std::move(call));
  }

  /// What a limit of the container is, by the kernel's file.
  [[nodiscard]] std::string now(const Knob& knob) const {
    const Hierarchy hierarchy = *hierarchy_with(knob.controller);
    std::string text =
        read(cat(cgroup_of(pid(), hierarchy), '/', hierarchy.unified ? knob.v2 : knob.v1));
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  [[nodiscard]] static bool unified(const Knob& knob) {
    return hierarchy_with(knob.controller)->unified;
  }
  /// All limits that these tests change.
  [[nodiscard]] std::vector<std::string> everything() const {
    std::vector<std::string> values;
    for (const Knob& knob :
         {kMemory, kReservation, kPids, kShares, kQuota, kPeriod, kIdle, kCpus}) {
      values.push_back(cat(knob.v1, '=', now(knob)));
    }
    return values;
  }
  /// What is kept for the next update; "(absent)" before the first.
  [[nodiscard]] std::string kept(std::string_view pointer) const {
    return Json(read(cat(state_root(), '/', id(), "/resources.json"))).at(pointer);
  }
  /// v1: devices.list, sorted.
  [[nodiscard]] std::vector<std::string> device_list() const {
    const std::string text = now({"devices", "devices.list", ""});
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
    std::ranges::sort(lines);
    return lines;
  }
};

struct Flag {
  const char* name;
  const char* flag;
  const char* value;
  Knob knob;
  const char* v1;  // what its file says then
  const char* v2;
};

constexpr Flag kFlags[] = {
    {"Memory", "--memory", "134217728", kMemory, "134217728", "134217728"},
    {"MemoryWithAUnit", "--memory", "128m", kMemory, "134217728", "134217728"},
    {"MemoryWithoutLimit", "--memory", "-1", kMemory, "9223372036854771712", "max"},
    {"MemoryOfZeroIsLeftAlone", "--memory", "0", kMemory, "268435456", "268435456"},
    {"MemoryReservation", "--memory-reservation", "64M", kReservation, "67108864", "67108864"},
    {"PidsLimit", "--pids-limit", "33", kPids, "33", "33"},
    {"PidsWithoutLimit", "--pids-limit", "-1", kPids, "max", "max"},
    {"CpuShare", "--cpu-share", "2048", kShares, "2048", "174"},
    {"CpuQuota", "--cpu-quota", "50000", kQuota, "50000", "50000 100000"},
    {"CpuPeriod", "--cpu-period", "200000", kPeriod, "200000", "max 200000"},
    {"CpuIdle", "--cpu-idle", "1", kIdle, "1", "1"},
    {"CpusetCpus", "--cpuset-cpus", "0", kCpus, "0", "0"},
    {"CpusetMems", "--cpuset-mems", "0", kNodes, "0", "0"},
};

class UpdateFlag : public Update, public ::testing::WithParamInterface<Flag> {};

TEST_P(UpdateFlag, IsWhatTheKernelsFileSays) {
  start_sleeping();
  const Outcome outcome = update({GetParam().flag, GetParam().value});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  const Knob& knob = GetParam().knob;
  EXPECT_EQ(now(knob), unified(knob) ? GetParam().v2 : GetParam().v1);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

INSTANTIATE_TEST_SUITE_P(All, UpdateFlag, ::testing::ValuesIn(kFlags),
                         [](const auto& info) { return info.param.name; });

TEST_F(Update, TakesADocumentFromAFileOrFromStandardInput) {
  start_sleeping();
  write(directory() + "/limits.json", R"({"pids": {"limit": 41}})");
  EXPECT_TRUE(succeeds(update({"-r", directory() + "/limits.json"})));
  EXPECT_EQ(now(kPids), "41");
  EXPECT_TRUE(succeeds(update_with(R"({"pids": {"limit": 42}})")));
  EXPECT_EQ(now(kPids), "42");
  Call call;
  call.input = R"({"pids": {"limit": 43}})";
  EXPECT_TRUE(succeeds(runtime({"update", "--resources=-", id()}, call))) << "go-runc";
  EXPECT_EQ(now(kPids), "43");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// docker sends everything, and means what is not 0.
TEST_F(Update, LeavesAloneWhatIsZero) {
  start_sleeping();
  ASSERT_TRUE(succeeds(update({"--cpu-share", "512", "--cpu-quota", "50000"})));
  const std::vector<std::string> before = everything();
  const Outcome outcome = update_with(R"({
      "memory": {"limit": 0, "reservation": 0, "kernel": 0},
      "cpu": {"shares": 0, "quota": 0, "period": 0}, "blockIO": {"weight": 0}})");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(everything(), before);
  EXPECT_TRUE(succeeds(update_with(R"({
      "memory": {"limit": 0, "reservation": 0, "kernel": 0},
      "cpu": {"shares": 0, "quota": 0, "period": 0}, "pids": {"limit": 50},
      "blockIO": {"weight": 0}})")));
  EXPECT_EQ(now(kPids), "50");
  EXPECT_EQ(now(kMemory), "268435456");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// The kubelet sends a list that denies all devices with every update, and does not mean it.
TEST_F(Update, TakesNoDeviceAwayForTheKubelet) {
  config_.set("/linux/resources/devices", R"([
      {"allow": false, "access": "rwm"},
      {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}])");
  start_sleeping();
  const bool v1 = hierarchy_with("devices").has_value() && !hierarchy_with("devices")->unified;
  const std::vector<std::string> before = v1 ? device_list() : std::vector<std::string>();
  EXPECT_TRUE(succeeds(update_with(R"({
      "devices": [{"allow": false, "access": "rwm"}],
      "memory": {"limit": 134217728, "swap": 134217728}, "cpu": {"shares": 512}})")));
  EXPECT_EQ(now(kMemory), "134217728");
  if (v1) {
    EXPECT_EQ(device_list(), before);
  }
  const Outcome opened = runtime({"exec", id(), "/bin/sh", "-c", "echo x > /dev/null && echo ok"});
  EXPECT_EQ(opened.out, "ok\n") << opened.err;
  EXPECT_EQ(kept("/devices/1/minor"), "200") << kept("");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, ReplacesTheDeviceListByAnotherThatIsMeant) {
  const auto devices = hierarchy_with("devices");
  if (!devices || devices->unified) GTEST_SKIP() << "reads devices.list of cgroup v1";
  start_sleeping();
  EXPECT_TRUE(succeeds(update_with(R"({"devices": [
      {"allow": false, "access": "rwm"},
      {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rw"}]})")));
  std::vector<std::string> list = device_list();
  EXPECT_NE(std::ranges::find(list, "c 10:200 rwm"), list.end()) << ::testing::PrintToString(list);
  EXPECT_NE(std::ranges::find(list, "c 1:3 rwm"), list.end()) << "the default devices stay";
  // A limit that is refused takes the new list back.
  const std::vector<std::string> before = device_list();
  EXPECT_TRUE(fails_saying(update_with(R"({"cpu": {"cpus": "8000"}, "devices": [
      {"allow": false, "access": "rwm"},
      {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]})"),
                           "cpuset.cpus"));
  EXPECT_EQ(device_list(), before);
  EXPECT_EQ(kept("/devices/1/minor"), "200");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, ChangesNothingWhenOneOfSeveralValuesIsRefused) {
  start_sleeping();
  ASSERT_TRUE(succeeds(update({"--cpu-share", "512", "--cpu-quota", "50000"})));
  const std::vector<std::string> before = everything();
  const std::string kept_before = kept("");
  const Outcome outcome = update_with(R"({
  "memory": {"limit": 134217728, "reservation": 67108864},
  "cpu": {"shares": 2048, "quota": 70000, "period": 200000,
          "cpus": "8000"},
  "pids": {"limit": 7}
})");
  EXPECT_TRUE(fails_saying(outcome, "cpuset.cpus"));
  EXPECT_NE(outcome.err.find("--resources:4:19 /cpu/cpus"), std::string::npos) << outcome.err;
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(kept(""), kept_before);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, RefusesAMemoryLimitBelowWhatIsInUse) {
  // A tmpfs of the container's own: its pages cannot be reclaimed where there is no swap.
  config_.mount("/fill", "tmpfs", "tmpfs", {"size=64m"});
  config_.set("/linux/resources", R"({"memory": {"limit": 268435456, "swap": 268435456}})");
  start_sleeping("dd if=/dev/zero of=/fill/x bs=1M count=48 2>/dev/null");
  const Outcome outcome = update({"--memory", "8m"});
  EXPECT_TRUE(fails_saying(outcome, "in use"));
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(now(kMemory), "268435456");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, BeginsWhereTheLastOneEnded) {
  start_sleeping();
  EXPECT_TRUE(succeeds(update({"--memory", "64m", "--memory-swap", "96m"})));
  EXPECT_EQ(kept("/memory/swap"), "100663296");
  EXPECT_EQ(kept("/pids/limit"), "100") << "of the config";
  // Alone it would be fine, and so it was at create.
  EXPECT_TRUE(fails_saying(update({"--memory", "128m"}),
                           "with what the container has: /memory/swap: memory and swap together"));
  EXPECT_TRUE(succeeds(update({"--memory", "32m"})));
  EXPECT_EQ(kept("/memory/swap"), "100663296");
  if (unified(kMemory)) {
    EXPECT_EQ(now({"memory", "", "memory.swap.max"}), "67108864") << "what is left beside memory";
  }
  EXPECT_TRUE(succeeds(update({"--memory", "128m", "--memory-swap", "256m"}))) << "both grow";
  EXPECT_TRUE(succeeds(update({"--memory", "64m", "--memory-swap", "96m"}))) << "both shrink";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, KeepsBurstAndQuotaInStep) {
  start_sleeping();
  EXPECT_TRUE(succeeds(update({"--cpu-quota", "50000", "--cpu-burst", "20000"})));
  EXPECT_EQ(now(kBurst), "20000");
  EXPECT_TRUE(succeeds(update({"--cpu-quota", "90000", "--cpu-burst", "80000"})));
  EXPECT_TRUE(succeeds(update({"--cpu-quota", "10000", "--cpu-burst", "5000"})));
  EXPECT_EQ(now(kBurst), "5000");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, WorksOnACreatedAndOnAPausedContainer) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(update({"--pids-limit", "51"})));
  EXPECT_EQ(now(kPids), "51");
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(succeeds(runtime({"pause", id()})));
  EXPECT_TRUE(succeeds(update({"--pids-limit", "52"})));
  EXPECT_EQ(status(), "paused");
  EXPECT_EQ(now(kPids), "52");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, NeedsAContainerThatIsThereAndAlive) {
  EXPECT_TRUE(fails_saying(update({"--memory", "64m"}), "container does not exist"));
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(update({"--memory", "64m"}), "container not running"));
  EXPECT_TRUE(succeeds(remove()));
}

struct Refusal {
  std::vector<std::string> words;
  std::string input;
  const char* says;
};

TEST_F(Update, RefusesWhatItDoesNotUnderstand) {
  start_sleeping();
  const std::vector<std::string> before = everything();
  const Refusal refusals[] = {
      {{}, "", "expected --resources, or a limit"},
      {{"--memory", "1x"}, "", "--memory: \"1x\": expected bytes"},
      {{"--memory", "-2"}, "", "--memory: \"-2\": expected bytes"},
      {{"--memory", "9000000000g"}, "", "more bytes than a limit can have"},
      {{"--blkio-weight", "70000"}, "", "--blkio-weight \"70000\": expected a number from 0 to"},
      {{"--blkio-weight", "5"}, "", "/blockIO/weight: expected 10 to 1000"},
      {{"--cpu-share", "-1"}, "", "--cpu-share \"-1\": expected a number from 0 on"},
      {{"--cpu-idle", "2"}, "", "/cpu/idle: expected 0 to 1"},
      {{"--cpuset-cpus", "0-"}, "", "/cpu/cpus: "},
      {{"--pids-limit", "-5"}, "", "/pids/limit: expected at least -1"},
      {{"--memory", "64m", "--memory-swap", "32m"}, "", "memory and swap together"},
      {{"--resources", "-", "--memory", "64m"}, "{}", "exclude one another"},
      {{"--resources", "/nowhere"}, "", "--resources: \"/nowhere\": open: no such file"},
      {{"--resources", "-"}, "", "--resources:1:1"},
      {{"--resources", "-"},
       "{\"pids\": {\n\"limit\": \"5\"}}",
       "--resources:2:10 /pids/limit: expected an integer, found a string"},
      {{"--resources", "-"},
       R"({"pids": {"limit": -5}, "cpu": {"idle": 7}})",
       "/pids/limit: expected at least -1, found -5 (the first of 2 errors)"},
      {{"--resources", "-"}, R"({"unified": {"../x": "1"}})", "not the name of a cgroup file"},
      {{"--mem-bw-schema", "MB:0=20"}, "", "the container has no group of resctrl"},
  };
  for (const Refusal& refusal : refusals) {
    std::vector<std::string> words = refusal.words;
    words.insert(words.begin(), "update");
    words.push_back(id());
    Call call;
    call.input = refusal.input;
    EXPECT_TRUE(fails_saying(runtime(words, call), refusal.says)) << refusal.says;
  }
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(kept("/pids"), "(absent)");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, WarnsOfWhatItIgnores) {
  start_sleeping();
  const Outcome unknown = update_with(R"({"pidz": {"limit": 5}, "pids": {"limit": 44}})");
  EXPECT_TRUE(succeeds(unknown));
  EXPECT_NE(unknown.err.find("warning: --resources:1:2 /pidz: "), std::string::npos) << unknown.err;
  EXPECT_EQ(now(kPids), "44");
  const Outcome kernel = update({"--kernel-memory", "1g", "--kernel-memory-tcp", "1g"});
  EXPECT_TRUE(succeeds(kernel));
  EXPECT_NE(kernel.err.find("--kernel-memory: ignored"), std::string::npos) << kernel.err;
  EXPECT_NE(kernel.err.find("--kernel-memory-tcp: ignored"), std::string::npos) << kernel.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, ChangesTheSchemataOfTheContainersGroup) {
  const std::string root = directory() + "/resctrl";
  ASSERT_EQ(::mkdir(root.c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((root + "/mon_groups").c_str(), 0755), 0);
  write(root + "/tasks", "");
  write(root + "/schemata", "L3:0=fff\nMB:0=100\n");
  config_.set("/linux/intelRdt", R"({"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20"})");
  write_config();
  ASSERT_TRUE(succeeds(runtime({"--resctrl-root", root, "create", "--bundle", bundle(), id()})));
  const std::string schemata = cat(root, '/', id(), "/schemata");
  const auto update_rdt = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--resctrl-root", root, "update"});
    words.push_back(id());
    return runtime(words);
  };
  // The stand-in keeps every line that is written.
  EXPECT_TRUE(succeeds(update_rdt({"--l3-cache-schema", "L3:0=3", "--pids-limit", "60"})));
  EXPECT_EQ(read(schemata), "L3:0=f\nMB:0=20\nL3:0=3\n");
  EXPECT_EQ(now(kPids), "60");
  EXPECT_TRUE(fails_saying(update_rdt({"--mem-bw-schema", "MB:0=90", "--cpuset-cpus", "8000"}),
                           "cpuset.cpus"));
  EXPECT_EQ(read(schemata), "L3:0=f\nMB:0=20\nL3:0=3\nMB:0=90\nL3:0=f\nMB:0=20\nL3:0=3\n")
      << "what was there is written back";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, ThatWasKilledIsCompletedByTheNextOne) {
  constexpr const char* kStrace = "/usr/bin/strace";
  if (!exists(kStrace)) GTEST_SKIP() << "no strace";
  start_sleeping();
  // The last of them is beyond the update's end.
  constexpr int kWrites = 12;
  bool ended = false;
  for (int i = 1; i <= kWrites; ++i) {
    Call call = this->call(
        {"update", "--pids-limit", cat(100 + i), "--memory", cat((100 + i) << 20), id()});
    call.args.insert(
        call.args.begin(),
        {"-o", "/dev/null", "-e", cat("inject=write:signal=KILL:when=", i), runtime_binary()});
    ended = run_program(kStrace, call).exit_code == 0;
    ASSERT_TRUE(succeeds(update({"--cpu-share", cat(500 + i)}))) << i;
    EXPECT_EQ(now(kPids), kept("/pids/limit")) << i;
    EXPECT_EQ(now(kMemory), kept("/memory/limit")) << i;
  }
  EXPECT_TRUE(ended) << "not killed at every write";
  EXPECT_FALSE(exists(cat(state_root(), '/', id(), "/update.json")));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Update, ManyAtOnceLeaveTheValuesOfOne) {
  start_sleeping();
  std::vector<Program> programs;
  for (int i = 1; i <= 6; ++i) {
    const std::string pids = std::to_string(200 + i);
    const std::string quota = std::to_string(10000 + 1000 * i);
    programs.emplace_back(runtime_binary(),
                          call({"update", "--pids-limit", pids, "--cpu-quota", quota, id()}));
  }
  for (Program& program : programs) EXPECT_TRUE(succeeds(program.wait()));
  const int64_t winner = parse_int(now(kPids)).value_or(0) - 200;
  EXPECT_TRUE(winner >= 1 && winner <= 6) << winner;
  const std::string quota = cat(10000 + 1000 * winner);
  EXPECT_EQ(now(kQuota), unified(kQuota) ? quota + " 100000" : quota);
  EXPECT_EQ(kept("/pids/limit"), now(kPids));
  EXPECT_EQ(kept("/cpu/quota"), quota);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
