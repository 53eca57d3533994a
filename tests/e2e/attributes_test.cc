// How the kernel treats the payload, as the payload itself sees it: scheduling, I/O priority,
// execution domain, memory policy; and labels where no module could enforce them.
#include <linux/sched.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Attributes : public Container {
 protected:
  /// The field of /proc/self/stat with this number, counted from 1: proc(5).
  static std::string stat_field(const std::string& stat, size_t number) {
    // The name, which is the second, may hold blanks; it ends with the last bracket.
    const std::vector<std::string_view> rest = split(stat.substr(stat.rfind(')') + 1), ' ');
    return number - 2 < rest.size() ? std::string(rest[number - 2]) : "(absent)";
  }
  std::string stat_inside() {
    config_.args({"/bin/cat", "/proc/self/stat"});
    const Outcome outcome = run();
    EXPECT_TRUE(succeeds(outcome));
    return outcome.out;
  }
  static constexpr size_t kNice = 19;
  static constexpr size_t kPriority = 40;
  static constexpr size_t kPolicy = 41;

  /// Nothing of the container is there when create has failed: TearDown looks.
  void create_fails_at(const char* pointer, const char* words) const {
    const Outcome outcome = create();
    EXPECT_TRUE(fails_saying(outcome, words));
    EXPECT_TRUE(fails_saying(outcome, pointer));
  }
};

TEST_F(Attributes, PolicyAndNiceAreTheDocuments) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 7})");
  std::string stat = stat_inside();
  EXPECT_EQ(stat_field(stat, kPolicy), cat(SCHED_BATCH)) << stat;
  EXPECT_EQ(stat_field(stat, kNice), "7") << stat;
  config_.set("/process/scheduler", R"({"policy": "SCHED_IDLE"})");
  stat = stat_inside();
  EXPECT_EQ(stat_field(stat, kPolicy), cat(SCHED_IDLE)) << stat;
}

TEST_F(Attributes, ANiceValueBelowOursIsSetBeforeRightsAreGivenUp) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_OTHER", "nice": -9})");
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})").erase("/process/capabilities");
  EXPECT_EQ(stat_field(stat_inside(), kNice), "-9");
}

TEST_F(Attributes, AreInheritedByAllOfTheContainer) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 3})");
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  const Outcome outcome = run_shell("(/bin/cat /proc/self/stat; /bin/busybox ionice); true");
  EXPECT_EQ(stat_field(outcome.out, kNice), "3") << outcome.out;
  EXPECT_NE(outcome.out.find("best-effort: prio 6"), std::string::npos) << outcome.out;
}

TEST_F(Attributes, ResetOnForkIsForChildren) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": -3,
                                        "flags": ["SCHED_FLAG_RESET_ON_FORK"]})");
  // The shell's own line, then that of a child.
  const Outcome outcome =
      run_shell("read -r line < /proc/self/stat; echo \"$line\"; (/bin/cat /proc/self/stat); true");
  const std::vector<std::string_view> lines = split(outcome.out, '\n');
  ASSERT_GE(lines.size(), 2U) << outcome.out << outcome.err;
  EXPECT_EQ(stat_field(std::string(lines[0]), kPolicy), cat(SCHED_BATCH)) << lines[0];
  EXPECT_EQ(stat_field(std::string(lines[1]), kNice), "0") << lines[1];
}

TEST_F(Attributes, RealtimePrioritiesAreTheDocumentsOrRefusedWithTheReason) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_RR", "priority": 4})");
  // A new group of cgroup v1 has no real-time budget, where the kernel counts it.
  if (exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")) {
    create_fails_at("/process/scheduler", "linux.resources.cpu.realtimeRuntime");
    return;
  }
  const std::string stat = stat_inside();
  EXPECT_EQ(stat_field(stat, kPolicy), cat(SCHED_RR)) << stat;
  EXPECT_EQ(stat_field(stat, kPriority), "4") << stat;
}

TEST_F(Attributes, DeadlinesAreTheDocuments) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 2000000,
                                        "deadline": 50000000, "period": 100000000})");
  EXPECT_EQ(stat_field(stat_inside(), kPolicy), cat(SCHED_DEADLINE));
}

TEST_F(Attributes, ADeadlineThatTheKernelRefusesIsExplained) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 2000000,
                                        "deadline": 50000000, "period": 1000000000000})");
  create_fails_at("/process/scheduler",
                  "scheduling: sched_setattr: invalid argument (runtime 2000000 ns, deadline "
                  "50000000 ns, period 1000000000000 ns");
}

TEST_F(Attributes, APolicyOfNoKernelIsRefused) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_ISO"})");
  create_fails_at("/process/scheduler/policy", "no Linux kernel has SCHED_ISO");
}

TEST_F(Attributes, IoPriorityIsTheDocuments) {
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_RT", "priority": 2})");
  config_.args({"/bin/busybox", "ionice"});
  EXPECT_EQ(run().out, "realtime: prio 2\n");
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_IDLE", "priority": 0})");
  EXPECT_EQ(run().out.substr(0, 4), "idle");
}

TEST_F(Attributes, AUserNamespaceGivesNoPrivilegeOverTheHostsTime) {
  config_.user_namespace();
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_RT", "priority": 2})");
  create_fails_at("/process/ioPriority", "IOPRIO_CLASS_RT needs CAP_SYS_NICE over the host");
  config_.erase("/process/ioPriority");
  config_.set("/process/scheduler", R"({"policy": "SCHED_OTHER", "nice": -1})");
  create_fails_at("/process/scheduler", "nice -1 needs CAP_SYS_NICE over the host");
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 1})");
  EXPECT_EQ(stat_field(stat_inside(), kNice), "1");
}

