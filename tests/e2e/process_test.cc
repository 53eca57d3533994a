// What the payload is and has, seen from inside. runtime-spec config.md, "Process".
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// Opens the directory as descriptor `fd`, which an execution keeps: what a careless caller leaks.
void leak_directory(const char* path, int fd) {
  const int opened = ::open(path, O_RDONLY | O_DIRECTORY);
  if (opened < 0 || ::dup2(opened, fd) < 0) ::_exit(123);
}

class Process : public Container {
 protected:
  /// What follows "name:" in /proc/self/status, without blanks in front.
  static std::string field(const std::string& status, std::string_view name) {
    for (const std::string_view line : split(status, '\n')) {
      if (!line.starts_with(name) || line[name.size()] != ':') continue;
      const size_t start = line.find_first_not_of("\t ", name.size() + 1);
      return std::string(line.substr(std::min(start, line.size())));
    }
    return "(absent)";
  }
  std::string status_inside() {
    config_.args({"/bin/cat", "/proc/self/status"});
    const Outcome outcome = run();
    EXPECT_TRUE(succeeds(outcome));
    return outcome.out;
  }
};

TEST_F(Process, EnvironmentIsExactlyTheDocuments) {
  config_.set("/process/env", R"(["PATH=/bin", "A=b c", "EMPTY=", "HOME="])");
  config_.args({"/bin/cat", "/proc/self/environ"});
  const Outcome outcome = run();
  EXPECT_EQ(outcome.out, std::string("PATH=/bin\0A=b c\0EMPTY=\0HOME=\0", 29));
}

struct Home {
  const char* name;
  const char* passwd;  // empty: there is none
  const char* home;
};

class HomeOfAUser : public Container, public ::testing::WithParamInterface<Home> {};

TEST_P(HomeOfAUser, IsSetWhereTheDocumentLeavesItOut) {
  const std::string passwd = GetParam().passwd;
  if (!passwd.empty()) write(rootfs() + "/etc/passwd", passwd);
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  EXPECT_EQ(run_shell("echo $HOME").out, cat(GetParam().home, '\n'));
}

INSTANTIATE_TEST_SUITE_P(
    Row, HomeOfAUser,
    ::testing::Values(Home{"NoFile", "", "/"}, Home{"NotThere", "root:x:0:0::/root:/bin/sh\n", "/"},
                      Home{"There", "root:x:0:0::/root:/bin/sh\nme:x:1000:1::/home/me:/bin/sh\n",
                           "/home/me"},
                      Home{"Empty", "me:x:1000:1:::/bin/sh\n", "/"},
                      Home{"Relative", "me:x:1000:1::home/me:/bin/sh\n", "/"},
                      Home{"CutOff", "bad:x:1000\nme:x:1000:1::/home/me", "/home/me"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Process, APasswordFileThatIsNoFileDoesNotHoldThePayloadUp) {
  ASSERT_EQ(::mkfifo((rootfs() + "/etc/passwd").c_str(), 0644), 0);
  EXPECT_EQ(run_shell("echo $HOME").out, "/\n");
}

TEST_F(Process, ArgumentsArriveAsTheyAre) {
  config_.args({"/bin/cat", "/proc/self/cmdline", "/dev/null"});
  EXPECT_EQ(run().out, std::string("/bin/cat\0/proc/self/cmdline\0/dev/null\0", 38));
}

TEST_F(Process, AreFoundInThePathOfTheirOwnEnvironment) {
  config_.set("/process/env", R"(["PATH=/nothing:/bin"])").args({"echo", "found"});
  EXPECT_EQ(run().out, "found\n");
}

TEST_F(Process, WorkingDirectoryIsEnteredAndMade) {
  config_.set_string("/process/cwd", "/tmp/made/here");
  EXPECT_EQ(run_shell("pwd").out, "/tmp/made/here\n");
}

TEST_F(Process, UserAndGroupsAreTheDocuments) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1001, "additionalGids": [5, 1002]})");
  const std::string status = status_inside();
  EXPECT_EQ(field(status, "Uid"), "1000\t1000\t1000\t1000");
  EXPECT_EQ(field(status, "Gid"), "1001\t1001\t1001\t1001");
  EXPECT_EQ(field(status, "Groups"), "5 1002 ");
}

