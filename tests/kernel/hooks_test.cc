// Hooks, run for real: what they are given, and that none of them can hold, flood or outlive us.
#include "runtime/kernel/hooks.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/base/unique_fd.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;
using std::chrono::steady_clock;

const HookInput kInput = {.state = R"({"id":"c1"})", .directory = ""};

class Hooks : public ::testing::Test {
 protected:
  void SetUp() override {
    // What a hook leaves behind comes to us: seen, and reaped.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  }
  void TearDown() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  }

  /// A shell script; $D is the test's directory.
  [[nodiscard]] plan::HookStep shell(const std::string& script) const {
    plan::HookStep hook;
    hook.kind = plan::HookKind::kPoststart;
    hook.path = "/bin/sh";
    hook.args = {"sh", "-c", cat("D=", directory(), "; ", script)};
    hook.env = {"PATH=/usr/bin:/bin"};
    hook.origin = "/hooks/poststart/0";
    return hook;
  }

  [[nodiscard]] const std::string& directory() const { return directory_.path(); }
  [[nodiscard]] std::string file(const std::string& name) const {
    return cat(directory(), '/', name);
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(file(name)).rdbuf();
    return text.str();
  }
  /// Of the process whose number a hook wrote down.
  [[nodiscard]] pid_t pid_in(const std::string& name) const {
    return static_cast<pid_t>(parse_int(content(name)).value_or(0));
  }
  /// Reaps the process that was left to us (-1: any); its wait status.
  static int reap(pid_t pid) {
    int status = -1;
    EXPECT_GT(::waitpid(pid, &status, 0), 0);
    return status;
  }
  static bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Hooks, GetTheirArgumentsAndEnvironmentExactly) {
  plan::HookStep hook =
      shell("/bin/cat /proc/$$/environ >$D/env; /bin/cat /proc/$$/cmdline >$D/args");
  hook.args[0] = "another name";
  hook.args.emplace_back("");
  hook.args.emplace_back("two words");
  hook.env = {"B=2", "A=", "B=3", "C=a b=c\n"};
  ASSERT_TRUE(is_ok(run_hook(hook, kInput)));
  const std::string zero(1, '\0');
  EXPECT_EQ(content("args"),
            cat("another name", zero, "-c", zero, hook.args[2], zero, zero, "two words", zero));
  EXPECT_EQ(content("env"), cat("B=2", zero, "A=", zero, "B=3", zero, "C=a b=c\n", zero));
}

TEST_F(Hooks, HaveNoEnvironmentUnlessTheConfigGivesOne) {
  plan::HookStep hook = shell("/bin/cat /proc/$$/environ >$D/env");
  hook.env.clear();
  ASSERT_TRUE(is_ok(run_hook(hook, kInput)));
  EXPECT_EQ(content("env"), "");
}

TEST_F(Hooks, ReadTheStateAndThenItsEnd) {
  ASSERT_TRUE(is_ok(run_hook(shell("cat >$D/state"), kInput)));
  EXPECT_EQ(content("state"), kInput.state);
}

TEST_F(Hooks, ReadAStateThatIsLargerThanAPipe) {
  const std::string large(300000, 'x');
  ASSERT_TRUE(is_ok(run_hook(shell("cat >$D/state"), {.state = large, .directory = ""})));
  EXPECT_TRUE(content("state") == large) << content("state").size();
}

TEST_F(Hooks, NeedNotReadTheState) {
  const std::string large(300000, 'x');
  EXPECT_TRUE(is_ok(run_hook(shell("exit 0"), {.state = large, .directory = ""})));
  EXPECT_TRUE(is_ok(run_hook(shell("exec <&-; exit 0"), {.state = large, .directory = ""})));
  EXPECT_TRUE(is_ok(run_hook(shell("head -c 1 >$D/first"), {.state = large, .directory = ""})));
  EXPECT_EQ(content("first"), "x");
}

