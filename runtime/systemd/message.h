// Values of D-Bus messages, out of words.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <span>
#include <string>

#include "runtime/base/result.h"
#include "runtime/systemd/order.h"

namespace rt::systemd {

struct FreeMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

/// What a call of libsystemd's returned, a negative errno value on failure.
Status check(int returned, std::string_view call);

/// Appends the values that `signature` says, of the property's words.
Status append_values(sd_bus_message* message, const std::string& signature,
                     std::span<const std::string>& words);

/// Opens an array of properties, a(sv); append_property adds one, and close_array is the end.
Status open_properties(sd_bus_message* message);
Status append_property(sd_bus_message* message, const Property& property);
Status close_properties(sd_bus_message* message);

}  // namespace rt::systemd
