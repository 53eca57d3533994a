// Which heading of the specification defines a place of config.json.
#pragma once

#include <string_view>

namespace spec {

/// `config-linux.md, "Devices"` for "/linux/devices/0"; "" for a place that is not defined.
[[nodiscard]] std::string_view section_of(std::string_view pointer);

}  // namespace spec
