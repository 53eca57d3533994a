// Namespaces, made and joined. runtime-spec config-linux.md, "Namespaces".
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// The namespaces of `process` as one of its kind is named: "uts:[4026531838]".
std::string namespace_of(const std::string& process, const std::string& file) {
  return sys::readlinkat(-1, cat("/proc/", process, "/ns/", file)).value();
}

struct Kind {
  const char* type;  // of config.json
  const char* file;  // in /proc/PID/ns
};

constexpr Kind kKinds[] = {{"pid", "pid"},   {"network", "net"}, {"ipc", "ipc"},
                           {"uts", "uts"},   {"mount", "mnt"},   {"cgroup", "cgroup"},
                           {"time", "time"}, {"user", "user"}};

class Namespaces : public Container {};

TEST_F(Namespaces, AreAllNewWhenAskedFor) {
  config_.add("/linux/namespaces", R"({"type": "time"})").user_namespace();
  ASSERT_TRUE(succeeds(create()));
  for (const Kind& kind : kKinds) {
    EXPECT_NE(namespace_of(cat(pid()), kind.file), namespace_of("self", kind.file)) << kind.type;
  }
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Namespaces, ThatAreNotListedAreTheRuntimesOwn) {
  for (const Kind& kind : kKinds) {
    if (std::string_view(kind.type) != "mount") config_.without_namespace(kind.type);
  }
  config_.erase("/hostname");
  config_.set("/mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  ASSERT_TRUE(succeeds(create()));
  for (const Kind& kind : kKinds) {
    const bool same = namespace_of(cat(pid()), kind.file) == namespace_of("self", kind.file);
    EXPECT_EQ(same, std::string_view(kind.type) != "mount") << kind.type;
  }
  EXPECT_TRUE(succeeds(remove()));
}

class JoinedNamespace : public Container, public ::testing::WithParamInterface<Kind> {};

TEST_P(JoinedNamespace, IsThatOfAnotherContainer) {
  const Kind& kind = GetParam();
  write_config();
  ASSERT_TRUE(succeeds(runtime({"create", id(1), bundle()})));
  const std::string other = Json(runtime({"state", id(1)}).out).at("/pid");
  config_.join_namespace(kind.type, cat("/proc/", other, "/ns/", kind.file));
  config_.erase("/hostname");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(namespace_of(cat(pid()), kind.file), namespace_of(other, kind.file));
  for (const Kind& each : kKinds) {
    if (std::string_view(each.type) == kind.type || std::string_view(each.type) == "time" ||
        std::string_view(each.type) == "user") {
      continue;
    }
    EXPECT_NE(namespace_of(cat(pid()), each.file), namespace_of(other, each.file)) << each.type;
  }
  EXPECT_TRUE(succeeds(remove()));
  // The kernel holds the init of a pid namespace back until the last one in it is reaped.
  reap_orphans();
  EXPECT_TRUE(succeeds(runtime({"delete", id(1)})));
}

TEST_P(JoinedNamespace, OfAnotherKindIsRefused) {
  const Kind& kind = GetParam();
  const char* wrong = std::string_view(kind.file) == "uts" ? "ipc" : "uts";
  config_.join_namespace(kind.type, cat("/proc/self/ns/", wrong));
  config_.erase("/hostname");
  const Outcome outcome = create();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find(kind.type), std::string::npos) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Kinds, JoinedNamespace,
                         ::testing::Values(Kind{"pid", "pid"}, Kind{"network", "net"},
                                           Kind{"ipc", "ipc"}, Kind{"uts", "uts"},
                                           Kind{"cgroup", "cgroup"}),
                         [](const auto& info) { return std::string(info.param.file); });

TEST_F(Namespaces, UserAndTimeNamespacesAreJoinedToo) {
  config_.add("/linux/namespaces", R"({"type": "time"})").user_namespace();
  write_config();
  ASSERT_TRUE(succeeds(runtime({"create", id(1), bundle()})));
  const std::string other = Json(runtime({"state", id(1)}).out).at("/pid");
  for (const Kind& kind : {Kind{"user", "user"}, Kind{"time", "time"}}) {
    config_.join_namespace(kind.type, cat("/proc/", other, "/ns/", kind.file));
  }
  config_.erase("/linux/uidMappings").erase("/linux/gidMappings");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(namespace_of(cat(pid()), "user"), namespace_of(other, "user"));
  EXPECT_EQ(namespace_of(cat(pid()), "time"), namespace_of(other, "time"));
  EXPECT_TRUE(succeeds(remove()));
  // The kernel holds the init of a pid namespace back until the last one in it is reaped.
  reap_orphans();
  EXPECT_TRUE(succeeds(runtime({"delete", id(1)})));
}

