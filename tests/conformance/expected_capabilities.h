// What execve(2) makes of the capability sets of a config.json: capabilities(7), "Transformation of
// capabilities during execve()". The program has no file capabilities.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/conformance/conformance.h"

namespace rt::conformance {

using CapabilitySet = std::set<std::string>;
/// By name: "bounding", "effective", "permitted", "inheritable", "ambient".
using CapabilitySets = std::map<std::string, CapabilitySet>;

inline CapabilitySets capabilities_after_execution(const Json& config) {
  CapabilitySets sets;
  for (const char* name : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    sets[name] = words_at(config, std::string("/process/capabilities/") + name);
  }
  const CapabilitySet ambient = sets["ambient"];
  CapabilitySet permitted;
  // Root has all of its bounding and inheritable sets, unless it may not gain any.
  if (config.at("/process/user/uid") == "0") {
    permitted = sets["bounding"];
    permitted.insert(sets["inheritable"].begin(), sets["inheritable"].end());
    if (config.has("/process/noNewPrivileges") && config.at("/process/noNewPrivileges") == "true") {
      std::erase_if(permitted,
                    [&](const std::string& one) { return !sets["permitted"].contains(one); });
    }
  }
  permitted.insert(ambient.begin(), ambient.end());
  sets["permitted"] = permitted;
  sets["effective"] = permitted;
  return sets;
}

}  // namespace rt::conformance
