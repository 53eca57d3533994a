// podman run: what a user asks for is what the container finds.
#include <fcntl.h>
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

class PodmanOption : public Podman, public ::testing::WithParamInterface<ScriptRow> {};

TEST_P(PodmanOption, ReachesTheContainer) {
  const ScriptRow& row = GetParam();
  const Outcome outcome = run_shell(row.options, row.script);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, row.output) << outcome.err;
}

const ScriptRow kOfTheProcess[] = {
    {"Output", {}, "echo hi", "hi\n"},
    {"Env", {"--env=A=b c"}, "echo $A", "b c\n"},
    {"Workdir", {"--workdir=/tmp"}, "pwd", "/tmp\n"},
    {"User", {"--user=33:44"}, "id -u; id -g", "33\n44\n"},
    {"GroupAdd", {"--group-add=55"}, "id -G | tr ' ' '\\n' | grep 55", "55\n"},
    {"Umask", {"--umask=0077"}, "umask", "0077\n"},
    {"Init", {"--init"}, "test $$ -ne 1 && cut -d' ' -f2 /proc/1/stat", "(podman-init)\n"},
    {"OomScoreAdj", {"--oom-score-adj=500"}, "cat /proc/self/oom_score_adj", "500\n"},
    {"Ulimit",
     {"--ulimit=nofile=64:128", "--ulimit=nproc=512:512"},
     "ulimit -Sn; ulimit -Hn",
     "64\n128\n"},
    {"CapDrop",
     {"--cap-drop=all", "--cap-add=net_raw"},
     "grep CapEff /proc/self/status",
     "CapEff:\t0000000000002000\n"},
    {"CapAddForAUser",
     {"--user=33", "--cap-add=net_raw"},
     "grep CapEff /proc/self/status",
     "CapEff:\t0000000000002000\n"},
    {"NoNewPrivileges",
     {"--security-opt=no-new-privileges"},
     "grep NoNewPrivs /proc/self/status",
     "NoNewPrivs:\t1\n"},
    {"SeccompByDefault", {}, "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"},
    {"SeccompUnconfined",
     {"--security-opt=seccomp=unconfined"},
     "grep Seccomp: /proc/self/status",
     "Seccomp:\t0\n"},
};

const ScriptRow kOfTheFiles[] = {
    {"ReadOnly",
     {"--read-only"},
     "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo made",
     "refused\nmade\n"},
    {"Tmpfs",
     {"--tmpfs=/x:size=64k,mode=1770"},
     "stat -c %a /x; grep ' /x ' /proc/mounts | grep -o 'tmpfs.*size=64k'",
     "1770\ntmpfs /x tmpfs rw,nosuid,nodev,relatime,size=64k\n"},
    {"ShmSize",
     {"--shm-size=1m"},
     "grep ' /dev/shm ' /proc/mounts | grep -o size=1024k",
     "size=1024k\n"},
    {"Mask", {"--security-opt=mask=/etc"}, "ls -A /etc | wc -l", "0\n"},
    {"MaskedByDefault", {}, "grep -q . /proc/keys || echo masked", "masked\n"},
    {"Unmask",
     {"--security-opt=unmask=/proc/keys"},
     "test $(stat -c %t /proc/keys) = 0 && echo file",
     "file\n"},
    {"KernelSettingsAreReadOnly",
     {},
     "echo x 2>/dev/null >/proc/sys/kernel/hostname || echo refused",
     "refused\n"},
    {"OtherDevicesAreRefused",
     {"--cap-add=mknod"},
     "mknod /d c 10 200 && { cat 2>/dev/null /d || echo refused; }",
     "refused\n"},
    {"StandardDevices",
     {},
     "for name in null zero full random urandom tty; do test -c /dev/$name || echo $name; done; "
     "head -c 3 /dev/zero | wc -c; readlink /dev/fd",
     "3\n/proc/self/fd\n"},
    {"Mount",
     {"--mount=type=tmpfs,destination=/x,tmpfs-size=64k"},
     "grep -o ' /x tmpfs' /proc/mounts",
     " /x tmpfs\n"},
};