TEST_F(Namespaces, MissingOrStrangeFilesAreRefused) {
  write(directory() + "/plain", "");
  ASSERT_EQ(::mkfifo((directory() + "/fifo").c_str(), 0600), 0);
  for (const std::string& path : {std::string("/no/such/file"), directory() + "/plain",
                                  directory() + "/fifo", directory(), std::string("/dev/null")}) {
    config_.join_namespace("network", path);
    const Outcome outcome = create();
    EXPECT_EQ(outcome.exit_code, 1) << path;
    EXPECT_NE(outcome.err.find(path), std::string::npos) << outcome.err;
  }
}

TEST_F(Namespaces, HostAndDomainNameAreTheContainersAlone) {
  config_.set_string("/hostname", "box").set_string("/domainname", "example.org");
  EXPECT_EQ(run_shell("hostname; cat /proc/sys/kernel/domainname").out, "box\nexample.org\n");
  char name[65] = {};
  ASSERT_EQ(::gethostname(name, sizeof name), 0);
  EXPECT_STRNE(name, "box");
}

TEST_F(Namespaces, LoopbackIsUpInANewNetwork) {
  const std::string flags = run_shell("cat /sys/class/net/lo/flags").out;
  EXPECT_EQ(flags, "0x9\n") << "IFF_UP | IFF_LOOPBACK";
}

TEST_F(Namespaces, SysctlsAreSetInThem) {
  config_.set("/linux/sysctl", R"({"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"})");
  const Outcome outcome =
      run_shell("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "1\n1\n");
}

TEST_F(Namespaces, AnUnknownSysctlIsAnErrorThatOrchestratorsKnow) {
  config_.set("/linux/sysctl", R"({"net.foo.bar": "1"})");
  EXPECT_TRUE(fails_saying(create(), "open /proc/sys/net/foo/bar: no such file or directory"));
}

TEST_F(Namespaces, SysctlsOfTheHostAreRefused) {
  for (const char* sysctl : {R"({"kernel.core_pattern": "|/x"})", R"({"vm.swappiness": "1"})",
                             R"({"net.ipv4.ip_forward": "1"})",
                             R"({"kernel.shm_rmid_forced": "1"})", R"({"kernel.hostname": "x"})"}) {
    config_.set("/linux/sysctl", sysctl);
    Config all = config_;
    config_.without_namespace("network").without_namespace("ipc").without_namespace("uts");
    config_.erase("/hostname");
    EXPECT_EQ(create().exit_code, 1) << sysctl;
    config_ = all;
  }
}

TEST_F(Namespaces, TimeOffsetsMoveTheContainersClocks) {
  config_.add("/linux/namespaces", R"({"type": "time"})");
  config_.set("/linux/timeOffsets", R"({"boottime": {"secs": 1000000, "nanosecs": 0}})");
  const auto seconds = [](const std::string& uptime) {
    return parse_int(uptime.substr(0, uptime.find('.'))).value_or(0);
  };
  const int64_t inside = seconds(run_shell("cat /proc/uptime").out);
  const int64_t outside = seconds(read("/proc/uptime"));
  EXPECT_GE(inside, outside + 999000);
  EXPECT_LE(inside, outside + 1000000);
}

TEST_F(Namespaces, TheTestsOwnPidNamespaceShowsItsProcesses) {
  config_.without_namespace("pid");
  EXPECT_EQ(run_shell(cat("test -d /proc/", ::getpid(), " && echo seen")).out, "seen\n");
}

TEST_F(Namespaces, InANewPidNamespaceThePayloadIsInitAndAlone) {
  EXPECT_EQ(run_shell("echo $$; ls -d /proc/[0-9]* | head -n 1").out, "1\n/proc/1\n");
}

TEST_F(Namespaces, WithoutAMountNamespaceTheRootIsChanged) {
  config_.without_namespace("mount");
  config_.set("/mounts", "[]").erase("/linux/maskedPaths").erase("/linux/readonlyPaths");
  const Outcome outcome = run_shell("echo /*");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "/bin /dev /etc /proc /root /sys /tmp\n");
}

TEST_F(Namespaces, NoPivotGivesTheSameView) {
  config_.shell("echo /*; cat /proc/self/mountinfo | wc -l");
  const Outcome pivoted = run();
  const Outcome moved = runtime({"run", "--no-pivot", id(), bundle()});
  EXPECT_TRUE(succeeds(moved));
  EXPECT_EQ(moved.out, pivoted.out);
}

TEST_F(Namespaces, ThatAreTheRuntimesOwnAreNotChanged) {
  config_.join_namespace("network", "/proc/self/ns/net");
  config_.set("/linux/sysctl", R"({"net.ipv4.ip_forward": "1"})");
  EXPECT_TRUE(fails_saying(run(), "would change the runtime's own namespace"));
  config_.set("/linux/sysctl", "{}");
  config_.join_namespace("uts", "/proc/self/ns/uts");
  config_.set_string("/hostname", "elsewhere");
  EXPECT_TRUE(fails_saying(run(), "would change the runtime's own namespace"));
}

}  // namespace
}  // namespace rt::testing
