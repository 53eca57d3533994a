#include "runtime/criu/worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::criu {
namespace {

/// The child's part of what both have.
struct Ends {
  int runtime = -1;
  int socket = -1;
  int failure = -1;  // where it says why it could not execute CRIU; closed when it could
};

/// In the child: becomes CRIU. Comes back with the reason why not.
Error execute(const std::string& path, const Ends& ends, pid_t parent) {
  TRY(sys::set_parent_death_signal(SIGKILL));
  if (sys::getppid() != parent) return Error("runtime-criu ended");  // before it was asked for
  TRY(sys::reset_signals());
  const UniqueFd nothing = TRY(sys::open("/dev/null", O_RDONLY));
  TRY(sys::dup2(nothing.get(), 0));
  UniqueFd(ends.runtime).reset();  // or the runtime would not see our end
  TRY(sys::keep_on_exec(ends.socket));
  const std::vector<std::string> words = {path, "swrk", std::to_string(ends.socket)};
  return sys::execve(path.c_str(), sys::exec_array(words).data(), environ);
}

[[noreturn]] void become_criu(const std::string& path, const Ends& ends, pid_t parent) {
  const Error why = execute(path, ends, parent);
  static_cast<void>(sys::write_all(ends.failure, why.message()));
  sys::exit_now(EXIT_FAILURE);
}

}  // namespace

Result<Worker> start_worker(const std::string& path, int runtime) {
  // CRIU asks the kernel who made the socket, and opens the descriptors of that process.
  sys::SocketPair pair = TRY(sys::socket_pair());
  TRY(sys::set_send_buffer(pair.ours.get(), kLongestPacket));
  TRY(sys::set_send_buffer(pair.theirs.get(), kLongestPacket));
  sys::Pipe failure = TRY(sys::pipe());
  const Ends ends = {
      .runtime = runtime, .socket = pair.theirs.get(), .failure = failure.write.get()};
  const pid_t parent = sys::getpid();
  sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) become_criu(path, ends, parent);
  Worker worker;
  worker.pid = child.pid;
  worker.pidfd = std::move(child.pidfd);
  worker.socket = std::move(pair.ours);
  pair.theirs.reset();
  failure.write.reset();
  constexpr size_t kLongestReason = 4096;
  Result<std::string> reason = sys::read_all(failure.read.get(), kLongestReason);
  if (reason && reason.value().empty()) return worker;
  static_cast<void>(end_worker(worker, {}));
  if (!reason) return std::move(reason).error();
  return Error(std::move(reason).value());
}

Result<std::string> reap_worker(Worker& worker) {
  const int status = TRY(sys::wait_for(worker.pid));
  worker.pid = 0;
  if (WIFSIGNALED(status)) return cat("signal ", WTERMSIG(status));
  return cat("exit status ", WEXITSTATUS(status));
}

Status end_worker(Worker& worker, std::chrono::milliseconds patience) {
  if (worker.pid == 0) return ok();
  worker.socket.reset();
  const auto ended = TRY(sys::wait_readable({worker.pidfd.get()}, patience));
  if (!ended) TRY(sys::pidfd_send_signal(worker.pidfd.get(), SIGKILL));
  TRY(reap_worker(worker));
  return ok();
}

}  // namespace rt::criu
