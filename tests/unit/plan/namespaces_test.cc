#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

TEST(Namespaces, AreMadeWithoutAPathAndJoinedWithOne) {
  spec::Config config = small_config();
  config.linux_.namespaces = {{"mount", ""}, {"network", "/proc/7/ns/net"}};
  const Plan plan = plan_of(config);
  const std::vector<NamespaceStep> expected = {
      {NamespaceKind::kMount, "", "/linux/namespaces/0"},
      {NamespaceKind::kNetwork, "/proc/7/ns/net", "/linux/namespaces/1"},
  };
  EXPECT_EQ(plan.namespaces, expected);
  EXPECT_TRUE(plan.makes(NamespaceKind::kMount));
  EXPECT_FALSE(plan.makes(NamespaceKind::kNetwork));
  EXPECT_EQ(plan.find(NamespaceKind::kPid), nullptr);
}

TEST(Namespaces, AllEightKindsAreKnown) {
  spec::Config config = user_namespace_config();
  config.linux_.namespaces = {{"mount", ""},   {"uts", ""},  {"ipc", ""},    {"pid", ""},
                              {"network", ""}, {"user", ""}, {"cgroup", ""}, {"time", ""}};
  EXPECT_EQ(plan_of(config).namespaces.size(), 8U);
}

TEST(Namespaces, AnUnknownKindIsAnError) {
  spec::Config config = small_config();
  config.linux_.namespaces.push_back({"printer", ""});
  EXPECT_TRUE(fails_at(try_plan(config), "/linux/namespaces/4",
                       "linux.namespaces[4]: unknown namespace \"printer\""));
}

TEST(Namespaces, WithoutPrivilegeAndUserNamespaceTheyAreWarnedAbout) {
  EXPECT_TRUE(warns(plan_of(small_config(), user_host()), "/linux/namespaces",
                    "the kernel lets only root"));
  EXPECT_TRUE(plan_of(user_namespace_config(), user_host()).warnings.empty());
  EXPECT_TRUE(plan_of(small_config()).warnings.empty());
}

TEST(TimeOffsets, KeepTheirClock) {
  spec::Config config = small_config();
  config.linux_.namespaces.push_back({"time", ""});
  config.linux_.time_offsets = {{"monotonic", {-3, 5}}, {"boottime", {86400, 0}}};
  const std::vector<TimeOffset> expected = {
      {"boottime", 86400, 0, "/linux/timeOffsets/boottime"},
      {"monotonic", -3, 5, "/linux/timeOffsets/monotonic"},
  };
  EXPECT_EQ(plan_of(config).time_offsets, expected);
}

struct SysctlRow {
  const char* name;
  const char* key;
  const char* file;
};

class SysctlKeys : public ::testing::TestWithParam<SysctlRow> {};

TEST_P(SysctlKeys, NameTheFile) {
  spec::Config config = small_config();
  config.linux_.sysctl = {{GetParam().key, "1"}};
  const Plan plan = plan_of(config);
  ASSERT_EQ(plan.sysctls.size(), 1U);
  EXPECT_EQ(plan.sysctls[0].file, GetParam().file);
  EXPECT_EQ(plan.sysctls[0].value, "1");
}

INSTANTIATE_TEST_SUITE_P(
    Table, SysctlKeys,
    ::testing::Values(SysctlRow{"Dots", "net.ipv4.ip_forward", "net/ipv4/ip_forward"},
                      SysctlRow{"Slashes", "net/ipv4/ip_forward", "net/ipv4/ip_forward"},
                      SysctlRow{"SlashIsADotBehindDots", "net.ipv4.conf.eth0/1.rp_filter",
                                "net/ipv4/conf/eth0.1/rp_filter"},
                      SysctlRow{"DotIsADotBehindSlashes", "net/ipv4/conf/eth0.1/rp_filter",
                                "net/ipv4/conf/eth0.1/rp_filter"}),
    row_name<SysctlRow>);

TEST(Sysctl, OriginEscapesTheKey) {
  spec::Config config = small_config();
  config.linux_.sysctl = {{"net/ipv4/ip_forward", "1"}};
  EXPECT_EQ(plan_of(config).sysctls.at(0).origin, "/linux/sysctl/net~1ipv4~1ip_forward");
}

}  // namespace
}  // namespace rt::plan::testing
