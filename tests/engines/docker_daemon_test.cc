// The end of dockerd, of a shim, and what becomes of the containers.
#include <signal.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

const std::vector<std::string> kLiveRestore = {"--live-restore"};

/// A program that says what it has been told, one number a line.
constexpr const char* kCounter =
    "n=0; trap 'n=$((n+1)); echo $n' HUP; trap 'exit 5' TERM; echo 0; "
    "while :; do sleep 0.01; done";

bool is_alive(pid_t process) { return ::access(cat("/proc/", process).c_str(), F_OK) == 0; }

/// The shim is its container's parent.
pid_t parent_of(pid_t process) {
  const Result<std::string> status = sys::read_file(cat("/proc/", process, "/status"), 4096);
  if (!status) return 0;
  for (const std::string_view line : split(status.value(), '\n')) {
    if (!line.starts_with("PPid:\t")) continue;
    return static_cast<pid_t>(parse_int(line.substr(6)).value_or(0));
  }
  return 0;
}

class DockerLiveRestore : public Docker, public ::testing::WithParamInterface<int> {
 protected:
  DockerLiveRestore() : Docker(kLiveRestore) {}
  static void end_server() {
    server().signal(GetParam());
    stop_server();
  }
  void start_counter() const {
    start({}, {"sh", "-c", kCounter});
    ASSERT_TRUE(eventually([&] { return docker({"logs", name()}).out == "0\n"; }));
  }
};

TEST_P(DockerLiveRestore, ContainersGoOn) {
  start_counter();
  const pid_t before = pid();
  end_server();
  EXPECT_TRUE(is_alive(before));
  start_server(kLiveRestore);
  EXPECT_TRUE(is("running"));
  EXPECT_EQ(pid(), before);
  EXPECT_EQ(said_inside("echo hi"), "hi\n");
  EXPECT_TRUE(succeeds(docker({"kill", "--signal=HUP", name()})));
  EXPECT_TRUE(eventually([&] { return docker({"logs", name()}).out == "0\n1\n"; }));
  EXPECT_TRUE(succeeds(docker({"stop", name()})));
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
  remove();
}

TEST_P(DockerLiveRestore, WhatTheyWriteMeanwhileIsKept) {
  start_counter();
  const pid_t process = pid();
  end_server();
  ASSERT_GT(process, 0);  // 0 would be our own process group
  ASSERT_EQ(::kill(process, SIGHUP), 0);
  start_server(kLiveRestore);
  EXPECT_TRUE(eventually([&] { return docker({"logs", name()}).out == "0\n1\n"; }));
  remove();
}

TEST_P(DockerLiveRestore, TheEndOfOneMeanwhileIsSeen) {
  start();
  const pid_t process = pid();
  end_server();
  ASSERT_GT(process, 0);
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return !is_alive(process); }));
  start_server(kLiveRestore);
  EXPECT_TRUE(becomes("{{.State.Status}} {{.State.ExitCode}}", "exited 137"));
  EXPECT_TRUE(succeeds(docker({"start", name()})));
  EXPECT_EQ(said_inside("echo hi"), "hi\n");
  remove();
}

TEST_P(DockerLiveRestore, APausedOneStaysPaused) {
  start();
  ASSERT_TRUE(succeeds(docker({"pause", name()})));
  end_server();
  start_server(kLiveRestore);
  EXPECT_TRUE(is("paused"));
  EXPECT_TRUE(succeeds(docker({"unpause", name()})));
  EXPECT_EQ(said_inside("echo hi"), "hi\n");
  remove();
}

INSTANTIATE_TEST_SUITE_P(After, DockerLiveRestore, ::testing::Values(SIGTERM, SIGKILL),
                         [](const auto& info) {
                           return info.param == SIGTERM ? "TheDaemonsEnd" : "TheDaemonsDeath";
                         });

class DockerDaemon : public Docker {};

TEST_F(DockerDaemon, StopsContainersAtItsEnd) {
  start({}, {"sh", "-c", kCounter});
  ASSERT_TRUE(eventually([&] { return docker({"logs", name()}).out == "0\n"; }));
  const pid_t process = pid();
  stop_server();
  EXPECT_FALSE(is_alive(process));
  start_server({});
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
  remove();
}

TEST_F(DockerDaemon, EndsWhatADeadOneHasLeft) {
  start({"--stop-timeout=1"});
  const pid_t process = pid();
  server().signal(SIGKILL);
  stop_server();
  EXPECT_TRUE(is_alive(process));
  start_server({});
  EXPECT_TRUE(becomes("{{.State.Status}}", "exited"));
  EXPECT_TRUE(eventually([&] { return !is_alive(process); }));
  remove();
}

TEST_F(DockerDaemon, StartsThoseAgainThatAreToRunAlways) {
  start({"--restart=always", "--stop-timeout=1"});
  const pid_t process = pid();
  stop_server();
  EXPECT_FALSE(is_alive(process));
  start_server({});
  EXPECT_TRUE(becomes("{{.State.Status}}", "running"));
  EXPECT_EQ(said_inside("echo hi"), "hi\n");
  remove();
}

TEST_F(DockerDaemon, CleansUpAfterAShimThatWasKilled) {
  start({}, {"sh", "-c", "sleep 995 & exec sleep 1000"});
  const pid_t process = pid();
  const pid_t shim = parent_of(process);
  ASSERT_GT(shim, 1);
  ASSERT_EQ(::kill(shim, SIGKILL), 0);
  EXPECT_TRUE(becomes("{{.State.Status}} {{.State.ExitCode}}", "exited 137"));
  EXPECT_TRUE(eventually([&] { return !is_alive(process); }));
  EXPECT_TRUE(succeeds(docker({"start", name()})));
  EXPECT_EQ(said_inside("echo hi"), "hi\n");
  remove();
}

}  // namespace
}  // namespace rt::testing
