// linux.resources as a document: what `update` keeps for the next one.
#pragma once

#include <string>

#include "spec/config_linux.h"

namespace spec {

/// The object that load_resources reads, on one line. What is absent stays absent.
[[nodiscard]] std::string to_json(const Resources& resources);

}  // namespace spec
