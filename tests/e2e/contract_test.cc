// What engines call: their command lines word by word and in their order, with the environment and
// the descriptors that they leave to the runtime, and what they need to find in its answers.
#include <sched.h>
#include <sys/stat.h>

#include <array>

#include "tests/e2e/contract.h"
#include "tests/support/listener.h"

namespace rt::testing {
namespace {

struct Life {
  const char* name;
  std::vector<Step> steps;
};

class Lives : public Contract, public ::testing::WithParamInterface<Life> {};

TEST_P(Lives, AreLedToTheirEnd) {
  for (const Step& step : GetParam().steps) {
    take(step);
    if (HasFatalFailure()) break;
  }
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
  EXPECT_EQ(as(podman(), "list --quiet").out, "");
  reap_orphans();
}

constexpr const char* kDockerZeros =
    R"({"memory":{"limit":0,"reservation":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0},)"
    R"("blockIO":{"weight":0}})";
constexpr const char* kKubelet =
    R"({"devices":[{"allow":false,"access":"rwm"}],"cpu":{"shares":512}})";

INSTANTIATE_TEST_SUITE_P(
    Engines, Lives,
    ::testing::Values(
        Life{"DockerStop",
             {{shim, "SHIM create --bundle BUNDLE --pid-file PIDFILE ID"},
              {shim, "SHIM start ID"},
              {shim, "SHIM update --resources - ID", 0, "", kDockerZeros, First::kPayload},
              {shim, "SHIM pause ID"},
              {shim, "SHIM kill ID 15"},
              {shim, "SHIM resume ID"},
              {shim, "SHIM kill ID 9", 1, "container not running", "", First::kReaped},
              {shim, "SHIM delete ID"},
              {shim, "SHIM delete --force ID"}}},
        Life{"DockerWithRuntimeArguments",
             {{shim, "--debug SHIM create --bundle BUNDLE --pid-file PIDFILE ID"},
              {shim, "--debug SHIM start ID"},
              {shim, "--debug SHIM kill ID 37", 0, "", "", First::kPayload},
              {shim, "--debug SHIM delete --force ID"}}},
        Life{"Containerd",
             {{shim,
               "SHIM create --bundle BUNDLE --pid-file PIDFILE --no-pivot --no-new-keyring ID"},
              {shim, "SHIM start ID"},
              {shim, "SHIM update --resources=- ID", 0, "", kKubelet, First::kPayload},
              {shim, "SHIM ps --format json ID", 0, "["},
              {shim, "SHIM kill --all ID 9"},
              {shim, "SHIM kill --all ID 9", 0, "", "", First::kReaped},
              {shim, "SHIM ps --format json ID", 0, "[]\n"},
              {shim, "SHIM delete ID"},
              {shim, "SHIM delete --force ID"},
              {shim, "SHIM delete ID", 1, "does not exist"}}},
        Life{"OldContainerd",
             {{shim,
               "--criu /usr/sbin/criu --rootless=auto SHIM create --bundle BUNDLE --pid-file "
               "PIDFILE ID"},
              {shim, "SHIM kill ID 15"},
              {shim, "SHIM delete --force ID"}}},
        Life{"PodmanRestart",
             {{conmon, "--log-format=json --log LOG create --bundle BUNDLE --pid-file PIDFILE ID"},
              {podman, "start ID"},
              {podman, "pause ID", 0, "", "", First::kPayload},
              {podman, "resume ID"},
              {podman, "kill ID 15"},
              {podman, "kill ID 9", 1, "container not running", "", First::kReaped},
              {podman, "state ID", 0, "\"stopped\""},
              {podman, "delete --force ID"},
              {conmon, "--log-format=json --log LOG create --bundle BUNDLE --pid-file PIDFILE ID"},
              {podman, "start ID"},
              {podman, "kill --all ID 9"},
              {podman, "delete --force ID", 0, "", "", First::kReaped},
              {podman, "delete --force ID"}}},
        Life{"Buildah",
             {{buildah, "create --bundle BUNDLE --pid-file PIDFILE --no-pivot --no-new-keyring ID"},
              {buildah, "state ID", 0, "\"created\""},
              {buildah, "start ID"},
              {buildah, "state ID", 0, "\"running\"", "", First::kPayload},
              {buildah, "kill ID SIGKILL"},
              {buildah, "state ID", 0, "\"stopped\"", "", First::kZombie},
              {buildah, "delete ID"}}},
        Life{"Crio",
             {{conmon,
               "--root=ROOT --log-format=json --log=LOG create --bundle BUNDLE "
               "--pid-file PIDFILE ID"},
              {crio, "--root ROOT start ID"},
              {crio, "--root ROOT update --resources - ID", 0, "", kKubelet, First::kPayload},
              {crio, "--root ROOT state ID", 0, "\"running\""},
              {crio, "--root ROOT kill -a ID 15"},
              {crio, "--root ROOT kill ID KILL", 1, "container not running", "", First::kReaped},
              {crio, "--root ROOT delete --force ID"}}}),
    [](const auto& info) { return std::string(info.param.name); });

// BuildKit finds "runc" in its PATH, gives no --root, and has no other word than the exit code.
TEST_F(Contract, BuildKitRunsUnderAnotherName) {
  const std::string runc = directory() + "/runc";
  ASSERT_EQ(::symlink(runtime_binary().c_str(), runc.c_str()), 0);
  config_.shell("echo step; exit 7");
  write_config();
  const Call step = call_of(shim(), "--log LOG --log-format json run --bundle BUNDLE ID");
  const Outcome ran = run_program(runc, step);
  EXPECT_EQ(ran.exit_code, 7) << ran.err;
  EXPECT_EQ(ran.out, "step\n");
  EXPECT_TRUE(fails_saying(as(shim(), "state ID"), "does not exist")) << "nobody deletes it";
  const Call kept = call_of(shim(), "--log LOG --log-format json run --bundle BUNDLE --keep ID");
  EXPECT_EQ(run_program(runc, kept).exit_code, 7);
  EXPECT_TRUE(succeeds(run_program(runc, call_of(shim(), "--log LOG delete ID"))));
}

TEST_F(Contract, AnExecutedProcessIsItsCallersToWaitFor) {
  take({shim, "SHIM create --bundle BUNDLE --pid-file PIDFILE ID"});
  take({shim, "SHIM start ID"});
  write(process_file(), R"({"args": ["sh", "-c", "exit 7"], "cwd": "/", "env": ["PATH=/bin"],
                            "user": {"uid": 1, "gid": 1}, "oomScoreAdj": 3})");
  for (const char* words : {"SHIM exec --process PROCESS --detach --pid-file PIDFILE ID",
                            "--root ROOT exec --pid-file PIDFILE --process PROCESS --detach ID"}) {
    EXPECT_TRUE(succeeds(as(shim(), words))) << words;
    int status = 0;
    const pid_t executed = pid_in(pid_file());
    EXPECT_EQ(::waitpid(executed, &status, 0), executed);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  }
  EXPECT_EQ(as(crio(), "--root ROOT exec --process PROCESS --pid-file PIDFILE ID").exit_code, 7);
  take({shim, "SHIM delete --force ID"});
}

/// What one recvmsg(2) takes from a console socket, as engines do it.
struct ConsoleMessage {
  ssize_t size = 0;
  int descriptors = 0;
  UniqueFd terminal;
};

ConsoleMessage receive_console(const Listener& listener) {
  const UniqueFd connection = listener.accept();
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ConsoleMessage message;
  message.size = ::recvmsg(connection.get(), &header, MSG_CMSG_CLOEXEC);
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return message;
  message.descriptors = static_cast<int>((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  if (CMSG_NXTHDR(&header, const_cast<cmsghdr*>(rights)) != nullptr) message.descriptors = -1;
  int fd = -1;
  std::copy_n(CMSG_DATA(rights), sizeof fd, reinterpret_cast<unsigned char*>(&fd));
  message.terminal = UniqueFd(fd);
  return message;
}

TEST_F(Contract, AConsoleIsOneMessageWithOneDescriptor) {
  config_.set("/process/terminal", "true");
  write_config();
  // As long as an address can be.
  const std::string path = cat(directory(), '/', std::string(107 - directory().size(), 's'));
  const Listener listener(path);
  const Outcome created =
      as(conmon(), cat("--root ROOT create --bundle BUNDLE --console-socket ", path, " ID"));
  ASSERT_TRUE(succeeds(created));
  const ConsoleMessage console = receive_console(listener);
  EXPECT_GE(console.size, 1);
  EXPECT_EQ(console.descriptors, 1);
  EXPECT_EQ(::isatty(console.terminal.get()), 1);
  ASSERT_TRUE(succeeds(start()));
  write(process_file(), R"({"terminal": true, "args": ["tty"], "cwd": "/", "env": ["PATH=/bin"],
                            "user": {"uid": 0, "gid": 0}})");
  for (const char* words :
       {"SHIM exec --process PROCESS --console-socket SOCKET --detach --pid-file PIDFILE ID",
        "--root ROOT exec --pid-file PIDFILE --process PROCESS --detach --tty --console-socket "
        "SOCKET ID"}) {
    const Listener another(directory() + "/pty.sock");
    EXPECT_TRUE(succeeds(as(conmon(), words)));
    const ConsoleMessage sent = receive_console(another);
    EXPECT_EQ(sent.descriptors, 1) << words;
    EXPECT_EQ(read_terminal(sent.terminal.get()), "/dev/pts/1\r\n");
    EXPECT_EQ(::waitpid(pid_in(pid_file()), nullptr, 0), pid_in(pid_file()));
    ASSERT_EQ(::unlink((directory() + "/pty.sock").c_str()), 0);
  }
  take({shim, "SHIM delete --force ID"});
}

// Podman takes the exit code of the one and the words of the other for an answer.
TEST_F(Contract, CheckpointsAreSaidToBeSupported) {
  const Outcome help = as(podman(), "checkpoint --help");
  EXPECT_TRUE(succeeds(help));
  EXPECT_NE(help.out.find("--image-path"), std::string::npos) << help.out;
  EXPECT_TRUE(fails_saying(as(podman(), "restore --lsm-mount-context"), "flag needs an argument"));
}

TEST_F(Contract, ACheckpointThatCannotBeMadeIsOneErrorAndTheContainerGoesOn) {
  take({shim, "SHIM create --bundle BUNDLE --pid-file PIDFILE ID"});
  take({shim, "SHIM start ID"});
  take({shim, "SHIM pause ID", 0, "", "", First::kPayload});
  take({shim, "--criu /nonexistent SHIM checkpoint --image-path BUNDLE --work-path BUNDLE ID", 1,
        "--criu /nonexistent: access: no such file or directory"});
  take({shim,
        "--criu /nonexistent SHIM checkpoint --image-path BUNDLE --work-path BUNDLE --file-locks "
        "--leave-running ID",
        1, "--criu /nonexistent"});
  take({shim, "SHIM resume ID"});
  take({shim, "SHIM state ID", 0, "\"running\""});
  take({shim, "SHIM delete --force ID"});
  take({shim,
        "--criu /nonexistent SHIM restore --image-path BUNDLE --work-path BUNDLE --detach "
        "--pid-file PIDFILE -no-subreaper --bundle BUNDLE ID",
        1, "--criu /nonexistent: access: no such file or directory"});
  take({shim, "SHIM delete ID", 1, "does not exist"});
}

// Podman of a user calls as root of that user's namespace, where /run is another's.
TEST_F(Contract, RootOfAUserNamespaceKeepsItsStateInTheRuntimeDirectory) {
  const std::string place = directory() + "/runtime";
  ASSERT_EQ(::mkdir(place.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(place.c_str(), 0777), 0);
  Call call = call_of(podman(), "state ID");
  call.before_exec = [] {
    make_or_exit(::unshare(CLONE_NEWUSER) == 0 &&
                 sys::write_file("/proc/self/setgroups", "deny").ok() &&
                 sys::write_file("/proc/self/uid_map", "0 0 1").ok() &&
                 sys::write_file("/proc/self/gid_map", "0 0 1").ok());
  };
  EXPECT_TRUE(fails_saying(run_program(runtime_binary(), call), "XDG_RUNTIME_DIR is not set"));
  call.env = {"XDG_RUNTIME_DIR=" + directory()};
  EXPECT_TRUE(fails_saying(run_program(runtime_binary(), call),
                           cat("state root \"", place, "\": others can write to it")));
}

}  // namespace
}  // namespace rt::testing
