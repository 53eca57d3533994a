// Device rules for cgroup v1: no order, and nothing denied that is allowed with more.
#include <array>
#include <random>

#include "tests/unit/plan/device_rules.h"

namespace rt::plan::testing {
namespace {

using namespace device_rules;

TEST(DeviceRulesV1, AreAListOfWhatIsAllowed) {
  EXPECT_EQ(texts(try_rules({}, devices_host())), kBase);
  EXPECT_EQ(texts(try_rules({kDenyAll}, devices_host())), kBase);
}

TEST(DeviceRulesV1, LeaveOutWhatIsNotAllowedAnyMore) {
  std::vector<std::string> expected = kBase;
  std::erase(expected, "allow c 1:7 rwm");
  expected.emplace_back("allow c 10:200 rwm");
  EXPECT_EQ(texts(try_rules({kDenyAll, deny("c", 1, 7, "rw"), allow("c", 10, 200, "rw"),
                             allow("b", 8, 0), deny("b", 8, 0, "rw")},
                            devices_host())),
            expected);
}

TEST(DeviceRulesV1, AnEntryHasWhatLargerOnesAllow) {
  // The kernel looks for one entry that has all of an access: two do not add up.
  const Result<Plan> plan = try_rules(
      {deny("c", {}, {}), allow("c", 200, {}, "r"), allow("c", {}, 7, "w")}, devices_host());
  EXPECT_EQ(texts(plan), (std::vector<std::string>{"allow b *:* m", "allow c 200:* r",
                                                   "allow c *:7 w", "allow c 200:7 rw"}));
}

TEST(DeviceRulesV1, OneTypeForBothBecomesTwoEntries) {
  const std::vector<std::string> found =
      texts(try_rules({kDenyAll, allow("a", 7, 1)}, devices_host()));
  EXPECT_NE(std::find(found.begin(), found.end(), "allow c 7:1 rwm"), found.end());
  EXPECT_NE(std::find(found.begin(), found.end(), "allow b 7:1 rwm"), found.end());
}

TEST(DeviceRulesV1, AllButSomeIsAListOfWhatIsDenied) {
  const Result<Plan> plan =
      try_rules({kAllowAll, deny("b", 8, {}), deny("c", 1, 1, "w")}, devices_host());
  EXPECT_EQ(texts(plan),
            (std::vector<std::string>{"allow a *:* rwm", "deny b 8:* rwm", "deny c 1:1 w"}));
  const std::vector<plan::DeviceRule>& rules = plan.value().resources.devices->rules;
  EXPECT_EQ(rules[0].origin, "/linux/resources/devices/0");
  EXPECT_EQ(rules[2].origin, "/linux/resources/devices/2");
}

TEST(DeviceRulesV1, EverythingIsOneEntry) {
  EXPECT_EQ(texts(try_rules({kAllowAll}, devices_host())),
            std::vector<std::string>{"allow a *:* rwm"});
}

TEST(DeviceRulesV1, ANodeOfADeniedDeviceCanBeMade) {
  // What Docker sends for every container.
  const Rules docker = {kDenyAll, allow("c", 1, 3), deny("c", 10, 229)};
  EXPECT_EQ(texts(try_rules(docker, devices_host())), kBase);
  EXPECT_TRUE(fails_at(try_rules(docker, devices_host(), true), "/linux/resources/devices/2",
                       "linux.resources.devices[2] (deny c 10:229 rwm): an exception from the "
                       "default rule (allow c *:* m) cannot be expressed with cgroup v1"));
}

struct HoleRow {
  const char* name;
  Rules rules;
  const char* pointer;
  const char* message;
};

class HolesInDeviceRulesV1 : public ::testing::TestWithParam<HoleRow> {};

TEST_P(HolesInDeviceRulesV1, AreRefused) {
  EXPECT_TRUE(is_ok(try_rules(GetParam().rules)));
  EXPECT_TRUE(fails_at(try_rules(GetParam().rules, devices_host()), GetParam().pointer,
                       GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, HolesInDeviceRulesV1,
    ::testing::Values(
        HoleRow{"OneOfAMajor",
                {kDenyAll, allow("c", 200, {}), allow("c", 1, 11), deny("c", 200, 5, "w")},
                "/linux/resources/devices/3",
                "linux.resources.devices[3] (deny c 200:5 w): an exception from "
                "linux.resources.devices[1] (allow c 200:* rwm) cannot be expressed"},
        HoleRow{"InWhatTheDocumentLetsBeMade",
                {kDenyAll, allow("b", {}, {}, "m"), deny("b", 8, 0, "m")},
                "/linux/resources/devices/2",
                "linux.resources.devices[2] (deny b 8:0 m): an exception from "
                "linux.resources.devices[1] (allow b *:* m) cannot be expressed"},
        HoleRow{"AllowedAgain",
                {kAllowAll, deny("c", 1, {}), allow("c", 1, 3)},
                "/linux/resources/devices/2",
                "linux.resources.devices[2] (allow c 1:3 rwm): an exception from "
                "linux.resources.devices[1] (deny c 1:* rwm) cannot be expressed"},
        HoleRow{"InADefault",
                {deny("c", 136, 0, "rw")},
                "/linux/resources/devices/0",
                "linux.resources.devices[0] (deny c 136:0 rw): an exception from the default rule "
                "(allow c 136:* rwm) cannot be expressed"}),
    row_name<HoleRow>);

// Both forms mean the same.

struct Access {
  char type;
  uint32_t major;
  uint32_t minor;
  bool read, write, mknod;
};

bool fits(const plan::DeviceRule& rule, const Access& access) {
  return (rule.type == 'a' || rule.type == access.type) &&
         (!rule.major || *rule.major == access.major) &&
         (!rule.minor || *rule.minor == access.minor);
}

bool ordered_allow(const std::vector<plan::DeviceRule>& rules, const Access& access) {
  bool read = false;
  bool write = false;
  bool mknod = false;
  for (const plan::DeviceRule& rule : rules) {
    if (!fits(rule, access)) continue;
    if (rule.read) read = rule.allow;
    if (rule.write) write = rule.allow;
    if (rule.mknod) mknod = rule.allow;
  }
  return (read || !access.read) && (write || !access.write) && (mknod || !access.mknod);
}

/// As the kernel's device controller decides: an entry that allows must have all of the access, an
/// entry that denies any of it.
bool exceptions_allow(const std::vector<plan::DeviceRule>& rules, const Access& access) {
  const bool open = rules.front().type == 'a';
  for (size_t i = open ? 1 : 0; i < rules.size(); ++i) {
    const plan::DeviceRule& rule = rules[i];
    EXPECT_EQ(rule.allow, !open);
    if (!fits(rule, access)) continue;
    const bool all = (rule.read || !access.read) && (rule.write || !access.write) &&
                     (rule.mknod || !access.mknod);
    const bool any =
        (rule.read && access.read) || (rule.write && access.write) || (rule.mknod && access.mknod);
    if (!open && all) return true;
    if (open && any) return false;
  }
  return open;
}

/// All accesses to devices with the numbers of random_rules, and with others.
std::vector<Access> accesses() {
  static constexpr std::array kMajors = {1U, 136U, 200U, 201U};
  static constexpr std::array kMinors = {3U, 4U, 5U};
  std::vector<Access> all;
  for (const uint32_t major : kMajors) {
    for (unsigned i = 0; i < 2 * 8 * kMinors.size(); ++i) {
      const unsigned bits = i / 2 % 8;
      all.push_back({.type = i % 2 == 0 ? 'b' : 'c',
                     .major = major,
                     .minor = kMinors[i / 16],
                     .read = (bits & 1) != 0,
                     .write = (bits & 2) != 0,
                     .mknod = (bits & 4) != 0});
    }
  }
  std::erase_if(
      all, [](const Access& access) { return !access.read && !access.write && !access.mknod; });
  return all;
}

Rules random_rules(std::mt19937& engine) {
  const auto number = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine);
  };
  static constexpr std::array kMajors = {1, 136, 200};
  static constexpr std::array kMinors = {3, 4};
  static constexpr std::array kWords = {"r", "w", "m", "rw", "rm", "wm", "rwm", ""};
  Rules rules;
  const int count = number(0, 5);
  for (int i = 0; i < count; ++i) {
    DeviceRule rule;
    rule.allow = number(0, 2) != 0;
    rule.type = std::string(1, "abc"[number(0, 2)]);
    if (number(0, 2) != 0) rule.major = kMajors[static_cast<size_t>(number(0, 2))];
    if (number(0, 2) != 0) rule.minor = kMinors[static_cast<size_t>(number(0, 1))];
    rule.access = kWords[static_cast<size_t>(number(0, 7))];
    rules.push_back(rule);
  }
  return rules;
}

TEST(DeviceRulesV1, MeanWhatTheRulesMean) {
  std::mt19937 engine(20261122);
  int expressed = 0;
  for (int round = 0; round < 4000; ++round) {
    const Rules rules = random_rules(engine);
    const Result<Plan> v2 = try_rules(rules, root_host(), true);
    const Result<Plan> v1 = try_rules(rules, devices_host(), true);
    ASSERT_TRUE(is_ok(v2));
    if (!v1) continue;
    ++expressed;
    for (const Access& access : accesses()) {
      const bool expected = ordered_allow(v2.value().resources.devices->rules, access);
      ASSERT_EQ(exceptions_allow(v1.value().resources.devices->rules, access), expected)
          << "round " << round << ": " << access.type << ' ' << access.major << ':' << access.minor
          << ' ' << access.read << access.write << access.mknod;
    }
  }
  EXPECT_GT(expressed, 1000);
}

TEST(DeviceRulesV1, AllowAtMostANodeMore) {
  std::mt19937 engine(4);
  int tolerated = 0;
  for (int round = 0; round < 4000; ++round) {
    const Rules rules = random_rules(engine);
    const Result<Plan> v1 = try_rules(rules, devices_host());
    if (!v1 || try_rules(rules, devices_host(), true)) continue;
    ++tolerated;
    const Plan v2 = plan_of(config_with_rules(rules));
    for (const Access& access : accesses()) {
      if (access.mknod) continue;
      ASSERT_EQ(exceptions_allow(v1.value().resources.devices->rules, access),
                ordered_allow(v2.resources.devices->rules, access))
          << "round " << round;
    }
  }
  EXPECT_GT(tolerated, 50);
}

}  // namespace
}  // namespace rt::plan::testing
