// The rules of config.json's "linux" section.
#include "spec/validate.h"
#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using testing::expect_rejected;
using testing::in_linux;
using testing::Rejection;
using testing::Rejects;

constexpr const char* kUser = "\"namespaces\": [{\"type\": \"user\"}],\n";
constexpr const char* kGids =
    "\"gidMappings\": [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}],\n";

/// uidMappings on line 6 of a document where all else about the user namespace is right.
std::string with_uids(std::string_view mappings) {
  return in_linux(rt::cat(kUser, kGids, "\"uidMappings\": ", mappings));
}

std::string with_namespace(std::string_view type, std::string_view fragment) {
  return in_linux(rt::cat("\"namespaces\": [{\"type\": \"", type, "\"}],\n", fragment));
}

std::string many_mappings(size_t count) {
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) {
    out += rt::cat(i == 0 ? "" : ",", "{\"containerID\":", i, ",\"hostID\":", i, ",\"size\":1}");
  }
  return out + "]";
}

using LinuxRules = Rejects;
TEST_P(LinuxRules, AreKept) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Namespaces, LinuxRules,
    ::testing::Values(
        Rejection{"UnknownType", in_linux(R"("namespaces": [{"type": "net"}])"),
                  "/linux/namespaces/0/type", 4, "unknown namespace type \"net\""},
        Rejection{"WithoutType", in_linux(R"("namespaces": [{"path": "/proc/1/ns/net"}])"),
                  "/linux/namespaces/0", 4, "missing \"type\""},
        Rejection{"Twice", in_linux(R"("namespaces": [{"type": "pid"},
            {"type": "pid", "path": "/proc/1/ns/pid"}])"),
                  "/linux/namespaces/1/type", 5, "the namespace pid is there twice"},
        Rejection{"RelativePath", in_linux(R"("namespaces": [{"type": "pid", "path": "ns/pid"}])"),
                  "/linux/namespaces/0/path", 4, "expected an absolute path, found \"ns/pid\""},
        Rejection{"MappingWithoutNamespace",
                  in_linux(R"("uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}])"),
                  "/linux/uidMappings", 4, "needs a namespace of type \"user\""},
        Rejection{"NamespaceWithoutMapping",
                  in_linux(rt::cat(kGids, R"("namespaces": [{"type": "user"}])")),
                  "/linux/uidMappings", 3, "a new user namespace needs it"},
        Rejection{"MapsNothing", with_uids(R"([{"containerID": 0, "hostID": 0, "size": 0}])"),
                  "/linux/uidMappings/0/size", 6, "maps no id"},
        Rejection{"MapsTooFar",
                  with_uids(R"([{"containerID": 1, "hostID": 0, "size": 4294967295}])"),
                  "/linux/uidMappings/0", 6, "the range goes beyond the last id"},
        Rejection{"MapsTooFarOnTheHost",
                  with_uids(R"([{"containerID": 0, "hostID": 4294967295, "size": 1}])"),
                  "/linux/uidMappings/0", 6, "the range goes beyond the last id"},
        Rejection{"OverlapInTheContainer",
                  with_uids(R"([{"containerID": 0, "hostID": 0, "size": 10},
            {"containerID": 9, "hostID": 100, "size": 1}])"),
                  "/linux/uidMappings/1/containerID", 7, "the range overlaps"},
        Rejection{"OverlapOnTheHost", with_uids(R"([{"containerID": 0, "hostID": 5, "size": 10},
            {"containerID": 10, "hostID": 0, "size": 6}])"),
                  "/linux/uidMappings/1/hostID", 7, "the range overlaps"},
        Rejection{"TooManyMappings", with_uids(many_mappings(341)), "/linux/uidMappings", 6,
                  "more than 340 entries: 341"},
        Rejection{"MappingWithoutSize", with_uids(R"([{"containerID": 0, "hostID": 0}])"),
                  "/linux/uidMappings/0", 6, "missing \"size\""},
        Rejection{"ClockWithoutNamespace", in_linux(R"("timeOffsets": {"monotonic": {"secs": 1}})"),
                  "/linux/timeOffsets", 4, "needs a namespace of type \"time\""},
        Rejection{"ClockOfJoinedNamespace",
                  in_linux(R"("namespaces": [{"type": "time", "path": "/proc/1/ns/time"}],
            "timeOffsets": {"boottime": {"secs": 1}})"),
                  "/linux/timeOffsets", 5, "the clocks of a time namespace that is joined"},
        Rejection{"UnknownClock", with_namespace("time", R"("timeOffsets": {"realtime": {}})"),
                  "/linux/timeOffsets/realtime", 5, "unknown clock \"realtime\""},
        Rejection{
            "Nanoseconds",
            with_namespace("time", R"("timeOffsets": {"boottime": {"nanosecs": 1000000000}})"),
            "/linux/timeOffsets/boottime/nanosecs", 5, "expected less than a second"}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    Devices, LinuxRules,
    ::testing::Values(
        Rejection{"Type",
                  in_linux(R"("devices": [{"type": "x", "path": "/d", "major": 1, "minor": 1}])"),
                  "/linux/devices/0/type", 4, "unknown device type \"x\""},
        Rejection{"RelativePath",
                  in_linux(R"("devices": [{"type": "c", "path": "d", "major": 1, "minor": 1}])"),
                  "/linux/devices/0/path", 4, "expected an absolute path, found \"d\""},
        Rejection{"NoMajor", in_linux(R"("devices": [{"type": "c", "path": "/d", "minor": 1}])"),
                  "/linux/devices/0", 4, "missing \"major\""},
        Rejection{"NoMinor", in_linux(R"("devices": [{"type": "b", "path": "/d", "major": 1}])"),
                  "/linux/devices/0", 4, "missing \"minor\""},
        Rejection{"Major", in_linux(R"("devices": [{"type": "u", "path": "/d", "major": 4096,
            "minor": 1}])"),
                  "/linux/devices/0/major", 4, "expected 0 to 4095, found 4096"},
        Rejection{"Minor", in_linux(R"("devices": [{"type": "c", "path": "/d", "major": 1,
            "minor": -1}])"),
                  "/linux/devices/0/minor", 5, "expected 0 to 1048575, found -1"},
        Rejection{"Twice", in_linux(R"("devices": [{"type": "p", "path": "/d"},
            {"type": "p", "path": "/d"}])"),
                  "/linux/devices/1/path", 5, "the device \"/d\" is there twice"},
        Rejection{"Mode",
                  in_linux(R"("devices": [{"type": "p", "path": "/d", "fileMode": 65536}])"),
                  "/linux/devices/0/fileMode", 4, "not a file mode: 65536"},
        Rejection{"Owner",
                  in_linux(R"("devices": [{"type": "p", "path": "/d", "uid": 4294967295}])"),
                  "/linux/devices/0/uid", 4, "4294967295 is no id"},
        Rejection{"NetDeviceOnTheHost", in_linux(R"("netDevices": {"eth0": {}})"),
                  "/linux/netDevices", 4, "needs a namespace of type \"network\""},
        Rejection{"NetDeviceHostName", with_namespace("network", R"("netDevices": {"a/b": {}})"),
                  "/linux/netDevices/a~1b", 5, "not a network device's name: \"a/b\""},
        Rejection{"NetDeviceName",
                  with_namespace("network", R"("netDevices": {"a": {"name": "0123456789abcdef"}})"),
                  "/linux/netDevices/a/name", 5, "not a network device's name"},
        Rejection{"NetDeviceNameWithASpace",
                  with_namespace("network", R"("netDevices": {"a": {"name": "e 0"}})"),
                  "/linux/netDevices/a/name", 5, "not a network device's name: \"e 0\""},
        Rejection{"NetDeviceNameOfDots",
                  with_namespace("network", R"("netDevices": {"a": {"name": ".."}})"),
                  "/linux/netDevices/a/name", 5, "not a network device's name: \"..\""},
        Rejection{"NetDeviceTemplateInTheMiddle",
                  with_namespace("network", R"("netDevices": {"a": {"name": "e%d0"}})"),
                  "/linux/netDevices/a/name", 5, "% is only for %d at the end"},
        Rejection{"NetDeviceTemplate",
                  with_namespace("network", R"("netDevices": {"a": {"name": "e%s"}})"),
                  "/linux/netDevices/a/name", 5, "% is only for %d at the end"},
        Rejection{"NetDevicesOfOneName",
                  with_namespace("network", R"("netDevices": {"a": {"name": "b"}, "b": {}})"),
                  "/linux/netDevices/b", 5, "two devices get the name \"b\""}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    Words, LinuxRules,
    ::testing::Values(
        Rejection{"Propagation", in_linux(R"("rootfsPropagation": "share")"),
                  "/linux/rootfsPropagation", 4,
                  "unknown propagation \"share\"; did you mean \"shared\"?"},
        Rejection{"MaskedPath", in_linux(R"("maskedPaths": ["/proc/acpi", "proc/kcore"])"),
                  "/linux/maskedPaths/1", 4, "expected an absolute path, found \"proc/kcore\""},
        Rejection{"ReadonlyPath", in_linux(R"("readonlyPaths": [""])"), "/linux/readonlyPaths/0", 4,
                  "expected an absolute path, found \"\""},
        Rejection{"CgroupsPath", in_linux(R"("cgroupsPath": "/a/../../b")"), "/linux/cgroupsPath",
                  4, "\"..\" in the path"},
        Rejection{"MountLabel", in_linux(R"("mountLabel": "a\",suid=\"")"), "/linux/mountLabel", 4,
                  "not an SELinux context"},
        Rejection{"RdtClass", in_linux(R"("intelRdt": {"closID": "../x"})"),
                  "/linux/intelRdt/closID", 4, "not the name of a class: \"../x\""},
        Rejection{"RdtClassOfResctrl", in_linux(R"("intelRdt": {"closID": "mon_groups"})"),
                  "/linux/intelRdt/closID", 4, "not the name of a class: \"mon_groups\""},
        Rejection{"RdtEmptyLine", in_linux(R"("intelRdt": {"schemata": [""]})"),
                  "/linux/intelRdt/schemata/0", 4, "an empty line"},
        Rejection{"RdtCache", in_linux(R"("intelRdt": {"l3CacheSchema": "L2:0=f"})"),
                  "/linux/intelRdt/l3CacheSchema", 4,
                  "should be one line that starts with L3:", Severity::kWarning},
        Rejection{"RdtCacheOfTwoLines",
                  in_linux(R"("intelRdt": {"l3CacheSchema": "L3:0=f\nL3:1=f"})"),
                  "/linux/intelRdt/l3CacheSchema", 4,
                  "should be one line that starts with L3:", Severity::kWarning},
        Rejection{"RdtBandwidthOfAnotherKind", in_linux(R"("intelRdt": {"memBwSchema": "L3:0=f"})"),
                  "/linux/intelRdt/memBwSchema", 4, "must be one line that starts with MB:"},
        Rejection{"RdtBandwidth", in_linux(R"("intelRdt": {"memBwSchema": "MB:0=1\nL3:0=f"})"),
                  "/linux/intelRdt/memBwSchema", 4, "must be one line that starts with MB:"},
        Rejection{"RdtSchemata", in_linux(R"("intelRdt": {"schemata": ["L3:0=f", "L3:0=f\n"]})"),
                  "/linux/intelRdt/schemata/1", 4, "more than one line"},
        Rejection{"RdtOldMember", in_linux(R"("intelRdt": {"enableCMT": true})"),
                  "/linux/intelRdt/enableCMT", 4, "unknown member \"enableCMT\" is ignored",
                  Severity::kWarning}),
    testing::name_of);