TEST_F(Hooks, RunInTheCallersDirectoryUnlessToldOtherwise) {
  const UniqueFd before(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::chdir(directory().c_str()), 0);
  const Status done = run_hook(shell("pwd -P >$D/cwd"), kInput);
  ASSERT_EQ(::fchdir(before.get()), 0);
  ASSERT_TRUE(is_ok(done));
  EXPECT_EQ(content("cwd"), directory() + "\n");
  EXPECT_TRUE(is_ok(run_hook(shell("pwd -P >$D/cwd"), {.state = "", .directory = "/usr"})));
  EXPECT_EQ(content("cwd"), "/usr\n");
  EXPECT_TRUE(is_ok(run_hook(shell("pwd -P >$D/cwd"), {.state = "", .directory = file("gone")})));
  EXPECT_EQ(content("cwd"), "/\n");
  EXPECT_TRUE(fails_with(run_hook(shell("exit 0"), {.state = "", .directory = "/etc/passwd"}),
                         "hook \"/bin/sh\": chdir: not a directory"));
}

TEST_F(Hooks, HaveThreeDescriptors) {
  // Ours, and not closed on exec.
  std::vector<UniqueFd> leaked;
  for (const int least : {3, 9, 40, 300}) leaked.emplace_back(::fcntl(0, F_DUPFD, least));
  EXPECT_GE(leaked.back().get(), 300);
  const Status done = run_hook(shell("exec >$D/f; i=0; while [ $i -lt 400 ]; do "
                                     "[ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; exit 0"),
                               kInput);
  ASSERT_TRUE(is_ok(done));
  EXPECT_EQ(content("f"), "0\n1\n2\n");
}

TEST_F(Hooks, HaveASessionAnUmaskAndSignalsOfTheirOwn) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  const mode_t umask = ::umask(0);
  const Status done =
      run_hook(shell("umask >$D/umask; cut -d' ' -f5,6 /proc/$$/stat >$D/session; "
                     "echo $$ $$ >>$D/session; "
                     "while read -r l; do case $l in SigBlk*|SigIgn*) echo \"$l\";; esac; "
                     "done </proc/$$/status >$D/signals"),
               kInput);
  ::umask(umask);
  ::signal(SIGPIPE, handler);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(is_ok(done));
  EXPECT_EQ(content("umask"), "0022\n");
  EXPECT_EQ(content("signals"), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  const std::string session = content("session");
  const size_t half = session.size() / 2;
  EXPECT_EQ(session.substr(0, half), session.substr(half)) << "group and session are not its own";
}

struct Failure {
  const char* name;
  const char* script;
  const char* message;  // behind: hook "/bin/sh":
};

class Failures : public Hooks, public ::testing::WithParamInterface<Failure> {};

TEST_P(Failures, SayHowAndShowTheOutput) {
  const Status done = run_hook(shell(GetParam().script), kInput);
  ASSERT_TRUE(fails_with(done, "hook \"/bin/sh\": "));
  EXPECT_EQ(done.error().message(), cat("hook \"/bin/sh\": ", GetParam().message));
  EXPECT_EQ(done.error().pointer(), "/hooks/poststart/0");
}

