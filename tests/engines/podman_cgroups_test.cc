// podman run: limits, and where in the hierarchies of cgroups a container is.
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

class PodmanLimit : public Podman, public ::testing::WithParamInterface<LimitRow> {
 protected:
  [[nodiscard]] static std::string file() {
    return cat("/sys/fs/cgroup/", unified() ? GetParam().v2_file : GetParam().v1_file);
  }
  [[nodiscard]] static std::string line() {
    return unified() ? GetParam().v2_line : GetParam().v1_line;
  }
};

TEST_P(PodmanLimit, IsInTheContainersCgroup) {
  Options options = GetParam().options;
  options.emplace_back("--cgroupns=private");
  const Outcome outcome = run(options, {"cat", file()});
  EXPECT_PRED2(has_line, outcome.out, line()) << outcome.err;
}

TEST_P(PodmanLimit, CanBeChanged) {
  if (GetParam().name == std::string("Pids")) GTEST_SKIP() << "podman 4.3 cannot change it";
  start({"--cgroupns=private"});
  Options update = {"update"};
  const Options& options = GetParam().options;
  update.insert(update.end(), options.begin(), options.end());
  update.push_back(name());
  EXPECT_TRUE(succeeds(podman(update)));
  EXPECT_PRED2(has_line, exec({}, {"cat", file()}).out, line());
  remove();
}

const LimitRow kLimits[] = {
    {"Memory",
     {"--memory=64m"},
     "memory/memory.limit_in_bytes",
     "67108864",
     "memory.max",
     "67108864"},
    {"Cpus", {"--cpus=0.5"}, "cpu/cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"},
    {"CpuShares", {"--cpu-shares=512"}, "cpu/cpu.shares", "512", "cpu.weight", kWeightOf512Shares},
    {"CpuSet", {"--cpuset-cpus=0"}, "cpuset/cpuset.cpus", "0", "cpuset.cpus", "0"},
    {"Pids", {"--pids-limit=33"}, "pids/pids.max", "33", "pids.max", "33"},
};

INSTANTIATE_TEST_SUITE_P(Cgroup, PodmanLimit, ::testing::ValuesIn(kLimits), kNameOfRow);

using PodmanCgroup = Podman;

TEST_F(PodmanCgroup, MemoryBeyondTheLimitKills) {
  EXPECT_EQ(run_shell({"--memory=16m", "--memory-swap=16m"},
                      "exec head -c 100000000 /dev/zero | exec tail >/dev/null; exit ${?}")
                .exit_code,
            137);
}

TEST_F(PodmanCgroup, ProcessesBeyondTheLimitAreRefused) {
  const Outcome outcome =
      run_shell({"--pids-limit=3"}, "for i in 1 2 3 4 5; do sleep 1000 & done; echo not reached");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out.find("not reached"), std::string::npos);
}

TEST_F(PodmanCgroup, IsBesideConmons) {
  const char* parent =
      cgroup_driver() == "systemd" ? ":/machine.slice/libpod-" : ":/libpod_parent/libpod-";
  const Outcome outcome =
      run({"--cgroups=enabled", "--cgroupns=host"}, {"cat", "/proc/self/cgroup"});
  EXPECT_NE(outcome.out.find(parent), std::string::npos) << outcome.out;
}

TEST_F(PodmanCgroup, IsWhereTheParentIs) {
  const std::string parent = cgroup_driver() == "systemd" ? "parent.slice" : "/" + name();
  const Outcome outcome =
      run({"--cgroup-parent=" + parent, "--cgroupns=host"}, {"cat", "/proc/self/cgroup"});
  EXPECT_NE(outcome.out.find(parent + "/libpod-"), std::string::npos) << outcome.out;
  // The parent is the user's, and podman leaves conmon's there too.
  EXPECT_TRUE(eventually([&] {
    bool gone = true;
    const std::set<std::string> cgroups = all_cgroups();
    for (auto one = cgroups.rbegin(); one != cgroups.rend(); ++one) {
      if (one->find("/" + name()) != std::string::npos) gone = ::rmdir(one->c_str()) == 0 && gone;
    }
    return gone;
  }));
}

TEST_F(PodmanCgroup, ConmonCanStayWhereItIs) {
  EXPECT_TRUE(succeeds(run({"--cgroups=no-conmon"}, {"true"})));
}

TEST_F(PodmanCgroup, CanBeNone) {
  const Outcome outcome =
      run({"--cgroups=disabled", "--cgroupns=host"}, {"cat", "/proc/self/cgroup"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, read("/proc/self/cgroup"));
}

TEST_F(PodmanCgroup, OfASystemdIsItsOwnToWrite) {
  const char* own = unified() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/systemd";
  start_shell({"--systemd=always"},
              cat("for path in /run /run/lock /tmp; do grep -q \" $path tmpfs\" /proc/mounts || "
                  "echo no $path; done; echo $container; mkdir ",
                  own,
                  "/mine && echo made; trap 'echo stopping; exit 0' 37; echo up; "
                  "while :; do sleep 0.05; done"));
  ASSERT_TRUE(says("up\n"));
  EXPECT_EQ(logs(), "podman\nmade\nup\n");
  EXPECT_TRUE(succeeds(podman({"stop", name()})));  // RTMIN+3
  EXPECT_TRUE(says("stopping"));
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "0");
  remove();
}

}  // namespace
}  // namespace rt::testing