TEST_F(Process, HasNoGroupsButItsOwn) {
  Call call;
  call.before_exec = [] {
    const gid_t groups[] = {4, 24, 27};
    ::setgroups(3, groups);
  };
  config_.args({"/bin/cat", "/proc/self/status"});
  EXPECT_EQ(field(run(call).out, "Groups"), "");
}

TEST_F(Process, UmaskIsTheDocuments) {
  EXPECT_EQ(run_shell("umask").out, "0022\n");
  config_.set("/process/user/umask", "63");
  EXPECT_EQ(run_shell("umask").out, "0077\n");
}

TEST_F(Process, CapabilitiesAreTheDocuments) {
  // CAP_KILL is 5, CAP_NET_BIND_SERVICE 10.
  const std::string status = status_inside();
  EXPECT_EQ(field(status, "CapInh"), "0000000000000000");
  EXPECT_EQ(field(status, "CapPrm"), "0000000000000420");
  EXPECT_EQ(field(status, "CapEff"), "0000000000000420");
  EXPECT_EQ(field(status, "CapBnd"), "0000000000000420");
  EXPECT_EQ(field(status, "CapAmb"), "0000000000000000");
}

TEST_F(Process, HasNoCapabilitiesWithoutASectionOfThem) {
  config_.erase("/process/capabilities");
  const std::string status = status_inside();
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(field(status, set), "0000000000000000") << set;
  }
}

TEST_F(Process, AmbientCapabilitiesReachAnotherUser) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    config_.set(cat("/process/capabilities/", set), R"(["CAP_NET_BIND_SERVICE"])");
  }
  const std::string status = status_inside();
  EXPECT_EQ(field(status, "CapEff"), "0000000000000400");
  EXPECT_EQ(field(status, "CapAmb"), "0000000000000400");
}

TEST_F(Process, AnotherUserLosesItsCapabilitiesWithTheExecution) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  const std::string status = status_inside();
  EXPECT_EQ(field(status, "CapEff"), "0000000000000000");
  EXPECT_EQ(field(status, "CapPrm"), "0000000000000000");
  EXPECT_EQ(field(status, "CapBnd"), "0000000000000420");
}

TEST_F(Process, AnUnknownCapabilityIsAWarningAndNotGranted) {
  config_.set("/process/capabilities/bounding", R"(["CAP_KILL", "CAP_NONSENSE"])");
  config_.set("/process/capabilities/effective", R"(["CAP_KILL"])");
  config_.set("/process/capabilities/permitted", R"(["CAP_KILL"])");
  config_.args({"/bin/cat", "/proc/self/status"});
  const Outcome outcome = run();
  EXPECT_EQ(field(outcome.out, "CapBnd"), "0000000000000020");
  EXPECT_NE(outcome.err.find("CAP_NONSENSE"), std::string::npos) << outcome.err;
}

TEST_F(Process, NoNewPrivilegesIsTheDocuments) {
  EXPECT_EQ(field(status_inside(), "NoNewPrivs"), "1");
  config_.set("/process/noNewPrivileges", "false");
  EXPECT_EQ(field(status_inside(), "NoNewPrivs"), "0");
}

TEST_F(Process, RlimitsAreTheDocuments) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                                      {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                                      {"type": "RLIMIT_FSIZE", "soft": 4096, "hard": 8192}])");
  config_.args({"/bin/grep", "-E", "open files|core file|Max file size", "/proc/self/limits"});
  const std::string limits = run().out;
  EXPECT_NE(limits.find("Max file size             4096                 8192"), std::string::npos)
      << limits;
  EXPECT_NE(limits.find("Max core file size        0                    0"), std::string::npos);
  EXPECT_NE(limits.find("Max open files            100                  200"), std::string::npos);
}

