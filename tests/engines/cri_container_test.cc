// The life of a container in a pod, as a kubelet leads it.
#include <signal.h>

#include "runtime/base/text.h"
#include "tests/engines/cri.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

using CriContainer = Cri;

TEST_F(CriContainer, IsCreatedStartedAndStopped) {
  const std::string pod = run_pod();
  const std::string container = create(pod);
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_CREATED");
  call("StartContainer", cat("{\"container_id\": \"", container, "\"}"));
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_RUNNING");
  stop(container, 0);
  const Json about = status(container);
  EXPECT_EQ(about.at("/status/state"), "CONTAINER_EXITED");
  EXPECT_EQ(about.at("/status/exit_code"), "137");
  call("RemoveContainer", cat("{\"container_id\": \"", container, "\"}"));
}

TEST_F(CriContainer, HasTimeToEndItself) {
  const std::string container =
      start(run_pod(), "trap 'exit 9' TERM; echo ready; while :; do sleep .1; done");
  EXPECT_TRUE(says("ready"));
  stop(container, 60);
  EXPECT_EQ(status(container).at("/status/exit_code"), "9");
}

TEST_F(CriContainer, IsKilledWhenItsTimeIsOver) {
  const std::string container = start(run_pod());  // as pid 1 it is safe from TERM
  stop(container, 1);
  EXPECT_EQ(status(container).at("/status/exit_code"), "137");
}

TEST_F(CriContainer, IsRemovedWhileItRuns) {
  const std::string container = start(run_pod());
  call("RemoveContainer", cat("{\"container_id\": \"", container, "\"}"));
  EXPECT_FALSE(
      try_call("ContainerStatus", cat("{\"container_id\": \"", container, "\"}")).error.empty());
}

TEST_F(CriContainer, TellsHowItEnded) {
  const std::string pod = run_pod();
  const std::string good = start(pod, "exit 0");
  EXPECT_TRUE(exits(good));
  EXPECT_EQ(status(good).at("/status/reason"), "Completed");
  container_.set("/metadata/name", "\"second\"");
  const std::string bad = start(pod, "exit 3");
  EXPECT_TRUE(exits(bad));
  EXPECT_EQ(status(bad).at("/status/reason"), "Error");
  EXPECT_EQ(status(bad).at("/status/exit_code"), "3");
}

TEST_F(CriContainer, TellsThatItTookTooMuchMemory) {
  container_.set("/linux/resources", R"({"memory_limit_in_bytes": 16777216})");
  const std::string container =
      start(run_pod(), "exec dd if=/dev/zero of=/dev/null bs=64M count=1");
  EXPECT_TRUE(exits(container));
  EXPECT_EQ(status(container).at("/status/exit_code"), "137");
  // The news of the kill come apart from those of the end: of v2 by a file of the cgroup, which
  // systemd may have taken away by then.
  if (unified()) return;
  EXPECT_TRUE(eventually([&] { return status(container).at("/status/reason") == "OOMKilled"; }))
      << status(container).text();
}

TEST_F(CriContainer, TellsThatItsCommandIsMissing) {
  container_.set("/command", R"(["nope"])");
  const std::string container = create(run_pod());
  const Answer answer = try_call("StartContainer", cat("{\"container_id\": \"", container, "\"}"));
  constexpr std::string_view kWhy = "not found in $PATH";
  EXPECT_NE(answer.error.find(kWhy), std::string::npos) << answer.error;
  const Json about = status(container);
  EXPECT_EQ(about.at("/status/state"), "CONTAINER_EXITED");
  EXPECT_EQ(about.at("/status/exit_code"), "128");
  EXPECT_EQ(about.at("/status/reason"), "StartError");
  EXPECT_NE(about.at("/status/message").find(kWhy), std::string::npos) << about.text();
}

TEST_F(CriContainer, WritesALogOfBothOutputs) {
  const std::string container = start(run_pod(), "echo one; echo two >&2; printf three");
  EXPECT_TRUE(exits(container));
  EXPECT_TRUE(says(" stdout F one\n"));
  EXPECT_TRUE(says(" stderr F two\n"));
  EXPECT_TRUE(says(" stdout P three\n"));
}

