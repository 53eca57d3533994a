// The state of a container: runtime.md, "State". What `state` prints and what hooks read from
// their standard input.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "spec/words.h"

namespace spec {

class JsonWriter;

struct State {
  std::string oci_version = std::string(kOciVersion);
  std::string id;
  std::string status;  // "creating", "created", "running", "stopped", and our own "paused"
  int32_t pid = 0;     // on the host; 0 when there is no process (any more)
  std::string bundle;  // absolute path
  std::map<std::string, std::string> annotations;
  // Not in the specification, but printed by every runtime and read by their callers.
  std::string rootfs;   // absolute path
  std::string created;  // RFC 3339 with nanoseconds, "2026-11-22T04:15:00.123456789Z"
  std::string owner;    // user name; empty is usual
  bool operator==(const State&) const = default;
};

/// What the commands `state` and `list` print: everything; indented, without a line feed at the
/// end.
[[nodiscard]] std::string to_json(const State& state);

/// As an object within another document: `list --format json`.
void write_state(JsonWriter& json, const State& state);

/// The members that the specification defines, on one line: what hooks and seccomp agents get.
[[nodiscard]] std::string to_hook_json(const State& state);

/// The same, as an object within another document.
void write_hook_state(JsonWriter& json, const State& state);

/// Reads either form. An error names line and column.
[[nodiscard]] rt::Result<State> parse_state(std::string_view text);

}  // namespace spec
