#include "spec/process_state.h"

#include "spec/json_writer.h"

namespace spec {

std::string to_json(const ProcessState& process_state) {
  JsonWriter json;
  json.begin_object();
  json.key("ociVersion").value(process_state.oci_version);
  json.key("fds").begin_array();
  for (const std::string& name : process_state.fds) json.value(name);
  json.end_array();
  json.key("pid").value(process_state.pid);
  if (!process_state.metadata.empty()) json.key("metadata").value(process_state.metadata);
  json.key("state");
  write_hook_state(json, process_state.state);
  json.end_object();
  return json.text();
}

}  // namespace spec
