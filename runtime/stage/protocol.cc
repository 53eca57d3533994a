#include "runtime/stage/protocol.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/sys/socket.h"

namespace rt::stage {
namespace {

struct Wire {
  Message message = Message::kFailed;
  int32_t code = 0;
  std::array<char, 48> call{};
  std::array<char, 48> step{};
  std::array<char, 256> pointer{};
  std::array<char, 3736> text{};
};
static_assert(sizeof(Wire) == 4096);

/// The messages that are only a kind have only a kind's size.
constexpr size_t kPlainSize = sizeof(Message);

template <size_t N>
void put(std::array<char, N>& field, const std::string& text) {
  // The last byte stays NUL.
  std::memcpy(field.data(), text.data(), std::min(text.size(), N - 1));
}

template <size_t N>
std::string take(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

Error error_of(const Wire& wire) {
  return Error::from_wire(wire.code, take(wire.call), take(wire.text))
      .at(take(wire.pointer))
      .in_step(take(wire.step));
}

}  // namespace

Status send_message(int channel, Message message) {
  return sys::send(channel, &message, kPlainSize);
}

Status send_descriptor(int channel, Message message, int descriptor) {
  return sys::send_descriptor(channel, &message, kPlainSize, descriptor);
}

Status send_failure(int channel, const Error& error) {
  Wire wire;
  wire.code = error.code();
  put(wire.call, error.call());
  put(wire.step, error.step());
  put(wire.pointer, error.pointer());
  put(wire.text, error.message());
  return sys::send(channel, &wire, sizeof wire);
}

Result<Heard> expect(int channel, std::initializer_list<Message> expected) {
  Wire wire;
  sys::Received received = TRY(sys::receive(channel, &wire, sizeof wire));
  if (received.size == 0) return Error::from_errno("recvmsg", ECONNRESET);
  if (received.size == sizeof wire && wire.message == Message::kFailed) return error_of(wire);
  const auto* known = std::find(expected.begin(), expected.end(), wire.message);
  if (received.size != kPlainSize || known == expected.end()) {
    return Error("a message out of turn on the sync channel");
  }
  Heard heard;
  heard.message = wire.message;
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
