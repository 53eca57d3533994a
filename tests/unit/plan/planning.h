// What the tests of planning share: a document to vary, and machines to plan for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/plan/make_plan.h"
#include "tests/support/matchers.h"

namespace rt::plan::testing {

using rt::testing::fails_with;
using rt::testing::is_ok;

/// What a usual kernel offers in cgroup v2.
inline std::vector<std::string> v2_controllers() {
  return {"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"};
}

/// Root on a machine with cgroup v2.
inline HostFacts root_host() {
  HostFacts host;
  host.cgroups = {{"/sys/fs/cgroup", v2_controllers(), true, "/runtime.slice"}};
  return host;
}

/// Root on a machine with cgroup v1, and v2 beside it.
inline HostFacts v1_host() {
  HostFacts host;
  host.cgroups = {
      {"/sys/fs/cgroup/cpuset", {"cpuset"}, false, "/"},
      {"/sys/fs/cgroup/cpu,cpuacct", {"cpu", "cpuacct"}, false, "/"},
      {"/sys/fs/cgroup/memory", {"memory"}, false, "/session"},
      {"/sys/fs/cgroup/systemd", {"name=systemd"}, false, "/"},
      {"/sys/fs/cgroup/unified", {}, true, "/"},
  };
  return host;
}

/// An ordinary user, with newuidmap(1) and newgidmap(1) at hand.
inline HostFacts user_host() {
  HostFacts host;
  host.cgroups = {
      {"/sys/fs/cgroup", v2_controllers(), true, "/user.slice/user-1000.slice/session-1.scope"}};
  host.euid = 1000;
  host.egid = 1000;
  host.effective_capabilities = 0;
  host.newuidmap = "/usr/bin/newuidmap";
  host.newgidmap = "/usr/bin/newgidmap";
  return host;
}

/// A container with namespaces of its own and a program to run, and nothing else.
inline spec::Config small_config() {
  spec::Config config;
  config.oci_version = "1.3.0";
  config.root = spec::Root{"rootfs", false};
  config.linux_.namespaces = {{"mount", ""}, {"pid", ""}, {"uts", ""}, {"network", ""}};
  config.process.emplace();
  config.process->args = {"/bin/sh"};
  config.process->cwd = "/";
  return config;
}

/// small_config in a user namespace that maps 65536 ids.
inline spec::Config user_namespace_config() {
  spec::Config config = small_config();
  config.linux_.namespaces.push_back({"user", ""});
  config.linux_.uid_mappings = {{0, 100000, 65536}};
  config.linux_.gid_mappings = {{0, 100000, 65536}};
  return config;
}

inline Request small_request() {
  Request request;
  request.id = "demo";
  request.bundle = "/bundle";
  return request;
}

inline Result<Plan> try_plan(const spec::Config& config, const HostFacts& host = root_host()) {
  return make_plan(config, small_request(), host);
}

/// The plan of a document that can be planned.
inline Plan plan_of(const spec::Config& config, const HostFacts& host = root_host()) {
  Result<Plan> plan = try_plan(config, host);
  EXPECT_TRUE(is_ok(plan));
  return plan ? std::move(plan).value() : Plan{};
}

/// Whether one of `remarks` is about `origin` and begins with `message`.
inline bool holds(const std::vector<Warning>& remarks, std::string_view origin,
                  std::string_view message) {
  return std::any_of(remarks.begin(), remarks.end(), [&](const Warning& remark) {
    return remark.origin == origin && remark.message.starts_with(message);
  });
}

inline bool warns(const Plan& plan, std::string_view origin, std::string_view message) {
  return holds(plan.warnings, origin, message);
}

/// Whether planning fails with `message` and says that `pointer` is to blame.
inline ::testing::AssertionResult fails_at(const Result<Plan>& plan, std::string_view pointer,
                                           std::string_view message) {
  ::testing::AssertionResult failed = fails_with(plan, message);
  if (!failed || plan.error().pointer() == pointer) return failed;
  return ::testing::AssertionFailure() << "error at " << plan.error().pointer();
}

/// The name of a row of a table as the name of a test.
template <class Row>
std::string row_name(const ::testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

}  // namespace rt::plan::testing
