#include "runtime/plan/describe.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Config with_rdt(const spec::IntelRdt& rdt) {
  spec::Config config = small_config();
  config.linux_.intel_rdt = rdt;
  return config;
}

spec::IntelRdt of_class(const std::string& name) {
  spec::IntelRdt rdt;
  rdt.clos_id = name;
  return rdt;
}

/// The texts of the actions of one step.
std::vector<std::string> texts_of(const Plan& plan, Step step) {
  std::vector<std::string> texts;
  for (const Action& action : actions(plan)) {
    if (action.step == step) texts.push_back(action.text);
  }
  return texts;
}

TEST(IntelRdt, IsNotTouchedWithoutTheSection) {
  const Plan plan = plan_of(small_config());
  EXPECT_FALSE(plan.intel_rdt.has_value());
  EXPECT_TRUE(texts_of(plan, Step::kIntelRdt).empty());
  EXPECT_TRUE(texts_of(plan, Step::kRemoveIntelRdt).empty());
}

TEST(IntelRdt, TheGroupHasTheContainersNameUnlessAClassIsNamed) {
  const IntelRdtStep own = plan_of(with_rdt({})).intel_rdt.value();
  EXPECT_EQ(own.group, "demo");
  EXPECT_FALSE(own.named);
  const IntelRdtStep named = plan_of(with_rdt(of_class("gold"))).intel_rdt.value();
  EXPECT_EQ(named.group, "gold");
  EXPECT_TRUE(named.named);
  EXPECT_EQ(plan_of(with_rdt(of_class("/"))).intel_rdt->group, "/");
}

TEST(IntelRdt, SchemataAreInTheOrderOfTheSpecification) {
  spec::IntelRdt rdt = of_class("gold");
  rdt.schemata = {"L2:0=f", "L3:1=3"};
  rdt.l3_cache_schema = "L3:0=7";
  rdt.mem_bw_schema = "MB:0=20";
  const std::vector<SchemataLine> expected = {
      {"L3:0=7", true, "/linux/intelRdt/l3CacheSchema"},
      {"MB:0=20", true, "/linux/intelRdt/memBwSchema"},
      {"L2:0=f", false, "/linux/intelRdt/schemata/0"},
      {"L3:1=3", false, "/linux/intelRdt/schemata/1"},
  };
  EXPECT_EQ(plan_of(with_rdt(rdt)).intel_rdt->schemata, expected);
}

TEST(IntelRdt, MonitoringIsAGroupOfTheContainersName) {
  EXPECT_EQ(plan_of(with_rdt(of_class("gold"))).intel_rdt->monitoring, "");
  spec::IntelRdt rdt = of_class("gold");
  rdt.enable_monitoring = true;
  EXPECT_EQ(plan_of(with_rdt(rdt)).intel_rdt->monitoring, "demo");
}

TEST(IntelRdt, TheRootComesFromTheOption) {
  EXPECT_EQ(plan_of(with_rdt({})).intel_rdt->root, "");
  Request request = small_request();
  request.resctrl_root = "/elsewhere";
  const Result<Plan> plan = make_plan(with_rdt({}), request, root_host());
  ASSERT_TRUE(is_ok(plan));
  EXPECT_EQ(plan.value().intel_rdt->root, "/elsewhere");
}

TEST(IntelRdt, AnIdThatIsADirectoryOfResctrlNeedsAClass) {
  Request request = small_request();
  request.id = "info";
  EXPECT_TRUE(fails_at(make_plan(with_rdt({}), request, root_host()), "/linux/intelRdt",
                       "linux.intelRdt: the container's id \"info\" cannot be the name"));
  EXPECT_TRUE(is_ok(make_plan(with_rdt(of_class("gold")), request, root_host())));
}

TEST(IntelRdt, IsListedWithWhatGoesAtTheEnd) {
  spec::IntelRdt rdt;
  rdt.mem_bw_schema = "MB:0=20";
  rdt.enable_monitoring = true;
  const Plan own = plan_of(with_rdt(rdt));
  EXPECT_EQ(texts_of(own, Step::kIntelRdt),
            (std::vector<std::string>{"make or use resctrl group resctrl/demo", "schemata MB:0=20",
                                      "make monitoring group demo", "move init into it"}));
  EXPECT_EQ(texts_of(own, Step::kRemoveIntelRdt),
            (std::vector<std::string>{"remove monitoring group demo",
                                      "remove resctrl group resctrl/demo, if it was made"}));
  const Plan named = plan_of(with_rdt(of_class("gold")));
  EXPECT_EQ(texts_of(named, Step::kIntelRdt),
            (std::vector<std::string>{"use resctrl group resctrl/gold", "move init into it"}));
  EXPECT_TRUE(texts_of(named, Step::kRemoveIntelRdt).empty());
}

}  // namespace
}  // namespace rt::plan::testing
