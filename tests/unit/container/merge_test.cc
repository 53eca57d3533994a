#include "runtime/container/merge.h"

#include <gtest/gtest.h>

#include <string>

#include "spec/load.h"
#include "spec/write_resources.h"

namespace rt::container {
namespace {

spec::Resources read(const std::string& text) {
  spec::LoadedResources loaded = spec::load_resources(text);
  EXPECT_TRUE(loaded.resources.has_value()) << text;
  return loaded.resources.value_or(spec::Resources());
}

std::string meant_of(const std::string& text) { return spec::to_json(meant(read(text))); }

struct Meaning {
  const char* document;
  const char* meant;
};

TEST(Meant, IsWhatIsNoZeroForWhereZeroIsNoLimit) {
  constexpr Meaning kMeanings[] = {
      // docker update --restart
      {R"({"memory":{"limit":0,"reservation":0,"swap":0,"kernel":0,"kernelTCP":0},
           "cpu":{"shares":0,"quota":0,"period":0,"realtimeRuntime":0,"realtimePeriod":0},
           "blockIO":{"weight":0,"leafWeight":0}})",
       "{}"},
      {R"({"memory":{"limit":0,"swap":-1},"pids":{"limit":50}})",
       R"({"memory":{"swap":-1},"pids":{"limit":50}})"},
      // These zeros say something.
      {R"({"cpu":{"idle":0,"burst":0},"memory":{"swappiness":0},"pids":{"limit":0}})",
       R"({"memory":{"swappiness":0},"cpu":{"burst":0,"idle":0},"pids":{"limit":0}})"},
      {R"({"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":0}]}})",
       R"({"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":0}]}})"},
      {R"({"memory":{},"cpu":{},"blockIO":{},"network":{}})", "{}"},
  };
  for (const Meaning& row : kMeanings) EXPECT_EQ(meant_of(row.document), row.meant);
}

TEST(Meant, IsNoDeviceListThatOnlyDeniesEverything) {
  constexpr const char* kUnmeant[] = {
      R"({"devices":[{"allow":false,"access":"rwm"}]})",
      R"({"devices":[{"allow":false}]})",
      R"({"devices":[{"allow":false,"type":"a","access":"mwr"},{"allow":false,"access":"rwm"}]})",
  };
  for (const char* document : kUnmeant) EXPECT_EQ(meant_of(document), "{}") << document;
  constexpr const char* kIsMeant[] = {
      R"({"devices":[{"allow":true,"access":"rwm"}]})",
      R"({"devices":[{"allow":false,"access":"rw"}]})",
      R"({"devices":[{"allow":false,"type":"c","access":"rwm"}]})",
      R"({"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"access":"r"}]})",
  };
  for (const char* document : kIsMeant) EXPECT_EQ(meant_of(document), document);
}

TEST(Merge, ChangesWinAndTheRestStays) {
  const spec::Resources now = read(R"({
      "devices": [{"allow": true, "type": "c", "major": 1, "access": "r"}],
      "memory": {"limit": 100, "swap": 200}, "pids": {"limit": 5},
      "blockIO": {"weight": 100,
                  "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1},
                                            {"major": 8, "minor": 16, "rate": 2}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
      "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
      "rdma": {"a": {"hcaHandles": 1, "hcaObjects": 2}},
      "unified": {"memory.high": "1", "memory.min": "2"}})");
  const spec::Resources changes = read(R"({
      "devices": [{"allow": false, "type": "b", "access": "w"}],
      "memory": {"limit": 150}, "cpu": {"shares": 7, "cpus": "0"},
      "blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 16, "rate": 9},
                                            {"major": 9, "minor": 0, "rate": 3}]},
      "hugepageLimits": [{"pageSize": "1GB", "limit": 4}, {"pageSize": "2MB", "limit": 3}],
      "network": {"priorities": [{"name": "lo", "priority": 2}]},
      "rdma": {"a": {"hcaHandles": 5}, "b": {"hcaObjects": 6}},
      "unified": {"memory.high": "3"}})");
  EXPECT_EQ(merge(now, changes), read(R"({
      "devices": [{"allow": false, "type": "b", "access": "w"}],
      "memory": {"limit": 150, "swap": 200}, "pids": {"limit": 5},
      "cpu": {"shares": 7, "cpus": "0"},
      "blockIO": {"weight": 100,
                  "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1},
                                            {"major": 8, "minor": 16, "rate": 9},
                                            {"major": 9, "minor": 0, "rate": 3}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 3}, {"pageSize": "1GB", "limit": 4}],
      "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 2}]},
      "rdma": {"a": {"hcaHandles": 5, "hcaObjects": 2}, "b": {"hcaObjects": 6}},
      "unified": {"memory.high": "3", "memory.min": "2"}})"));
}

TEST(Merge, OfNothingIsWhatThereWas) {
  const spec::Resources now = read(R"({"memory": {"limit": 1}, "unified": {"a.b": "c"}})");
  EXPECT_EQ(merge(now, spec::Resources()), now);
  EXPECT_EQ(merge(spec::Resources(), now), now);
  EXPECT_TRUE(is_empty(spec::Resources()));
  EXPECT_FALSE(is_empty(now));
}

}  // namespace
}  // namespace rt::container
