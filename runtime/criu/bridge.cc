#include "runtime/criu/bridge.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/criu/translate.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::criu {
namespace {

struct Packet {
  std::string bytes;
  UniqueFd descriptor;  // that goes along, if any
};

/// How long the next packet is; 0 when the peer has closed the socket. When it left something of
/// ours unread the first call says only that; what it has sent before is still there.
Result<size_t> next_size(int socket) {
  Result<size_t> size = sys::next_size(socket);
  if (!size && size.error().code() == ECONNRESET) return sys::next_size(socket);
  return size;
}

/// Nothing when the peer has closed the socket.
Result<std::optional<Packet>> read_packet(int socket) {
  const size_t size = TRY(next_size(socket));
  if (size == 0) return std::optional<Packet>();
  if (size > kLongestPacket) {
    return Error(cat("a packet of ", size, " bytes, where ", kLongestPacket, " are the most"));
  }
  Packet packet;
  packet.bytes.resize(size);
  sys::Received received = TRY(sys::receive(socket, packet.bytes.data(), size));
  packet.bytes.resize(received.size);
  packet.descriptor = std::move(received.descriptor);
  return std::optional(std::move(packet));
}

/// Whether the peer is still there. Does not wait: poll(2) has said that there is room.
Result<bool> send_packet(int socket, const Packet& packet) {
  const std::string& bytes = packet.bytes;
  const Status sent = packet.descriptor ? sys::send_descriptor(socket, bytes.data(), bytes.size(),
                                                               packet.descriptor.get())
                                        : sys::send(socket, bytes.data(), bytes.size());
  if (sent) return true;
  if (sent.error().code() == EPIPE || sent.error().code() == ECONNRESET) return false;
  return sent.error();
}

class Bridge {
 public:
  Bridge(int runtime, Worker& worker) : runtime_(runtime), worker_(worker) {}

  Status run() {
    while (!done_) {
      TRY(wait());
      // It is not there to be told of anything that CRIU still says.
      if (watched_[kRuntime].broken) return ok();
      TRY(send_waiting());
      if (watched_[kRuntime].readable) TRY(take_request());
      if (watched_[kCriu].readable) {
        TRY(take_answer());
      } else if (watched_[kEnd].readable) {
        TRY(finish());  // a process that it has made may hold the socket open
      }
    }
    return ok();
  }

 private:
  enum Place { kRuntime, kCriu, kEnd };

  /// A side is read from when nothing that it sent before waits for the other: neither makes us
  /// keep more than a packet. Of CRIU nothing is heard meanwhile, not even its end.
  Status wait() {
    const bool hear = !for_runtime_.has_value();
    const bool speak = for_criu_.has_value();
    watched_ = {
        {.fd = runtime_, .read = !speak, .write = !hear},
        {.fd = hear || speak ? worker_.socket.get() : -1, .read = hear, .write = speak},
        {.fd = hear ? worker_.pidfd.get() : -1, .read = true},
    };
    return sys::poll(watched_);
  }

  Status send_waiting() {
    if (watched_[kCriu].writable && for_criu_) {
      // If it is gone, what it said before is what there is to tell.
      TRY(send_packet(worker_.socket.get(), *for_criu_), "criu");
      for_criu_.reset();
    }
    if (watched_[kRuntime].writable && for_runtime_) {
      const bool there = TRY(send_packet(runtime_, *for_runtime_));
      done_ = !there;
      for_runtime_.reset();
    }
    return ok();
  }

  Status take_request() {
    const std::optional<Packet> packet = TRY(read_packet(runtime_), "request");
    if (!packet) {
      done_ = true;
      return ok();
    }
    Translated request = TRY(to_criu(packet->bytes));
    if (!request.notification) answered_ = false;
    for_criu_.emplace();
    for_criu_->bytes = std::move(request.packet);
    return ok();
  }

  Status take_answer() {
    std::optional<Packet> packet = TRY(read_packet(worker_.socket.get()), "criu");
    if (!packet) return finish();
    Translated answer = TRY(to_json(packet->bytes));
    if (!answer.notification) answered_ = true;
    packet->bytes = std::move(answer.packet);
    for_runtime_ = std::move(packet);
    return ok();
  }

  /// CRIU has closed its connection. How long it may still work the runtime decides.
  Status finish() {
    done_ = true;
    const std::vector<int> either = {worker_.pidfd.get(), runtime_};
    const auto first = TRY(sys::wait_readable(either, std::chrono::milliseconds(-1)));
    if (first != 0) return ok();
    const std::string how = TRY(reap_worker(worker_));
    if (!answered_) return Error(cat("criu ended without an answer: ", how));
    return ok();
  }

  int runtime_;
  Worker& worker_;
  std::vector<sys::Watched> watched_;
  std::optional<Packet> for_criu_;
  std::optional<Packet> for_runtime_;
  bool answered_ = false;
  bool done_ = false;
};

}  // namespace

Status carry_packets(int runtime, Worker& worker) { return Bridge(runtime, worker).run(); }

}  // namespace rt::criu
