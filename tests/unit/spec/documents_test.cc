// The documents that the runtime writes: state, features, the template, and JSON in general.
#include <gtest/gtest.h>

#include <set>

#include "spec/features.h"
#include "spec/json.h"
#include "spec/json_writer.h"
#include "spec/load.h"
#include "spec/state.h"
#include "spec/template.h"
#include "tests/support/matchers.h"

namespace spec {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;

TEST(JsonWriter, WritesOnOneLineOrIndented) {
  const auto write = [](JsonWriter& json) {
    json.begin_object().key("a").begin_array().value(-1).value(true).value("x").end_array();
    json.key("b").value(UINT64_MAX).key("c").begin_object().end_object().end_object();
  };
  JsonWriter compact;
  write(compact);
  EXPECT_EQ(compact.text(), R"({"a":[-1,true,"x"],"b":18446744073709551615,"c":{}})");
  JsonWriter pretty(JsonWriter::Style::kPretty);
  write(pretty);
  EXPECT_EQ(pretty.text(),
            "{\n  \"a\": [\n    -1,\n    true,\n    \"x\"\n  ],\n"
            "  \"b\": 18446744073709551615,\n  \"c\": {}\n}");
}

TEST(JsonWriter, RepairsWhatIsNoUtf8) {
  JsonWriter json;
  json.begin_array().value("a\xff\xc3(\xed\xa0\x80").value("\xc3\xbc\n\"\\").value("").end_array();
  EXPECT_EQ(json.text(),
            "[\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
            "\"\xc3\xbc\\n\\\"\\\\\",\"\"]");
  EXPECT_FALSE(Document(json.text()).has_errors());
}

State example() {
  State state;
  state.id = "c1";
  state.status = "running";
  state.pid = 42;
  state.bundle = "/bundles/hello";
  state.annotations = {{"k", "v"}};
  state.rootfs = "/bundles/hello/rootfs";
  state.created = "2026-11-22T04:15:00.123456789Z";
  return state;
}

TEST(State, IsPrintedInTheShapeThatCallersKnow) {
  EXPECT_EQ(to_json(example()), R"({
  "ociVersion": "1.3.0",
  "id": "c1",
  "pid": 42,
  "status": "running",
  "bundle": "/bundles/hello",
  "rootfs": "/bundles/hello/rootfs",
  "created": "2026-11-22T04:15:00.123456789Z",
  "annotations": {
    "k": "v"
  },
  "owner": ""
})");
}

TEST(State, OfAStoppedContainerHasPidZero) {
  State state = example();
  state.pid = 0;
  state.annotations.clear();
  const std::string text = to_json(state);
  EXPECT_NE(text.find("\"pid\": 0"), std::string::npos);
  EXPECT_EQ(text.find("annotations"), std::string::npos);
}

TEST(State, ForHooksHasWhatTheSpecificationDefines) {
  EXPECT_EQ(to_hook_json(example()),
            R"({"ociVersion":"1.3.0","id":"c1","status":"running","pid":42,)"
            R"("bundle":"/bundles/hello","annotations":{"k":"v"}})");
}

TEST(State, IsReadAsItWasWritten) {
  const auto state = parse_state(to_json(example()));
  ASSERT_TRUE(is_ok(state));
  EXPECT_EQ(state.value(), example());
  EXPECT_TRUE(is_ok(parse_state(to_hook_json(example()))));
  EXPECT_TRUE(fails_with(parse_state("{\n\"pid\": -5000000000}"), "1:1: missing \"ociVersion\""));
}