TEST_F(Process, TinyLimitsDoNotBreakTheRuntime) {
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 3},
                                      {"type": "RLIMIT_FSIZE", "soft": 0, "hard": 0},
                                      {"type": "RLIMIT_NPROC", "soft": 1, "hard": 1}])");
  config_.args({"/bin/true"});
  EXPECT_TRUE(succeeds(run()));
}

TEST_F(Process, OomScoreIsTheDocuments) {
  config_.set("/process/oomScoreAdj", "700").args({"/bin/cat", "/proc/self/oom_score_adj"});
  EXPECT_EQ(run().out, "700\n");
}

TEST_F(Process, SignalsAreAtTheirDefaultsAndNotBlocked) {
  Call call;
  call.before_exec = [] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    // The kernel's call: glibc's leaves 32 and 33 alone, which some callers ignore (Java does).
    struct {
      void (*handler)(int) = SIG_IGN;
      unsigned long flags = 0;
      void (*restorer)() = nullptr;
      uint64_t mask = 0;
    } action;
    for (int number = 1; number <= 64; ++number) {
      if (number != SIGCHLD)
        ::syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof action.mask);
    }
  };
  config_.args({"/bin/cat", "/proc/self/status"});
  const std::string status = run(call).out;
  EXPECT_EQ(field(status, "SigIgn"), "0000000000000000");
  EXPECT_EQ(field(status, "SigBlk"), "0000000000000000");
}

TEST_F(Process, HasTheStandardDescriptorsAloneHoweverManyTheCallerLeaks) {
  Call call;
  call.before_exec = [] {
    for (int fd = 3; fd < 40; ++fd) leak_directory("/", fd);
  };
  // ls has one more, for the directory itself.
  config_.args({"/bin/ls", "/proc/self/fd"});
  const Outcome outcome = run(call);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n");
}

TEST_F(Process, OfACreatedContainerHoldsNoDescriptorOfTheHost) {
  Call call;
  call.before_exec = [] { leak_directory("/etc", 9); };
  config_.args({"/bin/ls", "-l", "/proc/self/fd"});
  write_config();
  Program program(runtime_binary(), this->call({"run", id(), bundle()}, call));
  const Outcome outcome = program.wait();
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out.find("/etc"), std::string::npos) << outcome.out;
}

TEST_F(Process, LeadsASessionOfItsOwn) {
  // Without a pid namespace the numbers mean the same inside and outside.
  config_.without_namespace("pid");
  config_.args({"/bin/cat", "/proc/self/stat"});
  const std::string stat = run().out;
  const std::vector<std::string_view> fields = split(stat, ' ');
  ASSERT_GT(fields.size(), 6U) << stat;
  EXPECT_EQ(fields[4], fields[0]) << "process group";
  EXPECT_EQ(fields[5], fields[0]) << "session";
  EXPECT_EQ(fields[6], "0") << "no controlling terminal";
}

TEST_F(Process, CannotKillItsCallersProcessGroup) {
  config_.without_namespace("pid");
  // 0: everybody in the group of the shell.
  EXPECT_EQ(run_shell("kill -KILL 0").exit_code, 128 + SIGKILL);
}

