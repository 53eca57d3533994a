// dockerd --userns-remap: containers in user namespaces, and those that ask to be in none.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

constexpr uid_t kFirst = 300000;

/// Ids 0 to 65535 of the containers are those of the host from kFirst on.
class DockerUserns : public DockerScript {
 protected:
  DockerUserns() : DockerScript({"--userns-remap=mapped"}) {}
  void SetUp() override {
    if (::geteuid() == 0 && ::access("/etc/subuid.mapped", F_OK) != 0) {
      std::ofstream("/etc/passwd", std::ios::app) << "mapped:x:4300:4300::/:/usr/sbin/nologin\n";
      std::ofstream("/etc/group", std::ios::app) << "mapped:x:4300:\n";
      for (const char* file : {"/etc/subuid", "/etc/subgid", "/etc/subuid.mapped"}) {
        std::ofstream(file, std::ios::app) << "mapped:" << kFirst << ":65536\n";
      }
    }
    DockerScript::SetUp();
  }
};

const ScriptRow kRows[] = {
    {"RootIsRootInside", {}, "id -u; id -g", "0\n0\n"},
    {"TheMapIsTheDaemons",
     {},
     "for one in uid gid; do tr -s ' ' </proc/self/${one}_map; done",
     " 0 300000 65536\n 0 300000 65536\n"},
    {"TheImageIsRoots", {}, "stat -c '%u %g' / /bin /bin/busybox", "0 0\n0 0\n0 0\n"},
    {"KernelFilesAreNotRoots", {}, "stat -c %u /proc/sys /proc/cmdline", "65534\n65534\n"},
    {"AnotherUser",
     {"--user=1000:1000"},
     "id -u; touch /tmp/file && stat -c %u /tmp/file",
     "1000\n1000\n"},
    {"ItsDevicesWork",
     {},
     "echo x >/dev/null && head -c 2 /dev/zero | wc -c; stat -c %t:%T /dev/null",
     "2\n1:3\n"},
    {"NoDeviceIsMade",
     {},
     "mknod /tmp/null c 1 3 2>&1",
     "mknod: /tmp/null: Operation not permitted\n",
     1},
    {"ItsOutputIsReopened", {"--user=1000"}, "echo reopened >/dev/stdout", "reopened\n"},
    {"AMemoryFileSystem",
     {"--tmpfs=/memory"},
     "touch /memory/file && stat -c %u /memory/file",
     "0\n"},
    {"AVolume", {"-v=/data"}, "touch /data/file && stat -c %u /data/file", "0\n"},
    {"AReadOnlyRoot",
     {"--read-only"},
     "touch /file 2>&1",
     "touch: /file: Read-only file system\n",
     1},
    {"AddedCapabilitiesAct",
     {"--cap-add=SYS_ADMIN"},
     "mount -t tmpfs none /tmp && echo mounted",
     "mounted\n"},
    {"ASettingOfItsNetwork",
     {"--sysctl=net.ipv4.ip_forward=1"},
     "cat /proc/sys/net/ipv4/ip_forward",
     "1\n"},
    {"MasksHold",
     {},
     "touch /proc/sys/kernel/hostname 2>/dev/null || ls /sys/firmware | wc -l",
     "0\n"},
    {"ALimit",
     {"--pids-limit=50"},
     "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max "
     "2>/dev/null; exit 0",
     "50\n"},
    {"TheHostsUserNamespace",
     {"--userns=host"},
     "tr -s ' ' </proc/self/uid_map; mknod /tmp/null c 1 3 && echo made",
     " 0 0 4294967295\nmade\n"},
    {"AllPrivileges",
     {"--privileged", "--userns=host"},
     "mount -t tmpfs none /tmp && echo mounted",
     "mounted\n"},
};

TEST_P(DockerUserns, Is) { check(); }

INSTANTIATE_TEST_SUITE_P(Run, DockerUserns, ::testing::ValuesIn(kRows), kNameOfRow);

TEST_F(DockerUserns, ItsProcessesAreTheMappedUsersOnTheHost) {
  start({"--user=1000"});
  struct stat info{};
  ASSERT_EQ(::stat(cat("/proc/", pid()).c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kFirst + 1000);
  remove();
}

TEST_F(DockerUserns, WhatItWritesIsTheMappedUsersOnTheHost) {
  const std::string directory = cat("/srv/", name());
  ASSERT_EQ(::mkdir(directory.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  EXPECT_TRUE(succeeds(run({cat("-v=", directory, ":/data")}, {"touch", "/data/file"})));
  struct stat info{};
  ASSERT_EQ(::stat((directory + "/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kFirst);
  EXPECT_EQ(info.st_gid, kFirst);
}

TEST_F(DockerUserns, ExecIsInTheSameNamespace) {
  start();
  const Outcome outcome =
      exec({"sh", "-c", "id -u; tr -s ' ' </proc/self/uid_map; readlink /proc/self/ns/user"});
  EXPECT_TRUE(succeeds(outcome));
  const std::string expected = cat(
      "0\n 0 300000 65536\n", sys::readlinkat(-1, cat("/proc/", pid(), "/ns/user")).value(), '\n');
  EXPECT_EQ(outcome.out, expected);
  EXPECT_EQ(exec({"id", "-u"}, {"--user=7"}).out, "7\n");
  remove();
}

TEST_F(DockerUserns, AnotherContainersNetworkIsJoined) {
  start();
  EXPECT_TRUE(succeeds(run({cat("--network=container:", name())}, {"true"})));
  remove();
}

TEST_F(DockerUserns, AllPrivilegesAreNotForAUserNamespace) {
  const Outcome outcome = run({"--privileged"}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125);
  EXPECT_NE(outcome.err.find("incompatible with user namespaces"), std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace rt::testing
