// The plans of real documents, as text, compared with tests/golden/. After a change that is meant:
//   UPDATE_GOLDEN=$PWD/tests/golden bazel run //tests/unit/plan:golden_test
// and read the difference.
#include <fcntl.h>
#include <glob.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "runtime/plan/describe.h"
#include "spec/load.h"
#include "tests/unit/plan/settings.h"

namespace rt::plan::testing {
namespace {

/// One document on one machine.
struct Case {
  std::string name;  // of the golden file
  std::string path;
  HostFacts host;
};

std::vector<std::string> files(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

/// "docker-default" of "tests/data/configs/docker-default.json".
std::string stem(const std::string& path) {
  const size_t start = path.rfind('/') + 1;
  return path.substr(start, path.rfind('.') - start);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Root inside of a user namespace that somebody else made, as podman without root does.
HostFacts nested_host(HostFacts host) {
  host.initial_user_namespace = false;
  return host;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string& path : files("tests/data/configs/*.json")) {
    // Swappiness and memory of the kernel: cgroup v2 has no such settings.
    if (stem(path) != "docker-memory") all.push_back({stem(path), path, root_host()});
  }
  for (const std::string& path : files("bundles/*/config.json")) {
    const std::string bundle = path.substr(0, path.rfind('/'));
    all.push_back({cat("bundle-", bundle.substr(bundle.rfind('/') + 1)), path, root_host()});
  }
  const std::string configs = "tests/data/configs/";
  for (const char* name : {"cri-container-limits", "docker-blkio", "docker-cpus", "docker-memory",
                           "docker-pids", "podman-limits"}) {
    all.push_back({cat(name, ".v1"), cat(configs, name, ".json"), full_v1_host()});
  }
  all.push_back({"docker-default.v1", configs + "docker-default.json", v1_host()});
  all.push_back(
      {"docker-cgroupns-private.v1", configs + "docker-cgroupns-private.json", v1_host()});
  all.push_back({"buildah-isolation-rootless.v1-nested",
                 configs + "buildah-isolation-rootless.json", nested_host(v1_host())});
  all.push_back({"podman-rootless-keep-id.nested", configs + "podman-rootless-keep-id.json",
                 nested_host(root_host())});
  all.push_back({"bundle-rootless.user", "bundles/rootless/config.json", user_host()});
  all.push_back({"bundle-userns.user", "bundles/userns/config.json", user_host()});
  return all;
}

std::string golden_path(const std::string& directory, const Case& test_case) {
  return cat(directory, '/', test_case.name, ".txt");
}

/// The plan as text; where there can be none, why.
std::string plan_text(const Case& test_case) {
  const spec::Loaded loaded = spec::load_config(read_text(test_case.path));
  if (!loaded.config) return "error: not a valid document\n";
  const Result<Plan> plan = try_plan(*loaded.config, test_case.host);
  if (!plan) return cat("error: ", plan.error().pointer(), ": ", plan.error().message(), '\n');
  return describe_text(plan.value());
}

::testing::AssertionResult same_lines(const std::string& expected, const std::string& actual) {
  const std::vector<std::string_view> want = split(expected, '\n');
  const std::vector<std::string_view> have = split(actual, '\n');
  for (size_t i = 0; i < std::max(want.size(), have.size()); ++i) {
    const std::string_view wanted = i < want.size() ? want[i] : "(end)";
    const std::string_view found = i < have.size() ? have[i] : "(end)";
    if (wanted == found) continue;
    return ::testing::AssertionFailure()
           << "line " << i + 1 << "\n  golden: " << wanted << "\n  plan:   " << found;
  }
  return ::testing::AssertionSuccess();
}

class Golden : public ::testing::TestWithParam<Case> {};

TEST_P(Golden, IsThePlan) {
  const std::string text = plan_text(GetParam());
  if (const char* directory = std::getenv("UPDATE_GOLDEN")) {
    std::ofstream(golden_path(directory, GetParam())) << text;
    return;
  }
  EXPECT_TRUE(same_lines(read_text(golden_path("tests/golden", GetParam())), text));
}

INSTANTIATE_TEST_SUITE_P(Documents, Golden, ::testing::ValuesIn(cases()),
                         [](const ::testing::TestParamInfo<Case>& info) {
                           std::string name = info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(GoldenFiles, AreAllUsed) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) GTEST_SKIP() << "they are being written";
  std::set<std::string> used;
  for (const Case& test_case : cases()) used.insert(golden_path("tests/golden", test_case));
  for (const std::string& path : files("tests/golden/*.txt")) {
    EXPECT_EQ(used.count(path), 1U) << path << " has no document any more";
  }
  EXPECT_GE(used.size(), 60U) << "documents are missing";
}

}  // namespace
}  // namespace rt::plan::testing