TEST_F(Attributes, ExecutionDomainIsTheDocuments) {
  config_.set("/linux/personality", R"({"domain": "LINUX32"})");
  EXPECT_EQ(run_shell("cat /proc/self/personality; uname -m").out, "00000008\ni686\n");
  config_.set("/linux/personality", R"({"domain": "LINUX"})");
  EXPECT_EQ(run_shell("cat /proc/self/personality").out, "00000000\n");
}

TEST_F(Attributes, MemoryPolicyIsTheDocuments) {
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0"})");
  config_.args({"/bin/grep", "heap", "/proc/self/numa_maps"});
  Outcome outcome = run();
  EXPECT_NE(outcome.out.find(" bind:0 "), std::string::npos) << outcome.out << outcome.err;
  config_.set("/linux/memoryPolicy",
              R"({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]})");
  outcome = run();
  EXPECT_NE(outcome.out.find(" interleave=static:0 "), std::string::npos) << outcome.out;
}

TEST_F(Attributes, ANodeThatIsNotThereIsAnError) {
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "1023"})");
  create_fails_at("/linux/memoryPolicy", "the nodes must be of this machine");
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_PREFERRED_MANY", "nodes": "0,1000"})");
  create_fails_at("/linux/memoryPolicy", "node 1000: not of this machine");
}

TEST_F(Attributes, AreThoseOfWhatJoinsTheContainerToo) {
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 4})");
  config_.set("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  config_.set("/linux/personality", R"({"domain": "LINUX32"})");
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0"})");
  start_sleeping();
  const Outcome joined = runtime(
      {"exec", id(), "/bin/sh", "-c",
       "cat /proc/self/stat; busybox ionice; uname -m; grep -m 1 heap /proc/self/numa_maps"});
  EXPECT_TRUE(succeeds(joined));
  EXPECT_EQ(stat_field(joined.out, kPolicy), cat(SCHED_BATCH)) << joined.out;
  EXPECT_EQ(stat_field(joined.out, kNice), "4") << joined.out;
  EXPECT_NE(joined.out.find("best-effort: prio 6\ni686\n"), std::string::npos) << joined.out;
  EXPECT_NE(joined.out.find(" bind:0 "), std::string::npos) << joined.out;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Attributes, CpusOfExecAreForWhatJoinsTheContainerAlone) {
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "needs two CPUs";
  const auto cpus = [&](const Outcome& outcome) {
    EXPECT_TRUE(succeeds(outcome));
    return outcome.out.substr(outcome.out.find('\t') + 1);
  };
  const std::vector<std::string> look = {"/bin/grep", "Cpus_allowed_list", "/proc/self/status"};
  config_.args(look);
  const std::string all = cpus(run());

  config_.set("/process/execCPUAffinity", R"({"initial": "0", "final": "1"})");
  EXPECT_EQ(cpus(run()), all);
  std::vector<std::string> exec = {"exec", id()};
  exec.insert(exec.end(), look.begin(), look.end());
  start_sleeping();
  EXPECT_EQ(cpus(runtime(exec)), "1\n");
  EXPECT_TRUE(succeeds(remove_by_force()));

  config_.set("/process/execCPUAffinity", R"({"initial": "1"})");
  ASSERT_EQ(::unlink((rootfs() + "/tmp/started").c_str()), 0);
  start_sleeping();
  EXPECT_EQ(cpus(runtime(exec)), "1\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Attributes, CpusThatAreNotThereAreAnErrorOfExec) {
  config_.set("/process/execCPUAffinity", R"({"initial": "8191"})");
  start_sleeping();
  const Outcome joined = runtime({"exec", id(), "/bin/true"});
  EXPECT_NE(joined.exit_code, 0);
  EXPECT_NE(joined.err.find("CPU affinity: sched_setaffinity: invalid argument (none of the CPUs"),
            std::string::npos)
      << joined.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Attributes, ALabelThatNoModuleWouldEnforceIsAnError) {
  if (!exists("/sys/module/apparmor")) {
    config_.set_string("/process/apparmorProfile", "docker-default");
    create_fails_at("/process/apparmorProfile",
                    "`/proc/self/attr/apparmor/exec`: apparmor is not enabled on this host");
    config_.erase("/process/apparmorProfile");
  }
  if (!exists("/sys/fs/selinux/enforce")) {
    config_.set_string("/process/selinuxLabel", "system_u:system_r:container_t:s0:c1,c2");
    create_fails_at("/process/selinuxLabel",
                    "`/proc/self/attr/exec`: selinux is not enabled on this host");
    config_.erase("/process/selinuxLabel");
  }
}

TEST_F(Attributes, ALabelThatNoModuleWouldEnforceIsAnErrorOfExecToo) {
  if (exists("/sys/module/apparmor")) GTEST_SKIP() << "this machine has AppArmor";
  start_sleeping();
  const Outcome joined =
      runtime({"exec", "--apparmor", "docker-default", id(), "/bin/echo", "unconfined"});
  EXPECT_NE(joined.exit_code, 0);
  EXPECT_EQ(joined.out, "");
  EXPECT_NE(joined.err.find("apparmor is not enabled on this host"), std::string::npos)
      << joined.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Attributes, UnconfinedIsThereWithoutAppArmor) {
  if (exists("/sys/module/apparmor")) GTEST_SKIP() << "this machine has AppArmor";
  config_.set_string("/process/apparmorProfile", "unconfined");
  EXPECT_TRUE(succeeds(run()));
}

}  // namespace
}  // namespace rt::testing
