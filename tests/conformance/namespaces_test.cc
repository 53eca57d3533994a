// config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace", "Sysctl";
// config.md, "Hostname", "Domainname".
#include <sched.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

struct Kind {
  const char* type;  // of config.json
  const char* file;  // in /proc/PID/ns
};

constexpr Kind kKinds[] = {{"pid", "pid"},   {"network", "net"}, {"ipc", "ipc"},
                           {"uts", "uts"},   {"mount", "mnt"},   {"cgroup", "cgroup"},
                           {"time", "time"}, {"user", "user"}};

std::string namespace_of(const std::string& process, const std::string& file) {
  return sys::readlinkat(-1, cat("/proc/", process, "/ns/", file)).value();
}

std::string seen(const Json& report, const Kind& kind) {
  return report.at(cat("/namespaces/", kind.file));
}

class Namespace : public Conformance, public ::testing::WithParamInterface<Kind> {
 protected:
  /// Nothing in the document needs a namespace of the type.
  void leave_out(std::string_view type) {
    config_.without_namespace(type);
    if (type == "uts") config_.erase("/hostname");
    // A new sysfs needs a network namespace of one's own, a new mqueue an ipc namespace.
    if (type == "network") config_.erase("/mounts/5");
    if (type == "ipc") config_.erase("/mounts/4");
  }
};

TEST_P(Namespace, IsNewWhenListed) {
  const Kind& kind = GetParam();
  if (std::string_view(kind.type) == "user") config_.user_namespace();
  if (std::string_view(kind.type) == "time") {
    config_.add("/linux/namespaces", R"({"type": "time"})");
  }
  EXPECT_NE(seen(look(), kind), namespace_of("self", kind.file));
}

TEST_P(Namespace, IsTheRuntimesWhenNotListed) {
  const Kind& kind = GetParam();
  if (std::string_view(kind.type) == "mount") GTEST_SKIP() << "a root needs one";
  leave_out(kind.type);
  EXPECT_EQ(seen(look(), kind), namespace_of("self", kind.file));
}

TEST_P(Namespace, IsTheOneOfThePath) {
  const Kind& kind = GetParam();
  if (std::string_view(kind.type) == "mount") {
    GTEST_SKIP() << "what the root means in another container's is not said";
  }
  // A process of ours that has what is to be joined.
  Config other = config_;
  if (std::string_view(kind.type) == "user") config_.user_namespace();
  if (std::string_view(kind.type) == "time") {
    config_.add("/linux/namespaces", R"({"type": "time"})");
  }
  config_.args({"/probe", "await"});
  write_config();
  const std::string pid_file = directory() + "/other";
  const std::string other_id = id() + "-other";
  ASSERT_TRUE(
      succeeds(runtime({"create", "--bundle", bundle(), "--pid-file", pid_file, other_id})));
  const std::string process = read(pid_file);
  const std::string wanted = namespace_of(process, kind.file);
  config_ = other;
  leave_out(kind.type);
  config_.join_namespace(kind.type, cat("/proc/", process, "/ns/", kind.file));
  EXPECT_EQ(seen(look(), kind), wanted);
  EXPECT_TRUE(succeeds(runtime({"delete", "--force", other_id})));
}

TEST_P(Namespace, OfAnotherTypeAtThePathIsAnError) {
  const Kind& kind = GetParam();
  const char* wrong = std::string_view(kind.file) == "uts" ? "ipc" : "uts";
  leave_out(kind.type);
  config_.join_namespace(kind.type, cat("/proc/self/ns/", wrong));
  EXPECT_TRUE(refuses());
}

TEST_P(Namespace, ThatIsListedTwiceIsAnError) {
  const Kind& kind = GetParam();
  leave_out(kind.type);
  for (int i = 0; i < 2; ++i) {
    config_.add("/linux/namespaces", cat(R"({"type": ")", kind.type, "\"}"));
  }
  if (std::string_view(kind.type) == "user") {
    constexpr const char* kMap = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])";
    config_.set("/linux/uidMappings", kMap).set("/linux/gidMappings", kMap);
  }
  EXPECT_TRUE(refuses());
}

TEST_P(Namespace, AtARelativePathIsAnError) {
  const Kind& kind = GetParam();
  leave_out(kind.type);
  config_.join_namespace(kind.type, cat("self/ns/", kind.file));
  EXPECT_TRUE(refuses());
}

TEST_P(Namespace, AtAPathThatDoesNotExistIsAnError) {
  leave_out(GetParam().type);
  config_.join_namespace(GetParam().type, "/no/such/namespace");
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(Namespaces, Namespace, ::testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(info.param.type); });

class Namespaces : public Conformance {};

TEST_F(Namespaces, OfAnUnknownTypeAreAnError) {
  config_.add("/linux/namespaces", R"({"type": "galaxy"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Namespaces, WithoutATypeAreAnError) {
  config_.add("/linux/namespaces", R"({"path": "/proc/self/ns/uts"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Namespaces, PidOneIsTheProgram) {
  const Json report = look();
  EXPECT_EQ(report.at("/session/pid"), "1");
  EXPECT_EQ(report.at("/session/parent"), "0");
}

TEST_F(Namespaces, NewNetworkHasALoopback) { EXPECT_TRUE(look().has("/network/lo")); }

class Names : public Conformance {};

TEST_F(Names, HostnameIsTheContainersAlone) {
  char before[256] = {};
  ASSERT_EQ(::gethostname(before, sizeof before), 0);
  config_.set_string("/hostname", "of-the-container");
  EXPECT_EQ(look().at("/hostname"), "of-the-container");
  char after[256] = {};
  ASSERT_EQ(::gethostname(after, sizeof after), 0);
  EXPECT_STREQ(before, after);
}

TEST_F(Names, DomainnameIsTheContainers) {
  config_.set_string("/domainname", "example.com");
  EXPECT_EQ(look().at("/domainname"), "example.com");
}

TEST_F(Names, HostnameWithoutAUtsNamespaceIsAnError) {
  config_.without_namespace("uts");
  EXPECT_TRUE(refuses());
}

class UserNamespace : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    config_.user_namespace();
  }
};

