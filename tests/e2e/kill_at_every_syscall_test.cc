// The runtime is killed at every system call that it makes during create. Whatever is there then,
// the other commands find their way: nothing hangs, nothing is left, and the name can be used
// again.
//
// From outside, by ptrace(2): nothing in the product knows of it. Only the runtime's own process is
// traced, not its children; when it dies, they must notice by themselves.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// Where a traced program was killed, or how many calls it made when it was not.
struct Trace {
  int calls = 0;
  bool killed = false;
  uint64_t call = 0;  // the number of the call that it was killed at
  int exit_code = -1;
};

[[noreturn]] void run_traced(const std::string& path, const std::vector<std::string>& args) {
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& word : args) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  char* env[] = {nullptr};
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  ::execve(path.c_str(), argv.data(), env);
  ::_exit(126);
}

/// Whether the stopped tracee is about to make a system call.
bool enters_call(pid_t tracee, uint64_t& number) {
  __ptrace_syscall_info info{};
  ::ptrace(PTRACE_GET_SYSCALL_INFO, tracee, sizeof info, &info);
  number = info.entry.nr;
  return info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/// Runs a program, and kills it when it enters its system call number `last`, counted from 1. Never
/// when it makes fewer.
Trace trace(const std::string& path, const std::vector<std::string>& args, int last) {
  Trace result;
  const pid_t tracee = ::fork();
  if (tracee == 0) run_traced(path, args);
  int status = 0;
  ::waitpid(tracee, &status, 0);
  constexpr long kOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
  ::ptrace(PTRACE_SETOPTIONS, tracee, nullptr, kOptions);
  int signal = 0;
  while (true) {
    ::ptrace(PTRACE_SYSCALL, tracee, nullptr, static_cast<long>(signal));
    ::waitpid(tracee, &status, 0);
    if (!WIFSTOPPED(status)) break;
    const bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    const bool at_exec = WSTOPSIG(status) == SIGTRAP;
    signal = at_call || at_exec ? 0 : WSTOPSIG(status);
    if (!at_call || !enters_call(tracee, result.call)) continue;
    if (++result.calls == last) ::kill(tracee, SIGKILL);
  }
  result.killed = WIFSIGNALED(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

class KillAtEverySyscall : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    config_.shell("touch /tmp/ran");
  }

  [[nodiscard]] Trace create_until(int last) const {
    return trace(runtime_binary(), {"--root", state_root(), "create", "--bundle", bundle(), id()},
                 last);
  }

  /// What every interruption must end in.
  void check_recovery() const {
    const Outcome state = runtime({"state", id()});
    if (state.exit_code == 0) {
      const std::string status = Json(state.out).at("/status");
      EXPECT_TRUE(status == "stopped" || status == "created") << status;
    } else {
      EXPECT_TRUE(fails_saying(state, "does not exist"));
    }
    EXPECT_TRUE(succeeds(runtime({"list"})));
    EXPECT_TRUE(succeeds(remove_by_force()));
    check_nothing_is_left();
    EXPECT_TRUE(succeeds(runtime({"create", id(), bundle()})));
    EXPECT_TRUE(succeeds(remove()));
    EXPECT_FALSE(exists(rootfs() + "/tmp/ran")) << "the payload ran";
  }

  void kill_at_every_syscall() {
    write_config();
    const Trace whole = create_until(0);
    ASSERT_EQ(whole.exit_code, 0);
    ASSERT_TRUE(succeeds(remove()));
    ASSERT_GT(whole.calls, 50);
    int killed = 0;
    for (int last = 1; last <= whole.calls; ++last) {
      const Trace cut = create_until(last);
      SCOPED_TRACE(cat("killed at system call ", last, " of ", whole.calls, ", number ", cut.call));
      if (cut.killed) ++killed;
      check_recovery();
      if (HasFailure()) return;
    }
    // A few calls more or less do not matter: the runtime may have had to wait once more.
    EXPECT_GE(killed, whole.calls - 10);
    RecordProperty("system_calls", whole.calls);
    RecordProperty("killed", killed);
  }
};

TEST_F(KillAtEverySyscall, OfCreate) { kill_at_every_syscall(); }

TEST_F(KillAtEverySyscall, OfCreateWithAUserNamespace) {
  config_.user_namespace();
  kill_at_every_syscall();
}

TEST_F(KillAtEverySyscall, OfCreateWithHooks) {
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "poststop"}) {
    config_.add(cat("/hooks/", kind), R"({"path": "/bin/true"})");
  }
  kill_at_every_syscall();
}

}  // namespace
}  // namespace rt::testing
