// Containers whose cgroup systemd makes: a scope unit of the system's manager, or of the user's
// own. Most of it needs systemd for process 1: tools/vm.
#include <signal.h>
#include <sys/stat.h>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

constexpr const char* kProperties[] = {"MemoryMax", "MemorySwapMax",      "MemoryHigh",
                                       "CPUWeight", "CPUQuotaPerSecUSec", "TasksMax"};
constexpr const char* kFiles[] = {"memory.max", "memory.swap.max", "memory.high",
                                  "cpu.weight", "cpu.max",         "pids.max"};

class Scopes : public Container {
 protected:
  /// A call with --systemd-cgroup, which finds the bus.
  [[nodiscard]] Outcome with_systemd(std::vector<std::string> args, Call rest = {}) const {
    args.insert(args.begin(), "--systemd-cgroup");
    const std::vector<std::string> variables = session_variables();
    rest.env.insert(rest.env.begin(), variables.begin(), variables.end());
    return runtime(args, std::move(rest));
  }
  Outcome create_scope() const {
    write_config();
    return with_systemd({"create", "--bundle", bundle(), id()});
  }

  [[nodiscard]] std::string unit() const { return cat("box-", id(), ".scope"); }
  [[nodiscard]] static std::string slice() { return rootless() ? "user.slice" : "system.slice"; }

  static Outcome systemctl(std::vector<std::string> args) {
    if (rootless()) args.insert(args.begin(), "--user");
    Call call;
    call.args = std::move(args);
    const std::vector<std::string> variables = session_variables();
    call.env.insert(call.env.end(), variables.begin(), variables.end());
    return run_program("/usr/bin/systemctl", call);
  }
  [[nodiscard]] std::string shown(const std::string& property) const {
    std::string value = systemctl({"show", "--value", "-p", property, unit()}).out;
    while (value.ends_with('\n')) value.pop_back();
    return value;
  }
  [[nodiscard]] bool unit_is_gone() const {
    return eventually([this] { return shown("LoadState") == "not-found"; });
  }

  /// Host path of the container's cgroup in the hierarchy of v2.
  [[nodiscard]] std::string cgroup() const {
    const std::string text = read(cat("/proc/", pid(), "/cgroup"));
    for (const std::string_view line : split(text, '\n')) {
      if (line.starts_with("0::")) return cat("/sys/fs/cgroup", line.substr(3));
    }
    return "";
  }
  [[nodiscard]] std::string values(const std::string& directory) const {
    std::string text;
    for (const char* file : kFiles) text += cat(file, ' ', read(cat(directory, '/', file)));
    return text;
  }

  void limit_everything() {
    config_.set("/linux/resources", R"({
        "memory": {"limit": 268435456, "swap": 402653184},
        "cpu": {"shares": 512, "quota": 50000, "period": 100000},
        "pids": {"limit": 50},
        "unified": {"memory.high": "134217728"}})");
  }
};

class Systemd : public Scopes {
 protected:
  void SetUp() override {
    if (!exists("/run/systemd/system")) GTEST_SKIP() << "systemd is not process 1 of this machine";
    Scopes::SetUp();
    if (IsSkipped()) return;
    config_.set_string("/linux/cgroupsPath", cat(slice(), ":box:", id()));
  }
};

