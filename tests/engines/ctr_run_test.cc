// ctr run: what a user asks for reaches the container, and its exit code comes back.
#include <unistd.h>

#include <cstring>

#include "runtime/base/text.h"
#include "tests/engines/containerd.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

using CtrRun = Containerd;

struct RunCase {
  const char* name;
  std::vector<std::string> options;
  const char* script;
  const char* out;
  int exit_code = 0;
};

std::ostream& operator<<(std::ostream& stream, const RunCase& row) { return stream << row.script; }

class CtrRunOption : public Containerd, public ::testing::WithParamInterface<RunCase> {};

TEST_P(CtrRunOption, IsSeenInside) {
  const RunCase& row = GetParam();
  const Outcome outcome = run_shell(row.options, row.script);
  EXPECT_EQ(outcome.exit_code, row.exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, row.out) << outcome.err;
}

const RunCase kRunCases[] = {
    {"Nothing", {}, "echo hi", "hi\n"},
    {"ExitCode", {}, "exit 42", "", 42},
    {"EndBySignal", {}, "sh -c 'kill -KILL $$'; exit $?", "Killed\n", 137},
    {"Env", {"--env", "WHO=me"}, "echo $WHO", "me\n"},
    {"Cwd", {"--cwd", "/usr"}, "pwd", "/usr\n"},
    {"ReadOnly", {"--read-only"}, "touch /new 2>/dev/null || echo refused", "refused\n"},
    {"ReadOnlyBindMount",
     {"--mount", "type=bind,src=/etc,dst=/mnt,options=rbind:ro"},
     "test -e /mnt/passwd && ! touch /mnt/new 2>/dev/null && echo refused",
     "refused\n"},
    {"TmpfsMount",
     {"--mount", "type=tmpfs,src=tmpfs,dst=/mnt,options=nosuid:size=1m"},
     "grep -c ' /mnt tmpfs .*nosuid.*size=1024k' /proc/mounts",
     "1\n"},
    {"NoNewPrivilegesByDefault", {}, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"},
    {"AllowNewPrivileges",
     {"--allow-new-privs"},
     "grep NoNewPrivs /proc/self/status",
     "NoNewPrivs:\t0\n"},
    {"DroppedCapability",
     {"--cap-drop", "CAP_CHOWN"},
     "chown 1 /tmp 2>/dev/null || echo refused",
     "refused\n"},
    {"NoMountWithoutItsCapability",
     {},
     "mount -t tmpfs none /tmp 2>/dev/null || echo refused",
     "refused\n"},
    {"AddedCapability",
     {"--cap-add", "CAP_SYS_ADMIN"},
     "mount -t tmpfs none /tmp && echo mounted",
     "mounted\n"},
    {"Privileged",
     {"--privileged"},
     "mount -t tmpfs none /tmp && test -c /dev/fuse && echo mounted",
     "mounted\n"},
    {"DefaultSeccompProfile", {"--seccomp"}, "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"},
    {"NoSeccompByDefault", {}, "grep Seccomp: /proc/self/status", "Seccomp:\t0\n"},
    {"NoDeviceThatWasNotAskedFor",
     {},
     "mknod /tmp/fuse c 10 229 && cat /tmp/fuse 2>/dev/null || echo refused",
     "refused\n"},
    {"Device", {"--device", "/dev/fuse"}, "exec 3<>/dev/fuse && echo opened", "opened\n"},
    {"LoopbackThatIsUp", {}, "ping -c 1 -W 5 127.0.0.1 >/dev/null && echo up", "up\n"},
    {"MaskedPaths", {}, "wc -c </proc/keys", "0\n"},
    {"NoPivot", {"--no-pivot"}, "echo hi", "hi\n"},
    {"RootPropagation",
     {"--rootfs-propagation", "rshared"},
     "grep -c ' / / .* shared:' /proc/self/mountinfo",
     "1\n"},
    {"UserNamespace",
     {"--uidmap", "0:100000:65536", "--gidmap", "0:200000:65536"},
     "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; stat -c %u:%g /bin",
     " 0 100000 65536\n 0 200000 65536\n0:0\n"},
};

INSTANTIATE_TEST_SUITE_P(All, CtrRunOption, ::testing::ValuesIn(kRunCases),
                         [](const auto& about) { return std::string(about.param.name); });

struct BrokenCase {
  const char* name;
  const char* command;
  const char* message;
};

std::ostream& operator<<(std::ostream& stream, const BrokenCase& row) {
  return stream << row.command;
}

class CtrRunOfWhatCannotRun : public Containerd,
                              public ::testing::WithParamInterface<BrokenCase> {};

TEST_P(CtrRunOfWhatCannotRun, SaysWhy) {
  const BrokenCase& row = GetParam();
  const Outcome outcome = run({}, {row.command});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("OCI runtime create failed: "), std::string::npos) << outcome.err;
  EXPECT_NE(::strcasestr(outcome.err.c_str(), row.message), nullptr) << outcome.err;
}

const BrokenCase kBrokenCases[] = {
    {"NotInPath", "nope", "not found in $PATH"},
    {"Directory", "/etc", "permission denied"},
    {"MissingFile", "/nope", "no such file or directory"},
    {"NotExecutable", "/proc/version", "permission denied"},
};

INSTANTIATE_TEST_SUITE_P(All, CtrRunOfWhatCannotRun, ::testing::ValuesIn(kBrokenCases),
                         [](const auto& about) { return std::string(about.param.name); });

