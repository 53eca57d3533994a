// The payload under its filter, and the agent that answers for it. runtime-spec config-linux.md,
// "Seccomp".
#include <dirent.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "runtime/base/text.h"
#include "tests/support/container.h"
#include "tests/support/listener.h"

namespace rt::testing {
namespace {

constexpr int kKilledBySigsys = 128 + SIGSYS;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The filter of a document of tests/data/configs.
std::string filter_of(const std::string& name) {
  const Json document(read_text("tests/data/configs/" + name + ".json"));
  return document.at("/linux/seccomp");
}

class Seccomp : public Container {
 protected:
  /// All is allowed but what the rules, JSON objects, say.
  Seccomp& allow_but(std::string_view rules) {
    config_.set("/linux/seccomp",
                cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [)", rules, "]}"));
    return *this;
  }

  /// The cached filters.
  [[nodiscard]] std::vector<std::string> cached() const {
    std::vector<std::string> paths;
    const std::string path = state_root() + "/~~filters";
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return paths;
    for (const dirent* one = ::readdir(directory); one != nullptr; one = ::readdir(directory)) {
      if (one->d_name[0] != '.') paths.push_back(cat(path, '/', one->d_name));
    }
    ::closedir(directory);
    return paths;
  }
};

TEST_F(Seccomp, ErrnoIsWhatThePayloadSees) {
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})");
  const Outcome outcome = run_shell("mkdir /tmp/made; ls /tmp");
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Seccomp, ErrnoIsEpermWhereTheDocumentHasNone) {
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"})");
  EXPECT_NE(run_shell("mkdir /tmp/made").err.find("Operation not permitted"), std::string::npos);
}

TEST_F(Seccomp, IsSeenInProc) {
  allow_but(R"({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"})");
  const Outcome outcome = run_shell("grep Seccomp /proc/self/status");
  EXPECT_EQ(outcome.out, "Seccomp:\t2\nSeccomp_filters:\t1\n") << outcome.err;
}

TEST_F(Seccomp, HoldsForAnExecutedProcessToo) {
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})");
  start_sleeping();
  const Outcome outcome = runtime({"exec", id(), "/bin/mkdir", "/tmp/made"});
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  remove_by_force();
}

TEST_F(Seccomp, IsNotThereWithoutASection) {
  EXPECT_EQ(run_shell("grep Seccomp: /proc/self/status").out, "Seccomp:\t0\n");
}

TEST_F(Seccomp, AKilledPayloadIsToldByItsExitCode) {
  for (const char* action :
       {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"}) {
    allow_but(cat(R"({"names": ["mkdir", "mkdirat"], "action": ")", action, "\"}"));
    config_.args({"/bin/mkdir", "/tmp/made"});
    EXPECT_EQ(run().exit_code, kKilledBySigsys) << action;
  }
}

TEST_F(Seccomp, NeedsNoPrivilegeOfThePayload) {
  // Neither no_new_privs nor a capability: loaded all the same, and nothing of it is left.
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  config_.set("/process/noNewPrivileges", "false").erase("/process/capabilities");
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})");
  const Outcome outcome =
      run_shell("mkdir /tmp/made; grep -E 'Cap|NoNew|Seccomp:' /proc/self/status");
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out,
            "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n");
}

TEST_F(Seccomp, OfRootLeavesItNoMoreThanItsCapabilities) {
  config_.set("/process/noNewPrivileges", "false");
  config_.set(
      "/process/capabilities",
      R"({"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]})");
  allow_but(R"({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"})");
  const Outcome outcome = run_shell("grep -E 'CapPrm|CapEff|CapBnd' /proc/self/status");
  EXPECT_EQ(outcome.out,
            "CapPrm:\t0000000000000020\nCapEff:\t0000000000000020\nCapBnd:\t0000000000000020\n");
}

TEST_F(Seccomp, IsLoadedInAUserNamespace) {
  config_.user_namespace();
  ASSERT_EQ(::chown(rootfs().c_str(), 100000, 100000), 0);
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})");
  EXPECT_NE(run_shell("mkdir /tmp/made").err.find("No space left"), std::string::npos);
}

TEST_F(Seccomp, DoesNotHoldForTheRuntimesOwnWork) {
  // What init itself needs until the execution is not the payload's business.
  config_.set("/linux/seccomp",
              R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_KILL",
                  "names": ["mount", "pivot_root", "setresuid", "capset", "sethostname", "clone3",
                            "openat2", "close_range"]}]})");
  config_.args({"/bin/true"});
  EXPECT_TRUE(succeeds(run()));
}

TEST_F(Seccomp, TheFilterOfDockerLetsAShellWork) {
  config_.set("/linux/seccomp", filter_of("docker-default"));
  const Outcome outcome = run_shell(
      "mkdir /tmp/made && echo yes > /tmp/made/file && cat /tmp/made/file && ls /proc | wc -l "
      "> /dev/null && (exit 3); echo $?; mount -t tmpfs none /tmp");
  EXPECT_EQ(outcome.out, "yes\n3\n");
  EXPECT_NE(outcome.err.find("mount"), std::string::npos);
}

TEST_F(Seccomp, TheFilterOfPodmanLetsAShellWork) {
  config_.set("/linux/seccomp", filter_of("podman-default"));
  EXPECT_EQ(run_shell("mkdir /tmp/made && echo yes > /tmp/made/file && cat /tmp/made/file").out,
            "yes\n");
}

