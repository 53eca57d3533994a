// docker update: a limit reaches the cgroup of a container that runs, or is kept for its next
// start.
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"
#include "tests/engines/rows.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

struct Update {
  const char* name;
  Options before;  // of `docker run`
  Options update;
  const char* controller;
  const char* v1_file;
  const char* v1_line;
  const char* v2_file;
  const char* v2_line;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Update& update, std::ostream* out) { *out << update.name; }

const Update kUpdates[] = {
    {"MemoryAndSwapMayGrow",
     {"--memory=64m", "--memory-swap=64m"},
     {"--memory=128m", "--memory-swap=128m"},
     "memory",
     "memory.limit_in_bytes",
     "134217728",
     "memory.max",
     "134217728"},
    {"MemoryAndSwapMayShrink",
     {"--memory=128m", "--memory-swap=128m"},
     {"--memory=64m", "--memory-swap=64m"},
     "memory",
     "memory.memsw.limit_in_bytes",
     "67108864",
     "memory.swap.max",
     "0"},
    {"MemoryMayBeLimitedLater",
     {},
     {"--memory=64m", "--memory-swap=-1"},
     "memory",
     "memory.limit_in_bytes",
     "67108864",
     "memory.max",
     "67108864"},
    {"MemorySwapAlone",
     {"--memory=64m", "--memory-swap=64m"},
     {"--memory-swap=96m"},
     "memory",
     "memory.memsw.limit_in_bytes",
     "100663296",
     "memory.swap.max",
     "33554432"},
    {"MemoryReservation",
     {},
     {"--memory-reservation=32m"},
     "memory",
     "memory.soft_limit_in_bytes",
     "33554432",
     "memory.low",
     "33554432"},
    {"Cpus", {}, {"--cpus=0.5"}, "cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"},
    {"CpuPeriod",
     {"--cpu-period=100000", "--cpu-quota=50000"},
     {"--cpu-period=200000"},
     "cpu",
     "cpu.cfs_period_us",
     "200000",
     "cpu.max",
     "50000 200000"},
    {"CpuQuota",
     {"--cpu-quota=50000"},
     {"--cpu-quota=20000"},
     "cpu",
     "cpu.cfs_quota_us",
     "20000",
     "cpu.max",
     "20000 100000"},
    {"CpuShares",
     {},
     {"--cpu-shares=512"},
     "cpu",
     "cpu.shares",
     "512",
     "cpu.weight",
     kWeightOf512Shares},
    {"CpusetCpus", {}, {"--cpuset-cpus=0"}, "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0"},
    {"CpusetMems", {}, {"--cpuset-mems=0"}, "cpuset", "cpuset.mems", "0", "cpuset.mems", "0"},
    {"PidsLimit",
     {"--pids-limit=20"},
     {"--pids-limit=50"},
     "pids",
     "pids.max",
     "50",
     "pids.max",
     "50"},
    {"PidsWithoutLimit",
     {"--pids-limit=20"},
     {"--pids-limit=-1"},
     "pids",
     "pids.max",
     "max",
     "pids.max",
     "max"},
    // The daemon sends zeros for all that was not asked for: they are to be left alone.
    {"OthersStayAsTheyAre",
     {"--memory=64m"},
     {"--cpu-shares=512"},
     "memory",
     "memory.limit_in_bytes",
     "67108864",
     "memory.max",
     "67108864"},
    {"ANewRestartPolicyChangesNoLimit",
     {"--pids-limit=20"},
     {"--restart=on-failure:3"},
     "pids",
     "pids.max",
     "20",
     "pids.max",
     "20"},
};

class DockerUpdate : public Docker, public ::testing::WithParamInterface<Update> {
 protected:
  /// What the host reads in the container's cgroup.
  [[nodiscard]] std::string limit(const Update& row) const {
    const std::optional<Hierarchy> hierarchy = hierarchy_with(row.controller);
    if (!hierarchy) return "no such controller";
    const std::string path =
        cat(cgroup_of(pid(), *hierarchy), "/", hierarchy->unified ? row.v2_file : row.v1_file);
    const Result<std::string> text = sys::read_file(path, 4096);
    return text ? stripped(text.value()) : text.error().message();
  }
  [[nodiscard]] static std::string expected(const Update& row) {
    const std::optional<Hierarchy> hierarchy = hierarchy_with(row.controller);
    return hierarchy && hierarchy->unified ? row.v2_line : row.v1_line;
  }
  Outcome update(Options options) const {
    options.insert(options.begin(), "update");
    options.push_back(name());
    return docker(options);
  }
};

TEST_P(DockerUpdate, OfARunningContainerReachesItsCgroup) {
  start(GetParam().before);
  EXPECT_TRUE(succeeds(update(GetParam().update)));
  EXPECT_PRED2(has_line, limit(GetParam()), expected(GetParam()));
  remove();
}

INSTANTIATE_TEST_SUITE_P(Docker, DockerUpdate, ::testing::ValuesIn(kUpdates),
                         [](const auto& row) { return row.param.name; });

TEST_F(DockerUpdate, OfAStoppedContainerCountsFromItsNextStart) {
  const Update row = {"", {}, {}, "pids", "pids.max", "50", "pids.max", "50"};
  ASSERT_TRUE(succeeds(docker(
      {"create", "--name", name(), "--network=none", "--pids-limit=20", "bb", "sleep", "1000"})));
  EXPECT_TRUE(succeeds(update({"--pids-limit=50"})));
  EXPECT_TRUE(succeeds(docker({"start", name()})));
  EXPECT_EQ(limit(row), "50");
  remove();
}

TEST_F(DockerUpdate, OfAPausedContainerReachesItsCgroup) {
  const Update row = {"", {}, {}, "pids", "pids.max", "50", "pids.max", "50"};
  start({"--pids-limit=20"});
  EXPECT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(update({"--pids-limit=50"})));
  EXPECT_EQ(limit(row), "50");
  EXPECT_EQ(inspect("{{.State.Status}}"), "paused");
  EXPECT_TRUE(succeeds(docker({"unpause", name()})));
  remove();
}

TEST_F(DockerUpdate, AllLimitsAtOnce) {
  start();
  EXPECT_TRUE(succeeds(update({"--memory=64m", "--memory-swap=96m", "--cpus=0.5",
                               "--cpu-shares=512", "--cpuset-cpus=0", "--pids-limit=50"})));
  for (const Update& row :
       {kUpdates[2], kUpdates[3], kUpdates[5], kUpdates[8], kUpdates[9], kUpdates[11]}) {
    EXPECT_PRED2(has_line, limit(row), expected(row)) << row.name;
  }
  remove();
}

TEST_F(DockerUpdate, ThatTheKernelRefusesIsAnErrorAndTheContainerRunsOn) {
  start();
  const Outcome outcome = update({"--cpuset-cpus=0-1000"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  remove();
}

}  // namespace
}  // namespace rt::testing