/// `ctr run` of a container that lives until it is killed: what it says is seen meanwhile.
class CtrRunInForeground : public Containerd {
 protected:
  [[nodiscard]] Program foreground(const std::string& script, const std::string& input = "") const {
    Call call;
    call.input = input;
    call.args = {"run", "--rm", "--runc-binary",        tested_runtime(), kImage, name(),
                 "sh",  "-c",   script + "; sleep 1000"};
    return {find_program("ctr"), call};
  }

  void end(Program program) const {
    EXPECT_TRUE(succeeds(task("kill", {"--signal", "KILL"})));
    EXPECT_EQ(program.wait().exit_code, 137);
  }
};

TEST_F(CtrRunInForeground, HandsItsInputOver) {
  Program program = foreground("read line; echo got $line", "something\n");
  EXPECT_TRUE(eventually([&] { return program.out() == "got something\n"; })) << program.err();
  end(std::move(program));
}

TEST_F(CtrRunInForeground, KeepsTheTwoOutputsApart) {
  Program program = foreground("echo one; echo two >&2");
  EXPECT_TRUE(eventually([&] { return program.out() == "one\n" && program.err() == "two\n"; }));
  end(std::move(program));
}

TEST_F(CtrRunInForeground, HasATerminal) {
  Call call;
  call.args = {"--quiet", "--return", "--command",
               cat("ctr run --rm --tty --runc-binary ", tested_runtime(), ' ', kImage, ' ', name(),
                   " sh -c 'tty; test -t 2 && echo all; sleep 1000'"),
               "/dev/null"};
  Program program(find_program("script"), call);
  EXPECT_TRUE(eventually([&] {
    return program.out().find("/dev/pts/0\r") != std::string::npos &&
           program.out().find("all\r") != std::string::npos;
  })) << program.out();
  end(std::move(program));
}

TEST_F(CtrRun, KeepsTheLimitsOfTheCgroup) {
  start({"--memory-limit", "33554432", "--cpu-quota", "50000", "--cpu-period", "100000"});
  EXPECT_EQ(cgroup_value(pid(), "memory", "memory.limit_in_bytes", "memory.max"), "33554432");
  const bool v2 = is_unified("cpu");
  EXPECT_EQ(cgroup_value(pid(), "cpu", "cpu.cfs_quota_us", "cpu.max"),
            v2 ? "50000 100000" : "50000");
  remove();
}

TEST_F(CtrRun, SharesTheProcessors) {
  start({"--cpus", "0.5", "--cpu-shares", "512"});
  const bool v2 = is_unified("cpu");
  EXPECT_EQ(cgroup_value(pid(), "cpu", "cpu.cfs_quota_us", "cpu.max"),
            v2 ? "50000 100000" : "50000");
  EXPECT_PRED2(has_line, cgroup_value(pid(), "cpu", "cpu.shares", "cpu.weight"),
               v2 ? kWeightOf512Shares : "512");
  remove();
}

TEST_F(CtrRun, PutsItIntoTheCgroupThatWasNamed) {
  const bool scope = cgroup_driver() == "systemd";
  start({"--cgroup", cat(scope ? "parent.slice:of-tests:" : "/parent/of-tests-", name())});
  const std::string cgroups = text_of(cat("/proc/", pid(), "/cgroup"));
  const std::string wanted = scope ? cat(":/parent.slice/of-tests-", name(), ".scope\n")
                                   : cat(":/parent/of-tests-", name(), '\n');
  EXPECT_NE(cgroups.find(wanted), std::string::npos) << cgroups;
  remove();
}

TEST_F(CtrRun, StaysInTheNetworkOfTheHost) {
  start({"--net-host"});
  EXPECT_EQ(namespace_of(pid(), "net"), namespace_of(::getpid(), "net"));
  remove();
}

TEST_F(CtrRun, WritesThePidFile) {
  const std::string file = cat("/tmp/", name(), ".pid");
  start({"--pid-file", file});
  EXPECT_EQ(text_of(file), std::to_string(pid()));
  remove();
}

TEST_F(CtrRun, JoinsTheNamespacesOfAnother) {
  start();
  const std::string namespaces = cat("/proc/", pid(), "/ns/");
  const std::string second = name() + "-second";
  ASSERT_TRUE(
      succeeds(ctr({"run", "--detach", "--runc-binary", tested_runtime(), "--with-ns",
                    cat("ipc:", namespaces, "ipc"), "--with-ns", cat("uts:", namespaces, "uts"),
                    "--with-ns", cat("pid:", namespaces, "pid"), "--with-ns",
                    cat("network:", namespaces, "net"), kImage, second, "sleep", "1000"})));
  for (const char* kind : {"ipc", "uts", "pid", "net"}) {
    EXPECT_EQ(namespace_of(pid(second), kind), namespace_of(pid(), kind));
  }
  EXPECT_NE(namespace_of(pid(second), "mnt"), namespace_of(pid(), "mnt"));
  remove(second);
  remove();
}

TEST_F(CtrRun, TakesADirectoryAsRoot) {
  const std::string root = cat("/srv/", name());
  make_busybox_root(root);
  // Such a container has no environment: nothing but a whole path finds its command.
  const Outcome outcome =
      ctr({"run", "--rm", "--runc-binary", tested_runtime(), "--rootfs", root, name(), "/bin/env"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find("PATH="), std::string::npos) << outcome.out;
}

TEST_F(CtrRun, FollowsASeccompProfileOfTheUser) {
  const std::string profile = cat("/tmp/", name(), ".json");
  write_text_file(profile, R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]})");
  const Outcome outcome =
      run_shell({"--seccomp", "--seccomp-profile", profile}, "mkdir /tmp/x 2>&1 || touch /tmp/y");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "mkdir: can't create directory '/tmp/x': Permission denied\n");
}

}  // namespace
}  // namespace rt::testing
