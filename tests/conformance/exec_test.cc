// The command `exec`, which the specification leaves to runtimes: what enters a container is held
// by all that holds the container.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Exec : public Conformance {
 protected:
  /// Starts the container and runs the probe in it; its report.
  Json look_beside(const std::vector<std::string>& options = {},
                   const std::vector<std::string>& questions = {}) {
    if (!started_) start_waiting();
    started_ = true;
    std::vector<std::string> words = {"exec"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(id());
    words.emplace_back("/probe");
    words.insert(words.end(), questions.begin(), questions.end());
    const Outcome outcome = runtime(words);
    EXPECT_TRUE(succeeds(outcome));
    return Json(outcome.out);
  }

 private:
  bool started_ = false;
};

TEST_F(Exec, IsInTheContainersNamespaces) {
  const Json beside = look_beside();
  const Json inside = report();
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "uts", "user"}) {
    EXPECT_EQ(beside.at(cat("/namespaces/", name)), inside.at(cat("/namespaces/", name))) << name;
  }
}

TEST_F(Exec, HasTheContainersLimits) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}])");
  EXPECT_EQ(look_beside().at("/rlimits/RLIMIT_NOFILE"), R"({"soft":100,"hard":200})");
}

TEST_F(Exec, HasTheContainersCapabilities) {
  const Json beside = look_beside();
  for (const char* set : {"bounding", "effective", "permitted"}) {
    EXPECT_EQ(beside.at(cat("/capabilities/", set)), R"(["CAP_KILL","CAP_NET_BIND_SERVICE"])")
        << set;
  }
}

TEST_F(Exec, HasNoNewPrivilegesWhenTheContainerHas) {
  EXPECT_EQ(look_beside().at("/noNewPrivileges"), "true");
}

TEST_F(Exec, IsHeldByTheContainersFilter) {
  config_.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
      [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 76}]})");
  EXPECT_EQ(look_beside({}, {"call=140:0:0"}).at("/calls/140:0:0/error"), "ENOTUNIQ");
}

TEST_F(Exec, HasTheContainersUserAndGroups) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1001, "additionalGids": [7]})");
  const Json beside = look_beside();
  EXPECT_EQ(beside.at("/uid"), "[1000,1000,1000]");
  EXPECT_EQ(beside.at("/gid"), "[1001,1001,1001]");
  EXPECT_TRUE(has_word(beside, "/groups", "7"));
}

TEST_F(Exec, HasTheUserThatIsAskedFor) {
  const Json beside = look_beside({"--user", "12:34"});
  EXPECT_EQ(beside.at("/uid"), "[12,12,12]");
  EXPECT_EQ(beside.at("/gid"), "[34,34,34]");
}

TEST_F(Exec, HasTheEnvironmentOfTheContainerAndWhatIsAsked) {
  config_.set("/process/env", R"(["PATH=/", "OF=container"])");
  const Json beside = look_beside({"--env", "MORE=words"});
  EXPECT_TRUE(has_word(beside, "/env", "OF=container"));
  EXPECT_TRUE(has_word(beside, "/env", "MORE=words"));
}

TEST_F(Exec, StartsInTheDirectoryThatIsAskedFor) {
  EXPECT_EQ(look_beside({"--cwd", "/tmp"}).at("/cwd"), "/tmp");
}

TEST_F(Exec, HasTheStandardStreamsAlone) { EXPECT_EQ(look_beside().size("/descriptors"), 3U); }

TEST_F(Exec, IsInTheContainersCgroup) {
  const Json beside = look_beside();
  EXPECT_EQ(beside.at("/cgroup"), report().at("/cgroup"));
}

TEST_F(Exec, RunsOnTheCpusOfTheDocument) {
  if (look().size("/cpus") < 2) GTEST_SKIP() << "needs two processors";
  config_.set("/process/execCPUAffinity", R"({"initial": "0", "final": "1"})");
  EXPECT_EQ(look_beside().at("/cpus"), "[1]");
  EXPECT_NE(report().at("/cpus"), "[1]") << "of the first process nothing is said";
}

