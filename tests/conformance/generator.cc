#include "tests/conformance/generator.h"

#include <sys/resource.h>

#include <algorithm>
#include <iterator>

#include "runtime/base/text.h"

namespace rt::conformance {
namespace {

using testing::Config;
using testing::json_string;
using testing::json_strings;

constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",         "CAP_DAC_OVERRIDE", "CAP_FOWNER",    "CAP_FSETID",     "CAP_KILL",
    "CAP_SETGID",        "CAP_SETUID",       "CAP_SETPCAP",   "CAP_NET_RAW",    "CAP_NET_ADMIN",
    "CAP_IPC_LOCK",      "CAP_SYS_CHROOT",   "CAP_SYS_NICE",  "CAP_MKNOD",      "CAP_LEASE",
    "CAP_AUDIT_WRITE",   "CAP_SETFCAP",      "CAP_MAC_ADMIN", "CAP_SYSLOG",     "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",   "CAP_PERFMON",   "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"};

/// A limit and the least with which the probe still works.
struct Rlimit {
  __rlimit_resource resource;
  const char* type;
  uint64_t least;
};
constexpr uint64_t kMebibyte = 1 << 20;
constexpr Rlimit kRlimits[] = {{RLIMIT_CPU, "RLIMIT_CPU", 1000},
                               {RLIMIT_FSIZE, "RLIMIT_FSIZE", kMebibyte},
                               {RLIMIT_DATA, "RLIMIT_DATA", 1024 * kMebibyte},
                               {RLIMIT_STACK, "RLIMIT_STACK", kMebibyte},
                               {RLIMIT_CORE, "RLIMIT_CORE", 0},
                               {RLIMIT_RSS, "RLIMIT_RSS", 0},
                               {RLIMIT_NPROC, "RLIMIT_NPROC", 1000},
                               {RLIMIT_NOFILE, "RLIMIT_NOFILE", 64},
                               {RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 0},
                               {RLIMIT_AS, "RLIMIT_AS", 1024 * kMebibyte},
                               {RLIMIT_LOCKS, "RLIMIT_LOCKS", 0},
                               {RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING", 100},
                               {RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 0},
                               {RLIMIT_RTTIME, "RLIMIT_RTTIME", 1'000'000}};

/// Wide enough for all that is generated: half of what the kernel can hold.
constexpr uint64_t kHighest = uint64_t{1} << 62;

}  // namespace

std::vector<std::string> Generator::some_of(const std::vector<std::string>& choices,
                                            unsigned percent) {
  std::vector<std::string> taken;
  std::ranges::copy_if(choices, std::back_inserter(taken),
                       [&](const std::string&) { return maybe(percent); });
  return taken;
}

void Generator::add_namespace(Config& config, const char* type, const char* file) {
  constexpr unsigned kJoined = 25;
  // To join one of the host's needs more rights than a user namespace of one's own gives.
  if (*file != 0 && !user_namespace_ && maybe(kJoined)) {
    config.join_namespace(type, cat(material_.joined, '/', file));
    return;
  }
  config.add("/linux/namespaces", cat(R"({"type": ")", type, "\"}"));
  made_.emplace_back(type);
}

