// docker run: limits are in the kernel's files, and act.
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "tests/engines/docker.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

const LimitRow kLimits[] = {
    {"Memory", {"--memory=64m"}, "memory.limit_in_bytes", "67108864", "memory.max", "67108864"},
    {"MemorySwap",
     {"--memory=64m", "--memory-swap=128m"},
     "memory.memsw.limit_in_bytes",
     "134217728",
     "memory.swap.max",
     "67108864"},
    {"MemorySwapIsAsMuchAgainByDefault",
     {"--memory=64m"},
     "memory.memsw.limit_in_bytes",
     "134217728",
     "memory.swap.max",
     "67108864"},
    {"MemorySwapWithoutLimit",
     {"--memory=64m", "--memory-swap=-1"},
     "memory.memsw.limit_in_bytes",
     "9223372036854771712",
     "memory.swap.max",
     "max"},
    {"MemoryReservation",
     {"--memory-reservation=32m"},
     "memory.soft_limit_in_bytes",
     "33554432",
     "memory.low",
     "33554432"},
    {"MemorySwappiness", {"--memory-swappiness=10"}, "memory.swappiness", "10", nullptr, ""},
    {"OomKillDisable",
     {"--memory=64m", "--oom-kill-disable"},
     "memory.oom_control",
     "oom_kill_disable 1",
     nullptr,
     ""},
    {"Cpus", {"--cpus=0.5"}, "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"},
    {"CpuPeriod",
     {"--cpu-period=50000", "--cpu-quota=25000"},
     "cpu.cfs_period_us",
     "50000",
     "cpu.max",
     "25000 50000"},
    {"CpuQuota", {"--cpu-quota=25000"}, "cpu.cfs_quota_us", "25000", "cpu.max", "25000 100000"},
    {"CpuShares", {"--cpu-shares=512"}, "cpu.shares", "512", "cpu.weight", kWeightOf512Shares},
    {"CpusetCpus", {"--cpuset-cpus=0"}, "cpuset.cpus", "0", "cpuset.cpus", "0"},
    {"CpusetMems", {"--cpuset-mems=0"}, "cpuset.mems", "0", "cpuset.mems", "0"},
    {"PidsLimit", {"--pids-limit=50"}, "pids.max", "50", "pids.max", "50"},
    {"PidsWithoutLimit", {"--pids-limit=-1"}, "pids.max", "max", "pids.max", "max"},
    {"BlkioWeight", {"--blkio-weight=300"}, "blkio.weight", "300", "io.bfq.weight", "300"},
    {"DeviceReadBps",
     {"--device-read-bps=/dev/loop0:1mb"},
     "blkio.throttle.read_bps_device",
     "7:0 1048576",
     "io.max",
     "7:0 rbps=1048576 wbps=max riops=max wiops=max"},
    {"DeviceWriteBps",
     {"--device-write-bps=/dev/loop0:1mb"},
     "blkio.throttle.write_bps_device",
     "7:0 1048576",
     "io.max",
     "7:0 rbps=max wbps=1048576 riops=max wiops=max"},
    {"DeviceReadIops",
     {"--device-read-iops=/dev/loop0:100"},
     "blkio.throttle.read_iops_device",
     "7:0 100",
     "io.max",
     "7:0 rbps=max wbps=max riops=100 wiops=max"},
    {"DeviceWriteIops",
     {"--device-write-iops=/dev/loop0:100"},
     "blkio.throttle.write_iops_device",
     "7:0 100",
     "io.max",
     "7:0 rbps=max wbps=max riops=max wiops=100"},
};

class DockerLimits : public Docker, public ::testing::WithParamInterface<LimitRow> {};

