// How an error travels from one process to another. Private to the protocol.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "runtime/base/result.h"
#include "runtime/stage/protocol.h"

namespace rt::stage {

struct Wire {
  Message message = Message::kFailed;
  int32_t code = 0;  // an errno value; kListener: the descriptor's number
  std::array<char, 48> call{};
  std::array<char, 48> step{};
  std::array<char, 256> pointer{};
  std::array<char, 3736> text{};
};
static_assert(sizeof(Wire) == 4096, "what a pipe takes in one piece");

template <size_t N>
void put(std::array<char, N>& field, const std::string& text) {
  // The last byte stays NUL.
  std::memcpy(field.data(), text.data(), std::min(text.size(), N - 1));
}

template <size_t N>
std::string take(const std::array<char, N>& field) {
  return {field.data(), ::strnlen(field.data(), N)};
}

/// What is too long loses its middle: a message begins with the place and ends with the reason.
inline std::string shortened(const std::string& text, size_t room) {
  constexpr std::string_view kGap = " [...] ";
  if (text.size() <= room) return text;
  const size_t head = room / 4;
  const size_t tail = room - head - kGap.size();
  return cat(text.substr(0, head), kGap, text.substr(text.size() - tail));
}

/// `error` as it is sent; what is too long is cut.
inline Wire to_wire(Message message, const Error& error) {
  Wire wire;
  wire.message = message;
  wire.code = error.code();
  put(wire.call, error.call());
  put(wire.step, error.step());
  put(wire.pointer, error.pointer());
  put(wire.text, shortened(error.message(), wire.text.size() - 1));
  return wire;
}

inline Error error_of(const Wire& wire) {
  return Error::from_wire(wire.code, take(wire.call), take(wire.text))
      .at(take(wire.pointer))
      .in_step(take(wire.step));
}

}  // namespace rt::stage
