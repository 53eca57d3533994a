// Every property that concerns Linux reaches its field, and what is of the wrong type or unknown is
// reported.
#include "spec/parse.h"

#include <gtest/gtest.h>

#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using testing::expect_rejected;
using testing::in_document;
using testing::in_linux;
using testing::in_process;
using testing::Rejection;
using testing::Rejects;

Config config_of(const std::string& text) {
  Loaded loaded = load_config(text);
  EXPECT_TRUE(loaded.config.has_value()) << render_text(loaded.diagnostics, text, "c");
  return loaded.config.value_or(Config());
}

TEST(Parse, TopLevel) {
  const Config config = config_of(in_document(R"("hostname": "h", "domainname": "d",
      "annotations": {"k": "v"}, "linux": {"namespaces": [{"type": "uts", "path": "/u"}]},
      "mounts": [{"destination": "/m", "type": "t", "source": "s", "options": ["ro", "x=1"],
                  "uidMappings": [{"containerID": 1, "hostID": 2, "size": 3}],
                  "gidMappings": [{"containerID": 4, "hostID": 5, "size": 6}]}],
      "windows": {"layerFolders": []}, "solaris": {"x": 1}, "vm": {}, "zos": {}, "freebsd": {})"));
  EXPECT_EQ(config.oci_version, "1.3.0");
  EXPECT_EQ(config.root, (Root{"rootfs", false}));
  EXPECT_EQ(config.hostname, "h");
  EXPECT_EQ(config.domainname, "d");
  EXPECT_EQ(config.annotations.at("k"), "v");
  ASSERT_EQ(config.mounts.size(), 1U);
  EXPECT_EQ(config.mounts[0], (Mount{"/m", "t", "s", {"ro", "x=1"}, {{1, 2, 3}}, {{4, 5, 6}}}));
  EXPECT_EQ(config.linux_.namespaces[0], (Namespace{"uts", "/u"}));
}

TEST(Parse, Process) {
  const Config config = config_of(in_process(R"("terminal": true,
      "consoleSize": {"height": 25, "width": 80}, "env": ["A=b"], "commandLine": "x",
      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 18446744073709551615}],
      "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3, 4], "username": "u"},
      "capabilities": {"bounding": ["CAP_CHOWN"], "effective": ["CAP_KILL"],
        "inheritable": ["CAP_BPF"], "permitted": ["CAP_MKNOD"], "ambient": ["CAP_LEASE"]},
      "noNewPrivileges": true, "oomScoreAdj": -5, "apparmorProfile": "a", "selinuxLabel": "s",
      "scheduler": {"policy": "SCHED_DEADLINE", "nice": 1, "flags": ["SCHED_FLAG_RECLAIM"],
        "runtime": 1024, "deadline": 2048, "period": 4096},
      "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 7},
      "execCPUAffinity": {"initial": "7", "final": "0-3, 7"})"));
  ASSERT_TRUE(config.process.has_value());
  Process expected;
  expected.terminal = true;
  expected.console_size = ConsoleSize{25, 80};
  expected.cwd = "/";
  expected.env = {"A=b"};
  expected.args = {"sh"};
  expected.rlimits = {{"RLIMIT_NOFILE", 1, UINT64_MAX}};
  expected.user = {1, 2, 18, {3, 4}};
  expected.capabilities =
      Capabilities{{"CAP_CHOWN"}, {"CAP_KILL"}, {"CAP_BPF"}, {"CAP_MKNOD"}, {"CAP_LEASE"}};
  expected.no_new_privileges = true;
  expected.oom_score_adj = -5;
  expected.apparmor_profile = "a";
  expected.selinux_label = "s";
  expected.scheduler = Scheduler{"SCHED_DEADLINE", 1, 0, {"SCHED_FLAG_RECLAIM"}, 1024, 2048, 4096};
  expected.io_priority = IoPriority{"IOPRIO_CLASS_BE", 7};
  expected.exec_cpu_affinity = ExecCpuAffinity{"7", "0-3, 7"};
  EXPECT_EQ(*config.process, expected);
}

TEST(Parse, Hooks) {
  const Config config = config_of(in_document(R"("hooks": {
      "prestart": [{"path": "/1", "args": ["a"], "env": ["B=c"], "timeout": 5}],
      "createRuntime": [{"path": "/2"}], "createContainer": [{"path": "/3"}],
      "startContainer": [{"path": "/4"}], "poststart": [{"path": "/5"}],
      "poststop": [{"path": "/6"}, {"path": "/7"}]})"));
  EXPECT_EQ(config.hooks.prestart[0], (Hook{"/1", {"a"}, {"B=c"}, 5}));
  EXPECT_EQ(config.hooks.create_runtime[0].path, "/2");
  EXPECT_EQ(config.hooks.create_container[0].path, "/3");
  EXPECT_EQ(config.hooks.start_container[0].path, "/4");
  EXPECT_EQ(config.hooks.poststart[0].path, "/5");
  EXPECT_EQ(config.hooks.poststop[1].path, "/7");
}

