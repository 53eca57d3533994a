#include <linux/mount.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Config joined_config() {
  spec::Config config = small_config();
  config.linux_.namespaces[0].path = "/proc/7/ns/mnt";
  return config;
}

spec::Config chroot_config() {
  spec::Config config = small_config();
  config.linux_.namespaces = {{"pid", ""}};
  return config;
}

TEST(Root, IsBelowTheBundleUnlessAbsolute) {
  spec::Config config = small_config();
  EXPECT_EQ(plan_of(config).root.path, "/bundle/rootfs");
  config.root->path = "/images/x";
  EXPECT_EQ(plan_of(config).root.path, "/images/x");
}

TEST(Root, TheMountNamespaceDecidesTheMethod) {
  EXPECT_EQ(plan_of(small_config()).root.method, RootMethod::kPivot);
  EXPECT_EQ(plan_of(joined_config()).root.method, RootMethod::kJoined);
  EXPECT_EQ(plan_of(chroot_config()).root.method, RootMethod::kChroot);
  Request request = small_request();
  request.no_pivot = true;
  EXPECT_EQ(make_plan(small_config(), request, root_host()).value().root.method, RootMethod::kMove);
}

TEST(Root, ChrootAloneIsWarnedAbout) {
  EXPECT_TRUE(warns(plan_of(chroot_config()), "/linux/namespaces", "without a mount namespace"));
}

TEST(Root, AJoinedMountNamespaceNeedsNoRoot) {
  spec::Config config = joined_config();
  config.root.reset();
  const Plan plan = plan_of(config);
  EXPECT_EQ(plan.root.path, "");
  EXPECT_TRUE(plan.devices.empty());
  EXPECT_TRUE(plan.links.empty());
}

TEST(Root, PropagationIsPrivateUnlessAsked) {
  spec::Config config = small_config();
  EXPECT_EQ(plan_of(config).root.propagation, MS_PRIVATE | MS_REC);
  EXPECT_EQ(plan_of(config).root.propagation_origin, "default: rootfsPropagation");
  config.linux_.rootfs_propagation = "slave";
  EXPECT_EQ(plan_of(config).root.propagation, MS_SLAVE);
  config.linux_.rootfs_propagation = "rshared";
  EXPECT_EQ(plan_of(config).root.propagation, MS_SHARED | MS_REC);
  EXPECT_EQ(plan_of(config).root.propagation_origin, "/linux/rootfsPropagation");
}

TEST(Root, PropagationThatWouldChangeItsMountsComesLast) {
  spec::Config config = small_config();
  EXPECT_FALSE(plan_of(config).root.propagation_last);
  config.linux_.rootfs_propagation = "rslave";
  EXPECT_FALSE(plan_of(config).root.propagation_last);
  config.linux_.rootfs_propagation = "rshared";
  EXPECT_TRUE(plan_of(config).root.propagation_last);
  config.linux_.rootfs_propagation = "unbindable";
  EXPECT_TRUE(plan_of(config).root.propagation_last);
}

struct RefusedRow {
  const char* name;
  void (*change)(spec::Config&);
  const char* pointer;
  const char* place;
};

/// What changes mounts, refused for two reasons.
class WithoutOwnMounts : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(WithoutOwnMounts, AreRefusedInAJoinedNamespace) {
  spec::Config config = joined_config();
  GetParam().change(config);
  EXPECT_TRUE(fails_at(try_plan(config), GetParam().pointer,
                       cat(GetParam().place, ": would change a mount namespace")));
}

TEST_P(WithoutOwnMounts, AreRefusedOnTheHost) {
  spec::Config config = chroot_config();
  GetParam().change(config);
  if (!config.linux_.devices.empty()) return;  // a node needs no mount
  EXPECT_TRUE(fails_at(try_plan(config), GetParam().pointer,
                       cat(GetParam().place, ": needs a mount namespace")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WithoutOwnMounts,
    ::testing::Values(
        RefusedRow{"Mounts",
                   [](auto& config) { config.mounts = {{"/tmp", "tmpfs", "", {}, {}, {}}}; },
                   "/mounts/0", "mounts[0] /tmp"},
        RefusedRow{"ReadonlyRoot", [](auto& config) { config.root->readonly = true; },
                   "/root/readonly", "root.readonly"},
        RefusedRow{"MaskedPaths", [](auto& config) { config.linux_.masked_paths = {"/x"}; },
                   "/linux/maskedPaths", "linux.maskedPaths"},
        RefusedRow{"ReadonlyPaths", [](auto& config) { config.linux_.readonly_paths = {"/x"}; },
                   "/linux/readonlyPaths", "linux.readonlyPaths"},
        RefusedRow{"Propagation", [](auto& config) { config.linux_.rootfs_propagation = "shared"; },
                   "/linux/rootfsPropagation", "linux.rootfsPropagation"},
        RefusedRow{
            "Devices",
            [](auto& config) { config.linux_.devices = {{"c", "/dev/fuse", 10, 229, {}, {}, {}}}; },
            "/linux/devices/0", "linux.devices[0] /dev/fuse"}),
    row_name<RefusedRow>);

TEST(Root, IsNeeded) {
  spec::Config config = small_config();
  config.root.reset();
  EXPECT_TRUE(fails_at(try_plan(config), "/root", "root.path: missing"));
}

TEST(Root, AnUnknownPropagationIsAnError) {
  spec::Config config = small_config();
  config.linux_.rootfs_propagation = "ro";
  EXPECT_TRUE(fails_at(try_plan(config), "/linux/rootfsPropagation",
                       "linux.rootfsPropagation: unknown propagation \"ro\""));
}

TEST(Paths, AreTakenAsTheyAre) {
  spec::Config config = small_config();
  config.linux_.masked_paths = {"/proc/kcore", "/sys/x"};
  config.linux_.readonly_paths = {"/proc/bus"};
  const Plan plan = plan_of(config);
  EXPECT_EQ(plan.masked_paths, (std::vector<PathStep>{{"/proc/kcore", "/linux/maskedPaths/0"},
                                                      {"/sys/x", "/linux/maskedPaths/1"}}));
  EXPECT_EQ(plan.readonly_paths, (std::vector<PathStep>{{"/proc/bus", "/linux/readonlyPaths/0"}}));
}

}  // namespace
}  // namespace rt::plan::testing
