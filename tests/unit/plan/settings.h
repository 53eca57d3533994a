// What the tests of linux.resources share: machines with every controller, and settings as text.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {

inline CgroupHierarchy v1_hierarchy(const std::string& controller) {
  return {cat("/sys/fs/cgroup/", controller), {controller}, false, "/"};
}

/// Every controller in a hierarchy of its own.
inline HostFacts full_v1_host() {
  HostFacts host;
  for (const char* controller : {"cpuset", "cpu", "memory", "blkio", "hugetlb", "pids", "rdma",
                                 "net_cls", "net_prio", "devices"}) {
    host.cgroups.push_back(v1_hierarchy(controller));
  }
  return host;
}

/// v1, and what is left to v2 beside it.
inline HostFacts hybrid_host() {
  HostFacts host;
  for (const char* controller : {"cpuset", "cpu", "memory", "blkio", "pids", "devices"}) {
    host.cgroups.push_back(v1_hierarchy(controller));
  }
  host.cgroups.push_back({"/sys/fs/cgroup/unified", {"hugetlb", "rdma", "misc"}, true, "/"});
  return host;
}

inline spec::Config config_with(const spec::Resources& resources) {
  spec::Config config = small_config();
  config.linux_.cgroups_path = "/box";
  config.linux_.resources = resources;
  return config;
}

inline Request strict_request() {
  Request request = small_request();
  request.strict = true;
  return request;
}

/// "cpu/box: cpu.shares 512", "box: io.bfq.weight 500 | io.weight 4950; last; may lack".
inline std::string to_text(const CgroupSetting& setting) {
  const std::string_view root = "/sys/fs/cgroup/";
  std::string text = cat(setting.directory.substr(root.size()), ':');
  for (size_t i = 0; i < setting.forms.size(); ++i) {
    text += cat(i == 0 ? " " : " | ", setting.forms[i].file, ' ', setting.forms[i].value);
  }
  if (setting.time == LimitTime::kLast) text += "; last";
  if (setting.missing == CgroupSetting::Missing::kWarning) text += "; warns";
  if (setting.missing == CgroupSetting::Missing::kNothing) text += "; may lack";
  if (!setting.shows_value) text += "; unseen";
  return text;
}

using Texts = std::vector<std::string>;

inline Texts texts_of(const std::vector<CgroupSetting>& settings) {
  Texts texts;
  for (const CgroupSetting& setting : settings) texts.push_back(to_text(setting));
  return texts;
}

inline Texts origins_of(const std::vector<CgroupSetting>& settings) {
  Texts origins;
  for (const CgroupSetting& setting : settings) origins.push_back(setting.origin);
  return origins;
}

/// Of one who creates a container.
inline Texts settings_of(const spec::Resources& resources, const HostFacts& host) {
  return texts_of(plan_of(config_with(resources), host).resources.settings);
}

}  // namespace rt::plan::testing
