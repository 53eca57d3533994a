#include "runtime/cli/render.h"

#include <gtest/gtest.h>

#include "spec/state.h"
#include "tests/support/matchers.h"

namespace rt::cli {
namespace {

using container::ContainerStatus;
using container::Info;
using rt::testing::is_ok;

Info info_of(std::string id) {
  Info info;
  info.record.id = std::move(id);
  info.record.bundle = "/srv/b";
  info.record.rootfs = "/srv/b/rootfs";
  info.record.created = "2026-11-22T04:05:06.000000007Z";
  info.record.annotations = {{"key", "value"}};
  info.record.pid = 77;
  info.status = ContainerStatus::kRunning;
  info.pid = 77;
  return info;
}

TEST(StateJson, IsTheStateOfTheSpecification) {
  const auto state = spec::parse_state(state_json(info_of("web")));
  ASSERT_TRUE(is_ok(state));
  EXPECT_EQ(state.value().oci_version, "1.3.0");
  EXPECT_EQ(state.value().id, "web");
  EXPECT_EQ(state.value().status, "running");
  EXPECT_EQ(state.value().pid, 77);
  EXPECT_EQ(state.value().bundle, "/srv/b");
  EXPECT_EQ(state.value().annotations.at("key"), "value");
  EXPECT_EQ(state.value().rootfs, "/srv/b/rootfs");
  EXPECT_EQ(state.value().owner, "root");
}

TEST(ListJson, IsAnArrayOnOneLine) {
  const std::string text = list_json({info_of("a"), info_of("b")});
  EXPECT_TRUE(text.starts_with("[{"));
  EXPECT_TRUE(text.ends_with("}]\n"));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(ListTable, AlignsColumnsAndKeepsControlCharactersOut) {
  Info other = info_of("much-longer");
  other.record.bundle = "/b\x1b[2J";
  other.owner = 1000;
  other.status = ContainerStatus::kStopped;
  other.pid = 0;
  EXPECT_EQ(list_table({info_of("a"), other}),
            "ID           PID  STATUS   BUNDLE  CREATED                         OWNER\n"
            "a            77   running  /srv/b  2026-11-22T04:05:06.000000007Z  root\n"
            "much-longer  0    stopped  /b?[2J  2026-11-22T04:05:06.000000007Z  1000\n");
}

TEST(ProcessesJson, IsAnArrayOfNumbersOnOneLine) {
  EXPECT_EQ(processes_json({}), "[]\n");
  EXPECT_EQ(processes_json({7, 4194304}), "[7,4194304]\n");
}

TEST(ProcessesTable, AlignsColumnsAndKeepsControlCharactersOut) {
  container::ProcessInfo init;
  init.pid = 77;
  init.parent = 1;
  init.user = 100000;
  init.state = 'S';
  init.cpu_time = std::chrono::seconds(((4 * 24 + 1) * 60 + 2) * 60 + 3);
  init.command = "sh -c x";
  container::ProcessInfo child;
  child.pid = 1234567;
  child.parent = 77;
  child.state = 'R';
  child.cpu_time = std::chrono::seconds(59);
  child.command = "a\nb\x1b[2J";
  EXPECT_EQ(processes_table({init, child}),
            "UID     PID      PPID  STATE  TIME        CMD\n"
            "100000  77       1     S      4-01:02:03  sh -c x\n"
            "0       1234567  77    R      00:00:59    a?b?[2J\n");
}

}  // namespace
}  // namespace rt::cli