std::string with_sysctl(std::string_view namespaces, std::string_view entry) {
  return in_linux(rt::cat("\"namespaces\": [", namespaces, "],\n\"sysctl\": {\n", entry, "\n}"));
}
constexpr const char* kIpc = "{\"type\": \"ipc\"}";
constexpr const char* kUts = "{\"type\": \"uts\"}";
constexpr const char* kNet = "{\"type\": \"network\"}";

INSTANTIATE_TEST_SUITE_P(
    Sysctl, LinuxRules,
    ::testing::Values(
        Rejection{"OfTheHost", with_sysctl(kNet, R"("kernel.core_pattern": "x")"),
                  "/linux/sysctl/kernel.core_pattern", 6, "kernel.core_pattern belongs to no"},
        Rejection{"WithoutNetwork", with_sysctl(kIpc, R"("net.core.somaxconn": "1")"),
                  "/linux/sysctl/net.core.somaxconn", 6,
                  "net.core.somaxconn needs a namespace of type \"network\""},
        Rejection{"WithoutIpc", with_sysctl(kNet, R"("kernel.shmmax": "1")"),
                  "/linux/sysctl/kernel.shmmax", 6,
                  "kernel.shmmax needs a namespace of type \"ipc\""},
        Rejection{"WithoutIpcForQueues", with_sysctl(kNet, R"("fs.mqueue.msg_max": "1")"),
                  "/linux/sysctl/fs.mqueue.msg_max", 6, "fs.mqueue.msg_max needs a namespace"},
        Rejection{"WithoutUser", with_sysctl(kNet, R"("user.max_pid_namespaces": "1")"),
                  "/linux/sysctl/user.max_pid_namespaces", 6,
                  "user.max_pid_namespaces needs a namespace of type \"user\""},
        Rejection{"WithoutUts", with_sysctl(kNet, R"("kernel.domainname": "x")"),
                  "/linux/sysctl/kernel.domainname", 6, "kernel.domainname needs a namespace"},
        Rejection{"Hostname", with_sysctl(kUts, R"("kernel.hostname": "x")"),
                  "/linux/sysctl/kernel.hostname", 6, "the host name is set by the property"},
        Rejection{"Climbing", with_sysctl(kNet, R"("net/../kernel/core_pattern": "x")"),
                  "/linux/sysctl/net~1..~1kernel~1core_pattern", 6, "not the name of a kernel"},
        Rejection{"ClimbingInDots", with_sysctl(kNet, R"("net.//.kernel": "x")"),
                  "/linux/sysctl/net.~1~1.kernel", 6, "not the name of a kernel"},
        Rejection{"EmptyPart", with_sysctl(kNet, R"("net..core": "x")"), "/linux/sysctl/net..core",
                  6, "not the name of a kernel"},
        Rejection{"Absolute", with_sysctl(kNet, R"("/net/core/somaxconn": "x")"),
                  "/linux/sysctl/~1net~1core~1somaxconn", 6, "not the name of a kernel"},
        Rejection{"OddLetter", with_sysctl(kNet, R"("net.core.x y": "x")"),
                  "/linux/sysctl/net.core.x y", 6, "not the name of a kernel"},
        Rejection{"EmptyName", with_sysctl(kNet, R"("": "x")"), "/linux/sysctl/", 6,
                  "not the name of a kernel"},
        Rejection{"LineFeed", with_sysctl(kNet, R"("net.core.somaxconn": "1\n2")"),
                  "/linux/sysctl/net.core.somaxconn", 6, "a line feed in the value"}),
    testing::name_of);

TEST(Sysctl, OfOwnNamespacesIsAccepted) {
  const std::string text = in_linux(R"("namespaces": [{"type": "network"}, {"type": "ipc"},
      {"type": "uts"}, {"type": "user"}],
      "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
      "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
      "sysctl": {"net.ipv4.ip_forward": "1", "net/ipv4/conf/eth0.5/forwarding": "1",
        "net.ipv4.conf.eth0/5.rp_filter": "0", "kernel.shm_rmid_forced": "1", "kernel.sem": "1 2",
        "fs.mqueue.queues_max": "9", "kernel.domainname": "d", "user.max_user_namespaces": "0"})");
  const Loaded loaded = load_config(text);
  EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, text, "c");
}

