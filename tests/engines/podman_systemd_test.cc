// Podman where systemd makes the cgroups: those of a user without privileges, and systemd as the
// payload.
#include <ostream>

#include "runtime/base/text.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

class PodmanUnit : public Podman {
 protected:
  PodmanUnit() = default;
  explicit PodmanUnit(uid_t user) : Podman(user, {"newuidmap"}) {}
  void SetUp() override {
    if (cgroup_driver() != "systemd") GTEST_SKIP() << "needs systemd: tools/vm/engines";
    Podman::SetUp();
  }
};

class RootlessUnit : public PodmanUnit {
 protected:
  RootlessUnit() : PodmanUnit(kUser) {}
};

TEST_F(RootlessUnit, IsAScopeOfTheUsersManager) {
  const Outcome outcome = run({"--cgroupns=host"}, {"cat", "/proc/self/cgroup"});
  EXPECT_NE(outcome.out.find(cat("/user@", kUser, ".service/user.slice/libpod-")),
            std::string::npos)
      << outcome.out << outcome.err;
}

TEST_F(RootlessUnit, IsKilledBeyondItsMemory) {
  EXPECT_EQ(run_shell({"--memory=16m", "--memory-swap=16m"},
                      "exec head -c 100000000 /dev/zero | exec tail >/dev/null; exit ${?}")
                .exit_code,
            137);
}

TEST_F(RootlessUnit, StandsStillWhilePaused) { check_pausing(); }

TEST_F(RootlessUnit, ShowsWhatItUses) { check_stats(); }

class RootlessLimit : public RootlessUnit, public ::testing::WithParamInterface<LimitRow> {
 protected:
  [[nodiscard]] static std::string file() { return cat("/sys/fs/cgroup/", GetParam().v2_file); }
};

TEST_P(RootlessLimit, IsInTheContainersCgroup) {
  EXPECT_PRED2(has_line, run(GetParam().options, {"cat", file()}).out, GetParam().v2_line);
}

TEST_P(RootlessLimit, CanBeChanged) {
  if (GetParam().name == std::string("Pids")) GTEST_SKIP() << "podman 4.3 cannot change it";
  start();
  Options update = {"update"};
  update.insert(update.end(), GetParam().options.begin(), GetParam().options.end());
  update.push_back(name());
  EXPECT_TRUE(succeeds(podman(update)));
  EXPECT_PRED2(has_line, exec({}, {"cat", file()}).out, GetParam().v2_line);
  remove();
}

const LimitRow kLimits[] = {
    {"Memory", {"--memory=64m"}, "", "", "memory.max", "67108864"},
    {"Cpus", {"--cpus=0.5"}, "", "", "cpu.max", "50000 100000"},
    {"CpuShares", {"--cpu-shares=512"}, "", "", "cpu.weight", kWeightOf512Shares},
    {"CpuSet", {"--cpuset-cpus=0"}, "", "", "cpuset.cpus", "0"},
    {"Pids", {"--pids-limit=33"}, "", "", "pids.max", "33"},
};

INSTANTIATE_TEST_SUITE_P(Cgroup, RootlessLimit, ::testing::ValuesIn(kLimits), kNameOfRow);

class PodmanSystemd : public PodmanUnit {
 protected:
  /// What a service says that the container's systemd runs.
  [[nodiscard]] std::string service(const std::string& property, const std::string& script) const {
    const Outcome outcome = exec(
        {}, {"systemd-run", "--wait", "--pipe", "--quiet", "-p", property, "sh", "-c", script});
    EXPECT_TRUE(succeeds(outcome));
    return outcome.out;
  }
};

TEST_F(PodmanSystemd, BootsRunsServicesAndShutsDown) {
  // The machine's own files below an overlay, and its systemd as the container's first process.
  ASSERT_TRUE(succeeds(
      podman({"run", "--detach", cat("--name=", name()), "--network=none", "--systemd=always",
              "--rootfs", "/:O", "/lib/systemd/systemd", "--unit=basic.target"})));
  const auto active = [&] {
    return exec({}, {"systemctl", "is-active", "basic.target"}).out == "active\n";
  };
  EXPECT_TRUE(eventually(active, std::chrono::minutes(2))) << logs();
  EXPECT_EQ(service("TasksMax=33",
                    "cat /sys/fs/cgroup$(cut -d : -f 3 /proc/self/cgroup)/pids.max; echo hi"),
            "33\nhi\n");
  EXPECT_TRUE(succeeds(podman({"stop", "--time=60", name()})));
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.ExitCode}}"), "exited 0");
  remove();
}

}  // namespace
}  // namespace rt::testing
