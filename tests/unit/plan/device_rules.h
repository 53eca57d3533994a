// What the tests of device rules share: documents with rules, and the rules of their plans.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/plan/words.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing::device_rules {

using spec::DeviceRule;
using Rules = std::vector<DeviceRule>;

inline const DeviceRule kDenyAll = {false, "", {}, {}, "rwm"};
inline const DeviceRule kAllowAll = {true, "a", {}, {}, "rwm"};

inline DeviceRule allow(const char* type, std::optional<int64_t> major,
                        std::optional<int64_t> minor, const char* access = "rwm") {
  return {true, type, major, minor, access};
}

inline DeviceRule deny(const char* type, std::optional<int64_t> major, std::optional<int64_t> minor,
                       const char* access = "rwm") {
  return {false, type, major, minor, access};
}

/// v1_host, with the controller that it lacks.
inline HostFacts devices_host() {
  HostFacts host = v1_host();
  host.cgroups.push_back({"/sys/fs/cgroup/devices", {"devices"}, false, "/"});
  return host;
}

inline spec::Config config_with_rules(const Rules& rules) {
  spec::Config config = small_config();
  config.linux_.resources.emplace();
  config.linux_.resources->devices = rules;
  return config;
}

inline Result<Plan> try_rules(const Rules& rules, const HostFacts& host = root_host(),
                              bool strict = false) {
  Request request = small_request();
  request.strict = strict;
  return make_plan(config_with_rules(rules), request, host);
}

/// The rules of the filter as text; nothing without one.
inline std::vector<std::string> texts(const Result<Plan>& plan) {
  EXPECT_TRUE(is_ok(plan));
  if (!plan || !plan.value().resources.devices) return {};
  std::vector<std::string> out;
  for (const auto& rule : plan.value().resources.devices->rules) out.push_back(to_text(rule));
  return out;
}

inline const std::vector<std::string> kBase = {
    "allow c *:* m",   "allow b *:* m",   "allow c 1:3 rwm",  "allow c 1:5 rwm",
    "allow c 1:7 rwm", "allow c 1:8 rwm", "allow c 1:9 rwm",  "allow c 5:0 rwm",
    "allow c 5:1 rwm", "allow c 5:2 rwm", "allow c 136:* rwm"};

}  // namespace rt::plan::testing::device_rules
