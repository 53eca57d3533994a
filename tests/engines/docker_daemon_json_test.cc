// Runtimes from /etc/docker/daemon.json, with arguments of their own.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "runtime/base/text.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

class DockerDaemonJson : public Docker {
 protected:
  void SetUp() override {
    Docker::SetUp();
    if (IsSkipped()) return;
    stop_server();
    ::mkdir("/etc/docker", 0755);
    const std::string runtime = std::filesystem::absolute(runtime_binary());
    std::ofstream("/etc/docker/daemon.json")
        << cat(R"({"default-runtime": "plain", "runtimes": {"plain": {"path": ")", runtime,
               R"("}, "debugged": {"path": ")", runtime, R"(", "runtimeArgs": ["--debug"]}}})");
    daemon_ = std::make_unique<Daemon>(
        "dockerd",
        std::vector<std::string>{"--storage-driver=overlay2", "--bridge=none", "--iptables=false"},
        [] { return docker({"version"}).exit_code == 0; });
    watch();
  }
  void TearDown() override {
    Docker::TearDown();
    daemon_.reset();
    std::filesystem::remove("/etc/docker/daemon.json");
  }

 private:
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(DockerDaemonJson, NamesTheDefaultRuntime) {
  EXPECT_EQ(docker({"info", "--format", "{{.DefaultRuntime}}"}).out, "plain\n");
  EXPECT_EQ(run({}, {"echo", "hi"}).out, "hi\n");
}

TEST_F(DockerDaemonJson, GivesARuntimeArguments) {
  start({"--runtime=debugged"});
  EXPECT_EQ(inspect("{{.HostConfig.Runtime}}"), "debugged");
  EXPECT_EQ(exec({"echo", "hi"}).out, "hi\n");
  EXPECT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(docker({"unpause", name()})));
  EXPECT_TRUE(succeeds(docker({"update", "--pids-limit=50", name()})));
  EXPECT_TRUE(succeeds(docker({"top", name()})));
  remove();
}

TEST_F(DockerDaemonJson, ARuntimesArgumentsDoNotHideItsErrors) {
  const Outcome outcome = run({"--runtime=debugged"}, {"no-such-program"});
  EXPECT_EQ(outcome.exit_code, 127);
  EXPECT_NE(outcome.err.find("executable file not found"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace rt::testing