TEST_F(Seccomp, TheSecondContainerTakesTheFilterFromTheCache) {
  config_.set("/linux/seccomp", filter_of("docker-default"));
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(run()));
  const std::vector<std::string> first = cached();
  ASSERT_EQ(first.size(), 1U);
  struct stat before{};
  ASSERT_EQ(::stat(first[0].c_str(), &before), 0);
  ASSERT_TRUE(succeeds(run()));
  struct stat after{};
  ASSERT_EQ(::stat(first[0].c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(cached(), first);
}

TEST_F(Seccomp, ABrokenCacheIsReplaced) {
  allow_but(R"({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28})");
  ASSERT_TRUE(succeeds(run_shell("true")));
  const std::vector<std::string> entries = cached();
  ASSERT_EQ(entries.size(), 1U);
  const std::string good = read_text(entries[0]);
  for (const std::string& bad : {good.substr(0, good.size() - 8), std::string(500, 'x')}) {
    std::ofstream(entries[0], std::ios::trunc) << bad;
    EXPECT_NE(run_shell("mkdir /tmp/made").err.find("No space left"), std::string::npos);
    EXPECT_EQ(read_text(entries[0]), good);
  }
}

TEST_F(Seccomp, TheCacheIsNoContainer) {
  allow_but(R"({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"})");
  ASSERT_TRUE(succeeds(run_shell("true")));
  ASSERT_EQ(cached().size(), 1U);
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
}

/// An agent: the listener of one filter, and what came with it.
class Agent {
 public:
  explicit Agent(const std::string& path) : socket_(path) {}

  /// Waits for the runtime's message: the container process state.
  std::string receive() {
    Delivery delivery = receive_all(socket_.accept().get());
    listener_ = std::move(delivery.descriptor);
    return delivery.text;
  }

  /// Answers one system call with an errno; its number, or -1 when none was made.
  int answer(int code) {
    seccomp_notif question{};
    if (!waits(listener_.get())) return -1;
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &question) != 0) return -1;
    seccomp_notif_resp response{};
    response.id = question.id;
    response.error = -code;
    ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
    return question.data.nr;
  }

 private:
  static bool waits(int fd) {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, 10000) == 1;
  }

  Listener socket_;
  UniqueFd listener_;
};

class SeccompNotify : public Seccomp {
 protected:
  [[nodiscard]] std::string socket_path() const { return directory() + "/agent"; }

  /// A call of `names` waits for the agent.
  void ask_for(std::string_view names) {
    config_.set("/linux/seccomp",
                cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "tag", )",
                    R"("listenerPath": )", json_string(socket_path()),
                    R"(, "syscalls": [{"action": "SCMP_ACT_NOTIFY", "names": [)", names, "]}]}"));
  }
};

TEST_F(SeccompNotify, TheAgentAnswers) {
  Agent agent(socket_path());
  ask_for(R"("mkdir", "mkdirat")");
  config_.shell("mkdir /tmp/made");
  write_config();
  Program running(runtime_binary(), call({"run", "--bundle", bundle(), id()}));
  const Json state(agent.receive());
  EXPECT_EQ(state.at("/ociVersion"), "1.3.0");
  EXPECT_EQ(state.at("/fds"), R"(["seccompFd"])");
  EXPECT_EQ(state.at("/metadata"), "tag");
  EXPECT_EQ(state.at("/pid"), std::to_string(pid()));
  EXPECT_EQ(state.at("/state/id"), id());
  EXPECT_EQ(state.at("/state/pid"), std::to_string(pid()));
  EXPECT_EQ(state.at("/state/bundle"), bundle());
  const int number = agent.answer(EDQUOT);
  EXPECT_TRUE(number == SYS_mkdir || number == SYS_mkdirat) << number;
  const Outcome outcome = running.wait();
  EXPECT_NE(outcome.err.find("quota exceeded"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST_F(SeccompNotify, TheAgentMayBeAskedForTheExecutionItself) {
  Agent agent(socket_path());
  ask_for(R"("execve")");
  config_.args({"/bin/true"});
  write_config();
  Program running(runtime_binary(), call({"run", "--bundle", bundle(), id()}));
  EXPECT_NE(agent.receive(), "");
  EXPECT_EQ(agent.answer(EACCES), SYS_execve);
  const Outcome outcome = running.wait();
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("permission denied"), std::string::npos) << outcome.err;
}

TEST_F(SeccompNotify, WithoutAnAgentThePayloadDoesNotRun) {
  ask_for(R"("mkdir")");
  config_.shell("echo ran");
  const Outcome outcome = run();
  EXPECT_TRUE(fails_saying(outcome, "seccomp agent"));
  EXPECT_TRUE(fails_saying(outcome, "/linux/seccomp/listenerPath"));
  EXPECT_EQ(outcome.out, "");
  remove_by_force();
}

TEST_F(SeccompNotify, StartAfterCreateHandsTheListenerOver) {
  Agent agent(socket_path());
  ask_for(R"("mkdir", "mkdirat")");
  config_.shell("mkdir /tmp/made; sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  Program starting(runtime_binary(), call({"start", id()}));
  const Json state(agent.receive());
  EXPECT_EQ(state.at("/pid"), std::to_string(pid()));
  EXPECT_GT(agent.answer(EDQUOT), 0);
  EXPECT_TRUE(succeeds(starting.wait()));
  EXPECT_TRUE(becomes("running"));
  remove_by_force();
}

}  // namespace
}  // namespace rt::testing