TEST_F(Process, IsNeededWhenStartIsCalled) {
  config_.erase("/process");
  const Outcome created = create();
  if (created.exit_code != 0) return;  // refused before: nothing is left to start
  EXPECT_EQ(start().exit_code, 1);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

struct Failure {
  const char* what;
  std::vector<std::string> args;
  const char* says;
};

class ProcessFailures : public Process, public ::testing::WithParamInterface<Failure> {};

/// The texts that Docker and Podman turn into exit codes 126 and 127.
TEST_P(ProcessFailures, AreSaidAtCreateInTheWordsThatOrchestratorsKnow) {
  write(rootfs() + "/tmp/plain", "no program");
  config_.args(GetParam().args);
  EXPECT_TRUE(fails_saying(create(), GetParam().says));
  EXPECT_TRUE(fails_saying(run(), GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Process, ProcessFailures,
    ::testing::Values(
        Failure{"NotInPath", {"nope"}, "exec: \"nope\": executable file not found in $PATH"},
        Failure{"Missing", {"/nope"}, "exec: \"/nope\": stat /nope: no such file or directory"},
        Failure{"NotExecutable", {"/tmp/plain"}, "exec: \"/tmp/plain\": permission denied"},
        Failure{"Directory", {"/tmp"}, "exec: \"/tmp\": permission denied"},
        Failure{"FileAsDirectory", {"/tmp/plain/x"}, "not a directory"}),
    [](const auto& info) { return std::string(info.param.what); });

TEST_F(Process, WithoutAPathABareNameIsNotFound) {
  config_.set("/process/env", "[]").args({"true"});
  EXPECT_TRUE(fails_saying(create(), "exec: \"true\": executable file not found in $PATH"));
}

TEST_F(Process, XBitsAreTheContainerUsers) {
  write(rootfs() + "/tmp/mine", "#!/bin/sh\n");
  ASSERT_EQ(::chmod((rootfs() + "/tmp/mine").c_str(), 0700), 0);
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})").args({"/tmp/mine"});
  EXPECT_TRUE(fails_saying(create(), "exec: \"/tmp/mine\": permission denied"));
}

TEST_F(Process, AWorkingDirectoryThatIsAFileIsRefused) {
  write(rootfs() + "/tmp/plain", "");
  config_.set_string("/process/cwd", "/tmp/plain");
  EXPECT_EQ(create().exit_code, 1);
}

TEST_F(Process, WhatKeepsAProgramFromBeingExecutedIsSaidOnTheContainersStandardError) {
  const std::pair<std::string_view, std::string_view> broken[] = {
      {"\x01\x02", "exec format error (it is neither a program nor a script that begins with #!)"},
      {"#!/bin/bash\n", "no such file or directory (its interpreter /bin/bash is missing)"},
      {"#!/bin/sh\r\n",
       "no such file or directory (its #! line ends in \\r\\n, as on Windows: it needs \\n alone)"},
  };
  config_.args({"/tmp/broken"});
  for (const auto& [text, words] : broken) {
    write(rootfs() + "/tmp/broken", text);
    ASSERT_EQ(::chmod((rootfs() + "/tmp/broken").c_str(), 0755), 0);
    const Outcome outcome = run();
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.err, cat("exec /tmp/broken: ", words, '\n'));
  }
}

TEST_F(Process, WhyAProgramIsMissingOrForbiddenIsSaidBehindTheWordsThatEnginesKnow) {
  ASSERT_EQ(::symlink("/bin/bash", (rootfs() + "/tmp/shell").c_str()), 0);
  write(rootfs() + "/tmp/plain", "");
  config_.args({"/tmp/shell"});
  EXPECT_TRUE(fails_saying(create(),
                           "exec: \"/tmp/shell\": stat /tmp/shell: no such file or directory "
                           "(/tmp/shell is a link to /bin/bash, which is missing)"));
  config_.args({"/opt/app/run"});
  EXPECT_TRUE(fails_saying(create(), "no such file or directory (the directory /opt is missing)"));
  config_.args({"/tmp/plain"});
  EXPECT_TRUE(fails_saying(create(), "exec: \"/tmp/plain\": permission denied (its mode is 0"));
}

TEST_F(Process, AnInterpreterThatIsMissingIsSaidOnTheContainersStandardError) {
  write(rootfs() + "/tmp/script", "#!/no/such/interpreter\n");
  ASSERT_EQ(::chmod((rootfs() + "/tmp/script").c_str(), 0755), 0);
  config_.args({"/tmp/script"});
  const Outcome outcome = run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("exec /tmp/script: no such file or directory"), std::string::npos)
      << outcome.err;
}

TEST_F(Process, WorkingDirectoriesOfTheHostCannotBeReachedByDescriptor) {
  // CVE-2024-21626
  for (int fd = 3; fd < 20; ++fd) {
    Call call;
    call.before_exec = [fd] { leak_directory("/", fd); };
    config_.set_string("/process/cwd", cat("/proc/self/fd/", fd));
    config_.shell("test -e /proc/self/cwd/usr && echo out");
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.out, "") << fd;
  }
}

}  // namespace
}  // namespace rt::testing