TEST(Features, HaveTheNamesOfTheSpecification) {
  Features features;
  features.hooks = {"prestart"};
  features.mount_options = {"ro", "rro"};
  features.annotations = {{"a", "b"}};
  features.potentially_unsafe_config_annotations = {"x."};
  LinuxFeatures linux_features;
  linux_features.namespaces = {"pid"};
  linux_features.capabilities = {"CAP_KILL"};
  linux_features.cgroup = CgroupFeatures{true, true, false, false, true};
  linux_features.seccomp = SeccompFeatures{true, {"A"}, {"B"}, {"C"}, {"D"}, {"E"}};
  linux_features.apparmor = true;
  linux_features.selinux = false;
  linux_features.intel_rdt = IntelRdtFeatures{true, true, false};
  linux_features.memory_policy = MemoryPolicyFeatures{{"M"}, {"F"}};
  linux_features.idmap_mounts = true;
  linux_features.net_devices = true;
  features.linux_ = linux_features;

  const std::string text = to_json(features);
  Document document(text);
  ASSERT_FALSE(document.has_errors());
  const Node root = document.root();
  EXPECT_EQ(root.find("ociVersionMin")->string(), "1.0.0");
  EXPECT_EQ(root.find("ociVersionMax")->string(), "1.3.0");
  EXPECT_EQ(root.find("mountOptions")->at(1).string(), "rro");
  EXPECT_EQ(root.find("annotations")->find("a")->string(), "b");
  EXPECT_EQ(root.find("potentiallyUnsafeConfigAnnotations")->at(0).string(), "x.");
  const auto part = root.find("linux");
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->find("cgroup")->find("rdma")->boolean(), true);
  EXPECT_EQ(part->find("cgroup")->find("systemdUser")->boolean(), false);
  EXPECT_EQ(part->find("seccomp")->find("supportedFlags")->at(0).string(), "E");
  EXPECT_EQ(part->find("selinux")->find("enabled")->boolean(), false);
  EXPECT_EQ(part->find("intelRdt")->find("schemata")->boolean(), true);
  EXPECT_EQ(part->find("memoryPolicy")->find("modes")->at(0).string(), "M");
  EXPECT_EQ(part->find("mountExtensions")->find("idmap")->find("enabled")->boolean(), true);
  EXPECT_EQ(part->find("netDevices")->find("enabled")->boolean(), true);
}

TEST(Features, LeaveOutWhatTheyDoNotTell) {
  const std::string text = to_json(Features());
  EXPECT_EQ(text.find("linux"), std::string::npos);
  EXPECT_EQ(text.find("annotations"), std::string::npos);
}

std::set<std::string> namespaces_of(const Config& config) {
  std::set<std::string> types;
  for (const Namespace& entry : config.linux_.namespaces) types.insert(entry.type);
  return types;
}

TEST(Template, LoadsWithoutAWord) {
  const std::string text = config_template({});
  const Loaded loaded = load_config(text);
  EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, text, "c");
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_TRUE(loaded.config->root->readonly);
  EXPECT_TRUE(loaded.config->process->no_new_privileges);
  EXPECT_TRUE(loaded.config->process->terminal);
  EXPECT_EQ(loaded.config->process->capabilities->bounding.size(), 3U);
  EXPECT_EQ(namespaces_of(*loaded.config),
            (std::set<std::string>{"cgroup", "ipc", "mount", "network", "pid", "uts"}));
  EXPECT_EQ(loaded.config->linux_.masked_paths.size(), 11U);
}

TEST(Template, ForAUserWithoutPrivilegesMapsTheCaller) {
  const std::string text = config_template({true, 1000, 1001});
  const Loaded loaded = load_config(text);
  EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, text, "c");
  ASSERT_TRUE(loaded.config.has_value());
  const Linux& linux_config = loaded.config->linux_;
  EXPECT_EQ(linux_config.uid_mappings, (std::vector<IdMapping>{{0, 1000, 1}}));
  EXPECT_EQ(linux_config.gid_mappings, (std::vector<IdMapping>{{0, 1001, 1}}));
  EXPECT_EQ(namespaces_of(*loaded.config),
            (std::set<std::string>{"cgroup", "ipc", "mount", "pid", "user", "uts"}));
  for (const Mount& mount : loaded.config->mounts) {
    EXPECT_NE(mount.type, "cgroup");
    for (const std::string& option : mount.options) EXPECT_NE(option, "gid=5");
  }
}

}  // namespace
}  // namespace spec
