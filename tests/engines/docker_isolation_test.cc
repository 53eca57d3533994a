// docker run: seccomp, and what of the kernel's files a container may see and write.
#include <fstream>

#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

const char* const kProfile = R"({
  "defaultAction": "SCMP_ACT_ALLOW",
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
  "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
    {"names": ["rmdir"], "action": "SCMP_ACT_ERRNO"},
    {"names": ["symlink", "symlinkat", "no_such_call"], "action": "SCMP_ACT_KILL"},
    {"names": ["kill"], "action": "SCMP_ACT_ERRNO",
     "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]},
    {"names": ["link", "linkat"], "action": "SCMP_ACT_LOG"}
  ]
})";

const ScriptRow kSeccomp[] = {
    {"AFilterByDefault", {}, "awk '/Seccomp:/ { print $2 }' /proc/self/status", "2\n"},
    {"TheDefaultFilterActs",
     {},
     "unshare --user true 2>&1",
     "unshare: unshare(0x10000000): Operation not permitted\n",
     1},
    {"Unconfined",
     {"--security-opt=seccomp=unconfined"},
     "awk '/Seccomp:/ { print $2 }' /proc/self/status; unshare --user true && echo unshared",
     "0\nunshared\n"},
    {"ADeniedCallFailsWithTheProfilesErrno",
     {"--security-opt=seccomp=/tmp/profile.json"},
     "mkdir /made 2>&1",
     "mkdir: can't create directory '/made': No space left on device\n",
     1},
    {"ADeniedCallFailsWithEpermByDefault",
     {"--security-opt=seccomp=/tmp/profile.json"},
     "rmdir /tmp 2>&1",
     "rmdir: '/tmp': Operation not permitted\n",
     1},
    {"AKillingCallEndsTheProcess",
     {"--security-opt=seccomp=/tmp/profile.json"},
     "exec ln -s a /link",
     "",
     159},
    {"AnAllowedCallWorks",
     {"--security-opt=seccomp=/tmp/profile.json"},
     "touch /made && ln /made /other && ls /other",
     "/other\n"},
    {"AnArgumentDecides",
     {"--security-opt=seccomp=/tmp/profile.json"},
     "kill -USR1 $$ 2>/dev/null || echo denied; kill -0 $$ && echo allowed",
     "denied\nallowed\n"},
};

class DockerSeccomp : public DockerScript {};
TEST_P(DockerSeccomp, Is) {
  std::ofstream("/tmp/profile.json") << kProfile;
  check();
}
INSTANTIATE_TEST_SUITE_P(Run, DockerSeccomp, ::testing::ValuesIn(kSeccomp), kNameOfRow);

const ScriptRow kSecurity[] = {
    {"NoNewPrivileges",
     {"--security-opt=no-new-privileges"},
     "awk '/NoNewPrivs/ { print $2 }' /proc/self/status",
     "1\n"},
    {"NewPrivilegesByDefault", {}, "awk '/NoNewPrivs/ { print $2 }' /proc/self/status", "0\n"},
    {"AppArmorDoesNotConfine", {}, "cat /proc/self/attr/current 2>/dev/null | grep docker", "", 1},
    {"AReadOnlyRootIsNotWritten",
     {"--read-only"},
     "touch /new 2>&1",
     "touch: /new: Read-only file system\n",
     1},
    {"AReadOnlyRootHasWritableVolumesAndMemory",
     {"--read-only", "--tmpfs=/tmp", "--volume=/data"},
     "touch /tmp/a /data/b /dev/shm/c && ls /tmp /data /dev/shm | grep -v :",
     "b\n\nc\n\na\n"},
    {"KernelSettingsAreReadOnly",
     {},
     "echo x 2>&1 >/proc/sys/kernel/hostname",
     "sh: can't create /proc/sys/kernel/hostname: Read-only file system\n",
     1},
    {"KernelTriggersAreReadOnly",
     {},
     "for one in bus fs irq sysrq-trigger; do\n"
     "  [ ! -e /proc/$one ] || grep -q \" /proc/$one proc ro,\" /proc/mounts || echo $one\n"
     "done",
     ""},
    {"SysfsAndCgroupsAreReadOnly",
     {},
     "mkdir /sys/kernel/x 2>&1 | grep -c Read-only; grep -c '^cgroup.* rw,' /proc/mounts; exit 0",
     "1\n0\n"},
    {"KernelMemoryIsMasked",
     {},
     "for one in kcore keys latency_stats timer_list sched_debug; do\n"
     "  [ ! -e /proc/$one ] || [ \"$(stat -c %t:%T /proc/$one)\" = 1:3 ] || echo $one\n"
     "done; ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v :",
     "\n"},
    {"UnconfinedPathsAreNeitherMaskedNorReadOnly",
     {"--security-opt=systempaths=unconfined"},
     "echo new >/proc/sys/kernel/hostname && hostname\n"
     "stat -c %F /proc/timer_list; ls /sys/firmware | grep -q . && echo firmware",
     "new\nregular empty file\nfirmware\n"},
    {"ASettingOfItsNetwork",
     {"--sysctl=net.ipv4.ip_forward=1", "--sysctl=net.core.somaxconn=99"},
     "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn",
     "1\n99\n"},
    {"ASettingOfItsMessages",
     {"--sysctl=kernel.msgmax=4000", "--sysctl=fs.mqueue.queues_max=7"},
     "cat /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/queues_max",
     "4000\n7\n"},
    {"ASettingThatDoesNotExist", {"--sysctl=net.no.such=1"}, "true", "", 127},
};

using DockerSecurity = DockerScript;
TEST_P(DockerSecurity, Is) { check(); }
INSTANTIATE_TEST_SUITE_P(Run, DockerSecurity, ::testing::ValuesIn(kSecurity), kNameOfRow);

}  // namespace
}  // namespace rt::testing
