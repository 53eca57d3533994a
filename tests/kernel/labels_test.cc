// Labels fail closed where the security module is not there. With the modules:
// tests/e2e/labels_test in the machine of tools/vm.
#include "runtime/kernel/labels.h"

#include <gtest/gtest.h>

#include "runtime/sys/attributes.h"
#include "tests/support/matchers.h"

namespace rt::kernel {
namespace {

using plan::LabelStep;
using rt::testing::fails_with;
using rt::testing::is_ok;

/// Whether this machine's kernel has the module. Older kernels (before 6.8) do not say.
bool has(sys::SecurityModule module) {
  const auto current = sys::lsm_get_self_attr(sys::LabelAttribute::kCurrent, module);
  return current.ok() || current.error().code() != EOPNOTSUPP;
}

/// As the runtime does it, in one process.
Status set(const std::vector<LabelStep>& steps) {
  const UniqueFd proc = TRY(open_proc_for_labels(steps));
  return set_labels(steps, proc.get());
}

TEST(Labels, NoneAskedForAreNothing) {
  const Result<UniqueFd> proc = open_proc_for_labels({});
  ASSERT_TRUE(is_ok(proc));
  EXPECT_FALSE(proc.value());
  EXPECT_TRUE(is_ok(set_labels({}, -1)));
}

TEST(Labels, AProfileWithoutAppArmorIsAnError) {
  if (has(sys::SecurityModule::kAppArmor)) GTEST_SKIP() << "this machine may have AppArmor";
  const Status labelled = set({{LabelStep::Module::kAppArmor, "docker-default", "/p"}});
  EXPECT_TRUE(fails_with(labelled,
                         "`/proc/self/attr/apparmor/exec`: apparmor is not enabled on this host "
                         "(leave process.apparmorProfile out, or boot with apparmor=1)"));
  EXPECT_EQ(labelled.error().pointer(), "/p");
}

TEST(Labels, UnconfinedIsThereWithoutAppArmor) {
  if (has(sys::SecurityModule::kAppArmor)) GTEST_SKIP() << "this machine may have AppArmor";
  EXPECT_TRUE(is_ok(set({{LabelStep::Module::kAppArmor, "unconfined", "/p"}})));
}

TEST(Labels, AContextWithoutSelinuxIsAnError) {
  if (has(sys::SecurityModule::kSelinux)) GTEST_SKIP() << "this machine may have SELinux";
  // "unconfined" is a word of AppArmor's alone.
  for (const char* context : {"system_u:system_r:container_t:s0:c1,c2", "unconfined"}) {
    const Status labelled = set({{LabelStep::Module::kSelinux, context, "/s"}});
    EXPECT_TRUE(fails_with(labelled, "`/proc/self/attr/exec`: selinux is not enabled on this host"))
        << context;
    EXPECT_EQ(labelled.error().pointer(), "/s");
  }
}

}  // namespace
}  // namespace rt::kernel
