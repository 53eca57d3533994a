#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

TEST(NetDevices, KeepTheirNameUnlessTheyGetAnother) {
  spec::Config config = small_config();
  config.linux_.net_devices = {{"eth1", {}}, {"wlan0", {"net%d"}}};
  const std::vector<NetDeviceStep> expected = {
      {"eth1", "eth1", "/linux/netDevices/eth1"},
      {"wlan0", "net%d", "/linux/netDevices/wlan0"},
  };
  EXPECT_EQ(plan_of(config).net_devices, expected);
}

TEST(NetDevices, OriginEscapesTheName) {
  spec::Config config = small_config();
  config.linux_.net_devices = {{"a~b", {}}};
  EXPECT_EQ(plan_of(config).net_devices.at(0).origin, "/linux/netDevices/a~0b");
}

TEST(NetDevices, WithoutTheCapabilityAreWarnedAbout) {
  spec::Config config = user_namespace_config();
  config.linux_.net_devices = {{"eth1", {}}};
  EXPECT_TRUE(
      warns(plan_of(config, user_host()), "/linux/netDevices", "the kernel lets only root"));
  EXPECT_FALSE(warns(plan_of(config), "/linux/netDevices", ""));
  EXPECT_FALSE(warns(plan_of(user_namespace_config(), user_host()), "/linux/netDevices", ""));
}

}  // namespace
}  // namespace rt::plan::testing
