// Podman of a user without privileges: the runtime is root of the user's namespace, its records are
// below XDG_RUNTIME_DIR, and no cgroup is its own.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"
#include "tests/engines/terminal.h"

namespace rt::testing {
namespace {

class RootlessPodman : public Podman {
 protected:
  RootlessPodman() : Podman(kUser, {"newuidmap", "slirp4netns"}) {}
};

class RootlessOption : public RootlessPodman, public ::testing::WithParamInterface<ScriptRow> {};

TEST_P(RootlessOption, ReachesTheContainer) {
  const ScriptRow& row = GetParam();
  const Outcome outcome = run_shell(row.options, row.script);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, row.output) << outcome.err;
}

const ScriptRow kRows[] = {
    {"IsTheUser", {}, "id -u; head -n 1 /proc/self/uid_map | tr -s ' '", "0\n 0 4242 1\n"},
    {"KeepId", {"--userns=keep-id"}, "id -u; echo again >/dev/stdout", "4242\nagain\n"},
    {"UidMap",
     {"--uidmap=0:1:100", "--gidmap=0:1:100"},
     "id -u; tr -s ' ' </proc/self/uid_map; echo again >/dev/stdout",
     "0\n 0 1 100\nagain\n"},
    {"User", {"--user=33:44"}, "id -u; id -g", "33\n44\n"},
    {"ReadOnly", {"--read-only"}, "touch /x 2>/dev/null || echo refused", "refused\n"},
    {"Tmpfs", {"--tmpfs=/x:size=64k"}, "grep -o '/x tmpfs' /proc/mounts", "/x tmpfs\n"},
    {"NoNetwork", {"--network=none"}, "ls /sys/class/net", "lo\n"},
    {"HostNetwork", {"--network=host"}, "test -e /sys/class/net/lo && echo lo", "lo\n"},
    {"Slirp4netns", {"--network=slirp4netns"}, "ls /sys/class/net", "lo\ntap0\n"},
    {"HostPids", {"--pid=host"}, "test $$ != 1 && echo more", "more\n"},
    {"Devices", {}, "echo x >/dev/null && head -c 3 /dev/zero | wc -c", "3\n"},
    {"Device",
     {"--device=/dev/null:/dev/mine"},
     "echo x >/dev/mine && stat -c %t /dev/mine",
     "1\n"},
    {"Privileged", {"--privileged"}, "mount -t tmpfs tmpfs /tmp && echo mounted", "mounted\n"},
    {"CapDrop", {"--cap-drop=all"}, "grep CapEff /proc/self/status", "CapEff:\t0000000000000000\n"},
    {"Seccomp", {}, "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"},
    {"Init", {"--init"}, "test $$ -ne 1 && echo not the first", "not the first\n"},
    {"Systemd",
     {"--systemd=always"},
     "grep -o '/run tmpfs' /proc/mounts; echo $container",
     "/run tmpfs\npodman\n"},
    {"CgroupnsHost", {"--cgroupns=host"}, "test -e /sys/fs/cgroup && echo there", "there\n"},
    {"Sysctl", {"--sysctl=net.ipv4.ip_forward=1"}, "cat /proc/sys/net/ipv4/ip_forward", "1\n"},
};

INSTANTIATE_TEST_SUITE_P(Run, RootlessOption, ::testing::ValuesIn(kRows), kNameOfRow);

TEST_F(RootlessPodman, ExitCodesAreThoseOfRoot) {
  EXPECT_EQ(run_shell({}, "exit 7").exit_code, 7);
  EXPECT_EQ(run({}, {"nope"}).exit_code, 127);
  EXPECT_EQ(run({}, {"/etc"}).exit_code, 126);
  EXPECT_EQ(run({"--no-such-option"}, {"true"}).exit_code, 125);
}

TEST_F(RootlessPodman, SaysNothingOfWhatItMayNotDo) {
  const Outcome outcome = run({}, {"true"});
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(RootlessPodman, WritesToTheUsersFiles) {
  EXPECT_TRUE(succeeds(run_shell({cat("--volume=", directory(), ":/v")}, "echo text >/v/x")));
  EXPECT_TRUE(succeeds(
      run_shell({cat("--volume=", directory(), ":/v"), "--userns=keep-id"}, "echo text >/v/y")));
  for (const char* file_name : {"/x", "/y"}) {
    struct stat info{};
    ASSERT_EQ(::stat((directory() + file_name).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, kUser);
  }
}

TEST_F(RootlessPodman, KeepsItsRecordsWithTheUser) {
  start();
  const std::string id = inspect("{{.Id}}");
  bool found = false;
  for (const char* runtime : {"runtime", "runc", "crun"}) {
    const std::string path = cat("/run/user/", kUser, "/", runtime, "/", id);
    found = found || ::access(path.c_str(), F_OK) == 0;
  }
  EXPECT_TRUE(found);
  remove();
}

TEST_F(RootlessPodman, LivesAndEnds) {
  start_shell({}, "trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.05; done");
  ASSERT_TRUE(says("up"));
  EXPECT_EQ(exec_shell({"--user=33", "--env=A=b"}, "id -u; echo $A").out, "33\nb\n");
  EXPECT_EQ(exec_shell({}, "exit 9").exit_code, 9);
  EXPECT_EQ(exec({}, {"nope"}).exit_code, 127);
  EXPECT_NE(podman({"top", name(), "comm"}).out.find("sh"), std::string::npos);
  EXPECT_TRUE(succeeds(podman({"stop", name()})));
  EXPECT_EQ(inspect("{{.State.ExitCode}}"), "5");
  EXPECT_EQ(logs(), "up\nterm\n");
  EXPECT_TRUE(succeeds(podman({"start", name()})));
  EXPECT_TRUE(succeeds(podman({"kill", name()})));
  EXPECT_EQ(podman({"wait", name()}).out, "137\n");
  remove();
}

TEST_F(RootlessPodman, BeginsAgain) {
  start();
  EXPECT_TRUE(succeeds(podman({"restart", "--time=0", name()})));
  EXPECT_EQ(inspect("{{.State.Status}}"), "running");
  remove();
}

TEST_F(RootlessPodman, HasATerminal) {
  Call call = as_user({});
  call.args = {"run", "--rm", "-it", "--network=none", "bb", "sh"};
  Terminal terminal("podman", call);
  ASSERT_TRUE(terminal.shows("#"));
  terminal.type("tty; stat -c %u $(tty); echo $((6 * 7))\r");
  EXPECT_TRUE(terminal.shows("/dev/pts/0\r\n0\r\n42\r\n"));
  terminal.type("exit 5\r");
  EXPECT_EQ(terminal.wait().exit_code, 5);
}

TEST_F(RootlessPodman, PassesDescriptorsOn) {
  Call call;
  call.before_exec = [] { ::dup2(::open("/etc/hostname", O_RDONLY | O_CLOEXEC), 3); };
  const Outcome outcome =
      podman({"run", "--rm", "--network=none", "--preserve-fds=1", "bb", "sh", "-c", "cat <&3"},
             std::move(call));
  EXPECT_EQ(outcome.out, read("/etc/hostname")) << outcome.err;
}

TEST_F(RootlessPodman, JoinsAnotherContainer) {
  start({"--ipc=shareable"});
  for (const char* kind : {"ipc", "net", "pid", "uts"}) {
    const std::string option =
        cat("--", kind == std::string("net") ? "network" : kind, "=container:", name());
    const std::string own = cat("/proc/self/ns/", kind);
    EXPECT_EQ(run({option}, {"readlink", own}).out, exec({}, {"readlink", own}).out);
  }
  remove();
}

TEST_F(RootlessPodman, HasPods) {
  const std::string pod = name() + "-pod";
  ASSERT_TRUE(succeeds(podman({"pod", "create", "--name", pod, "--network=none"})));
  start({"--pod=" + pod});
  EXPECT_EQ(run({"--pod=" + pod}, {"hostname"}).out, pod + "\n");
  EXPECT_TRUE(succeeds(podman({"pod", "stop", "--time=0", pod})));
  EXPECT_TRUE(succeeds(podman({"pod", "start", pod})));
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(succeeds(podman({"pod", "rm", "--force", "--time=0", pod})));
}

}  // namespace
}  // namespace rt::testing