TEST_F(Systemd, MakesADelegatedScopeWithTheLimits) {
  limit_everything();
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create_scope()));
  EXPECT_TRUE(cgroup().ends_with(cat('/', slice(), '/', unit()))) << cgroup();
  EXPECT_EQ(shown("ActiveState"), "active");
  EXPECT_EQ(shown("Delegate"), "yes");
  EXPECT_EQ(shown("Slice"), slice());
  EXPECT_EQ(shown("Description"), cat("container ", id()));
  EXPECT_EQ(shown("DefaultDependencies"), "no");
  EXPECT_EQ(shown("CollectMode"), "inactive-or-failed");
  EXPECT_EQ(shown("MemoryMax"), "268435456");
  EXPECT_EQ(shown("MemorySwapMax"), "134217728");
  EXPECT_EQ(shown("MemoryHigh"), "134217728");
  EXPECT_EQ(shown("TasksMax"), "50");
  EXPECT_EQ(shown("CPUQuotaPerSecUSec"), "500ms");
  EXPECT_EQ(read(cgroup() + "/cpu.max"), "50000 100000\n");
  EXPECT_EQ(read(cgroup() + "/cgroup.procs"), cat(pid(), '\n')) << "nobody but init is in it";
  EXPECT_TRUE(succeeds(with_systemd({"start", id()})));
  const Outcome inside = with_systemd({"exec", id(), "/bin/cat", "/proc/self/cgroup"});
  EXPECT_TRUE(succeeds(inside));
  EXPECT_EQ(inside.out.substr(inside.out.find("0::")), "0::/\n");
  EXPECT_TRUE(succeeds(with_systemd({"delete", "--force", id()})));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, KnowsTheLimitsAndKeepsThemOverAReload) {
  limit_everything();
  ASSERT_TRUE(succeeds(create_scope()));
  const std::string before = values(cgroup());
  ASSERT_TRUE(succeeds(systemctl({"daemon-reload"})));
  EXPECT_EQ(values(cgroup()), before);
  for (const char* property : kProperties) EXPECT_NE(shown(property), "infinity") << property;
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, KnowsTheLimitsOfAnUpdateToo) {
  limit_everything();
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create_scope()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(
      succeeds(with_systemd({"update", "--memory", "201326592", "--memory-swap", "301989888",
                             "--cpu-quota", "12345", "--pids-limit", "70", id()})));
  EXPECT_EQ(read(cgroup() + "/cpu.max"), "12345 100000\n") << "not as systemd rounds it";
  EXPECT_EQ(shown("MemoryMax"), "201326592");
  EXPECT_EQ(shown("MemorySwapMax"), "100663296");
  EXPECT_EQ(shown("MemoryHigh"), "134217728") << "as before";
  EXPECT_EQ(shown("CPUQuotaPerSecUSec"), "130ms");
  EXPECT_EQ(shown("TasksMax"), "70");
  ASSERT_TRUE(succeeds(systemctl({"daemon-reload"})));
  EXPECT_EQ(read(cgroup() + "/memory.max"), "201326592\n");
  EXPECT_EQ(read(cgroup() + "/memory.swap.max"), "100663296\n");
  EXPECT_EQ(read(cgroup() + "/memory.high"), "134217728\n");
  EXPECT_EQ(read(cgroup() + "/pids.max"), "70\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, HearsOfAnUpdateOrThereIsNone) {
  limit_everything();
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create_scope()));
  ASSERT_TRUE(succeeds(start()));
  const std::string before = values(cgroup());
  Call call;
  call.env.push_back(cat(rootless() ? "DBUS_SESSION" : "DBUS_SYSTEM",
                         "_BUS_ADDRESS=unix:path=", directory(), "/no-bus"));
  EXPECT_TRUE(fails_saying(
      runtime({"--systemd-cgroup", "update", "--pids-limit", "70", id()}, std::move(call)),
      "cannot connect to systemd's bus"));
  EXPECT_EQ(values(cgroup()), before);
  EXPECT_EQ(shown("TasksMax"), "50");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, ForgetsAContainerThatEnded) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create_scope()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(unit_is_gone());
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Systemd, ForgetsAContainerWhoseInitWasKilled) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create_scope()));
  ASSERT_TRUE(succeeds(start()));
  ::kill(pid(), SIGKILL);
  EXPECT_TRUE(unit_is_gone());
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Systemd, ForgetsEachOfManyContainers) {
  config_.args({"/bin/sleep", "1000"});
  for (int i = 0; i < 20; ++i) {
    config_.set_string("/linux/cgroupsPath", cat(slice(), ":box:", id(i)));
    ASSERT_TRUE(succeeds(create_scope())) << i;
    ASSERT_TRUE(succeeds(remove_by_force()));
  }
  EXPECT_TRUE(eventually([this] {
    return systemctl({"list-units", "--all", "--no-legend", cat("box-", id(), "*")}).out.empty();
  }));
}