const ScriptRow kOfTheNamespaces[] = {
    {"Hostname", {"--hostname=elsewhere"}, "hostname", "elsewhere\n"},
    {"AddHost", {"--add-host=other:10.1.2.3"}, "grep -o ^10.1.2.3 /etc/hosts", "10.1.2.3\n"},
    {"Sysctl", {"--sysctl=net.ipv4.ip_forward=1"}, "cat /proc/sys/net/ipv4/ip_forward", "1\n"},
    {"UidMap",
     {"--uidmap=0:100000:1000"},
     "tr -s ' ' </proc/self/uid_map; touch /tmp/x && stat -c %u /tmp/x",
     " 0 100000 1000\n0\n"},
    {"UidMapAndUser", {"--uidmap=0:100000:1000", "--user=33"}, "id -u; touch /tmp/x", "33\n"},
    {"UidMapAndOutputOpenedAgain",
     {"--uidmap=0:100000:1000", "--user=33"},
     "echo again >/dev/stdout",
     "again\n"},
    {"NoNetwork", {"--network=none"}, "ls /sys/class/net", "lo\n"},
    {"BridgedNetwork", {"--network=bridge"}, "ls /sys/class/net", "eth0\nlo\n"},
};

std::string name_of(const ::testing::TestParamInfo<ScriptRow>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Process, PodmanOption, ::testing::ValuesIn(kOfTheProcess), name_of);
INSTANTIATE_TEST_SUITE_P(Files, PodmanOption, ::testing::ValuesIn(kOfTheFiles), name_of);
INSTANTIATE_TEST_SUITE_P(Namespaces, PodmanOption, ::testing::ValuesIn(kOfTheNamespaces), name_of);

/// What ends a run, and what a script that calls podman sees.
struct End {
  const char* name;
  Options options;
  Options command;
  int exit_code;
  const char* message;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const End& end, std::ostream* out) { *out << end.name; }

class PodmanExitCode : public Podman, public ::testing::WithParamInterface<End> {};

TEST_P(PodmanExitCode, SaysWhatHappened) {
  const End& end = GetParam();
  const Outcome outcome = run(end.options, end.command);
  EXPECT_EQ(outcome.exit_code, end.exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(end.message), std::string::npos) << outcome.err;
}

const End kEnds[] = {
    {"OfTheCommand", {}, {"sh", "-c", "exit 7"}, 7, ""},
    {"Of255", {}, {"sh", "-c", "exit 255"}, 255, ""},
    {"WrongOption", {"--no-such-option"}, {"true"}, 125, "unknown flag"},
    {"MissingCommand", {}, {"nope"}, 127, "nope"},
    {"MissingFile", {}, {"/nope"}, 127, "/nope"},
    {"Directory", {}, {"/etc"}, 126, "permission denied"},
    {"NotExecutable", {}, {"/etc/hosts"}, 126, "permission denied"},
    {"MissingWorkdirectory", {"--workdir=/nodir"}, {"true"}, 126, "/nodir"},
    {"UnknownSysctl", {"--sysctl=net.foo=1"}, {"true"}, 127, "net/foo"},
    {"FileOverADirectory", {"--volume=/etc/passwd:/tmp"}, {"true"}, 126, "ot a directory"},
    {"MissingVolume", {"--volume=/nope:/x"}, {"true"}, 125, "no such file or directory"},
};

INSTANTIATE_TEST_SUITE_P(Run, PodmanExitCode, ::testing::ValuesIn(kEnds),
                         [](const ::testing::TestParamInfo<End>& info) { return info.param.name; });

/// A namespace that can be the host's, or that of another container.
struct Shared {
  const char* name;
  const char* option;
  const char* file;  // below /proc/PID/ns
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Shared& shared, std::ostream* out) { *out << shared.name; }

class PodmanNamespace : public Podman, public ::testing::WithParamInterface<Shared> {
 protected:
  [[nodiscard]] std::string seen_with(const std::string& value) const {
    const Options options = {cat(GetParam().option, "=", value)};
    return stripped(run(options, {"readlink", cat("/proc/self/ns/", GetParam().file)}).out);
  }
  [[nodiscard]] static std::string of(const std::string& process) {
    const Result<std::string> link =
        sys::readlinkat(-1, cat("/proc/", process, "/ns/", GetParam().file));
    return link ? link.value() : link.error().message();
  }
};

TEST_P(PodmanNamespace, IsTheHosts) { EXPECT_EQ(seen_with("host"), of("self")); }

TEST_P(PodmanNamespace, IsThatOfAnotherContainer) {
  start({"--ipc=shareable"});
  EXPECT_EQ(seen_with("container:" + name()), of(std::to_string(pid())));
  EXPECT_NE(seen_with("private"), of(std::to_string(pid())));
  remove();
}

