#include "runtime/kernel/hooks.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kTailSize = 4096;  // bytes of a hook's output that an error shows
constexpr size_t kBlockSize = 16384;
constexpr size_t kPipeSize = 65536;  // what a pipe holds unless told otherwise: pipe(7)

/// The end of what was written. Takes no more room, however much that is.
class Tail {
 public:
  void add(std::string_view text) {
    text_.append(text);
    if (text_.size() <= kTailSize) return;
    text_.erase(0, text_.size() - kTailSize);
    cut_ = true;
  }

  /// In quotes, behind a colon; nothing when there is nothing to show.
  [[nodiscard]] std::string behind_colon() const {
    const size_t last = text_.find_last_not_of(" \t\r\n");
    if (last == std::string::npos) return "";
    return cat(": ", cut_ ? "..." : "", quoted(std::string_view(text_).substr(0, last + 1)));
  }

 private:
  std::string text_;
  bool cut_ = false;
};

/// The child's ends of what joins it to us.
struct Ends {
  UniqueFd input;    // the state
  UniqueFd output;   // what it writes
  UniqueFd failure;  // why it could not be executed; closes with the execution
};

/// A child that is killed, with its process group, and reaped unless somebody waited for it.
class Process {
 public:
  explicit Process(sys::Child child) : child_(std::move(child)) {}
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (child_.pid == 0) return;
    kill();
    static_cast<void>(wait());
  }

  [[nodiscard]] int pidfd() const { return child_.pidfd.get(); }

  /// Before `wait`, so that its number still means it, and its group.
  void kill() const {
    static_cast<void>(sys::kill(-child_.pid, SIGKILL));
    // It may not have come as far as to have a group.
    static_cast<void>(sys::pidfd_send_signal(pidfd(), SIGKILL));
  }

  /// Waits for its end; its wait status.
  Result<int> wait() { return sys::wait_for(std::exchange(child_.pid, 0)); }

 private:
  sys::Child child_;
};

/// The read end of a pipe that holds all of `text`, and then ends: whether, when and how fast the
/// hook reads it is nothing that we wait for.
Result<UniqueFd> filled_pipe(std::string_view text) {
  sys::Pipe pipe = TRY(sys::pipe());
  if (text.size() > kPipeSize) TRY(sys::set_pipe_size(pipe.write.get(), text.size()));
  TRY(sys::set_nonblocking(pipe.write.get()));
  TRY(sys::write_once(pipe.write.get(), text));
  return std::move(pipe.read);
}

Status enter_directory(const std::string& directory) {
  if (directory.empty()) return ok();
  Status entered = sys::chdir(directory.c_str());
  // A bundle may be removed before its container.
  if (!entered && entered.error().code() == ENOENT) return sys::chdir("/");
  return entered;
}

/// In the child: becomes the hook. Comes back with the reason why not.
Error execute(const plan::HookStep& hook, const std::string& directory, const Ends& ends,
              pid_t caller) {
  TRY(sys::set_parent_death_signal(SIGKILL));
  if (sys::getppid() != caller) return Error("the runtime ended");  // before it was asked for
  TRY(sys::setsid());
  TRY(sys::reset_signals());
  TRY(sys::umask(022));
  TRY(sys::dup2(ends.input.get(), 0));
  TRY(sys::dup2(ends.output.get(), 1));
  TRY(sys::dup2(ends.output.get(), 2));
  const std::array kept = {ends.failure.get()};
  TRY(sys::close_from(3, kept));
  TRY(enter_directory(directory));
  const std::vector<char*> args = sys::exec_array(hook.args);
  const std::vector<char*> env = sys::exec_array(hook.env);
  const Error why = sys::execve(hook.path.c_str(), args.data(), env.data());
  // In the words of Go's programs, which people look for.
  Error told = Error::from_errno("fork/exec", why.code());
  if (why.code() != ENOENT || !sys::stat(hook.path)) return told;
  return std::move(told).with_hint("the file is there, the interpreter or loader it names is not");
}

[[noreturn]] void become_hook(const plan::HookStep& hook, const std::string& directory,
                              const Ends& ends, pid_t caller) {
  const Error why = execute(hook, directory, ends, caller);
  const std::string told = cat(why.code(), ' ', why.message());
  static_cast<void>(sys::write_all(ends.failure.get(), told));
  sys::exit_now(EXIT_FAILURE);
}

/// What `become_hook` told; nothing when the hook was executed.
std::optional<Error> read_failure(int failure) {
  const Result<std::string> told = sys::read_all(failure, kBlockSize);
  if (!told) return told.error();
  const std::string& text = told.value();
  const size_t space = text.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const auto code = parse_int(std::string_view(text).substr(0, space));
  return Error::from_wire(static_cast<int>(code.value_or(0)), "execve", text.substr(space + 1));
}