TEST_F(Systemd, TakesTheSameIdAgainAtOnce) {
  config_.args({"/bin/sleep", "1000"});
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(succeeds(create_scope())) << i;
    ASSERT_TRUE(succeeds(start()));
    ASSERT_TRUE(succeeds(remove_by_force()));
  }
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, LetsLimitsBeTooTightForSettingUp) {
  config_.set("/linux/resources", R"({"pids": {"limit": 1}, "memory": {"limit": 4194304}})");
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create_scope()));
  EXPECT_EQ(read(cgroup() + "/pids.max"), "1\n");
  EXPECT_EQ(read(cgroup() + "/memory.max"), "4194304\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, KeepsAUnitOfThatNameAsItIs) {
  Call other;
  other.args = {"--scope", "--quiet", "--unit", unit(), "--slice", slice(), "/bin/sleep", "1000"};
  if (rootless()) other.args.insert(other.args.begin(), "--user");
  const std::vector<std::string> variables = session_variables();
  other.env.insert(other.env.end(), variables.begin(), variables.end());
  Program sleeper("/usr/bin/systemd-run", other);
  ASSERT_TRUE(eventually([this] { return shown("ActiveState") == "active"; }));
  EXPECT_TRUE(fails_saying(create_scope(), "container's cgroup is not empty: 1 process(es) found"));
  // In another slice: only systemd knows of it.
  config_.set_string("/linux/cgroupsPath", cat("box.slice:box:", id()));
  EXPECT_TRUE(fails_saying(create_scope(), cat("a unit ", unit(),
                                               " exists already, and is active "
                                               "with 1 process")));
  EXPECT_EQ(shown("ActiveState"), "active");
  EXPECT_EQ(shown("Slice"), slice());
  sleeper.signal(SIGKILL);
  sleeper.wait();
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, SaysWhyItDoesNotStartAUnit) {
  ASSERT_TRUE(succeeds(systemctl({"mask", "--runtime", "--quiet", "nobody.slice"})));
  config_.set_string("/linux/cgroupsPath", cat("nobody.slice:box:", id()));
  EXPECT_TRUE(fails_saying(create_scope(), "nobody.slice is masked"));
  EXPECT_TRUE(unit_is_gone());
  EXPECT_TRUE(succeeds(systemctl({"unmask", "--runtime", "--quiet", "nobody.slice"})));
}

TEST_F(Systemd, IsToldWhatAnnotationsSay) {
  config_.set_string("/annotations/org.systemd.property.TimeoutStopSec", "uint64 7");
  config_.set_string("/annotations/org.systemd.property.KillSignal", "37");
  ASSERT_TRUE(succeeds(create_scope()));
  EXPECT_EQ(shown("TimeoutStopUSec"), "7s");
  EXPECT_EQ(shown("KillSignal"), "37");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(unit_is_gone());
}

TEST_F(Systemd, MayExecuteItselfAnewMeanwhile) {
  if (rootless()) GTEST_SKIP() << "the manager of the session that we run in";
  Call reexec;
  reexec.args = {"daemon-reexec"};
  for (int i = 0; i < 5; ++i) {
    Program again("/usr/bin/systemctl", reexec);
    ASSERT_TRUE(succeeds(create_scope())) << i;
    again.wait();
    ASSERT_TRUE(succeeds(remove_by_force()));
  }
  EXPECT_TRUE(unit_is_gone());
}

class NoSystemd : public Scopes {};

TEST_F(NoSystemd, IsAnErrorThatSaysWhatToDo) {
  config_.set_string("/linux/cgroupsPath", cat("a.slice:box:", id()));
  write_config();
  Call call;
  call.env.push_back(cat(rootless() ? "DBUS_SESSION" : "DBUS_SYSTEM",
                         "_BUS_ADDRESS=unix:path=", directory(), "/no-bus"));
  const Outcome outcome =
      runtime({"--systemd-cgroup", "create", "--bundle", bundle(), id()}, std::move(call));
  EXPECT_TRUE(fails_saying(outcome, cat("cannot connect to systemd's bus (unix:path=", directory(),
                                        "/no-bus): connect: no such file or directory (is systemd "
                                        "running? --cgroup-manager cgroupfs works without)")));
}

TEST_F(NoSystemd, IsNoReasonToRefuseToDelete) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(runtime({"--systemd-cgroup", "delete", "--force", id()})));
}

TEST_F(NoSystemd, IsNoReasonToRefuseToUpdateWhatItDidNotMake) {
  if (rt::testing::with_systemd()) GTEST_SKIP() << "systemd makes every container's cgroup here";
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  Call call;
  call.env.push_back(cat(rootless() ? "DBUS_SESSION" : "DBUS_SYSTEM",
                         "_BUS_ADDRESS=unix:path=", directory(), "/no-bus"));
  const Outcome updated =
      runtime({"--systemd-cgroup", "update", "--pids-limit", "70", id()}, std::move(call));
  EXPECT_EQ(updated.err.find("systemd"), std::string::npos) << updated.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(NoSystemd, NeedsASliceAPrefixAndAName) {
  config_.set_string("/linux/cgroupsPath", cat("/pod/", id()));
  write_config();
  EXPECT_TRUE(fails_saying(runtime({"--systemd-cgroup", "create", "--bundle", bundle(), id()}),
                           "systemd is to make it: expected slice:prefix:name"));
}

}  // namespace
}  // namespace rt::testing
