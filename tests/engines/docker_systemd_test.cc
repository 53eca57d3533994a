// Docker where systemd makes the cgroups: a container is a unit, which systemd's own tools show,
// and which keeps what it has when systemd reads its configuration again.
#include "runtime/base/text.h"
#include "tests/engines/containerd.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

class DockerUnit : public Docker {
 protected:
  void SetUp() override {
    if (cgroup_driver() != "systemd") GTEST_SKIP() << "needs systemd: tools/vm/engines";
    Docker::SetUp();
  }
  [[nodiscard]] std::string unit() const { return cat("docker-", inspect("{{.Id}}"), ".scope"); }
  /// As systemd has it.
  [[nodiscard]] std::string property(const std::string& property_name) const {
    return stripped(
        call_program("systemctl", {"show", "--value", "--property", property_name, unit()}).out);
  }
  [[nodiscard]] std::string memory_limit() const {
    return cgroup_value(pid(), "memory", "memory.limit_in_bytes", "memory.max");
  }
};

TEST_F(DockerUnit, IsAScopeOfTheSystemsSlice) {
  start({"--cgroupns=host"});
  EXPECT_EQ(property("ActiveState"), "active");
  EXPECT_EQ(property("ControlGroup"), "/system.slice/" + unit());
  EXPECT_NE(said_inside("cat /proc/self/cgroup").find(":/system.slice/" + unit() + "\n"),
            std::string::npos);
  remove();
}

TEST_F(DockerUnit, HasTheLimitsAsProperties) {
  start({"--memory=64m", "--cpus=0.5", "--pids-limit=50", "--cpuset-cpus=0"});
  EXPECT_EQ(property("MemoryMax"), "67108864");
  EXPECT_EQ(property("CPUQuotaPerSecUSec"), "500ms");
  EXPECT_EQ(property("TasksMax"), "50");
  EXPECT_EQ(property("AllowedCPUs"), "0");
  EXPECT_TRUE(succeeds(docker(
      {"update", "--memory=96m", "--memory-swap=-1", "--cpus=0.25", "--pids-limit=60", name()})));
  EXPECT_EQ(property("MemoryMax"), "100663296");
  EXPECT_EQ(property("CPUQuotaPerSecUSec"), "250ms");
  EXPECT_EQ(property("TasksMax"), "60");
  remove();
}

TEST_F(DockerUnit, KeepsItsLimitsWhenSystemdReloads) {
  start({"--memory=64m", "--memory-swap=64m", "--cpus=0.5"});
  EXPECT_TRUE(succeeds(docker({"update", "--memory=96m", "--memory-swap=96m", name()})));
  EXPECT_TRUE(succeeds(call_program("systemctl", {"daemon-reload"})));
  EXPECT_EQ(memory_limit(), "100663296");
  EXPECT_EQ(cgroup_value(pid(), "memory", "", "memory.swap.max"), "0");
  EXPECT_EQ(cgroup_value(pid(), "cpu", "cpu.cfs_quota_us", "cpu.max"), "50000 100000");
  remove();
}

TEST_F(DockerUnit, KeepsItsDevicesWhenSystemdReloads) {
  start({"--device=/dev/fuse", "--cap-add=MKNOD"});
  for (const char* moment : {"at first", "after a reload"}) {
    EXPECT_EQ(said_inside("exec 3<>/dev/fuse && echo opened"), "opened\n") << moment;
    EXPECT_EQ(said_inside("head -c 1 /dev/zero | wc -c"), "1\n") << moment;
    EXPECT_EQ(said_inside("rm -f /loop; mknod /loop b 7 0; head -c 1 /loop 2>/dev/null || echo no"),
              "no\n")
        << moment;
    EXPECT_TRUE(succeeds(call_program("systemctl", {"daemon-reload"})));
  }
  remove();
}

TEST_F(DockerUnit, IsStoppedBySystemd) {
  start({}, {"sh", "-c", "trap 'exit 5' TERM; touch /up; while :; do sleep 0.1; done"});
  ASSERT_TRUE(eventually([&] { return exec({"test", "-e", "/up"}).exit_code == 0; }));
  EXPECT_TRUE(succeeds(call_program("systemctl", {"stop", unit()})));
  EXPECT_TRUE(becomes("{{.State.Status}} {{.State.ExitCode}}", "exited 5"));
  remove();
}

}  // namespace
}  // namespace rt::testing
