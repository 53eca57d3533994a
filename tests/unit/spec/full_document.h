// A config.json with every property that the specification defines for Linux, and without a fault.
#pragma once

namespace spec::testing {

inline constexpr const char* kFullDocument = R"({
  "ociVersion": "1.3.0",
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "h",
  "domainname": "d",
  "annotations": {"org.example.key": "value"},
  "mounts": [
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts"},
    {"destination": "/data", "type": "bind", "source": "/data", "options": ["bind", "idmap"],
     "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
     "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]}
  ],
  "process": {
    "terminal": true,
    "consoleSize": {"height": 25, "width": 80},
    "cwd": "/",
    "env": ["A=b"],
    "args": ["sh"],
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}],
    "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3]},
    "capabilities": {
      "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
      "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]
    },
    "noNewPrivileges": true,
    "oomScoreAdj": 5,
    "apparmorProfile": "profile",
    "selinuxLabel": "system_u:system_r:container_t:s0",
    "scheduler": {"policy": "SCHED_DEADLINE", "nice": 0, "priority": 0,
                  "flags": ["SCHED_FLAG_RESET_ON_FORK"],
                  "runtime": 1000000, "deadline": 2000000, "period": 3000000},
    "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "execCPUAffinity": {"initial": "0-3", "final": "1,2"}
  },
  "hooks": {
    "prestart": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}],
    "createRuntime": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}],
    "createContainer": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}],
    "startContainer": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}],
    "poststart": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}],
    "poststop": [{"path": "/hook", "args": ["hook"], "env": ["A=b"], "timeout": 5}]
  },
  "linux": {
    "namespaces": [
      {"type": "cgroup"}, {"type": "ipc"}, {"type": "mount"}, {"type": "network"},
      {"type": "pid", "path": "/proc/1/ns/pid"}, {"type": "time"}, {"type": "user"},
      {"type": "uts"}
    ],
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
    "timeOffsets": {"monotonic": {"secs": 1, "nanosecs": 2}, "boottime": {"secs": 3, "nanosecs": 4}},
    "devices": [{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438,
                 "uid": 0, "gid": 0}],
    "netDevices": {"eth0": {"name": "lan0"}},
    "cgroupsPath": "/a/b",
    "resources": {
      "devices": [{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"}],
      "memory": {"limit": 1000, "reservation": 500, "swap": 2000, "kernel": -1, "kernelTCP": -1,
                 "swappiness": 60, "disableOOMKiller": false, "useHierarchy": true,
                 "checkBeforeUpdate": true},
      "cpu": {"shares": 1024, "quota": 1000, "burst": 500, "period": 2000,
              "realtimeRuntime": 950, "realtimePeriod": 1000, "cpus": "0-3", "mems": "0",
              "idle": 0},
      "blockIO": {
        "weight": 10, "leafWeight": 10,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 10, "leafWeight": 10}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
        "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
        "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 1}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 1}]
      },
      "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
      "network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 1}]},
      "pids": {"limit": 10},
      "rdma": {"mlx5_1": {"hcaHandles": 1, "hcaObjects": 2}},
      "unified": {"memory.high": "1000"}
    },
    "intelRdt": {"closID": "class", "schemata": ["L2:0=f"], "l3CacheSchema": "L3:0=f",
                 "memBwSchema": "MB:0=10", "enableMonitoring": true},
    "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
    "sysctl": {"net.core.somaxconn": "5"},
    "seccomp": {
      "defaultAction": "SCMP_ACT_ERRNO",
      "defaultErrnoRet": 38,
      "architectures": ["SCMP_ARCH_X86_64"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"],
      "listenerPath": "/run/listener",
      "listenerMetadata": "m",
      "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_TRACE", "errnoRet": 2,
                    "args": [{"index": 5, "value": 1, "valueTwo": 1,
                              "op": "SCMP_CMP_MASKED_EQ"}]}]
    },
    "rootfsPropagation": "rslave",
    "maskedPaths": ["/proc/kcore"],
    "readonlyPaths": ["/proc/sys"],
    "mountLabel": "system_u:object_r:container_file_t:s0",
    "personality": {"domain": "LINUX32", "flags": []}
  }
})";

}  // namespace spec::testing
