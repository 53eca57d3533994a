#include "runtime/container/self.h"

#include <fcntl.h>
#include <signal.h>

#include "runtime/base/unique_fd.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {

Status prepare_self() {
  TRY(sys::set_signal(SIGPIPE, sys::SignalAction::kIgnore));
  // A file that may not grow is an error that can be told, not the end.
  TRY(sys::set_signal(SIGXFSZ, sys::SignalAction::kIgnore));
  // A caller that ignores its children would make us ignore ours: there would be none to wait for.
  TRY(sys::set_signal(SIGCHLD, sys::SignalAction::kDefault));
  // What the caller leaked to us: nothing that we do shall reach it (CVE-2024-21626).
  TRY(sys::close_from(3));
  while (true) {
    UniqueFd lowest = TRY(sys::open("/dev/null", O_RDWR), "/dev/null");
    if (lowest.get() > 2) return ok();
    // It stands in for a missing standard stream, which is not closed on exec.
    TRY(sys::keep_on_exec(lowest.get()));
    static_cast<void>(lowest.release());
  }
}

Caller caller() { return {.uid = sys::geteuid(), .gid = sys::getegid()}; }

}  // namespace rt::container
