#include "runtime/container/self.h"

#include <fcntl.h>
#include <signal.h>

#include <cstdlib>
#include <string>

#include "runtime/base/unique_fd.h"
#include "runtime/kernel/seal.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {

Status prepare_self() {
  TRY(sys::set_signal(SIGPIPE, sys::SignalAction::kIgnore));
  // A file that may not grow is an error that can be told, not the end.
  TRY(sys::set_signal(SIGXFSZ, sys::SignalAction::kIgnore));
  // A caller that ignores its children would make us ignore ours: there would be none to wait for.
  TRY(sys::set_signal(SIGCHLD, sys::SignalAction::kDefault));
  while (true) {
    UniqueFd lowest = TRY(sys::open("/dev/null", O_RDWR), "/dev/null");
    if (lowest.get() > 2) return ok();
    // It stands in for a missing standard stream, which is not closed on exec.
    TRY(sys::keep_on_exec(lowest.get()));
    static_cast<void>(lowest.release());
  }
}

Status close_inherited(uint64_t preserved) {
  constexpr uint64_t kFirst = 3;
  constexpr uint64_t kMost = 1U << 20;  // as many as /proc/sys/fs/nr_open usually allows
  if (preserved > kMost) return Error(cat("--preserve-fds ", preserved, ": too many"));
  for (uint64_t fd = kFirst; fd < kFirst + preserved; ++fd) {
    TRY(sys::keep_on_exec(static_cast<int>(fd)), "--preserve-fds ", preserved, ": descriptor ", fd);
  }
  return sys::close_from(static_cast<int>(kFirst + preserved));
}

unsigned listen_descriptors() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || std::to_string(sys::getpid()) != pid) return 0;
  const uint64_t number = parse_uint(count).value_or(0);
  return number > UINT32_MAX ? 0 : static_cast<unsigned>(number);
}

std::string notify_socket() {
  const char* address = std::getenv("NOTIFY_SOCKET");
  return address == nullptr ? "" : address;
}

Result<std::string> helper_program(const std::string& name, const std::string& what) {
  const std::string binary = TRY(kernel::binary_path());
  const std::string directory = binary.substr(0, binary.rfind('/'));
  const std::string beside = cat(directory, '/', name);
  if (sys::access_execute(beside)) return beside;
  const std::string installed = cat(directory, "/../libexec/runtime/", name);
  if (sys::access_execute(installed)) return installed;
  return Error(
      cat(name, ", which ", what, ", is neither ", quoted(beside), " nor ", quoted(installed)));
}

Result<std::string> criu_program(const std::string& name) {
  if (name.starts_with('/')) {
    TRY(sys::access_execute(name), "--criu ", name);
    return name;
  }
  const std::string wanted = name.empty() ? "criu" : name;
  for (const std::string_view directory :
       {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = cat(directory, wanted);
    if (wanted.find('/') == wanted.npos && sys::access_execute(path)) return path;
  }
  return Error(cat(wanted, ": executable file not found: it saves processes and brings them back"))
      .with_hint("install criu, or name it with --criu PATH");
}

Caller caller() { return {.uid = sys::geteuid(), .gid = sys::getegid()}; }

}  // namespace rt::container