std::string with_seccomp(std::string_view fragment) {
  return in_linux(rt::cat("\"seccomp\": {\n", fragment, "\n}"));
}

std::string with_rule(std::string_view fragment) {
  return with_seccomp(
      rt::cat("\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\n", fragment, "\n}]"));
}

INSTANTIATE_TEST_SUITE_P(
    Seccomp, LinuxRules,
    ::testing::Values(
        Rejection{"NoDefault", with_seccomp(R"("flags": [])"), "/linux/seccomp", 4,
                  "missing \"defaultAction\""},
        Rejection{"Default", with_seccomp(R"("defaultAction": "ALLOW")"),
                  "/linux/seccomp/defaultAction", 5,
                  "unknown seccomp action \"ALLOW\"; did you mean \"SCMP_ACT_ALLOW\"?"},
        Rejection{"NotifyByDefault", with_seccomp(R"("defaultAction": "SCMP_ACT_NOTIFY",
            "listenerPath": "/s")"),
                  "/linux/seccomp/defaultAction", 5, "SCMP_ACT_NOTIFY cannot be the default"},
        Rejection{"DefaultErrno", with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW",
            "defaultErrnoRet": 1)"),
                  "/linux/seccomp/defaultErrnoRet", 6, "SCMP_ACT_ALLOW takes no errno"},
        Rejection{"LargeErrno", with_seccomp(R"("defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 4096)"),
                  "/linux/seccomp/defaultErrnoRet", 6, "expected 0 to 4095, found 4096"},
        Rejection{"Architecture", with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_46"])"),
                  "/linux/seccomp/architectures/0", 6,
                  "unknown seccomp architecture \"SCMP_ARCH_X86_46\""},
        Rejection{"Flag", with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW", "flags": ["LOG"])"),
                  "/linux/seccomp/flags/0", 5, "unknown seccomp flag \"LOG\""},
        Rejection{"Metadata", with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW",
            "listenerMetadata": "x")"),
                  "/linux/seccomp/listenerMetadata", 6, "must not be set without listenerPath"},
        Rejection{"RelativeListener", with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW",
            "listenerPath": "x")"),
                  "/linux/seccomp/listenerPath", 6, "expected an absolute path"},
        Rejection{"NoNames", with_rule(R"("names": [], "action": "SCMP_ACT_ERRNO")"),
                  "/linux/seccomp/syscalls/0/names", 6, "at least one system call is required"},
        Rejection{"EmptyName", with_rule(R"("names": [""], "action": "SCMP_ACT_ERRNO")"),
                  "/linux/seccomp/syscalls/0/names/0", 6, "the name is empty"},
        Rejection{"NoAction", with_rule(R"("names": ["a"])"), "/linux/seccomp/syscalls/0", 5,
                  "missing \"action\""},
        Rejection{"Action", with_rule(R"("names": ["a"], "action": "SCMP_ACT_DENY")"),
                  "/linux/seccomp/syscalls/0/action", 6, "unknown seccomp action"},
        Rejection{"Errno", with_rule(R"("names": ["a"], "action": "SCMP_ACT_LOG", "errnoRet": 1)"),
                  "/linux/seccomp/syscalls/0/errnoRet", 6, "SCMP_ACT_LOG takes no errno"},
        Rejection{"NotifyWithoutListener",
                  with_rule(R"("names": ["a"], "action": "SCMP_ACT_NOTIFY")"),
                  "/linux/seccomp/syscalls/0/action", 6, "SCMP_ACT_NOTIFY needs listenerPath"},
        Rejection{"NotifyOnWrite",
                  with_seccomp(R"("defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/s",
            "syscalls": [{"names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY"}])"),
                  "/linux/seccomp/syscalls/0/names/1", 6, "SCMP_ACT_NOTIFY on write"},
        Rejection{"ArgumentIndex", with_rule(R"("names": ["a"], "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}])"),
                  "/linux/seccomp/syscalls/0/args/0/index", 7, "expected 0 to 5, found 6"},
        Rejection{"ArgumentOperator", with_rule(R"("names": ["a"], "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 0, "value": 0, "op": "=="}])"),
                  "/linux/seccomp/syscalls/0/args/0/op", 7, "unknown operator \"==\""},
        Rejection{"ArgumentWithoutValue", with_rule(R"("names": ["a"], "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 0, "op": "SCMP_CMP_EQ"}])"),
                  "/linux/seccomp/syscalls/0/args/0", 7, "missing \"value\""}),
    testing::name_of);

}  // namespace
}  // namespace spec
