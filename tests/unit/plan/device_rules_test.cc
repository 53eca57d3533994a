#include "tests/unit/plan/device_rules.h"

namespace rt::plan::testing {
namespace {

using namespace device_rules;

/// `first`, the base rules, `last`.
std::vector<std::string> around_base(std::vector<std::string> first,
                                     const std::vector<std::string>& last) {
  first.insert(first.end(), kBase.begin(), kBase.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

TEST(DeviceRules, WithoutResourcesAllowTheDefaultDevicesAlone) {
  const Plan plan = plan_of(small_config());
  EXPECT_EQ(texts(plan), kBase);
  EXPECT_EQ(plan.resources.devices->rules.front().origin, "default: devices");
  EXPECT_EQ(plan.resources.devices->directory, plan.cgroup.directories.at(0).path);
  EXPECT_TRUE(plan.resources.devices->unified);
  EXPECT_EQ(texts(try_rules({})), kBase);
}

TEST(DeviceRules, OfTheDocumentComeBehindTheDefaults) {
  const Result<Plan> plan = try_rules({allow("c", 1, 11, "r")});
  EXPECT_EQ(texts(plan), around_base({}, {"allow c 1:11 r"}));
  EXPECT_EQ(plan.value().resources.devices->rules.back().origin, "/linux/resources/devices/0");
}

TEST(DeviceRules, ThatDenyEverythingLeaveTheDefaults) {
  const Result<Plan> plan = try_rules({allow("c", 1, 11), kDenyAll, allow("c", 10, 229, "rw")});
  EXPECT_EQ(texts(plan), around_base({"deny a *:* rwm"}, {"allow c 10:229 rw"}));
  EXPECT_EQ(plan.value().resources.devices->rules.front().origin, "/linux/resources/devices/1");
}

TEST(DeviceRules, AnAccessLeftOutIsEveryAccess) {
  EXPECT_EQ(texts(try_rules({deny("a", {}, {}, "")})), around_base({"deny a *:* rwm"}, {}));
  EXPECT_EQ(texts(try_rules({allow("c", 1, 11, "")})), around_base({}, {"allow c 1:11 rwm"}));
}

TEST(DeviceRules, MinusOneIsAnyNumber) {
  EXPECT_EQ(texts(try_rules({allow("c", 10, -1)})), around_base({}, {"allow c 10:* rwm"}));
  EXPECT_EQ(texts(try_rules({deny("a", -1, -1)})), around_base({"deny a *:* rwm"}, {}));
}

TEST(DeviceRules, ThatDenyLessThanEverythingAreTakenAsTheyAre) {
  EXPECT_EQ(texts(try_rules({deny("a", {}, {}, "rw")})), around_base({}, {"deny a *:* rw"}));
  EXPECT_EQ(texts(try_rules({deny("c", {}, {})})), around_base({}, {"deny c *:* rwm"}));
}

TEST(DeviceRules, ThatDenyADeviceLeaveItsMaking) {
  EXPECT_EQ(texts(try_rules({kDenyAll, deny("c", 10, 229), allow("c", 10, 229, "r")})),
            around_base({"deny a *:* rwm"}, {"deny c 10:229 rw", "allow c 10:229 r"}));
  EXPECT_EQ(texts(try_rules({deny("c", 10, 229, "m")})), around_base({}, {"deny c 10:229 m"}));
}

TEST(DeviceRules, ThatAllowEverythingNeedNoOthersBefore) {
  EXPECT_EQ(texts(try_rules({kAllowAll})), std::vector<std::string>{"allow a *:* rwm"});
  EXPECT_EQ(texts(try_rules({kDenyAll, kAllowAll, deny("b", 8, {})})),
            (std::vector<std::string>{"allow a *:* rwm", "deny b 8:* rwm"}));
}

TEST(DeviceRules, AreSetInTheHierarchyOfTheirController) {
  const Plan plan = plan_of(small_config(), devices_host());
  ASSERT_TRUE(plan.resources.devices.has_value());
  EXPECT_TRUE(plan.resources.devices->directory.starts_with("/sys/fs/cgroup/devices/"));
  EXPECT_FALSE(plan.resources.devices->unified);
}

TEST(DeviceRules, AreSetInV2WhereThereIsNoSuchController) {
  const Plan plan = plan_of(small_config(), v1_host());
  ASSERT_TRUE(plan.resources.devices.has_value());
  EXPECT_TRUE(plan.resources.devices->directory.starts_with("/sys/fs/cgroup/unified/"));
  EXPECT_TRUE(plan.resources.devices->unified);
}

TEST(DeviceRules, WithoutPrivilegeAreNotNeeded) {
  const Result<Plan> plan = try_rules({kDenyAll, allow("c", 10, 229)}, user_host());
  EXPECT_TRUE(texts(plan).empty());
  EXPECT_FALSE(warns(plan.value(), "/linux/resources/devices", ""));
}

TEST(DeviceRules, WithoutPrivilegeCannotDenyADevice) {
  const Rules rules = {kDenyAll, deny("c", 1, 3)};
  const Result<Plan> plan = try_rules(rules, user_host());
  EXPECT_TRUE(texts(plan).empty());
  EXPECT_TRUE(warns(plan.value(), "/linux/resources/devices", "ignored: needs a cgroup"));
  EXPECT_TRUE(fails_at(try_rules(rules, user_host(), true), "/linux/resources/devices",
                       "linux.resources.devices: ignored: needs a cgroup"));
}

TEST(DeviceRules, WithoutACgroupAreMissed) {
  const HostFacts nowhere;
  const Plan plan = plan_of(small_config(), nowhere);
  EXPECT_FALSE(plan.resources.devices.has_value());
  EXPECT_TRUE(warns(plan, "/linux/resources/devices", "not limited: "));
  EXPECT_TRUE(fails_at(try_rules({kDenyAll}, nowhere, true), "/linux/resources/devices",
                       "linux.resources.devices: not limited: "));
  // Nobody can make a device in a user namespace.
  EXPECT_FALSE(warns(plan_of(user_namespace_config(), nowhere), "/linux/resources/devices", ""));
}

struct RefusedRow {
  const char* name;
  DeviceRule rule;
  const char* message;
};

class RefusedDeviceRules : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedDeviceRules, SayWhy) {
  EXPECT_TRUE(fails_at(try_rules({kDenyAll, GetParam().rule}), "/linux/resources/devices/1",
                       GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedDeviceRules,
    ::testing::Values(RefusedRow{"MajorTooLarge", allow("c", 4294967295, 0),
                                 "linux.resources.devices[1]: major 4294967295: out of range"},
                      RefusedRow{"MinorTooLarge", allow("c", 1, int64_t{1} << 40),
                                 "linux.resources.devices[1]: minor 1099511627776: out of range"},
                      RefusedRow{"MinorNegative", allow("c", 1, -2),
                                 "linux.resources.devices[1]: minor -2: out of range"}),
    row_name<RefusedRow>);

// update

std::vector<CgroupDirectory> directories_of(const HostFacts& host) {
  return plan_of(small_config(), host).cgroup.directories;
}

Result<std::optional<DeviceFilter>> update(const Rules& changes, const HostFacts& host) {
  return plan_device_update(changes, directories_of(host), small_request(), host);
}

TEST(DeviceRulesOfAnUpdate, ThatOnlyDenyEverythingAreNotMeant) {
  for (const Rules& rules : {Rules{}, Rules{kDenyAll}, Rules{kDenyAll, kDenyAll}}) {
    const auto filter = update(rules, root_host());
    ASSERT_TRUE(is_ok(filter));
    EXPECT_FALSE(filter.value().has_value());
  }
  EXPECT_TRUE(is_ok(update({kDenyAll}, user_host())));
}

TEST(DeviceRulesOfAnUpdate, ReplaceThoseOfTheContainer) {
  const auto filter = update({allow("c", 10, 200)}, devices_host());
  ASSERT_TRUE(is_ok(filter));
  ASSERT_TRUE(filter.value().has_value());
  EXPECT_EQ(*filter.value(),
            *try_rules({allow("c", 10, 200)}, devices_host()).value().resources.devices);
}

TEST(DeviceRulesOfAnUpdate, CanBeTakenBack) {
  const auto filter =
      plan_device_filter({kDenyAll}, directories_of(root_host()), small_request(), root_host());
  ASSERT_TRUE(is_ok(filter));
  EXPECT_EQ(filter.value(), try_rules({kDenyAll}).value().resources.devices);
  const auto none =
      plan_device_filter({kDenyAll}, directories_of(user_host()), small_request(), user_host());
  ASSERT_TRUE(is_ok(none));
  EXPECT_FALSE(none.value().has_value());
}

TEST(DeviceRulesOfAnUpdate, ThatCannotBeSetAreRefused) {
  EXPECT_TRUE(fails_with(update({allow("c", 10, 200)}, user_host()),
                         "linux.resources.devices: needs a cgroup, and privileges"));
  EXPECT_TRUE(fails_with(update({allow("c", 10, 200)}, HostFacts()),
                         "linux.resources.devices: needs a cgroup, and privileges"));
  EXPECT_TRUE(fails_with(update({allow("c", 1, 11), deny("c", 136, 0)}, devices_host()),
                         "linux.resources.devices[1] (deny c 136:0 rwm): an exception"));
}

}  // namespace
}  // namespace rt::plan::testing
