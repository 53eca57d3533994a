// The life of a containerd task, command by command of ctr.
#include <signal.h>

#include "runtime/base/text.h"
#include "tests/engines/containerd.h"
#include "tests/engines/rows.h"

namespace rt::testing {
namespace {

using CtrTask = Containerd;

TEST_F(CtrTask, RunsInTheBackground) {
  start_shell({}, "echo begun; sleep 1000");
  EXPECT_EQ(status(), "RUNNING");
  EXPECT_EQ(::kill(pid(), 0), 0);
  EXPECT_TRUE(says("begun\n"));
  remove();
}

TEST_F(CtrTask, IsStartedAgainAfterItsEnd) {
  ASSERT_TRUE(succeeds(ctr({"container", "create", kImage, name(), "false"})));
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(succeeds(task("start", {"--detach", "--null-io"})));
    EXPECT_TRUE(becomes("STOPPED"));
    EXPECT_EQ(delete_task(), 1);
  }
  remove();
}

TEST_F(CtrTask, KeepsTheExitCodeUntilItIsDeleted) {
  start_shell({}, "exit 5");
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 5);
  EXPECT_EQ(status(), "");
  remove();
}

TEST_F(CtrTask, IsNotDeletedWhileItRuns) {
  start();
  const Outcome outcome = task("delete");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("task must be stopped before deletion"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(status(), "RUNNING");
  remove();
}

TEST_F(CtrTask, IsDeletedByForce) {
  start();
  EXPECT_EQ(delete_task({"--force"}), 137);
  EXPECT_EQ(status(), "");
  remove();
}

TEST_F(CtrTask, HandlesASignal) {
  start_shell({}, "trap 'echo heard; exit 9' USR1; echo ready; while :; do sleep .1; done");
  EXPECT_TRUE(says("ready\n"));
  EXPECT_TRUE(succeeds(task("kill", {"--signal", "USR1"})));
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_TRUE(says("heard\n"));
  EXPECT_EQ(delete_task(), 9);
  remove();
}

TEST_F(CtrTask, HandlesARealTimeSignalByNumber) {
  start_shell({}, "trap 'exit 11' 40; echo ready; while :; do sleep .1; done");
  EXPECT_TRUE(says("ready\n"));
  EXPECT_TRUE(succeeds(task("kill", {"--signal", "40"})));
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 11);
  remove();
}

TEST_F(CtrTask, IsKilled) {
  start();
  EXPECT_TRUE(succeeds(task("kill", {"--signal", "KILL"})));
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 137);
  remove();
}

TEST_F(CtrTask, IsKilledWithAllItsProcesses) {
  // The first one ignores TERM, as the kernel's rule is for pid 1; the others do not.
  start_shell({}, "sleep 1001 & sleep 1002 & echo ready; wait; wait; exit 4");
  EXPECT_TRUE(says("ready\n"));
  EXPECT_TRUE(succeeds(task("kill", {"--all", "--signal", "TERM"})));
  EXPECT_TRUE(becomes("STOPPED"));
  EXPECT_EQ(delete_task(), 4);
  remove();
}

TEST_F(CtrTask, IsNotKilledTwice) {
  start_shell({}, "exit 0");
  EXPECT_TRUE(becomes("STOPPED"));
  const Outcome outcome = task("kill", {"--signal", "KILL"});
  EXPECT_NE(outcome.err.find("process already finished"), std::string::npos) << outcome.err;
  remove();
}

TEST_F(CtrTask, TakesItsProcessesAlongFromTheNamespaceOfAnother) {
  start();
  const std::string second = name() + "-second";
  ASSERT_TRUE(succeeds(ctr({"run", "--detach", "--runc-binary", tested_runtime(), "--with-ns",
                            cat("pid:/proc/", pid(), "/ns/pid"), kImage, second, "sh", "-c",
                            "sleep 1001 & exit 0"})));
  EXPECT_TRUE(eventually([&] { return status(second) == "STOPPED"; }));
  remove(second);
  EXPECT_EQ(exec({}, {"sh", "-c", kCountSleeping}).out, "1\n");
  remove();
}

TEST_F(CtrTask, IsPausedAndResumed) {
  const auto count = [&] { return log().size(); };
  start_shell({}, "while :; do echo .; sleep .01; done");
  EXPECT_TRUE(says("."));
  EXPECT_TRUE(succeeds(task("pause")));
  EXPECT_EQ(status(), "PAUSED");
  const char* controller = unified() ? "pids" : "freezer";  // of v2 every cgroup can be frozen
  const std::string frozen = cgroup_value(pid(), controller, "freezer.state", "cgroup.freeze");
  EXPECT_TRUE(frozen == "FROZEN" || frozen == "1") << frozen;
  const size_t when_paused = count();
  EXPECT_NE(exec({}, {"true"}).exit_code, 0);
  EXPECT_EQ(count(), when_paused);
  EXPECT_TRUE(succeeds(task("resume")));
  EXPECT_EQ(status(), "RUNNING");
  EXPECT_TRUE(eventually([&] { return count() > when_paused; }));
  remove();
}