TEST_F(UserNamespace, HasTheMappingsOfTheDocument) {
  config_.set("/linux/uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 1000},
                                        {"containerID": 5000, "hostID": 300000, "size": 10}])");
  config_.set("/linux/gidMappings", R"([{"containerID": 0, "hostID": 200000, "size": 2000}])");
  const Json report = look();
  EXPECT_EQ(report.at("/uidMappings"), R"([{"containerID":0,"hostID":100000,"size":1000},)"
                                       R"({"containerID":5000,"hostID":300000,"size":10}])");
  EXPECT_EQ(report.at("/gidMappings"), R"([{"containerID":0,"hostID":200000,"size":2000}])");
}

TEST_F(UserNamespace, ProcessHasTheIdsInside) {
  config_.set("/process/user", R"({"uid": 7, "gid": 8, "additionalGids": [9]})");
  const Json report = look();
  EXPECT_EQ(report.at("/uid"), "[7,7,7]");
  EXPECT_EQ(report.at("/gid"), "[8,8,8]");
  EXPECT_TRUE(words_at(report, "/groups").contains("9"));
}

TEST_F(UserNamespace, LeavesTheOwnersOfFilesAlone) {
  look();
  struct stat info{};
  ASSERT_EQ(::stat((rootfs() + "/probe").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_gid, 0U);
}

TEST_F(UserNamespace, MappingsWithoutOneAreAnError) {
  config_.without_namespace("user");
  EXPECT_TRUE(refuses());
}

TEST_F(UserNamespace, DevicesAreThereAndWork) {
  const Json report = look();
  EXPECT_EQ(path_at(report, "/dev/null", "write"), "");
  EXPECT_EQ(path_at(report, "/dev/zero", "read"), "");
}

TEST_F(UserNamespace, CapabilitiesAreTheDocuments) {
  EXPECT_EQ(look().at("/capabilities/effective"), R"(["CAP_KILL","CAP_NET_BIND_SERVICE"])");
}

class TimeOffsets : public Conformance {
 protected:
  static int64_t seconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return now.tv_sec;
  }
  static int64_t seconds_inside(const Json& report, const char* clock) {
    constexpr int64_t kSecond = 1'000'000'000;
    return parse_int(report.at(cat("/clocks/", clock))).value_or(0) / kSecond;
  }
};

TEST_F(TimeOffsets, MoveTheContainersClocks) {
  config_.add("/linux/namespaces", R"({"type": "time"})");
  config_.set("/linux/timeOffsets",
              R"({"monotonic": {"secs": 172800, "nanosecs": 5}, "boottime": {"secs": 604800}})");
  const int64_t monotonic = seconds(CLOCK_MONOTONIC);
  const int64_t boottime = seconds(CLOCK_BOOTTIME);
  const Json report = look();
  constexpr int64_t kSlack = 100;
  EXPECT_NEAR(seconds_inside(report, "monotonic") - monotonic, 172800, kSlack);
  EXPECT_NEAR(seconds_inside(report, "boottime") - boottime, 604800, kSlack);
}

TEST_F(TimeOffsets, WithoutATimeNamespaceAreAnError) {
  config_.set("/linux/timeOffsets", R"({"monotonic": {"secs": 172800}})");
  EXPECT_TRUE(refuses());
}

class Sysctls : public Conformance {};

TEST_F(Sysctls, AreTheDocuments) {
  config_.set("/linux/sysctl", R"({"net.ipv4.ip_forward": "1", "kernel.shmmax": "1000000",
                                   "net.ipv4.ip_default_ttl": "42"})");
  const Json report = look(
      {"sysctl=net.ipv4.ip_forward", "sysctl=kernel.shmmax", "sysctl=net.ipv4.ip_default_ttl"});
  EXPECT_EQ(report.at("/sysctl/net.ipv4.ip_forward"), "1");
  EXPECT_EQ(report.at("/sysctl/kernel.shmmax"), "1000000");
  EXPECT_EQ(report.at("/sysctl/net.ipv4.ip_default_ttl"), "42");
}

TEST_F(Sysctls, AreNotTheHosts) {
  const std::string before = read("/proc/sys/net/ipv4/ip_default_ttl");
  config_.set("/linux/sysctl", R"({"net.ipv4.ip_default_ttl": "42"})");
  look();
  EXPECT_EQ(read("/proc/sys/net/ipv4/ip_default_ttl"), before);
}

TEST_F(Sysctls, ThatDoNotExistAreAnError) {
  config_.set("/linux/sysctl", R"({"net.ipv4.no_such_setting": "1"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Sysctls, OfAHostsNamespaceAreAnError) {
  config_.without_namespace("network").erase("/mounts/5");
  config_.set("/linux/sysctl", R"({"net.ipv4.ip_default_ttl": "64"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Sysctls, OfTheWholeMachineAreAnError) {
  config_.set("/linux/sysctl",
              cat(R"({"vm.swappiness": )",
                  testing::json_string(read("/proc/sys/vm/swappiness").substr(0, 2)), '}'));
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
