// config.md, "Process", "POSIX process", "Linux Process", "User"; runtime-linux.md, "File
// descriptors".
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Process : public Conformance {};

TEST_F(Process, ArgumentsAreTheDocuments) {
  EXPECT_EQ(look({"two words", "", "\"'$HOME"}).at("/args"),
            R"(["/probe","two words","","\"'$HOME"])");
}

TEST_F(Process, FirstArgumentIsLookedUpInThePathOfItsEnvironment) {
  config_.set("/process/env", R"(["PATH=/nowhere:/"])").args({"probe"});
  const Outcome outcome = run();
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_EQ(Json(outcome.out).at("/args"), R"(["probe"])");
}

TEST_F(Process, EnvironmentHasTheDocumentsEntries) {
  config_.set("/process/env", R"(["PATH=/", "A=b c", "EMPTY=", "EQUALS=a=b", "HOME=/"])");
  const Json report = look();
  for (const char* entry : {"PATH=/", "A=b c", "EMPTY=", "EQUALS=a=b", "HOME=/"}) {
    EXPECT_TRUE(has_word(report, "/env", entry)) << report.at("/env");
  }
}

TEST_F(Process, EnvironmentHasNothingOfTheCallers) {
  Call call;
  call.env.emplace_back("SECRET=of-the-caller");
  EXPECT_FALSE(has_word(look({}, call), "/env", "SECRET=of-the-caller"));
}

TEST_F(Process, StartsInItsWorkingDirectory) {
  make_directory(rootfs() + "/home");
  config_.set_string("/process/cwd", "/home");
  EXPECT_EQ(look().at("/cwd"), "/home");
}

TEST_F(Process, StandardStreamsAreTheOnlyDescriptors) {
  Call call;
  call.before_exec = [] {
    const int leaked = ::open("/", O_RDONLY | O_DIRECTORY);
    for (int fd = 20; fd < 30; ++fd) ::dup2(leaked, fd);
    ::close(leaked);
  };
  const Json report = look({}, call);
  EXPECT_EQ(report.size("/descriptors"), 3U) << report.at("/descriptors");
  for (const char* fd : {"0", "1", "2"}) EXPECT_TRUE(report.has(cat("/descriptors/", fd)));
}

TEST_F(Process, DocumentWithoutAWorkingDirectoryIsAnError) {
  config_.erase("/process/cwd");
  EXPECT_TRUE(refuses());
}

TEST_F(Process, RelativeWorkingDirectoryIsAnError) {
  config_.set_string("/process/cwd", "tmp");
  EXPECT_TRUE(refuses());
}

TEST_F(Process, WithoutArgumentsIsAnError) {
  config_.set("/process/args", "[]");
  EXPECT_TRUE(create().exit_code != 0 || start().exit_code != 0);
}

TEST_F(Process, ProgramThatDoesNotExistIsAnError) {
  config_.args({"/nothing"});
  EXPECT_TRUE(create().exit_code != 0 || start().exit_code != 0);
}

TEST_F(Process, ConsoleSizeIsIgnoredWithoutATerminal) {
  config_.set("/process/consoleSize", R"({"height": 25, "width": 80})");
  EXPECT_EQ(look().at("/terminal/streams"), "[false,false,false]");
}

class User : public Conformance {};

TEST_F(User, IdsAreTheDocuments) {
  config_.set("/process/user", R"({"uid": 1234, "gid": 5678})");
  const Json report = look();
  EXPECT_EQ(report.at("/uid"), "[1234,1234,1234]");
  EXPECT_EQ(report.at("/gid"), "[5678,5678,5678]");
}

TEST_F(User, AdditionalGroupsAreTheDocuments) {
  config_.set("/process/user", R"({"uid": 1234, "gid": 5678, "additionalGids": [7, 9, 1000]})");
  const std::set<std::string> groups = words_at(look(), "/groups");
  for (const char* group : {"7", "9", "1000"}) EXPECT_TRUE(groups.contains(group)) << group;
}

TEST_F(User, HasNoGroupsOfTheCallers) {
  Call call;
  call.before_exec = [] {
    const gid_t groups[] = {4, 24, 27};
    ::setgroups(3, groups);
  };
  const std::set<std::string> groups = words_at(look({}, call), "/groups");
  for (const char* group : {"4", "24", "27"}) EXPECT_FALSE(groups.contains(group)) << group;
}

TEST_F(User, UmaskIsTheDocuments) {
  config_.set("/process/user/umask", "7");
  EXPECT_EQ(look().at("/umask"), "7");
  config_.set("/process/user/umask", "63");
  EXPECT_EQ(look().at("/umask"), "63");
}

