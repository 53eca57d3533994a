// The command exec: one more process in a container, and what the command line says of it. That it
// is held by all that holds the container: tests/conformance/exec_test.cc.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/base/unique_fd.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Exec : public Container {
 protected:
  Outcome exec(std::vector<std::string> words, Call rest = {}) const {
    words.insert(words.begin(), "exec");
    return runtime(words, std::move(rest));
  }
  Outcome exec_shell(std::string_view script) const {
    return exec({id(), "/bin/sh", "-c", std::string(script)});
  }
  std::string process_file(std::string_view json) const {
    write(directory() + "/process.json", json);
    return directory() + "/process.json";
  }
};

TEST_F(Exec, PrintsWhatTheProcessPrintsAndReturnsItsExitCode) {
  start_sleeping();
  const Outcome outcome = exec_shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(exec_shell("kill -9 $$").exit_code, 128 + SIGKILL);
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, WorksInACreatedContainer) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(exec_shell("cat /proc/1/comm; id -u").out, "runtime\n0\n");
  EXPECT_EQ(status(), "created");
  EXPECT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, NeedsAContainerThatIsThereAndAlive) {
  EXPECT_TRUE(fails_saying(exec_shell("true"), "container does not exist"));
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(exec_shell("true"), "container not running"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Exec, HasTheWordsOfOrchestratorsForWhatCannotBeExecuted) {
  start_sleeping();
  write(rootfs() + "/tmp/plain", "text");
  EXPECT_TRUE(
      fails_saying(exec({id(), "nope"}), "exec: \"nope\": executable file not found in $PATH"));
  EXPECT_TRUE(fails_saying(exec({id(), "/nope"}),
                           "exec: \"/nope\": stat /nope: no such file or directory"));
  EXPECT_TRUE(fails_saying(exec({id(), "/tmp/plain"}), "exec: \"/tmp/plain\": permission denied"));
  EXPECT_TRUE(fails_saying(exec({"--cwd", "/nowhere", id(), "/bin/true"}),
                           "chdir to cwd (\"/nowhere\") set in config.json failed"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, SaysThatTheLimitOfProcessesIsReached) {
  config_.set("/linux/resources/pids", R"({"limit": 1})");
  start_sleeping();
  EXPECT_TRUE(fails_saying(exec({id(), "/bin/true"}), "no more processes are allowed: pids.limit"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, OptionsBehindTheContainersNameAreTheCommands) {
  start_sleeping();
  EXPECT_EQ(exec({id(), "/bin/echo", "--help", "-d", "--"}).out, "--help -d --\n");
  EXPECT_NE(exec({"--help"}).out.find("usage:"), std::string::npos);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, EnvironmentAndDirectoryAreTheContainersWithChanges) {
  config_.set("/process/env", R"(["PATH=/bin", "A=1", "B=2"])");
  start_sleeping();
  const Outcome outcome =
      exec({"--env", "A=3", "-e", "C=4", "--cwd", "/tmp", id(), "sh", "-c", "echo $A $B $C; pwd"});
  EXPECT_EQ(outcome.out, "3 2 4\n/tmp\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

struct User {
  const char* name;
  const char* option;
  const char* ids;  // "uid:gid"; null: refused
};

class ExecUser : public Exec, public ::testing::WithParamInterface<User> {};

// CVE-2016-3697, CVE-2026-30892: a user is a number, and never 0 by accident.
TEST_P(ExecUser, IsExactlyTheNumbersOrAnError) {
  config_.set("/process/user", R"({"uid": 7, "gid": 8})");
  write(rootfs() + "/etc/passwd", "1000:x:0:0::/:/bin/sh\n");
  start_sleeping("umask 0");
  const Outcome outcome =
      exec({"--user", GetParam().option, id(), "/bin/sh", "-c", "echo $(id -u):$(id -g)"});
  if (GetParam().ids == nullptr) {
    EXPECT_TRUE(fails_saying(outcome, "--user "));
  } else {
    EXPECT_EQ(outcome.out, cat(GetParam().ids, '\n')) << outcome.err;
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

INSTANTIATE_TEST_SUITE_P(
    Options, ExecUser,
    ::testing::Values(User{"Root", "0", "0:8"}, User{"One", "1", "1:8"},
                      User{"Thousand", "1000", "1000:8"}, User{"Both", "1:2", "1:2"},
                      User{"Highest", "4294967294", "4294967294:8"}, User{"NoUid", ":5", nullptr},
                      User{"NoGid", "1:", nullptr}, User{"Negative", "-1", nullptr},
                      User{"Unchanged", "4294967295", nullptr}, User{"Plus", "+1", nullptr},
                      User{"Hex", "0x1", nullptr}, User{"Blank", " 1", nullptr},
                      User{"Letter", "1a", nullptr}, User{"Name", "root", nullptr}),
    [](const auto& row) { return row.param.name; });

TEST_F(Exec, CapabilitiesThatAreAddedAreNotInheritable) {
  start_sleeping();
  const Outcome outcome = exec({"--cap", "CAP_NET_ADMIN", "--additional-gids", "77", id(),
                                "/bin/sh", "-c", "grep -E 'Cap|Groups' /proc/self/status"});
  EXPECT_NE(outcome.out.find("CapInh:\t0000000000000000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("CapAmb:\t0000000000000000"), std::string::npos) << outcome.out;
  const size_t effective = outcome.out.find("CapEff:\t");
  ASSERT_NE(effective, std::string::npos);
  const uint64_t set = std::stoull(outcome.out.substr(effective + 8, 16), nullptr, 16);
  EXPECT_NE(set & (uint64_t{1} << 12), 0U);  // CAP_NET_ADMIN
  EXPECT_NE(outcome.out.find("77"), std::string::npos) << outcome.out;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, TakesAProcessDocument) {
  config_.set("/process/noNewPrivileges", "true");
  config_.set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 99}])");
  start_sleeping();
  const std::string file = process_file(
      R"({"cwd": "/tmp", "args": ["/bin/sh", "-c", "pwd; id -u; ulimit -n; grep NoNew /proc/self/status"],
          "user": {"uid": 5, "gid": 6}, "env": ["PATH=/bin"]})");
  EXPECT_EQ(exec({"--process", file, id()}).out, "/tmp\n5\n99\nNoNewPrivs:\t1\n");
  EXPECT_TRUE(fails_saying(exec({"--process", file, id(), "/bin/true"}), "exclude one another"));
  EXPECT_TRUE(fails_saying(
      exec({"--process", process_file(R"({"cwd": "tmp", "args": ["x"]})"), id()}), "/cwd"));
  EXPECT_TRUE(fails_saying(exec({"--process", directory() + "/absent", id()}),
                           "no such file or directory"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, DetachedLeavesItsPidAndGoesOn) {
  start_sleeping();
  const std::string pid_file = directory() + "/pid";
  const Outcome outcome = exec({"--detach", "--pid-file", pid_file, id(), "/bin/sh", "-c",
                                "touch /tmp/joined; exec sleep 1000"});
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/joined"); }));
  const std::string pid = read(pid_file);
  EXPECT_EQ(read(cat("/proc/", pid, "/cgroup")), read(cat("/proc/", this->pid(), "/cgroup")));
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(eventually([&] { return !exists(cat("/proc/", pid, "/root/bin")); }));
}

TEST_F(Exec, GivesATerminalOfTheContainers) {
  start_sleeping();
  const Outcome outcome =
      exec({"--tty", id(), "/bin/sh", "-c", "test -t 0 && readlink /proc/self/fd/1; exit 3"});
  EXPECT_EQ(outcome.out, "/dev/pts/0\n") << outcome.err;
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(fails_saying(exec({"--tty", "--detach", id(), "/bin/sh"}), "console socket"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// Opens the file as descriptor `fd`, which an execution keeps.
void pass_file(const std::string& path, int fd) {
  const int opened = ::open(path.c_str(), O_RDONLY);
  if (opened < 0 || ::dup2(opened, fd) < 0) ::_exit(123);
}

TEST_F(Exec, PassesTheDescriptorsThatItIsToldTo) {
  start_sleeping();
  write(directory() + "/passed", "passed");
  Call call;
  call.before_exec = [&] {
    for (int fd = 3; fd <= 5; ++fd) pass_file(directory() + "/passed", fd);
  };
  const std::vector<std::string> command = {id(), "/bin/sh", "-c",
                                            "cat <&4; echo; ls /proc/self/fd | tr '\n' ' '"};
  std::vector<std::string> words = {"--preserve-fds", "2"};
  words.insert(words.end(), command.begin(), command.end());
  const Outcome outcome = exec(words, call);
  // What ls opens for itself is the next one.
  EXPECT_EQ(outcome.out, "passed\n0 1 2 3 4 5 ") << outcome.err;
  EXPECT_TRUE(fails_saying(exec(words), "descriptor 3: "));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// CVE-2024-21626: a descriptor of the host's must not be a way out.
TEST_F(Exec, FindsNoWayOutThroughDescriptors) {
  start_sleeping();
  Call call;
  call.before_exec = [] {
    const int opened = ::open("/", O_RDONLY | O_DIRECTORY);
    for (int fd = 3; fd < 40; ++fd) {
      if (fd != opened) ::dup2(opened, fd);
    }
  };
  for (int fd = 3; fd < 40; ++fd) {
    const Outcome outcome =
        exec({"--cwd", cat("/proc/self/fd/", fd), id(), "/bin/sh", "-c", "pwd"}, call);
    EXPECT_NE(outcome.exit_code, 0) << fd << outcome.out;
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// CVE-2016-9962: a process of the container that may trace the one that joins it.
TEST_F(Exec, ShowsNothingOfTheHostToWhoMayTrace) {
  constexpr int kCount = 40;
  for (const char* set : {"bounding", "effective", "permitted"}) {
    config_.add(cat("/process/capabilities/", set), "\"CAP_SYS_PTRACE\"");
  }
  start_sleeping("while :; do ls -l /proc/[0-9]*/fd; done >/tmp/seen 2>/dev/null &");
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(exec_shell("exit 7").exit_code, 7);
  EXPECT_TRUE(succeeds(remove_by_force()));
  const std::string seen = read(rootfs() + "/tmp/seen");
  EXPECT_NE(seen.find("/tmp/seen"), std::string::npos);
  EXPECT_EQ(seen.find(state_root()), std::string::npos);
}

TEST_F(Exec, IsInACgroupBelowTheContainersWhereAsked) {
  start_sleeping();
  EXPECT_TRUE(fails_saying(exec({"--cgroup", "../..", id(), "/bin/true"}), "leads out"));
  EXPECT_TRUE(fails_saying(exec({"--cgroup", "absent", id(), "/bin/true"}), "no such file"));
  EXPECT_TRUE(fails_saying(exec({"--cgroup", "nonsense:x", id(), "/bin/true"}), "no such cgroup"));
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (!hierarchy.options.contains("freezer")) continue;
    const std::string below = cat(cgroup_of(pid(), hierarchy), "/below");
    ASSERT_EQ(::mkdir(below.c_str(), 0755), 0) << below;
    const Outcome outcome =
        exec({"--cgroup", "freezer:below", id(), "/bin/cat", "/proc/self/cgroup"});
    EXPECT_NE(outcome.out.find("freezer:/below\n"), std::string::npos)
        << outcome.out << outcome.err;
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, SaysWhichStepFoundNoCgroup) {
  start_sleeping();
  const std::string log = directory() + "/log";
  const bool v1 = std::ranges::any_of(hierarchies(), [](const Hierarchy& one) {
    return !one.unified && one.options.contains("freezer");
  });
  const char* absent = v1 ? "freezer:absent" : "absent";
  const std::vector<std::string> words = {"--log",    log,    "--log-format", "json",     "exec",
                                          "--cgroup", absent, id(),           "/bin/true"};
  EXPECT_TRUE(fails_saying(runtime(words), "no such file"));
  EXPECT_EQ(Json(read(log)).at("/step"), v1 ? "enter cgroup" : "clone") << read(log);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// cgroups(7), "no internal processes": an init that is a manager of cgroups itself.
TEST_F(Exec, FollowsAnInitThatLeftItsCgroup) {
  start_sleeping();
  bool tried = false;
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (!hierarchy.unified) continue;
    const std::string own = cgroup_of(pid(), hierarchy);
    const std::string controllers = read(own + "/cgroup.controllers");
    const std::string controller = controllers.substr(0, controllers.find_first_of(" \n"));
    if (controller.empty()) continue;
    ASSERT_EQ(::mkdir((own + "/init").c_str(), 0755), 0);
    write(own + "/init/cgroup.procs", cat(pid()));
    write(own + "/cgroup.subtree_control", cat('+', controller));
    EXPECT_TRUE(succeeds(exec({id(), "/bin/true"})));
    tried = true;
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
  if (!tried) GTEST_SKIP() << "no cgroup of version 2 here has a controller";
}

TEST_F(Exec, OfManyAtOnceAllWork) {
  constexpr int kCount = 60;
  start_sleeping();
  std::vector<Program> programs;
  programs.reserve(kCount);
  for (int i = 0; i < kCount; ++i) {
    programs.emplace_back(runtime_binary(), call({"exec", id(), "/bin/sh", "-c", cat("exit ", i)}));
  }
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(programs[static_cast<size_t>(i)].wait().exit_code, i);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Exec, EndsWithTheContainer) {
  start_sleeping();
  Program program(runtime_binary(),
                  call({"exec", id(), "/bin/sh", "-c", "touch /tmp/in; sleep 1000"}));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/in"); }));
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
}

TEST_F(Exec, JoinsAUserNamespaceToo) {
  config_.user_namespace();
  ASSERT_EQ(::chown(rootfs().c_str(), 100000, 100000), 0);
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  const Outcome outcome = exec_shell("id -u; tr -s ' ' </proc/self/uid_map");
  EXPECT_EQ(outcome.out, "0\n 0 100000 65536\n") << outcome.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
