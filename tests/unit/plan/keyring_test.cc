#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

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
