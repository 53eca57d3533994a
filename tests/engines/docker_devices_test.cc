// docker run: devices, capabilities, and containers with all privileges.
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

// What may be done with /dev/fuse. Every container may make its node, which is of no use to it.
constexpr const char* kUseFuse =
    "[ -e /dev/fuse ] || mknod /dev/fuse c 10 229\n"
    "(exec 3</dev/fuse) && echo read\n"
    "(exec 3>>/dev/fuse) && echo write\n"
    "mknod /tmp/node c 10 229 && echo make\n"
    "exit 0";

const ScriptRow kDevices[] = {
    {"ADeviceMayBeReadWrittenAndMade", {"--device=/dev/fuse"}, kUseFuse, "read\nwrite\nmake\n"},
    {"AReadOnlyDeviceIsRead", {"--device=/dev/fuse:/dev/fuse:r"}, kUseFuse, "read\nmake\n"},
    {"AWriteOnlyDeviceIsWritten", {"--device=/dev/fuse:/dev/fuse:w"}, kUseFuse, "write\nmake\n"},
    {"ADeviceToBeMadeIsNotOpened", {"--device=/dev/fuse:/dev/fuse:m"}, kUseFuse, "make\n"},
    {"ARuleAllowsReading", {"--device-cgroup-rule=c 10:229 r"}, kUseFuse, "read\nmake\n"},
    {"ARuleForAllMinorNumbers",
     {"--device-cgroup-rule=c 10:* rwm"},
     kUseFuse,
     "read\nwrite\nmake\n"},
    {"WithoutARuleItIsNotOpened", {}, kUseFuse, "make\n"},
    {"ADeviceHasItsNameInTheContainer",
     {"--device=/dev/zero:/dev/other"},
     "head -c 3 /dev/other | wc -c; stat -c %t:%T /dev/other",
     "3\n1:5\n"},
    {"TheDevicesOfADirectory",
     {"--device=/dev/net:/dev/net"},
     "stat -c %t:%T /dev/net/tun; exec 3<>/dev/net/tun",
     "a:c8\n"},
    {"DefaultDevicesWork",
     {},
     "for one in null zero full random urandom tty ptmx; do stat -L -c '%t:%T %a' /dev/$one; done\n"
     "echo lost >/dev/null; head -c 2 /dev/zero /dev/random /dev/urandom -q | wc -c\n"
     "(echo x >/dev/full) 2>/dev/null || echo full\n"
     "for one in fd stdin stdout stderr; do readlink /dev/$one; done",
     "1:3 666\n1:5 666\n1:7 666\n1:8 666\n1:9 666\n5:0 666\n5:2 666\n6\nfull\n"
     "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"},
    {"ADiskMayBeMadeButNotOpened",
     {},
     "mknod /tmp/disk b 7 0 && echo made; dd if=/tmp/disk of=/dev/null count=1 2>&1",
     "made\ndd: can't open '/tmp/disk': Operation not permitted\n",
     1},
    {"WithoutItsCapabilityNoDeviceIsMade",
     {"--cap-drop=MKNOD"},
     "mknod /tmp/null c 1 3 2>&1",
     "mknod: /tmp/null: Operation not permitted\n",
     1},
};

using DockerDevices = DockerScript;
TEST_P(DockerDevices, Are) {
  for (const char* needed : {"/dev/fuse", "/dev/net/tun"}) {
    if (::access(needed, F_OK) != 0) GTEST_SKIP() << "no " << needed;
  }
  check();
}
INSTANTIATE_TEST_SUITE_P(Run, DockerDevices, ::testing::ValuesIn(kDevices), kNameOfRow);

constexpr const char* kEffective = "awk '/CapEff/ { print $2 }' /proc/self/status";
constexpr const char* kBounding = "awk '/CapBnd/ { print $2 }' /proc/self/status";

const ScriptRow kCapabilities[] = {
    {"DockersOwn", {}, kEffective, "00000000a80425fb\n"},
    {"DockersOwnBound", {}, kBounding, "00000000a80425fb\n"},
    {"OneMore", {"--cap-add=NET_ADMIN"}, kEffective, "00000000a80435fb\n"},
    {"OneMoreByItsLongName", {"--cap-add=CAP_SYS_PTRACE"}, kEffective, "00000000a80c25fb\n"},
    {"OneLess", {"--cap-drop=NET_RAW"}, kEffective, "00000000a80405fb\n"},
    {"None", {"--cap-drop=ALL"}, kEffective, "0000000000000000\n"},
    {"OneAlone", {"--cap-drop=ALL", "--cap-add=CHOWN"}, kEffective, "0000000000000001\n"},
    {"AUserHasNone", {"--user=1000"}, kEffective, "0000000000000000\n"},
    {"AUserIsBoundAsRootIs", {"--user=1000"}, kBounding, "00000000a80425fb\n"},
    {"NoneActs", {"--cap-drop=ALL"}, "chown 1 /bin/busybox", "", 1},
    {"OneAloneActs", {"--cap-drop=ALL", "--cap-add=CHOWN"}, "chown 1 /etc && echo done", "done\n"},
    {"OneMoreActs",
     {"--cap-add=SYS_ADMIN"},
     "mount -t tmpfs none /tmp && echo mounted",
     "mounted\n"},
};

using DockerCapabilities = DockerScript;
TEST_P(DockerCapabilities, Are) { check(); }
INSTANTIATE_TEST_SUITE_P(Run, DockerCapabilities, ::testing::ValuesIn(kCapabilities), kNameOfRow);

/// The capabilities in a line of /proc/PID/status.
uint64_t capabilities(const std::string& status, const std::string& name) {
  const size_t at = status.find(name + ":\t");
  return at == std::string::npos ? 0
                                 : std::stoull(status.substr(at + name.size() + 2), nullptr, 16);
}

/// Docker 20.10 knows the capabilities up to 37; newer ones are none that a test needs.
constexpr uint64_t kKnown = (uint64_t{1} << 38) - 1;

class DockerPowers : public Docker {
 protected:
  static uint64_t ours() {
    return kKnown & capabilities(sys::read_file("/proc/self/status", 65536).value(), "CapBnd");
  }
};

TEST_F(DockerPowers, AllCapabilitiesAreThoseOfTheMachine) {
  const Outcome outcome = run({"--cap-add=ALL"}, {"cat", "/proc/self/status"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(capabilities(outcome.out, "CapEff") & kKnown, ours());
}

TEST_F(DockerPowers, APrivilegedContainerHasAllOfThemAndNoFilter) {
  const Outcome outcome = run({"--privileged"}, {"cat", "/proc/self/status"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(capabilities(outcome.out, "CapEff") & kKnown, ours());
  EXPECT_NE(outcome.out.find("\nSeccomp:\t0\n"), std::string::npos) << outcome.out;
}

TEST_F(DockerPowers, APrivilegedContainerHasTheHostsDevicesAndMayWriteKernelSettings) {
  const Outcome outcome = run_shell(
      {"--privileged"},
      "stat -c %t:%T /dev/loop-control && dd if=/dev/loop0 of=/dev/null count=0 && "
      "echo 7 >/proc/sys/kernel/msgmni && cat /proc/sys/kernel/msgmni && "
      "mount -t tmpfs none /tmp && grep -q \" /sys/fs/cgroup.* rw,\" /proc/mounts && echo made");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "a:ed\n7\nmade\n");
}

}  // namespace
}  // namespace rt::testing