TEST_P(DockerLimits, AreInTheContainersCgroup) {
  const LimitRow& limit = GetParam();
  if (unified() && limit.v2_file == nullptr) GTEST_SKIP() << "cgroup v2 has no such limit";
  const std::string file = unified() ? limit.v2_file : limit.v1_file;
  if (file.starts_with("io.") || file.starts_with("blkio.")) {
    if (::access("/dev/loop0", F_OK) != 0) GTEST_SKIP() << "no /dev/loop0";
  }
  // Of v1 each controller has a directory, whose name may be that of several.
  const std::string where = unified() ? "/sys/fs/cgroup/" : "/sys/fs/cgroup/*/";
  const Outcome outcome = run_shell(limit.options, cat("cat ", where, file));
  if (outcome.err.find("discarded") != std::string::npos) GTEST_SKIP() << outcome.err;
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_TRUE(has_line(outcome.out, unified() ? limit.v2_line : limit.v1_line))
      << file << ": " << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(Run, DockerLimits, ::testing::ValuesIn(kLimits),
                         [](const auto& row) { return row.param.name; });

/// What the container itself says of its limits.
struct Said {
  const char* name;
  Options options;
  const char* script;
  const char* output;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Said& said, std::ostream* out) { *out << said.name; }

const Said kSaid[] = {
    {"Nofile", {"--ulimit=nofile=128:256"}, "ulimit -Sn; ulimit -Hn", "128\n256\n"},
    {"Nproc",
     {"--ulimit=nproc=100:200"},
     "awk '/processes/ { print $3, $4 }' /proc/self/limits",
     "100 200\n"},
    {"Core", {"--ulimit=core=0"}, "ulimit -Sc; ulimit -Hc", "0\n0\n"},
    {"Stack", {"--ulimit=stack=1048576:2097152"}, "ulimit -Ss; ulimit -Hs", "1024\n2048\n"},
    {"OomScoreAdj", {"--oom-score-adj=500"}, "cat /proc/self/oom_score_adj", "500\n"},
    {"ShmSize", {"--shm-size=16m"}, "df -k /dev/shm | awk 'END { print $2 }'", "16384\n"},
};

class DockerProcessLimits : public Docker, public ::testing::WithParamInterface<Said> {};

TEST_P(DockerProcessLimits, AreThoseOfTheContainer) {
  const Outcome outcome = run_shell(GetParam().options, GetParam().script);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, GetParam().output);
}

INSTANTIATE_TEST_SUITE_P(Run, DockerProcessLimits, ::testing::ValuesIn(kSaid),
                         [](const auto& row) { return row.param.name; });

using DockerLimitsAct = Docker;

TEST_F(DockerLimitsAct, TheKernelEndsAContainerThatTakesTooMuchMemory) {
  start({"--memory=32m", "--memory-swap=32m"}, {"dd", "if=/dev/zero", "of=/dev/null", "bs=256M"});
  EXPECT_EQ(stripped(docker({"wait", name()}).out), "137");
  // Of v2 containerd 1.6 may hear it after the container's end, which Docker takes for the last
  // word.
  if (!unified()) {
    EXPECT_TRUE(eventually([&] { return inspect("{{.State.OOMKilled}}") == "true"; }));
  }
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "137");
  remove();
}

TEST_F(DockerLimitsAct, AProcessThatTakesTooMuchMemoryEndsAloneWhenItIsNotTheFirst) {
  const Outcome outcome = run_shell({"--memory=32m", "--memory-swap=32m"},
                                    "dd if=/dev/zero of=/dev/null bs=256M; echo $?");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "137\n");
}

TEST_F(DockerLimitsAct, NoMoreProcessesThanAllowedAreMade) {
  const Outcome outcome =
      run_shell({"--pids-limit=6"}, "for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo made");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.out;
  EXPECT_NE(outcome.err.find("can't fork"), std::string::npos) << outcome.err;
}

TEST_F(DockerLimitsAct, NoMoreFilesThanAllowedAreOpened) {
  const Outcome outcome =
      run_shell({"--ulimit=nofile=6:6"}, "exec 3</etc 4</etc 5</etc && exec 6</etc");
  EXPECT_NE(outcome.exit_code, 0);
}

TEST_F(DockerLimitsAct, SharedMemoryHasItsSize) {
  const Outcome outcome =
      run_shell({"--shm-size=1m"}, "dd if=/dev/zero of=/dev/shm/file bs=1M count=2");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
}

TEST_F(DockerLimitsAct, ADividedProcessorIsThrottled) {
  const std::string stat = unified() ? "/sys/fs/cgroup/cpu.stat" : "/sys/fs/cgroup/*/cpu.stat";
  // Ends when the kernel has held it up; the test's patience is the bound.
  const Outcome outcome = run_shell({"--cpus=0.05"}, cat("until grep -q '^nr_throttled [1-9]' ",
                                                         stat, "; do :; done; echo throttled"));
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "throttled\n");
}

TEST_F(DockerLimitsAct, ACgroupParentHoldsTheContainer) {
  const bool scope = cgroup_driver() == "systemd";
  const std::string parent = scope ? "parent.slice" : "/parent";  // runc and crun leave it behind
  start({cat("--cgroup-parent=", parent), "--cgroupns=host"});
  const std::string id = inspect("{{.Id}}");
  const std::string wanted =
      scope ? cat(":/", parent, "/docker-", id, ".scope\n") : cat(":", parent, "/", id, "\n");
  const Outcome outcome = exec({"cat", "/proc/self/cgroup"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.out.find(wanted), std::string::npos) << outcome.out;
  remove();
}

}  // namespace
}  // namespace rt::testing
