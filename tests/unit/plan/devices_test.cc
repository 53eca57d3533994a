#include <sys/stat.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Device fuse() { return {"c", "/dev/fuse", 10, 229, {}, {}, {}}; }

spec::Config config_with(spec::Device device) {
  spec::Config config = small_config();
  config.linux_.devices = {std::move(device)};
  return config;
}

const DeviceNode* find_device(const Plan& plan, std::string_view path) {
  for (const DeviceNode& device : plan.devices) {
    if (device.path == path) return &device;
  }
  return nullptr;
}

std::vector<std::string> device_paths(const Plan& plan) {
  std::vector<std::string> paths;
  paths.reserve(plan.devices.size());
  for (const DeviceNode& device : plan.devices) paths.push_back(device.path);
  return paths;
}

std::vector<std::string> link_paths(const Plan& plan) {
  std::vector<std::string> paths;
  paths.reserve(plan.links.size());
  for (const Link& link : plan.links) paths.push_back(link.path);
  return paths;
}

TEST(Devices, SixAreThereByDefault) {
  const Plan plan = plan_of(small_config());
  EXPECT_EQ(device_paths(plan),
            (std::vector<std::string>{"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom", "/dev/tty"}));
  DeviceNode null;
  null.path = "/dev/null";
  null.major = 1;
  null.minor = 3;
  null.origin = "default: devices";
  EXPECT_EQ(plan.devices[0], null);
}

TEST(Devices, OfTheDocumentReplaceDefaults) {
  const Plan plan = plan_of(config_with({"c", "/dev//null", 1, 3, 0600, {}, 7}));
  EXPECT_EQ(plan.devices.size(), 6U);
  const DeviceNode* null = find_device(plan, "/dev/null");
  ASSERT_NE(null, nullptr);
  EXPECT_EQ(null->mode, 0600U);
  EXPECT_EQ(null->gid, 7U);
  EXPECT_EQ(null->origin, "/linux/devices/0");
}

TEST(Devices, AMountInTheirPlaceReplacesDefaults) {
  spec::Config config = small_config();
  config.mounts = {{"/dev/null", "bind", "/dev/null", {}, {}, {}}};
  EXPECT_EQ(find_device(plan_of(config), "/dev/null"), nullptr);
}

TEST(Devices, AHostsDevIsLeftAlone) {
  spec::Config config = config_with(fuse());
  config.mounts = {{"/dev", "bind", "/dev", {"rbind"}, {}, {}}};
  const Plan plan = plan_of(config);
  EXPECT_EQ(device_paths(plan), std::vector<std::string>{"/dev/fuse"});
  EXPECT_TRUE(plan.links.empty());
}

TEST(Devices, AreMadeWithPermissionsForAllByDefault) {
  const Plan plan = plan_of(config_with(fuse()));
  const DeviceNode* node = find_device(plan, "/dev/fuse");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->mode, 0666U);
  EXPECT_EQ(node->uid, 0U);
  EXPECT_EQ(node->bind, "");
}

TEST(Devices, AModeMayCarryItsType) {
  spec::Device device = fuse();
  device.file_mode = S_IFCHR | 0640;
  EXPECT_EQ(find_device(plan_of(config_with(device)), "/dev/fuse")->mode, 0640U);
}

TEST(Devices, AreBoundInAUserNamespace) {
  spec::Config config = user_namespace_config();
  config.linux_.devices = {fuse(), {"p", "/run/pipe", 0, 0, {}, {}, {}}};
  const Plan plan = plan_of(config);
  EXPECT_EQ(find_device(plan, "/dev/null")->bind, "/dev/null");
  EXPECT_EQ(find_device(plan, "/dev/fuse")->bind, "/dev/fuse");
  EXPECT_EQ(find_device(plan, "/run/pipe")->bind, "");
  EXPECT_TRUE(plan.warnings.empty());
  config.linux_.devices[0].uid = 5;
  EXPECT_TRUE(warns(plan_of(config), "/linux/devices/0", "the host's device is bound"));
}

TEST(Devices, AreBoundWithoutPrivilege) {
  HostFacts host = root_host();
  host.initial_user_namespace = false;
  EXPECT_EQ(plan_of(small_config(), host).devices.at(0).bind, "/dev/null");
}

TEST(Devices, CannotBeBoundWithoutAMountNamespace) {
  spec::Config config = user_namespace_config();
  config.linux_.namespaces = {{"user", ""}};
  const Plan plan = plan_of(config);
  EXPECT_TRUE(plan.devices.empty());
  EXPECT_TRUE(warns(plan, "default: devices", "left out"));
  config.linux_.devices = {fuse()};
  EXPECT_TRUE(fails_at(try_plan(config), "/linux/devices/0",
                       "linux.devices[0] /dev/fuse: needs a mount namespace"));
}

TEST(Devices, TheUnbufferedOnesAreCharacterDevices) {
  EXPECT_EQ(find_device(plan_of(config_with({"u", "/dev/u", 4, 0, {}, {}, {}})), "/dev/u")->type,
            'c');
}

struct RefusedRow {
  const char* name;
  spec::Device device;
  const char* message;
};

class RefusedDevices : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedDevices, SayWhy) {
  EXPECT_TRUE(
      fails_at(try_plan(config_with(GetParam().device)), "/linux/devices/0", GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedDevices,
    ::testing::Values(RefusedRow{"ModeOfAnotherType",
                                 {"c", "/dev/x", 1, 1, S_IFBLK | 0600, {}, {}},
                                 "linux.devices[0] /dev/x: fileMode 24960: its type bits"},
                      RefusedRow{"ModeTooLarge",
                                 {"c", "/dev/x", 1, 1, 0200600, {}, {}},
                                 "linux.devices[0] /dev/x: fileMode 65920: too large"},
                      RefusedRow{"UnknownType",
                                 {"x", "/dev/x", 1, 1, {}, {}, {}},
                                 "linux.devices[0] /dev/x: unknown type \"x\""},
                      RefusedRow{"NegativeMajor",
                                 {"b", "/dev/x", -1, 1, {}, {}, {}},
                                 "linux.devices[0] /dev/x: major -1: out of range"},
                      RefusedRow{"HugeMinor",
                                 {"b", "/dev/x", 1, int64_t{1} << 32, {}, {}, {}},
                                 "linux.devices[0] /dev/x: minor 4294967296: out of range"},
                      RefusedRow{"Root",
                                 {"c", "/dev/..", 1, 1, {}, {}, {}},
                                 "linux.devices[0] /dev/..: not a place for a device"}),
    row_name<RefusedRow>);

TEST(Links, AreThereByDefault) {
  const Plan plan = plan_of(small_config());
  EXPECT_EQ(link_paths(plan),
            (std::vector<std::string>{"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"}));
  EXPECT_EQ(plan.links[0], (Link{"/dev/fd", "/proc/self/fd", "default: links"}));
}

TEST(Links, PtmxNeedsADevpts) {
  spec::Config config = small_config();
  config.mounts = {{"/dev/pts", "devpts", "devpts", {"newinstance"}, {}, {}}};
  const Plan plan = plan_of(config);
  EXPECT_EQ(plan.links.back(), (Link{"/dev/ptmx", "pts/ptmx", "default: links"}));
  config.linux_.devices = {{"c", "/dev/ptmx", 5, 2, {}, {}, {}}};
  EXPECT_EQ(link_paths(plan_of(config)).back(), "/dev/stderr");
}

}  // namespace
}  // namespace rt::plan::testing