TEST_F(CriContainer, RunsCommandsBeside) {
  const std::string container = start(run_pod());
  const Outcome outcome = exec(container, "echo out; echo err >&2; cat /proc/1/comm; exit 7");
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.out, "out\nsleep\n");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST_F(CriContainer, EndsACommandThatTakesTooLong) {
  const std::string container = start(run_pod());
  const Outcome outcome = exec(container, "exec sleep 1001", 1);
  EXPECT_NE(outcome.err.find("timeout"), std::string::npos) << outcome.err;
  EXPECT_TRUE(eventually([&] { return exec(container, kCountSleeping).out == "1\n"; }));
  EXPECT_EQ(status(container).at("/status/state"), "CONTAINER_RUNNING");
}

TEST_F(CriContainer, SaysWhyACommandBesideCannotRun) {
  const std::string container = start(run_pod());
  const Answer answer = try_call(
      "ExecSync", cat("{\"container_id\": \"", container, R"(", "cmd": ["nope"], "timeout": 60})"));
  EXPECT_NE(answer.error.find("not found in $PATH"), std::string::npos) << answer.error;
}

TEST_F(CriContainer, ShowsItsFigures) {
  const std::string container = start(run_pod());
  const Json stats = call("ContainerStats", cat("{\"container_id\": \"", container, "\"}"));
  EXPECT_GT(parse_int(stats.at("/stats/memory/working_set_bytes/value")).value_or(0), 0)
      << stats.text();
  EXPECT_GT(parse_int(stats.at("/stats/cpu/usage_core_nano_seconds/value")).value_or(0), 0)
      << stats.text();
}

TEST_F(CriContainer, HasItsLimitsFromTheBeginning) {
  container_.set("/linux/resources", R"({"memory_limit_in_bytes": 67108864, "cpu_quota": 50000,
      "cpu_period": 100000, "cpu_shares": 512, "cpuset_cpus": "0", "oom_score_adj": 500})");
  const std::string container = start(run_pod());
  const pid_t init = pid(container);
  const bool v2 = is_unified("cpu");
  EXPECT_EQ(cgroup_value(init, "memory", "memory.limit_in_bytes", "memory.max"), "67108864");
  EXPECT_EQ(cgroup_value(init, "cpu", "cpu.cfs_quota_us", "cpu.max"),
            v2 ? "50000 100000" : "50000");
  EXPECT_PRED2(has_line, cgroup_value(init, "cpu", "cpu.shares", "cpu.weight"),
               v2 ? kWeightOf512Shares : "512");
  EXPECT_EQ(cgroup_value(init, "cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
  EXPECT_EQ(stripped(text_of(cat("/proc/", init, "/oom_score_adj"))), "500");
}

TEST_F(CriContainer, TakesOtherLimitsWhileItRuns) {
  container_.set("/linux/resources", R"({"memory_limit_in_bytes": 67108864, "cpu_quota": 50000,
      "cpu_period": 100000})");
  const std::string container = start(run_pod());
  const pid_t init = pid(container);
  for (const char* bytes : {"134217728", "33554432"}) {
    call("UpdateContainerResources",
         cat("{\"container_id\": \"", container, R"(", "linux": {"memory_limit_in_bytes": )", bytes,
             R"(, "cpu_quota": 20000, "cpu_period": 100000, "cpuset_cpus": "1"}})"));
    EXPECT_EQ(cgroup_value(init, "memory", "memory.limit_in_bytes", "memory.max"), bytes);
  }
  EXPECT_EQ(cgroup_value(init, "cpu", "cpu.cfs_quota_us", "cpu.max"),
            is_unified("cpu") ? "20000 100000" : "20000");
  EXPECT_EQ(cgroup_value(init, "cpuset", "cpuset.cpus", "cpuset.cpus"), "1");
  // The update carries a rule that denies all devices, which is not meant.
  EXPECT_EQ(exec(container, "head -c 1 /dev/zero | wc -c").out, "1\n");
}

}  // namespace
}  // namespace rt::testing