INSTANTIATE_TEST_SUITE_P(
    Hooks, Failures,
    ::testing::Values(
        Failure{"Quietly", "exit 3", "exit status 3"},
        Failure{"WithOutput", "echo out; echo err >&2; exit 1", R"(exit status 1: "out\x0aerr")"},
        Failure{"WithoutAWord", "echo; echo ' '; exit 1", "exit status 1"},
        Failure{"OutputThatDrivesATerminal", R"(printf '\033[2J"\177'; exit 255)",
                R"(exit status 255: "\x1b[2J\"\x7f")"},
        Failure{"KilledByItself", "echo hm; kill -KILL $$", R"(killed by signal 9: "hm")"},
        Failure{"KilledByASignalWithACore", "ulimit -c 0; kill -ABRT $$", "killed by signal 6"},
        Failure{"OutputClosedEarly", "exec >&- 2>&-; exit 4", "exit status 4"},
        Failure{"WordsOfAProcessLeftBehind", "(echo late) & wait; exit 5",
                R"(exit status 5: "late")"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Hooks, ThatCannotBeExecutedSayWhy) {
  plan::HookStep hook = shell("");
  hook.path = file("no such\n");
  Status done = run_hook(hook, kInput);
  EXPECT_TRUE(fails_with(
      done, cat("hook ", rt::quoted(hook.path), ": fork/exec: no such file or directory")));
  EXPECT_EQ(done.error().code(), ENOENT);
  EXPECT_EQ(done.error().pointer(), hook.origin);

  hook.path = directory();
  EXPECT_TRUE(fails_with(run_hook(hook, kInput),
                         cat("hook ", rt::quoted(hook.path), ": fork/exec: permission denied")));

  hook.path = file("script");
  std::ofstream(hook.path) << "#!/no/such/interpreter\n";
  ASSERT_EQ(::chmod(hook.path.c_str(), 0755), 0);
  EXPECT_TRUE(fails_with(run_hook(hook, kInput),
                         cat("hook ", rt::quoted(hook.path),
                             ": fork/exec: no such file or directory (the file is there")));

  std::ofstream(hook.path) << "no program";
  EXPECT_TRUE(fails_with(run_hook(hook, kInput),
                         cat("hook ", rt::quoted(hook.path), ": fork/exec: exec format error")));

  hook = shell("");
  hook.args.emplace_back(200000, 'x');
  EXPECT_TRUE(
      fails_with(run_hook(hook, kInput), "hook \"/bin/sh\": fork/exec: argument list too long"));
}

TEST_F(Hooks, ThatFailWithMuchOutputShowItsLast4KiB) {
  const Status done = run_hook(
      shell("i=0; while [ $i -lt 1000 ]; do echo 123456789; i=$((i+1)); done; printf END; exit 1"),
      kInput);
  ASSERT_FALSE(done.ok());
  const std::string& message = done.error().message();
  EXPECT_TRUE(message.starts_with("hook \"/bin/sh\": exit status 1: ...\""))
      << message.substr(0, 60);
  EXPECT_TRUE(message.ends_with("123456789\\x0aEND\"")) << message.substr(message.size() - 60);
  std::string shown = message.substr(message.find("...\"") + 4);
  shown.pop_back();
  for (size_t at = shown.find("\\x0a"); at != std::string::npos; at = shown.find("\\x0a")) {
    shown.replace(at, 4, "\n");
  }
  EXPECT_EQ(shown.size(), 4096U);
}

TEST_F(Hooks, MayWriteAGibibyteAndCostUsNoMemory) {
  rusage before{};
  rusage after{};
  ASSERT_TRUE(is_ok(run_hook(shell("exit 0"), kInput)));
  ::getrusage(RUSAGE_SELF, &before);
  const Status done = run_hook(shell("head -c 1G /dev/zero >&2; echo end >&2; exit 1"), kInput);
  ::getrusage(RUSAGE_SELF, &after);
  ASSERT_TRUE(fails_with(done, "hook \"/bin/sh\": exit status 1: ..."));
  EXPECT_TRUE(done.error().message().ends_with("\\x00end\""));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 1024) << "KiB";
}

TEST_F(Hooks, AreKilledWithTheirGroupWhenTheTimeIsOver) {
  plan::HookStep hook = shell(
      "trap '' TERM INT HUP; sleep 1000 & printf $! >$D/child; echo waiting; "
      "while :; do wait; done");
  hook.timeout_s = 1;
  const auto begin = steady_clock::now();
  const Status done = run_hook(hook, kInput);
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_GE(steady_clock::now() - begin, std::chrono::seconds(1));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message(), R"(hook "/bin/sh": timed out after 1 s: "waiting")");
  EXPECT_TRUE(was_killed(reap(pid_in("child"))));
}

TEST_F(Hooks, AreKilledWhenTheTimeIsOverAlsoWhenTheyWriteWithoutPause) {
  // No shell is left that could reap one of them before it is killed itself.
  plan::HookStep hook = shell("yes & yes & yes & exec yes");
  hook.timeout_s = 1;
  EXPECT_TRUE(fails_with(run_hook(hook, kInput), "hook \"/bin/sh\": timed out after 1 s: ...\""));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(was_killed(reap(-1)));
}

TEST_F(Hooks, MayTakeTheLongestTimeThatCanBeSaid) {
  plan::HookStep hook = shell("sleep 0.1");
  hook.timeout_s = 4294967295;
  EXPECT_TRUE(is_ok(run_hook(hook, kInput)));
}

TEST_F(Hooks, MayLeaveADaemonThatHoldsItsStreams) {
  const Status done =
      run_hook(shell("sleep 1000 & printf $! >$D/daemon; echo bye; exit 6"), kInput);
  EXPECT_TRUE(fails_with(done, R"(hook "/bin/sh": exit status 6: "bye")"));
  const pid_t daemon = pid_in("daemon");
  ASSERT_GT(daemon, 0);
  EXPECT_EQ(::waitpid(daemon, nullptr, WNOHANG), 0) << "only a timeout kills what it started";
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  EXPECT_EQ(WTERMSIG(reap(daemon)), SIGTERM);
}

TEST_F(Hooks, MayLeaveADaemonThatWritesWithoutPause) {
  // It ends when nobody reads any more.
  ASSERT_TRUE(is_ok(run_hook(shell("yes & printf $! >$D/daemon; exit 0"), kInput)));
  EXPECT_EQ(WTERMSIG(reap(pid_in("daemon"))), SIGPIPE);
}

TEST_F(Hooks, ThatCloseTheirOutputAreWaitedForInPeace) {
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_TRUE(fails_with(run_hook(shell("exec >&- 2>&-; sleep 0.5; exit 7"), kInput),
                         "hook \"/bin/sh\": exit status 7"));
  ::getrusage(RUSAGE_SELF, &after);
  const auto used = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  EXPECT_LT(used(after) - used(before), 200000) << "microseconds of the processor for waiting";
}

TEST_F(Hooks, DieWithTheCaller) {
  const std::string fifo = file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const pid_t caller = ::fork();
  if (caller == 0) {
    static_cast<void>(run_hook(shell("printf $$ >$D/fifo; exec sleep 1000"), kInput));
    ::_exit(0);
  }
  std::string text;
  std::ifstream(fifo) >> text;  // waits for the hook
  const auto hook = static_cast<pid_t>(parse_int(text).value_or(0));
  ASSERT_GT(hook, 0);
  ASSERT_EQ(::kill(caller, SIGKILL), 0);
  reap(caller);
  EXPECT_TRUE(was_killed(reap(hook)));
}

TEST_F(Hooks, LeaveNoDescriptorBehind) {
  const auto count = [] {
    int open = 0;
    for (int fd = 0; fd < 1024; ++fd) open += ::fcntl(fd, F_GETFD) < 0 ? 0 : 1;
    return open;
  };
  plan::HookStep missing = shell("");
  missing.path = "/no/such/hook";
  plan::HookStep slow = shell("exec sleep 1000");
  slow.timeout_s = 1;
  const int before = count();
  EXPECT_TRUE(is_ok(run_hook(shell("exit 0"), kInput)));
  EXPECT_FALSE(run_hook(shell("exit 1"), kInput).ok());
  EXPECT_FALSE(run_hook(missing, kInput).ok());
  EXPECT_FALSE(run_hook(slow, kInput).ok());
  EXPECT_EQ(count(), before);
}

class Lists : public Hooks {
 protected:
  plan::HookStep step(plan::HookKind kind, const std::string& script) const {
    plan::HookStep hook = shell(script);
    hook.kind = kind;
    return hook;
  }
  std::vector<plan::HookStep> hooks() const {
    return {step(plan::HookKind::kPrestart, "echo 1 >>$D/log"),
            step(plan::HookKind::kPoststop, "echo 2 >>$D/log"),
            step(plan::HookKind::kPrestart, "echo 3 >>$D/log; echo first; exit 1"),
            step(plan::HookKind::kPoststop, "echo 4 >>$D/log; exit 4"),
            step(plan::HookKind::kPrestart, "echo 5 >>$D/log; exit 2"),
            step(plan::HookKind::kPoststop, "cat >>$D/log; exit 6")};
  }
};

TEST_F(Lists, RunInOrderUpToTheFirstFailure) {
  EXPECT_TRUE(fails_with(run_hooks(hooks(), plan::HookKind::kPrestart, kInput),
                         R"(hook "/bin/sh": exit status 1: "first")"));
  EXPECT_EQ(content("log"), "1\n3\n");
  EXPECT_TRUE(is_ok(run_hooks(hooks(), plan::HookKind::kCreateRuntime, kInput)));
  EXPECT_EQ(content("log"), "1\n3\n");
}

TEST_F(Lists, RunToTheEndWhereAFailureOnlyWarns) {
  const std::vector<Error> failed = run_all_hooks(hooks(), plan::HookKind::kPoststop, kInput);
  EXPECT_EQ(content("log"), cat("2\n4\n", kInput.state));
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].message(), "hook \"/bin/sh\": exit status 4");
  EXPECT_EQ(failed[1].message(), "hook \"/bin/sh\": exit status 6");
}

}  // namespace
}  // namespace rt::kernel
