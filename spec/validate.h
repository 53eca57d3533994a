// The MUSTs of the specification that a document alone can break. All of them at once.
//
// Pointers are set in what is returned, lines are not: Document::place knows them. A pointer to
// something missing ends with what is missing.
#pragma once

#include <vector>

#include "spec/config.h"
#include "spec/diagnostic.h"

namespace spec {

[[nodiscard]] std::vector<Diagnostic> validate(const Config& config);

/// A "process" or "linux.resources" object that is a document of its own.
[[nodiscard]] std::vector<Diagnostic> validate_process(const Process& process);
[[nodiscard]] std::vector<Diagnostic> validate_resources(const Resources& resources);

}  // namespace spec
