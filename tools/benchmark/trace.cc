// Counts system calls with ptrace(2). Each call stops its process twice; a descendant is traced
// from its first instruction.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "tools/benchmark/measure.h"
#include "tools/benchmark/spawn.h"

namespace bench {
namespace {

constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
constexpr int kSystemCallStop = SIGTRAP | 0x80;

/// Highest resident memory of a process that is about to end, in KiB.
long peak_of(pid_t pid) {
  std::FILE* file = std::fopen(rt::cat("/proc/", pid, "/status").c_str(), "re");
  if (file == nullptr) return 0;
  long peak = 0;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::string_view(line).starts_with("VmHWM:")) peak = std::strtol(line + 6, nullptr, 10);
  }
  std::fclose(file);
  return peak;
}

class Tracer {
 public:
  rt::Result<Work> run(const std::vector<std::string>& command) {
    main_ = TRY(spawn(command, Start::kStopped));
    int status = 0;
    if (waitpid(main_, &status, WUNTRACED) != main_) return rt::Error::from_errno("waitpid");
    if (ptrace(PTRACE_SEIZE, main_, nullptr, kOptions) != 0) {
      return rt::Error::from_errno("ptrace");
    }
    kill(main_, SIGCONT);
    while (!ended_) {
      const pid_t pid = waitpid(-1, &status, __WALL);
      if (pid < 0) return rt::Error::from_errno("waitpid");
      handle(pid, status);
    }
    detach_rest();
    if (exit_status_ != 0) {
      return rt::Error(rt::cat(to_text(command), ": wait status ", exit_status_, ", traced"));
    }
    return Work{.system_calls = stops_ / 2, .peak_kib = peak_kib_};
  }

 private:
  void handle(pid_t pid, int status) {
    if (!WIFSTOPPED(status)) {
      alive_.erase(pid);
      if (pid == main_) {
        ended_ = true;
        exit_status_ = status;
      }
      return;
    }
    alive_.insert(pid);
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (signal == kSystemCallStop) ++stops_;
    if (event == PTRACE_EVENT_EXIT) peak_kib_ = std::max(peak_kib_, peak_of(pid));
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      ptrace(PTRACE_LISTEN, pid, nullptr, nullptr);  // stopped like everybody would be
      return;
    }
    const bool deliver = event == 0 && signal != kSystemCallStop;
    ptrace(PTRACE_SYSCALL, pid, nullptr, deliver ? static_cast<long>(signal) : 0L);
  }

  void detach_rest() {
    for (const pid_t pid : alive_) {
      ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
      int status = 0;
      if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) continue;
      ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    }
  }

  pid_t main_ = 0;
  bool ended_ = false;
  int exit_status_ = 0;
  long stops_ = 0;
  long peak_kib_ = 0;
  std::set<pid_t> alive_;
};

}  // namespace

rt::Result<Work> run_traced(const std::vector<std::string>& command) {
  Tracer tracer;
  return tracer.run(command);
}

}  // namespace bench
