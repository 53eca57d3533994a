// What the files of the parser share; not for anybody else.
#pragma once

#include "spec/config.h"
#include "spec/json.h"

namespace spec {

void read_linux(const Node& node, Linux& into);          // parse_linux.cc
void read_resources(const Node& node, Resources& into);  // parse_resources.cc

template <>
struct Fields<IdMapping> {
  static constexpr std::string_view kSection = "config-linux.md, \"User namespace mappings\"";
  static constexpr Field<IdMapping> kTable[] = {
      field<&IdMapping::container_id>("containerID", Need::kRequired),
      field<&IdMapping::host_id>("hostID", Need::kRequired),
      field<&IdMapping::size>("size", Need::kRequired),
  };
};

}  // namespace spec
