#include "runtime/container/record.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace rt::container {
namespace {

using rt::testing::is_ok;

Record example() {
  Record record;
  record.id = "web-1";
  record.bundle = "/srv/b";
  record.rootfs = "/srv/b/rootfs";
  record.annotations = {{"org.example.a", "1"}, {"b", "two \"quoted\"\n"}};
  record.notify_socket = "@host/notify";
  record.created = "2026-11-22T04:05:06.000000007Z";
  record.phase = Phase::kCreated;
  record.boot_id = "0b6e8f5a-0000-0000-0000-000000000000";
  record.pid = 4242;
  record.start_time = 18446744073709551615U;
  record.cgroups = {
      {.path = "/sys/fs/cgroup/memory/web-1", .unified = false, .made = true, .leaf = true},
      {.path = "/sys/fs/cgroup/unified", .unified = true, .made = false, .leaf = false},
      {.path = "/sys/fs/cgroup/a.scope", .unified = true, .made = true, .scope = true}};
  return record;
}

TEST(Record, SurvivesWritingAndReading) {
  const auto read = parse_record(to_json(example()));
  ASSERT_TRUE(is_ok(read));
  EXPECT_EQ(read.value(), example());
}

TEST(Record, OfAnUnfinishedCreateSurvivesToo) {
  Record record;
  record.id = "x";
  record.boot_id = "b";
  const auto read = parse_record(to_json(record));
  ASSERT_TRUE(is_ok(read));
  EXPECT_EQ(read.value(), record);
}

TEST(Record, OfBeforeScopesWereMarkedHasNone) {
  std::string text = to_json(example());
  for (const std::string_view member : {",\"scope\":true", ",\"scope\":false"}) {
    for (size_t at = text.find(member); at != text.npos; at = text.find(member)) {
      text.erase(at, member.size());
    }
  }
  EXPECT_EQ(text.find("\"scope\""), text.npos);
  Record expected = example();
  expected.cgroups.back().scope = false;
  const auto read = parse_record(text);
  ASSERT_TRUE(is_ok(read));
  EXPECT_EQ(read.value(), expected);
}

TEST(Record, CutOffAnywhereIsAnError) {
  const std::string whole = to_json(example());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_record(whole.substr(0, size)).ok()) << size;
  }
}

struct Damage {
  const char* name;
  const char* what;
  const char* by;
  const char* message;  // part of it
};

class Damaged : public ::testing::TestWithParam<Damage> {};

TEST_P(Damaged, IsAnError) {
  std::string text = to_json(example());
  const size_t place = text.find(GetParam().what);
  ASSERT_NE(place, std::string::npos) << text;
  text.replace(place, std::string_view(GetParam().what).size(), GetParam().by);
  const auto read = parse_record(text);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message().find(GetParam().message), std::string::npos)
      << read.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Record, Damaged,
    ::testing::Values(
        Damage{"FutureVersion", "\"version\":1", "\"version\":2", "version 2 is not known"},
        Damage{"UnknownPhase", "\"phase\":\"created\"", "\"phase\":\"flying\"", "flying"},
        Damage{"EveryProcess", "\"pid\":4242", "\"pid\":-1", "pid: -1"},
        Damage{"TheMachinesInit", "\"pid\":4242", "\"pid\":1", "pid: 1"},
        Damage{"NoProcess", "\"pid\":4242", "\"pid\":0", "pid: missing"},
        Damage{"HugePid", "\"pid\":4242", "\"pid\":4294967296", "/pid"},
        Damage{"PidAsText", "\"pid\":4242", "\"pid\":\"4242\"", "/pid"},
        Damage{"RelativeCgroup", "/sys/fs/cgroup/memory/web-1", "sys", "not an absolute path"},
        Damage{"CgroupOutside", "/sys/fs/cgroup/memory/web-1", "/sys/fs/../..",
               "not an absolute path"},
        Damage{"MissingMember", "\"pid\":4242,", "", "pid"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace rt::container