enum class Taken { kSome, kNothing, kEnd };

/// Moves what is there, up to a block of it, to `tail`.
Result<Taken> take_output(int output, Tail& tail) {
  std::array<char, kBlockSize> block;
  const Result<size_t> count = sys::read(output, block.data(), block.size());
  if (!count && count.error().code() == EAGAIN) return Taken::kNothing;
  const size_t size = TRY(count);
  if (size == 0) return Taken::kEnd;
  tail.add({block.data(), size});
  return Taken::kSome;
}

/// What the pipe holds after the hook's end. Not more than a large pipe can hold: somebody whom the
/// hook left behind may go on writing for ever.
Status drain(int output, Tail& tail) {
  constexpr size_t kBlocks = (1U << 20) / kBlockSize;
  for (size_t i = 0; i < kBlocks; ++i) {
    const Taken taken = TRY(take_output(output, tail));
    if (taken != Taken::kSome) break;
  }
  return ok();
}

/// How long we may still wait, rounded up; negative: for ever.
std::chrono::milliseconds time_left(std::optional<nanoseconds> deadline) {
  if (!deadline) return std::chrono::milliseconds(-1);
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*deadline - sys::monotonic_clock());
  return std::max(left, std::chrono::milliseconds(0));
}

/// Reads its output until it ends: true. False when the time is over before.
Result<bool> watch(const Process& process, UniqueFd& output, std::optional<nanoseconds> deadline,
                   Tail& tail) {
  while (true) {
    const auto left = time_left(deadline);
    std::vector<int> watched = {process.pidfd()};
    // When the time is over only its end counts: a hook that writes all the time would never let a
    // poll run out, and one that ended while we were stopped has not been late.
    if (output && left.count() != 0) watched.push_back(output.get());
    const std::optional<size_t> ready = TRY(sys::wait_readable(watched, left));
    if (!ready) return false;
    if (*ready == 0) return true;
    const Taken taken = TRY(take_output(output.get(), tail));
    // Closed by the hook, which may go on: from now on it would always be ready.
    if (taken == Taken::kEnd) output.reset();
  }
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return cat("killed by signal ", WTERMSIG(status));
  return cat("exit status ", WEXITSTATUS(status));
}

/// Waits for the hook's end, or brings it about.
Status supervise(const plan::HookStep& hook, Process& process, UniqueFd output, int failure) {
  std::optional<nanoseconds> deadline;
  if (hook.timeout_s) deadline = sys::monotonic_clock() + std::chrono::seconds(*hook.timeout_s);
  Tail tail;
  const bool ended = TRY(watch(process, output, deadline, tail));
  if (!ended) process.kill();
  const int status = TRY(process.wait());
  if (output) TRY(drain(output.get(), tail));
  if (!ended) {
    return Error(cat("timed out after ", *hook.timeout_s, " s", tail.behind_colon()));
  }
  if (std::optional<Error> why = read_failure(failure)) return *std::move(why);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok();
  return Error(cat(how_it_ended(status), tail.behind_colon()));
}

Status run(const plan::HookStep& hook, const HookInput& input) {
  Ends ends;
  ends.input = TRY(filled_pipe(input.state), "its input, ", input.state.size(), " bytes");
  sys::Pipe output = TRY(sys::pipe());
  sys::Pipe failure = TRY(sys::pipe());
  TRY(sys::set_nonblocking(output.read.get()));
  ends.output = std::move(output.write);
  ends.failure = std::move(failure.write);
  const pid_t caller = sys::getpid();
  sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) become_hook(hook, input.directory, ends, caller);
  Process process(std::move(child));
  ends = {};
  return supervise(hook, process, std::move(output.read), failure.read.get());
}

}  // namespace

Status run_hook(const plan::HookStep& hook, const HookInput& input) {
  TRY(at(hook.origin, run(hook, input)), "hook ", quoted(hook.path));
  return ok();
}

Status run_hooks(const std::vector<plan::HookStep>& hooks, plan::HookKind kind,
                 const HookInput& input) {
  for (const plan::HookStep& hook : hooks) {
    if (hook.kind == kind) TRY(run_hook(hook, input));
  }
  return ok();
}

std::vector<Error> run_all_hooks(const std::vector<plan::HookStep>& hooks, plan::HookKind kind,
                                 const HookInput& input) {
  std::vector<Error> failed;
  for (const plan::HookStep& hook : hooks) {
    if (hook.kind != kind) continue;
    Status done = run_hook(hook, input);
    if (!done) failed.push_back(std::move(done).error());
  }
  return failed;
}

}  // namespace rt::kernel
