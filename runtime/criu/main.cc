// Starts CRIU and stands between it and the runtime: `runtime-criu CRIU`, with the runtime's socket
// as descriptor 3. On that socket each packet is JSON, on CRIU's the same message in its own
// encoding.
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "runtime/criu/bridge.h"
#include "runtime/criu/translate.h"
#include "runtime/criu/worker.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace {

constexpr int kRuntime = 3;
/// For CRIU to take back what it has begun.
constexpr std::chrono::seconds kGrace(10);

int complain(const rt::Error& error) {
  static_cast<void>(rt::sys::write_all(2, rt::cat("runtime-criu: ", error.message(), '\n')));
  return EXIT_FAILURE;
}

/// Ends the connection with nothing in it unread: the runtime would see a reset before what it was
/// told.
void hang_up() {
  if (!rt::sys::shutdown(kRuntime)) return;
  char unread = 0;
  rt::Result<rt::sys::Received> received = rt::sys::receive(kRuntime, &unread, sizeof unread);
  while (received && received.value().size > 0) {
    received = rt::sys::receive(kRuntime, &unread, sizeof unread);
  }
}

/// Tells the runtime, if it is still there.
int fail(const rt::Error& error) {
  const std::string packet = rt::criu::failure_packet(error);
  static_cast<void>(rt::sys::send(kRuntime, packet.data(), packet.size()));
  return EXIT_FAILURE;
}

int serve(const std::string& criu) {
  rt::Result<rt::criu::Worker> started = rt::criu::start_worker(criu, kRuntime);
  if (!started) return fail(std::move(started).error().within(rt::quoted(criu)));
  rt::criu::Worker& worker = started.value();
  const rt::Status carried = rt::criu::carry_packets(kRuntime, worker);
  const int code = carried ? EXIT_SUCCESS : fail(carried.error());
  // Only CRIU itself: what it restores is our child too, and shall be there when we are gone.
  const rt::Status ended = rt::criu::end_worker(worker, kGrace);
  return ended ? code : fail(ended.error());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return complain(rt::Error("the path of criu is missing"));
  // What ignores it cannot wait for its children.
  rt::Status ready = rt::sys::set_signal(SIGCHLD, rt::sys::SignalAction::kDefault);
  if (ready) ready = rt::sys::set_send_buffer(kRuntime, rt::criu::kLongestPacket);
  if (!ready) return complain(std::move(ready).error().within("descriptor 3"));
  const int code = serve(argv[1]);
  hang_up();
  return code;
}