void Generator::namespaces(Config& config) {
  config.set("/linux/namespaces", R"([{"type": "mount"}])");
  made_.clear();
  user_namespace_ = maybe(30);
  if (user_namespace_) {
    const uint64_t host = between(1, 1000) * 100'000;
    config.add("/linux/namespaces", R"({"type": "user"})");
    for (const char* map : {"uidMappings", "gidMappings"}) {
      config.set(cat("/linux/", map), cat(R"([{"containerID": 0, "hostID": )", host,
                                          R"(, "size": 2000}, {"containerID": 2000, "hostID": )",
                                          host + 5000, R"(, "size": )", between(1, 60'000), "}]"));
    }
  }
  // proc, sysfs and mqueue can only be mounted by the owner of these.
  if (maybe(85) || user_namespace_) add_namespace(config, "pid", "");
  if (maybe(70) || user_namespace_) add_namespace(config, "network", "net");
  if (maybe(70) || user_namespace_) add_namespace(config, "ipc", "ipc");
  if (maybe(70)) add_namespace(config, "uts", "uts");
  if (maybe(50)) add_namespace(config, "cgroup", "");
  if (!maybe(30)) return;
  add_namespace(config, "time", "");
  for (const char* clock : {"monotonic", "boottime"}) {
    if (!maybe(60)) continue;
    config.set(cat("/linux/timeOffsets/", clock),
               cat(R"({"secs": )", between(0, 1'000'000), R"(, "nanosecs": )",
                   between(0, 999'999'999), '}'));
  }
}

void Generator::user(Config& config) {
  config.set("/process/user/uid", cat(maybe(50) ? 0 : between(1, 1999)));
  config.set("/process/user/gid", cat(maybe(50) ? 0 : between(1, 1999)));
  if (maybe(40)) config.set("/process/user/umask", cat(between(0, 0777)));
  if (!maybe(50)) return;
  for (uint64_t count = between(0, 6); count > 0; --count) {
    config.add("/process/user/additionalGids", cat(between(1, 1999)));
  }
}

void Generator::words(Config& config) {
  // With HOME: the runtime sets it where the document leaves it out.
  config.set("/process/env", R"(["PATH=/", "HOME=/"])");
  for (uint64_t i = between(0, 5); i > 0; --i) {
    config.add("/process/env",
               json_string(cat("NAME", i, '=', one_of({"", "a b", "=", "ä\n\t\"", "1"}))));
  }
  config.set_string("/process/cwd", one_of({"/", "/tmp", "/m0", "/proc"}));
  if (maybe(20)) config.set("/annotations", R"({"com.example.generated": "yes"})");
}

void Generator::capabilities(Config& config) {
  config.set("/process/noNewPrivileges", maybe(50) ? "true" : "false");
  if (maybe(10)) {
    config.erase("/process/capabilities");
    return;
  }
  const std::vector<std::string> all(std::begin(kCapabilities), std::end(kCapabilities));
  const std::vector<std::string> bounding = some_of(all, 60);
  const std::vector<std::string> permitted = some_of(bounding, 70);
  const std::vector<std::string> inheritable = maybe(50) ? some_of(permitted, 50) : some_of({}, 0);
  config.set("/process/capabilities/bounding", json_strings(bounding));
  config.set("/process/capabilities/permitted", json_strings(permitted));
  config.set("/process/capabilities/effective", json_strings(some_of(permitted, 80)));
  config.set("/process/capabilities/inheritable", json_strings(inheritable));
  config.set("/process/capabilities/ambient", json_strings(some_of(inheritable, 60)));
}

void Generator::rlimits(Config& config) {
  for (const Rlimit& row : kRlimits) {
    if (!maybe(25)) continue;
    rlimit own{};
    ::getrlimit(row.resource, &own);
    if (own.rlim_max < row.least) continue;
    const uint64_t hard =
        maybe(20) ? own.rlim_max : between(row.least, std::min<uint64_t>(own.rlim_max, kHighest));
    config.add("/process/rlimits",
               cat(R"({"type": ")", row.type, R"(", "soft": )",
                   between(row.least, std::min(hard, kHighest)), R"(, "hard": )", hard, '}'));
  }
}

void Generator::scheduling(Config& config) {
  if (maybe(30)) config.set("/process/oomScoreAdj", cat(between(0, 1000)));
  if (maybe(25)) {
    config.set("/process/scheduler",
               maybe(20) ? R"({"policy": "SCHED_IDLE"})"
                         : cat(R"({"policy": ")", one_of({"SCHED_OTHER", "SCHED_BATCH"}),
                               R"(", "nice": )", between(0, 19), '}'));
  }
  if (maybe(25)) {
    // Real-time is not for the root of a user namespace.
    const char* kind =
        user_namespace_ ? "IOPRIO_CLASS_BE" : one_of({"IOPRIO_CLASS_BE", "IOPRIO_CLASS_RT"});
    config.set("/process/ioPriority",
               cat(R"({"class": ")", kind, R"(", "priority": )", between(0, 7), '}'));
  }
  if (maybe(20)) {
    config.set("/linux/personality", cat(R"({"domain": ")", one_of({"LINUX", "LINUX32"}), "\"}"));
  }
  if (maybe(15)) {
    config.set("/linux/memoryPolicy",
               cat(R"({"mode": ")", one_of({"MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_PREFERRED"}),
                   R"(", "nodes": "0"})"));
  }
}

void Generator::names(Config& config) {
  const auto is_new = [&](const char* type) { return std::ranges::count(made_, type) != 0; };
  config.erase("/hostname");
  if (is_new("uts")) {
    if (maybe(70)) config.set_string("/hostname", cat("host-", between(0, 999)));
    if (maybe(30)) config.set_string("/domainname", cat("domain-", between(0, 999)));
  }
  if (is_new("network") && maybe(40)) {
    config.set_string("/linux/sysctl/net.ipv4.ip_default_ttl", cat(between(1, 255)));
    if (maybe(50)) config.set_string("/linux/sysctl/net.ipv4.ip_forward", cat(between(0, 1)));
  }
  if (is_new("ipc") && maybe(30)) {
    config.set_string("/linux/sysctl/kernel.msgmax", cat(between(1024, 65536)));
    if (maybe(50)) config.set_string("/linux/sysctl/kernel.shmmni", cat(between(1, 32768)));
  }
}

std::vector<std::string> Generator::attributes() {
  std::vector<std::string> words =
      some_of({"nosuid", "nodev", "noexec", "ro", "nodiratime", "nosymfollow"}, 30);
  // In a user namespace the times of the host's mounts are locked: mount_namespaces(7).
  if (!user_namespace_ && maybe(40))
    words.emplace_back(one_of({"noatime", "relatime", "strictatime"}));
  return words;
}

void Generator::bind_mount(Config& config, const std::string& destination) {
  std::vector<std::string> words = attributes();
  words.insert(words.begin(), one_of({"bind", "rbind"}));
  if (maybe(40)) {
    words.emplace_back(
        one_of({"private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable"}));
  }
  config.mount(destination, "bind", material_.source, words);
  if (user_namespace_ || !maybe(25)) return;
  const std::string last = cat("/mounts/", config.json().size("/mounts") - 1);
  config.add(last + "/options", "\"idmap\"");
  for (const char* map : {"/uidMappings", "/gidMappings"}) {
    config.set(last + map,
               cat(R"([{"containerID": 0, "hostID": )", between(1, 60'000), R"(, "size": 1000}])"));
  }
}

void Generator::mounts(Config& config) {
  for (int i = 0; i < 6; ++i) {
    const std::string destination = cat("/m", i);
    if (!maybe(35)) continue;
    if (maybe(50)) {
      bind_mount(config, destination);
      continue;
    }
    std::vector<std::string> words = attributes();
    words.push_back(cat("size=", between(64, 1024), 'k'));
    if (maybe(50)) words.emplace_back("mode=755");
    // A new file system has no peers that it could be the slave of.
    if (maybe(30)) words.emplace_back(one_of({"private", "shared", "unbindable"}));
    config.mount(destination, "tmpfs", "tmpfs", words);
  }
}

void Generator::root(Config& config) {
  if (maybe(40)) config.set("/root/readonly", maybe(70) ? "true" : "false");
  if (maybe(30)) {
    config.set_string("/linux/rootfsPropagation",
                      one_of({"private", "slave", "shared", "unbindable"}));
  }
}

void Generator::restrictions(Config& config) {
  config.set("/linux/maskedPaths",
             json_strings(some_of({"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/uptime",
                                   "/sys/firmware", "/masked", "/masked-file", "/no/such/path"},
                                  40)));
  config.set("/linux/readonlyPaths",
             json_strings(some_of({"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq",
                                   "/proc/sysrq-trigger", "/kept", "/kept-file", "/no/such/place"},
                                  40)));
}

void Generator::devices(Config& config) {
  // In a user namespace they are the host's own files, bound.
  if (user_namespace_) return;
  for (uint64_t i = maybe(40) ? between(1, 3) : 0; i > 0; --i) {
    const bool block = maybe(30);
    config.add("/linux/devices",
               cat(R"({"path": "/dev/generated)", i, R"(", "type": ")", block ? 'b' : 'c',
                   R"(", "major": )", block ? 7 : 1, R"(, "minor": )",
                   block ? between(100, 200) : between(3, 9), R"(, "fileMode": )", between(0, 0777),
                   R"(, "uid": )", between(0, 1999), R"(, "gid": )", between(0, 1999), '}'));
  }
}

void Generator::seccomp(Config& config) {
  if (!maybe(30)) return;
  std::string rules;
  for (const std::string& name :
       some_of({"getpriority", "times", "getitimer", "sched_get_priority_max"}, 50)) {
    const char* action = one_of({"SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS",
                                 "SCMP_ACT_KILL_THREAD", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG"});
    rules +=
        cat(rules.empty() ? "" : ",", R"({"names": [")", name, R"("], "action": ")", action, '"');
    if (std::string_view(action) == "SCMP_ACT_ERRNO" && maybe(70)) {
      rules += cat(R"(, "errnoRet": )", between(1, 100));
    }
    rules += '}';
  }
  config.set("/linux/seccomp",
             cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [)", rules, "]}"));
}

Config Generator::next() {
  Config config;
  config.set_string("/ociVersion", "1.3.0");
  namespaces(config);
  user(config);
  words(config);
  capabilities(config);
  rlimits(config);
  scheduling(config);
  names(config);
  mounts(config);
  root(config);
  restrictions(config);
  devices(config);
  seccomp(config);
  return config;
}

}  // namespace rt::conformance
