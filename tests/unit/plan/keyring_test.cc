#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

TEST(Resources, AreAWarning) {
  spec::Config config = small_config();
  config.linux_.resources.emplace().pids_limit = 5;
  const Plan plan = plan_of(config);
  EXPECT_EQ(plan.warnings,
            (std::vector<Warning>{
                {"/linux/resources", "resource limits are not applied by this version"}}));
}

TEST(Keyring, IsNewUnlessTheOptionSaysNo) {
  EXPECT_TRUE(plan_of(small_config()).new_keyring);
  Request request = small_request();
  request.no_new_keyring = true;
  const Plan plan = make_plan(small_config(), request, root_host()).value();
  EXPECT_FALSE(plan.new_keyring);
  EXPECT_EQ(plan.keyring_origin, "option: --no-new-keyring");
}

}  // namespace
}  // namespace rt::plan::testing
