// A document's text in, checked values and everything that is wrong with it out.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "spec/config.h"
#include "spec/diagnostic.h"

namespace spec {

/// What came of a document: its value when it has no error, and the complaints, in order of
/// position. Warnings alone do not keep the value back.
struct Loaded {
  std::optional<Config> config;
  std::vector<Diagnostic> diagnostics;
};

struct LoadedProcess {
  std::optional<Process> process;
  std::vector<Diagnostic> diagnostics;
};

struct LoadedResources {
  std::optional<Resources> resources;
  std::vector<Diagnostic> diagnostics;
};

/// config.json: parsed and validated.
[[nodiscard]] Loaded load_config(std::string_view text);

/// The file of `exec --process`: the "process" object alone.
[[nodiscard]] LoadedProcess load_process(std::string_view text);

/// The file of `update --resources`: the "linux.resources" object alone.
[[nodiscard]] LoadedResources load_resources(std::string_view text);

}  // namespace spec
