#include <linux/mount.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

Plan notifying_plan_of(const spec::Config& config) {
  Request request = small_request();
  request.notify_directory = "/state/x/notify";
  return make_plan(config, request, root_host()).value();
}

TEST(Notify, IsOneMountAfterTheDocumentsAndOneVariable) {
  spec::Config config = small_config();
  config.mounts = {{"/run", "tmpfs", "tmpfs", {}, {}, {}}};
  config.process->env = {"A=1", "NOTIFY_SOCKET=/another", "NOTIFY_SOCKETS=2"};
  const Plan plan = notifying_plan_of(config);
  EXPECT_EQ(plan.notify_directory, "/state/x/notify");
  ASSERT_EQ(plan.mounts.size(), 2U);
  const MountStep& mount = plan.mounts.back();
  EXPECT_EQ(mount.target, "/run/notify");
  EXPECT_EQ(std::get<BindMount>(mount.what).source, "/state/x/notify");
  EXPECT_FALSE(std::get<BindMount>(mount.what).recursive);
  EXPECT_NE(mount.attributes.set & MOUNT_ATTR_RDONLY, 0U);
  EXPECT_EQ(mount.origin, "environment: NOTIFY_SOCKET");
  EXPECT_EQ(plan.process->env, (std::vector<std::string>{"A=1", "NOTIFY_SOCKETS=2",
                                                         "NOTIFY_SOCKET=/run/notify/notify.sock"}));
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(Notify, IsNothingUnlessItIsAskedFor) {
  const Plan plan = plan_of(small_config());
  EXPECT_TRUE(plan.notify_directory.empty());
  EXPECT_TRUE(plan.mounts.empty());
}

TEST(Notify, IsNothingWithoutAProcess) {
  spec::Config config = small_config();
  config.process.reset();
  const Plan plan = notifying_plan_of(config);
  EXPECT_TRUE(plan.notify_directory.empty());
  EXPECT_TRUE(plan.mounts.empty());
}

TEST(Notify, IsAWarningWhereNothingCanBeMounted) {
  for (const char* joined : {"", "/proc/1/ns/mnt"}) {
    spec::Config config = small_config();
    std::erase_if(config.linux_.namespaces, [](const auto& one) { return one.type == "mount"; });
    if (*joined != '\0') config.linux_.namespaces.push_back({"mount", joined});
    const Plan plan = notifying_plan_of(config);
    EXPECT_TRUE(plan.notify_directory.empty()) << joined;
    EXPECT_TRUE(plan.mounts.empty()) << joined;
    EXPECT_TRUE(plan.process->env.empty()) << joined;
    EXPECT_TRUE(std::ranges::any_of(plan.warnings, [](const Warning& one) {
      return one.origin == "environment: NOTIFY_SOCKET";
    })) << joined;
  }
}

}  // namespace
}  // namespace rt::plan::testing
