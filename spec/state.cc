#include "spec/state.h"

#include "spec/json.h"
#include "spec/json_writer.h"

namespace spec {

template <>
struct Fields<State> {
  static constexpr std::string_view kSection = "runtime.md, \"State\"";
  static constexpr Field<State> kTable[] = {
      field<&State::oci_version>("ociVersion", Need::kRequired),
      field<&State::id>("id", Need::kRequired),
      field<&State::status>("status", Need::kRequired),
      field<&State::pid>("pid"),
      field<&State::bundle>("bundle", Need::kRequired),
      field<&State::annotations>("annotations"),
      field<&State::rootfs>("rootfs"),
      field<&State::created>("created"),
      field<&State::owner>("owner"),
  };
};

namespace {

void write_annotations(JsonWriter& json, const State& state) {
  if (state.annotations.empty()) return;
  json.key("annotations").begin_object();
  for (const auto& [key, value] : state.annotations) json.key(key).value(value);
  json.end_object();
}

}  // namespace

void write_state(JsonWriter& json, const State& state) {
  json.begin_object();
  json.key("ociVersion").value(state.oci_version);
  json.key("id").value(state.id);
  json.key("pid").value(state.pid);
  json.key("status").value(state.status);
  json.key("bundle").value(state.bundle);
  json.key("rootfs").value(state.rootfs);
  json.key("created").value(state.created);
  write_annotations(json, state);
  json.key("owner").value(state.owner);
  json.end_object();
}

std::string to_json(const State& state) {
  JsonWriter json(JsonWriter::Style::kPretty);
  write_state(json, state);
  return json.text();
}

void write_hook_state(JsonWriter& json, const State& state) {
  json.begin_object();
  json.key("ociVersion").value(state.oci_version);
  json.key("id").value(state.id);
  json.key("status").value(state.status);
  if (state.pid != 0) json.key("pid").value(state.pid);
  json.key("bundle").value(state.bundle);
  write_annotations(json, state);
  json.end_object();
}

std::string to_hook_json(const State& state) {
  JsonWriter json;
  write_hook_state(json, state);
  return json.text();
}

rt::Result<State> parse_state(std::string_view text) { return parse_as<State>(text); }

}  // namespace spec