TEST(Parse, Linux) {
  const Linux linux_config = config_of(in_linux(R"(
      "namespaces": [{"type": "user"}, {"type": "time"}, {"type": "network"}],
      "uidMappings": [{"containerID": 0, "hostID": 1, "size": 2}],
      "gidMappings": [{"containerID": 3, "hostID": 4, "size": 5}],
      "timeOffsets": {"monotonic": {"secs": -1, "nanosecs": 2}, "boottime": {"secs": 3}},
      "devices": [{"type": "c", "path": "/d", "major": 1, "minor": 2, "fileMode": 8630, "uid": 3,
        "gid": 4}, {"type": "p", "path": "/p"}],
      "netDevices": {"eth0": {"name": "e%d"}, "eth1": {}}, "cgroupsPath": "a:b:c",
      "intelRdt": {"closID": "/", "schemata": ["L3:0=f"], "l3CacheSchema": "L3:1=f",
        "memBwSchema": "MB:0=1", "enableMonitoring": true},
      "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
      "sysctl": {"net.core.somaxconn": "5"}, "rootfsPropagation": "rslave",
      "maskedPaths": ["/m"], "readonlyPaths": ["/r"], "mountLabel": "l",
      "personality": {"domain": "LINUX32"})"))
                                 .linux_;
  EXPECT_EQ(linux_config.uid_mappings[0], (IdMapping{0, 1, 2}));
  EXPECT_EQ(linux_config.gid_mappings[0], (IdMapping{3, 4, 5}));
  EXPECT_EQ(linux_config.time_offsets.at("monotonic"), (TimeOffset{-1, 2}));
  EXPECT_EQ(linux_config.time_offsets.at("boottime"), (TimeOffset{3, 0}));
  EXPECT_EQ(linux_config.devices[0], (Device{"c", "/d", 1, 2, 8630, 3, 4}));
  EXPECT_EQ(linux_config.devices[1], (Device{"p", "/p", 0, 0, {}, {}, {}}));
  EXPECT_EQ(linux_config.net_devices.at("eth0").name, "e%d");
  EXPECT_EQ(linux_config.net_devices.at("eth1").name, "");
  EXPECT_EQ(linux_config.cgroups_path, "a:b:c");
  EXPECT_EQ(linux_config.intel_rdt, (IntelRdt{"/", {"L3:0=f"}, "L3:1=f", "MB:0=1", true}));
  EXPECT_EQ(linux_config.memory_policy,
            (MemoryPolicy{"MPOL_BIND", "0-1", {"MPOL_F_STATIC_NODES"}}));
  EXPECT_EQ(linux_config.sysctl.at("net.core.somaxconn"), "5");
  EXPECT_EQ(linux_config.rootfs_propagation, "rslave");
  EXPECT_EQ(linux_config.masked_paths, (std::vector<std::string>{"/m"}));
  EXPECT_EQ(linux_config.readonly_paths, (std::vector<std::string>{"/r"}));
  EXPECT_EQ(linux_config.mount_label, "l");
  EXPECT_EQ(linux_config.personality, (Personality{"LINUX32", {}}));
}

TEST(Parse, Seccomp) {
  const Linux linux_config = config_of(in_linux(R"("seccomp": {"defaultAction": "SCMP_ACT_ERRNO",
      "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_SHEB"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
      "syscalls": [{"names": ["a", "b"], "action": "SCMP_ACT_TRACE", "errnoRet": 2, "args":
        [{"index": 5, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]
      }]})"))
                                 .linux_;
  const SeccompArg argument{5, UINT64_MAX, 1, "SCMP_CMP_MASKED_EQ"};
  const SeccompSyscall rule{{"a", "b"}, "SCMP_ACT_TRACE", 2, {argument}};
  EXPECT_EQ(linux_config.seccomp, (Seccomp{"SCMP_ACT_ERRNO",
                                           38,
                                           {"SCMP_ARCH_SHEB"},
                                           {"SECCOMP_FILTER_FLAG_LOG"},
                                           "/l",
                                           "m",
                                           {rule}}));
}

TEST(Parse, Resources) {
  const LoadedResources loaded = load_resources(R"({
      "devices": [{"allow": true, "type": "b", "major": 8, "minor": 0, "access": "rw"},
        {"allow": false}],
      "memory": {"limit": 1, "reservation": 2, "swap": 3, "kernel": -1, "kernelTCP": 5,
        "swappiness": 6, "disableOOMKiller": true, "useHierarchy": false,
        "checkBeforeUpdate": true},
      "cpu": {"shares": 1, "quota": -1, "burst": 3, "period": 4000, "realtimeRuntime": 5,
        "realtimePeriod": 6, "cpus": "0-1", "mems": "0", "idle": 1},
      "blockIO": {"weight": 10, "leafWeight": 11,
        "weightDevice": [{"major": 1, "minor": 2, "weight": 12, "leafWeight": 13}],
        "throttleReadBpsDevice": [{"major": 1, "minor": 2, "rate": 3}],
        "throttleWriteBpsDevice": [{"major": 1, "minor": 2, "rate": 4}],
        "throttleReadIOPSDevice": [{"major": 1, "minor": 2, "rate": 5}],
        "throttleWriteIOPSDevice": [{"major": 1, "minor": 2, "rate": 6}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 7}],
      "network": {"classID": 8, "priorities": [{"name": "eth0", "priority": 9}]},
      "pids": {"limit": 10}, "rdma": {"mlx": {"hcaHandles": 11, "hcaObjects": 12}},
      "unified": {"memory.high": "13"}})");
  ASSERT_TRUE(loaded.resources.has_value());
  const Resources& resources = *loaded.resources;
  EXPECT_EQ(resources.devices,
            (std::vector<DeviceRule>{{true, "b", 8, 0, "rw"}, {false, "", {}, {}, ""}}));
  EXPECT_EQ(resources.memory, (Memory{1, 2, 3, -1, 5, 6, true, false, true}));
  EXPECT_EQ(resources.cpu, (Cpu{1, -1, 3, 4000, 5, 6, "0-1", "0", 1}));
  EXPECT_EQ(
      resources.block_io,
      (BlockIo{10, 11, {{1, 2, 12, 13}}, {{1, 2, 3}}, {{1, 2, 4}}, {{1, 2, 5}}, {{1, 2, 6}}}));
  EXPECT_EQ(resources.hugepage_limits, (std::vector<HugepageLimit>{{"2MB", 7}}));
  EXPECT_EQ(resources.network, (Network{8, {{"eth0", 9}}}));
  EXPECT_EQ(resources.pids_limit, 10);
  EXPECT_EQ(resources.rdma.at("mlx"), (Rdma{11, 12}));
  EXPECT_EQ(resources.unified.at("memory.high"), "13");
}

using WrongTypes = Rejects;
TEST_P(WrongTypes, AreRefused) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Parse, WrongTypes,
    ::testing::Values(
        Rejection{"Mounts", in_document(R"("mounts": {})"), "/mounts", 3,
                  "expected an array, found an object"},
        Rejection{"MountOption", in_document(R"("mounts": [{"destination": "/",
            "options": ["ro", 5]}])"),
                  "/mounts/0/options/1", 4, "expected a string, found a number"},
        Rejection{"Annotation", in_document(R"("annotations": {"a": true})"), "/annotations/a", 3,
                  "expected a string, found true"},
        Rejection{"Process", in_document(R"("process": "sh")"), "/process", 3,
                  "expected an object, found a string"},
        Rejection{"Linux", in_document(R"("linux": [])"), "/linux", 3,
                  "expected an object, found an array"},
        Rejection{"Terminal", in_process(R"("terminal": "true")"), "/process/terminal", 4,
                  "expected true or false, found a string"},
        Rejection{"Uid", in_process(R"("user": {"uid": 4294967296, "gid": 0})"),
                  "/process/user/uid", 4, "expected an integer from 0 to 4294967295, found"},
        Rejection{"NegativeGid", in_process(R"("user": {"uid": 0, "gid": -1})"),
                  "/process/user/gid", 4, "expected an integer from 0 to 4294967295, found -1"},
        Rejection{"FractionalLimit", in_linux(R"("resources": {"memory": {"limit": 1.5}})"),
                  "/linux/resources/memory/limit", 4, "expected an integer from"},
        Rejection{"ExponentLimit", in_linux(R"("resources": {"pids": {"limit": 1e3}})"),
                  "/linux/resources/pids/limit", 4, "expected an integer from"},
        Rejection{"Weight", in_linux(R"("resources": {"blockIO": {"weight": 65537}})"),
                  "/linux/resources/blockIO/weight", 4, "expected an integer from 0 to 65535"},
        Rejection{"Arguments", in_document(R"("process": {"cwd": "/", "args": [7]})"),
                  "/process/args/0", 3, "expected a string, found a number"},
        Rejection{"NamespaceType", in_linux(R"("namespaces": [{"type": 1}])"),
                  "/linux/namespaces/0/type", 4, "expected a string, found a number"}),
    testing::name_of);

using UnknownMembers = Rejects;
TEST_P(UnknownMembers, AreWarnings) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Parse, UnknownMembers,
    ::testing::Values(
        Rejection{"Propagation", in_linux(R"("rootPropagation": "slave")"),
                  "/linux/rootPropagation", 4,
                  "unknown member \"rootPropagation\" is ignored; did you mean "
                  "\"rootfsPropagation\"?",
                  Severity::kWarning},
        Rejection{"Platform", in_document(R"("platform": {"os": "linux"})"), "/platform", 3,
                  "unknown member \"platform\" is ignored", Severity::kWarning},
        Rejection{"Case", in_process(R"("Env": [])"), "/process/Env", 4,
                  "unknown member \"Env\" is ignored; did you mean \"env\"?", Severity::kWarning},
        Rejection{"Hook", in_document(R"("hooks": {"preStart": []})"), "/hooks/preStart", 3,
                  "unknown member \"preStart\" is ignored; did you mean \"prestart\"?",
                  Severity::kWarning},
        Rejection{"EvenWhenNull", in_document(R"("foo": null)"), "/foo", 3,
                  "unknown member \"foo\" is ignored", Severity::kWarning}),
    testing::name_of);

}  // namespace
}  // namespace spec