TEST_F(Exec, KeepsItsCpusWhenTheDocumentHasNone) {
  const std::string all = look().at("/cpus");
  EXPECT_EQ(look_beside().at("/cpus"), all);
}

TEST_F(Exec, ReturnsTheExitCode) {
  start_waiting();
  EXPECT_EQ(runtime({"exec", id(), "/probe", "exit=44"}).exit_code, 44);
}

TEST_F(Exec, RunsTheProcessOfAFile) {
  start_waiting();
  write(directory() + "/process", R"({"cwd": "/tmp", "args": ["/probe", "of the file"],
      "env": ["ONLY=this"], "user": {"uid": 3, "gid": 4}, "noNewPrivileges": true,
      "capabilities": {"bounding": ["CAP_KILL"]},
      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}]})");
  const Outcome outcome = runtime({"exec", "--process", directory() + "/process", id()});
  ASSERT_TRUE(succeeds(outcome));
  const Json beside(outcome.out);
  EXPECT_EQ(beside.at("/args"), R"(["/probe","of the file"])");
  EXPECT_EQ(beside.at("/cwd"), "/tmp");
  EXPECT_EQ(beside.at("/uid"), "[3,3,3]");
  EXPECT_TRUE(has_word(beside, "/env", "ONLY=this"));
  EXPECT_EQ(beside.at("/capabilities/bounding"), R"(["CAP_KILL"])");
  EXPECT_EQ(beside.at("/rlimits/RLIMIT_NOFILE"), R"({"soft":55,"hard":66})");
}

TEST_F(Exec, InAContainerThatStoppedIsAnError) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  EXPECT_NE(runtime({"exec", id(), "/probe"}).exit_code, 0);
}

TEST_F(Exec, InAContainerThatDoesNotExistIsAnError) {
  EXPECT_NE(runtime({"exec", id(), "/probe"}).exit_code, 0);
}

class Descriptors : public Conformance {
 protected:
  /// Opens the bundle's config as descriptors 3 and 4 in the command.
  [[nodiscard]] Call with_descriptors() const {
    Call call;
    const std::string path = directory() + "/handed-over";
    call.before_exec = [path] {
      const int opened = ::open(path.c_str(), O_RDONLY | O_CREAT, 0644);
      if (opened < 0 || ::dup2(opened, 30) < 0) ::_exit(123);
      ::close(opened);
      for (const int fd : {3, 4}) ::dup2(30, fd);
      ::close(30);
    };
    return call;
  }
};

TEST_F(Descriptors, ThatArePreservedReachTheProgram) {
  config_.args({"/probe"});
  write_config();
  const Outcome outcome =
      runtime({"run", "--preserve-fds", "2", "--bundle", bundle(), id()}, with_descriptors());
  ASSERT_TRUE(succeeds(outcome));
  const Json report(outcome.out);
  EXPECT_EQ(report.size("/descriptors"), 5U) << report.at("/descriptors");
  EXPECT_TRUE(report.has("/descriptors/3"));
  EXPECT_TRUE(report.has("/descriptors/4"));
}

TEST_F(Descriptors, OfSocketActivationReachTheProgram) {
  config_.args({"/probe"});
  write_config();
  Call call = with_descriptors();
  call.env.emplace_back("LISTEN_FDS=1");
  // sd_listen_fds(3): they are for the process whose id this is.
  call.args = {"-c",     "export LISTEN_PID=$$; exec \"$@\"",
               "sh",     testing::runtime_binary(),
               "--root", directory() + "/state",
               "run",    "--bundle",
               bundle(), id()};
  const Outcome outcome = testing::run_program("/bin/sh", call);
  ASSERT_TRUE(succeeds(outcome));
  const Json report(outcome.out);
  EXPECT_TRUE(report.has("/descriptors/3"));
  EXPECT_TRUE(has_word(report, "/env", "LISTEN_FDS=1")) << report.at("/env");
  EXPECT_TRUE(has_word(report, "/env", "LISTEN_PID=1")) << report.at("/env");
}

}  // namespace
}  // namespace rt::conformance