TEST_F(CtrTask, IsDeletedByForceWhilePaused) {
  start();
  EXPECT_TRUE(succeeds(task("pause")));
  remove();
}

TEST_F(CtrTask, ListsItsProcesses) {
  start_shell({}, "sleep 1001 & echo ready; wait");
  EXPECT_TRUE(says("ready\n"));
  const Outcome outcome = task("ps");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(split(stripped(outcome.out), '\n').size(), 3U) << outcome.out;
  EXPECT_NE(outcome.out.find(cat('\n', pid(), ' ')), std::string::npos) << outcome.out;
  remove();
}

TEST_F(CtrTask, ShowsItsFigures) {
  start({"--memory-limit", "33554432"});
  const Outcome outcome = task("metrics");
  EXPECT_TRUE(succeeds(outcome));
  const char* usage = is_unified("memory") ? "memory.usage_limit" : "memory.usage_in_bytes";
  EXPECT_NE(outcome.out.find(usage), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("pids.current"), std::string::npos) << outcome.out;
  remove();
}

TEST_F(CtrTask, EndsWhenItTakesMoreMemoryThanAllowed) {
  const Outcome outcome = run_shell({"--memory-limit", "16777216"},
                                    "dd if=/dev/zero of=/dev/null bs=64M count=1; exit $?");
  EXPECT_EQ(outcome.exit_code, 137) << outcome.out;
}

struct ExecCase {
  const char* name;
  std::vector<std::string> options;
  const char* script;
  const char* out;
  int exit_code = 0;
};

std::ostream& operator<<(std::ostream& stream, const ExecCase& row) { return stream << row.script; }

class CtrExec : public Containerd, public ::testing::WithParamInterface<ExecCase> {};

TEST_P(CtrExec, IsSeenInside) {
  const ExecCase& row = GetParam();
  start();
  const Outcome outcome = exec(row.options, {"sh", "-c", row.script});
  EXPECT_EQ(outcome.exit_code, row.exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, row.out) << outcome.err;
  remove();
}

const ExecCase kExecCases[] = {
    {"Nothing", {}, "echo hi", "hi\n"},
    {"ExitCode", {}, "exit 42", "", 42},
    {"User", {"--user", "1234:5678"}, "id -u; id -g", "1234\n5678\n"},
    {"Cwd", {"--cwd", "/tmp"}, "pwd", "/tmp\n"},
    {"PidNamespace", {}, "cat /proc/1/comm", "sleep\n"},
    {"Cgroup", {}, "cmp /proc/1/cgroup /proc/self/cgroup && echo same", "same\n"},
};

INSTANTIATE_TEST_SUITE_P(All, CtrExec, ::testing::ValuesIn(kExecCases),
                         [](const auto& about) { return std::string(about.param.name); });

TEST_F(CtrTask, ExecOfAMissingCommandSaysSo) {
  start();
  const Outcome outcome = exec({}, {"nope"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("not found in $PATH"), std::string::npos) << outcome.err;
  EXPECT_EQ(status(), "RUNNING");
  remove();
}

TEST_F(CtrTask, ExecHasATerminal) {
  start();
  Call call;
  call.args = {
      "--quiet", "--return", "--command",
      cat("ctr task exec --tty --exec-id terminal ", name(),
          " sh -c 'tty; echo >/tmp/here; until test -e /tmp/end; do sleep .1; done; exit 7'"),
      "/dev/null"};
  Program program(find_program("script"), call);
  EXPECT_TRUE(eventually([&] { return program.out().find("/dev/pts/0\r") != std::string::npos; }))
      << program.out();
  EXPECT_EQ(exec({}, {"touch", "/tmp/end"}).exit_code, 0);
  EXPECT_EQ(program.wait().exit_code, 7);
  remove();
}

TEST_F(CtrTask, ExecInTheBackgroundIsKilledByItsName) {
  start();
  ASSERT_TRUE(
      succeeds(ctr({"task", "exec", "--detach", "--exec-id", "second", name(), "sleep", "1001"})));
  EXPECT_TRUE(succeeds(task("kill", {"--exec-id", "second", "--signal", "KILL"})));
  EXPECT_TRUE(eventually(
      [&] { return ctr({"task", "delete", "--exec-id", "second", name()}).exit_code == 137; }));
  EXPECT_EQ(status(), "RUNNING");
  remove();
}

}  // namespace
}  // namespace rt::testing
