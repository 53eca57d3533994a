#include "runtime/stage/protocol.h"

#include <algorithm>
#include <utility>

#include "runtime/stage/wire.h"
#include "runtime/sys/socket.h"

namespace rt::stage {
namespace {

/// The messages that are only a kind have only a kind's size.
constexpr size_t kPlainSize = sizeof(Message);

Status send_error(int channel, Message message, const Error& error) {
  const Wire wire = to_wire(message, error);
  return sys::send(channel, &wire, sizeof wire);
}

}  // namespace

Status send_message(int channel, Message message) {
  return sys::send(channel, &message, kPlainSize);
}

Status send_descriptor(int channel, Message message, int descriptor) {
  return sys::send_descriptor(channel, &message, kPlainSize, descriptor);
}

Status send_failure(int channel, const Error& error) {
  return send_error(channel, Message::kFailed, error);
}

Status send_warning(int channel, const Error& error) {
  return send_error(channel, Message::kWarning, error);
}

Result<Heard> expect(int channel, const std::vector<Message>& expected) {
  Wire wire;
  sys::Received received = TRY(sys::receive(channel, &wire, sizeof wire));
  if (received.size == 0) return Error::from_errno("recvmsg", ECONNRESET);
  if (received.size == sizeof wire && wire.message == Message::kFailed) return error_of(wire);
  const auto known = std::ranges::find(expected, wire.message);
  const bool warning = wire.message == Message::kWarning;
  if (received.size != (warning ? sizeof wire : kPlainSize) || known == expected.end()) {
    return Error("a message out of turn on the sync channel");
  }
  Heard heard;
  heard.message = wire.message;
  if (warning) heard.warning = error_of(wire);
  heard.sender = received.sender;
  heard.descriptor = std::move(received.descriptor);
  return heard;
}

Status ask(int channel, Message request, Message answer) {
  TRY(send_message(channel, request));
  TRY(expect(channel, {answer}));
  return ok();
}

}  // namespace rt::stage
