// Whole documents: those that orchestrators write, one with ten faults, and hostile ones.
#include "spec/load.h"

#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>

#include "runtime/base/text.h"

namespace spec {
namespace {

constexpr const char* kConfigs = "tests/data/configs";

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> config_paths() {
  std::vector<std::string> paths;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(kConfigs), ::closedir);
  if (directory == nullptr) return paths;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(".json")) paths.push_back(rt::cat(kConfigs, '/', name));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(Load, TakesWhatOrchestratorsWriteWithoutAWord) {
  const std::vector<std::string> paths = config_paths();
  EXPECT_EQ(paths.size(), 56U);
  for (const std::string& path : paths) {
    const std::string text = contents(path);
    const Loaded loaded = load_config(text);
    EXPECT_TRUE(loaded.config.has_value()) << path;
    EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, text, path);
  }
}

constexpr std::string_view kTenFaults = R"({
  "ociVersion": "2.0.0",
  "root": {"path": ""},
  "hostname": 5,
  "mounts": [
    {"destination": "/proc", "type": "proc", "options": ["ro", 3]},
    {"source": "/tmp"}
  ],
  "process": {
    "cwd": "work",
    "args": [],
    "env": ["PATH"],
    "user": {"uid": -1, "gid": 0}
  },
  "linux": {
    "maskedPaths": ["proc/kcore"],
    "rootPropagation": "slave"
  }
})";

TEST(Load, FindsTenFaultsAtOnceOnTheRightLines) {
  const Loaded loaded = load_config(kTenFaults);
  const std::pair<size_t, std::string> expected[] = {
      {2, "/ociVersion"},
      {3, "/root/path"},
      {4, "/hostname"},
      {6, "/mounts/0/options/1"},
      {7, "/mounts/1"},
      {10, "/process/cwd"},
      {11, "/process/args"},
      {12, "/process/env/0"},
      {13, "/process/user/uid"},
      {16, "/linux/maskedPaths/0"},
      {17, "/linux/rootPropagation"}};  // the eleventh is a warning
  ASSERT_EQ(loaded.diagnostics.size(), std::size(expected))
      << render_text(loaded.diagnostics, kTenFaults, "config.json");
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(loaded.diagnostics[i].line, expected[i].first);
    EXPECT_EQ(loaded.diagnostics[i].pointer, expected[i].second);
  }
  EXPECT_EQ(loaded.diagnostics.back().severity, Severity::kWarning);
  EXPECT_FALSE(loaded.config.has_value());
}

TEST(Load, SaysNothingTwiceOfOneFault) {
  for (const std::string_view text :
       {R"({"ociVersion": 5, "root": {"path": "r"}})", R"({"ociVersion": "1.0.0", "root": 5})",
        R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "process": {"cwd": [], "args": ["a"]}})",
        R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "linux": {"seccomp": {}}})"}) {
    const Loaded loaded = load_config(text);
    EXPECT_EQ(loaded.diagnostics.size(), 1U) << render_text(loaded.diagnostics, text, "c");
  }
}

TEST(Load, AWarningDoesNotKeepTheConfigBack) {
  const Loaded loaded =
      load_config(R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "rooot": true})");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_FALSE(has_errors(loaded.diagnostics));
  EXPECT_TRUE(loaded.config.has_value());
}

TEST(Load, RefusesARealConfigCutOffAnywhere) {
  std::string text = contents(rt::cat(kConfigs, "/docker-default.json"));
  ASSERT_GT(text.size(), 1000U);
  text.resize(text.find_last_of('}') + 1);
  for (size_t size = 0; size < text.size(); ++size) {
    const Loaded loaded = load_config(std::string_view(text).substr(0, size));
    ASSERT_FALSE(loaded.config.has_value()) << size;
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << size;
  }
}

/// Every byte of a real config replaced by one of a few others, in turn: no crash, and never a
/// complaint without a place within the text.
TEST(Load, SurvivesARealConfigWithAnyByteChanged) {
  constexpr std::string_view kOthers("\0\"{]\\9-\xff", 8);
  const std::string text = contents(rt::cat(kConfigs, "/containerd-default.json"));
  ASSERT_GT(text.size(), 1000U);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = kOthers[i % kOthers.size()];
    for (const Diagnostic& diagnostic : load_config(changed).diagnostics) {
      ASSERT_GE(diagnostic.line, 1U);
      ASSERT_LE(diagnostic.line, lines);
    }
  }
}

TEST(Load, AHugeWrongDocumentIsRefusedQuickly) {
  std::string text = R"({"ociVersion": "1.0.0", "root": {"path": "r"}, "mounts": [{})";
  while (text.size() < (8U << 20)) text += ",\n{\"destination\": \"\"}";
  text += "]}";
  const Loaded loaded = load_config(text);
  EXPECT_FALSE(loaded.config.has_value());
  EXPECT_LE(loaded.diagnostics.size(), 2 * 200U + 1);
}

}  // namespace
}  // namespace spec