TEST_F(User, UmaskIsTheCallersWhenNotGiven) {
  Call call;
  call.before_exec = [] { ::umask(027); };
  const std::string umask = look({}, call).at("/umask");
  // "Should", in small letters: a container that is the same whoever starts it is worth more.
  if (umask == cat(022)) GTEST_SKIP() << "is 0022 whatever the caller has";
  EXPECT_EQ(umask, cat(027));
}

TEST_F(User, HighestIdsAreTaken) {
  config_.set("/process/user", R"({"uid": 4294967294, "gid": 4294967294})");
  const Json report = look();
  EXPECT_EQ(report.at("/uid/0"), "4294967294");
  EXPECT_EQ(report.at("/gid/0"), "4294967294");
}

class Rlimits : public Conformance {};

TEST_F(Rlimits, AreTheDocuments) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                                      {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                                      {"type": "RLIMIT_FSIZE", "soft": 4194304, "hard": 8388608}])");
  const Json report = look();
  EXPECT_EQ(report.at("/rlimits/RLIMIT_NOFILE"), R"({"soft":100,"hard":200})");
  EXPECT_EQ(report.at("/rlimits/RLIMIT_CORE"), R"({"soft":0,"hard":0})");
  EXPECT_EQ(report.at("/rlimits/RLIMIT_FSIZE"), R"({"soft":4194304,"hard":8388608})");
}

class EveryRlimit : public Conformance, public ::testing::WithParamInterface<int> {
 protected:
  static constexpr const char* kNames[] = {
      "RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
      "RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
      "RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
      "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME"};

 public:
  static std::string name(int number) { return kNames[number]; }
};

TEST_P(EveryRlimit, OfTheKernelCanBeSet) {
  rlimit own{};
  ::getrlimit(static_cast<__rlimit_resource_t>(GetParam()), &own);
  // What every process may do: lower its limits. 1 GiB is enough for the probe, in any unit.
  const uint64_t hard = std::min<uint64_t>(own.rlim_max, uint64_t{1} << 30);
  const uint64_t soft = hard - hard / 4;
  config_.add("/process/rlimits", cat(R"({"type": ")", name(GetParam()), R"(", "soft": )", soft,
                                      R"(, "hard": )", hard, '}'));
  EXPECT_EQ(look().at(cat("/rlimits/", name(GetParam()))),
            cat(R"({"soft":)", soft, R"(,"hard":)", hard, '}'));
}

INSTANTIATE_TEST_SUITE_P(Rlimits, EveryRlimit, ::testing::Range(0, 16),
                         [](const auto& info) { return EveryRlimit::name(info.param); });

TEST_F(Rlimits, CanBeRaised) {
  if (!may(CAP_SYS_RESOURCE)) GTEST_SKIP() << "needs CAP_SYS_RESOURCE";
  Call call;
  call.before_exec = [] {
    const rlimit low{.rlim_cur = 500, .rlim_max = 500};
    ::setrlimit(RLIMIT_NOFILE, &low);
  };
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 600, "hard": 700}])");
  EXPECT_EQ(look({}, call).at("/rlimits/RLIMIT_NOFILE"), R"({"soft":600,"hard":700})");
}

TEST_F(Rlimits, OfAnUnknownTypeAreAnError) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOTHING", "soft": 1, "hard": 1}])");
  EXPECT_TRUE(refuses());
}

TEST_F(Rlimits, OfTheSameTypeTwiceAreAnError) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                                      {"type": "RLIMIT_NOFILE", "soft": 101, "hard": 200}])");
  EXPECT_TRUE(refuses());
}

TEST_F(Rlimits, ThatCannotBeAppliedAreAnError) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 200, "hard": 100}])");
  EXPECT_TRUE(refuses());
}

class Capabilities : public Conformance {
 protected:
  void set(const char* name, const std::vector<std::string>& capabilities) {
    config_.set(cat("/process/capabilities/", name), testing::json_strings(capabilities));
  }
};

TEST_F(Capabilities, AreTheDocuments) {
  set("bounding", {"CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"});
  set("permitted", {"CAP_KILL", "CAP_CHOWN"});
  set("effective", {"CAP_KILL"});
  set("inheritable", {"CAP_CHOWN"});
  config_.set("/process/user", R"({"uid": 0, "gid": 0})");
  const Json report = look();
  EXPECT_EQ(report.at("/capabilities/bounding"), R"(["CAP_CHOWN","CAP_KILL","CAP_NET_RAW"])");
  EXPECT_EQ(report.at("/capabilities/inheritable"), R"(["CAP_CHOWN"])");
}

