// Between JSON, which the runtime speaks, and the messages of CRIU's protocol.
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace rt::criu {

/// A packet in its other form.
struct Translated {
  std::string packet;
  bool notification = false;  // asks or answers in the middle of something
};

/// A request of the runtime's, for CRIU. A field that CRIU does not know, or of which we do not
/// know that it does, is an error.
Result<Translated> to_criu(const std::string& json);

/// An answer of CRIU's, for the runtime. What we do not know in it is left out.
Result<Translated> to_json(const std::string& message);

/// The packet by which the runtime learns that this program has failed.
std::string failure_packet(const Error& error);

}  // namespace rt::criu