const Shared kShared[] = {{"Ipc", "--ipc", "ipc"},
                          {"Pid", "--pid", "pid"},
                          {"Uts", "--uts", "uts"},
                          {"Network", "--network", "net"},
                          {"Cgroup", "--cgroupns", "cgroup"}};

INSTANTIATE_TEST_SUITE_P(Run, PodmanNamespace, ::testing::ValuesIn(kShared),
                         [](const ::testing::TestParamInfo<Shared>& info) {
                           return info.param.name;
                         });

using PodmanRun = Podman;

TEST_F(PodmanRun, GivesTheContainerItsInput) {
  Call call;
  call.input = "typed\n";
  const Outcome outcome =
      podman({"run", "--rm", "--network=none", "--interactive", "bb", "cat"}, std::move(call));
  EXPECT_EQ(outcome.out, "typed\n") << outcome.err;
}

TEST_F(PodmanRun, KeepsOutputAndErrorsApart) {
  const Outcome outcome = run_shell({}, "echo out; echo err >&2");
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST_F(PodmanRun, ShowsAllOfALongOutput) {
  EXPECT_EQ(run_shell({}, "seq 1 20000").out.size(), 108894U);
}

TEST_F(PodmanRun, HasNoTraceOfTheRuntimeInTheOutput) {
  const Outcome outcome = run({"--user=33", "--cap-add=net_raw"}, {"true"});
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(PodmanRun, GivesADeviceWithItsRights) {
  if (::access("/dev/fuse", R_OK) != 0) GTEST_SKIP() << "there is no /dev/fuse";
  const Outcome outcome = run_shell({"--device=/dev/fuse:/dev/mine:r"},
                                    "stat -c %t:%T /dev/mine; : </dev/mine && echo read; "
                                    "sh -c ': >/dev/mine' 2>/dev/null || echo refused");
  EXPECT_EQ(outcome.out, "a:e5\nread\nrefused\n") << outcome.err;
}

TEST_F(PodmanRun, PrivilegedHasAllThatPodmanHas) {
  const Outcome outcome = run_shell(
      {"--privileged"},
      "grep CapBnd /proc/self/status; test -c /dev/net/tun && : </dev/net/tun && echo opened; "
      "echo container >/proc/sys/kernel/hostname && hostname; test -w /sys/kernel && echo "
      "writable");
  const std::string status = read("/proc/self/status");
  const size_t begin = status.find("CapBnd");
  const std::string line = status.substr(begin, status.find('\n', begin) - begin);
  EXPECT_EQ(outcome.out, line + "\nopened\ncontainer\nwritable\n") << outcome.err;
}

TEST_F(PodmanRun, AppliesASeccompProfile) {
  const std::string profile = file("profile.json", R"({"defaultAction": "SCMP_ACT_ALLOW",
      "architectures": ["SCMP_ARCH_X86_64"],
      "syscalls": [{"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO",
                    "errnoRet": 28}]})");
  const Outcome outcome =
      run_shell({"--security-opt=seccomp=" + profile}, "mkdir /x 2>&1; touch /y && echo made");
  EXPECT_EQ(outcome.out, "mkdir: can't create directory '/x': No space left on device\nmade\n");
}

TEST_F(PodmanRun, MapsIdsByItself) {
  for (const char* list : {"/etc/subuid", "/etc/subgid"}) {
    const UniqueFd ids = sys::open(list, O_WRONLY | O_APPEND | O_CREAT, 0644).value();
    ASSERT_TRUE(sys::write_all(ids.get(), "containers:2000000:200000\n").ok());
  }
  const Outcome map = run_shell({"--userns=auto:size=1000"}, "tr -s ' ' </proc/self/uid_map");
  EXPECT_EQ(map.out, " 0 2000000 1000\n") << map.err;
}

TEST_F(PodmanRun, TakesARuntimeByItsPath) {
  const Outcome outcome =
      podman({"--runtime", kRuntime, "run", "--rm", "--network=none", "bb", "echo", "hi"});
  EXPECT_EQ(outcome.out, "hi\n") << outcome.err;
  const Outcome missing =
      podman({"--runtime", kRuntime, "run", "--rm", "--network=none", "bb", "nope"});
  EXPECT_EQ(missing.exit_code, 127) << missing.err;
}

TEST_F(PodmanRun, ShowsTheRuntimeInItsInfo) {
  const Outcome outcome = podman({"info", "--format", "{{.Host.OCIRuntime.Version}}"});
  EXPECT_NE(outcome.out.find(" version "), std::string::npos) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace rt::testing