TEST_F(Capabilities, AreNoneWhenTheSetsAreEmpty) {
  for (const char* name : {"bounding", "permitted", "effective", "inheritable", "ambient"}) {
    set(name, {});
  }
  const Json report = look();
  for (const char* name : {"bounding", "permitted", "effective", "inheritable", "ambient"}) {
    EXPECT_EQ(report.at(cat("/capabilities/", name)), "[]") << name;
  }
}

TEST_F(Capabilities, AmbientOnesReachAnotherUser) {
  for (const char* name : {"bounding", "permitted", "effective", "inheritable", "ambient"}) {
    set(name, {"CAP_NET_BIND_SERVICE", "CAP_KILL"});
  }
  set("ambient", {"CAP_NET_BIND_SERVICE"});
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  const Json report = look();
  EXPECT_EQ(report.at("/capabilities/ambient"), R"(["CAP_NET_BIND_SERVICE"])");
  EXPECT_EQ(report.at("/capabilities/effective"), R"(["CAP_NET_BIND_SERVICE"])");
  EXPECT_EQ(report.at("/capabilities/permitted"), R"(["CAP_NET_BIND_SERVICE"])");
  EXPECT_EQ(report.at("/capabilities/inheritable"), R"(["CAP_KILL","CAP_NET_BIND_SERVICE"])");
}

TEST_F(Capabilities, OfAnotherUserAreLostWithTheExecution) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  const Json report = look();
  EXPECT_EQ(report.at("/capabilities/effective"), "[]");
  EXPECT_EQ(report.at("/capabilities/bounding"), R"(["CAP_KILL","CAP_NET_BIND_SERVICE"])");
}

TEST_F(Capabilities, ThatAreUnknownAreAWarningAndNotAnError) {
  for (const char* name : {"bounding", "permitted", "effective"}) {
    set(name, {"CAP_KILL", "CAP_FROM_THE_FUTURE"});
  }
  config_.args({"/probe"});
  const Outcome outcome = run();
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.err.find("CAP_FROM_THE_FUTURE"), std::string::npos) << outcome.err;
  EXPECT_EQ(Json(outcome.out).at("/capabilities/bounding"), R"(["CAP_KILL"])");
}

TEST_F(Capabilities, ThatCannotBeGrantedAreNotAnError) {
  if (may(CAP_SYS_RESOURCE)) GTEST_SKIP() << "CAP_SYS_RESOURCE can be granted here";
  for (const char* name : {"bounding", "permitted", "effective"}) {
    set(name, {"CAP_KILL", "CAP_SYS_RESOURCE"});
  }
  EXPECT_EQ(look().at("/capabilities/effective"), R"(["CAP_KILL"])");
}

class LinuxProcess : public Conformance {};

TEST_F(LinuxProcess, NoNewPrivilegesIsTheDocuments) {
  config_.set("/process/noNewPrivileges", "true");
  EXPECT_EQ(look().at("/noNewPrivileges"), "true");
  config_.set("/process/noNewPrivileges", "false");
  EXPECT_EQ(look().at("/noNewPrivileges"), "false");
}

TEST_F(LinuxProcess, OomScoreAdjIsTheDocuments) {
  config_.set("/process/oomScoreAdj", "123");
  EXPECT_EQ(look().at("/oomScoreAdj"), "123");
}

TEST_F(LinuxProcess, OomScoreAdjCanBeLowered) {
  if (!may(CAP_SYS_RESOURCE)) GTEST_SKIP() << "needs CAP_SYS_RESOURCE";
  config_.set("/process/oomScoreAdj", "-5");
  EXPECT_EQ(look().at("/oomScoreAdj"), "-5");
}

TEST_F(LinuxProcess, OomScoreAdjIsLeftAloneWhenNotGiven) {
  Call call;
  call.before_exec = [] {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (::write(file, "77", 2) != 2) ::_exit(123);
    ::close(file);
  };
  EXPECT_EQ(look({}, call).at("/oomScoreAdj"), "77");
}

class SecurityLabels : public Conformance {};

TEST_F(SecurityLabels, OfAppArmorAreAnErrorWithoutIt) {
  if (read("/sys/module/apparmor/parameters/enabled") == "Y\n") GTEST_SKIP() << "AppArmor is on";
  config_.set_string("/process/apparmorProfile", "no-such-profile");
  EXPECT_TRUE(create().exit_code != 0 || start().exit_code != 0);
}

TEST_F(SecurityLabels, OfSelinuxAreAnErrorWithoutIt) {
  if (::access("/sys/fs/selinux/enforce", F_OK) == 0) GTEST_SKIP() << "SELinux is on";
  config_.set_string("/process/selinuxLabel", "system_u:system_r:container_t:s0");
  EXPECT_TRUE(create().exit_code != 0 || start().exit_code != 0);
}

}  // namespace
}  // namespace rt::conformance
