// config.json, and the parts of it that commands read alone, from JSON to values. Checks types,
// ranges and required members, and warns about unknown ones; what the values mean is validate.h's
// business. What is wrong is left in the document.
#pragma once

#include "spec/config.h"
#include "spec/json.h"

namespace spec {

[[nodiscard]] Config parse_config(Document& document);

/// The object that `exec --process FILE` reads: config.md, "Process".
[[nodiscard]] Process parse_process(Document& document);

/// The object that `update --resources FILE` reads: config-linux.md, "Control groups".
[[nodiscard]] Resources parse_resources(Document& document);

}  // namespace spec
