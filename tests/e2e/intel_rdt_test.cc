// The container's group of resctrl, in a tree of plain files that stands in for it. runtime-spec
// config-linux.md, "IntelRdt".
#include <sys/stat.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class IntelRdt : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make("");
    make("/mon_groups");
    write(root() + "/tasks", "");
    write(root() + "/schemata", "L3:0=fff\nMB:0=100\n");
    make("/gold");
    make("/gold/mon_groups");
    write(root() + "/gold/tasks", "");
    write(root() + "/gold/schemata", "L3:0=0ff\nMB:0= 50\n");
  }

  [[nodiscard]] std::string root() const { return directory() + "/resctrl"; }
  void make(const std::string& path) const { ASSERT_EQ(::mkdir((root() + path).c_str(), 0755), 0); }

  /// A command that knows the tree.
  [[nodiscard]] Outcome with_tree(std::vector<std::string> args) const {
    args.insert(args.begin(), {"--resctrl-root", root()});
    return runtime(args);
  }
  [[nodiscard]] Outcome create_with_tree() const {
    write_config();
    return with_tree({"create", "--bundle", bundle(), id()});
  }
  [[nodiscard]] std::string tasks(const std::string& group) const {
    return read(cat(root(), '/', group, "/tasks"));
  }
};

TEST_F(IntelRdt, AGroupOfItsOwnHoldsInitAndGoesWithTheContainer) {
  config_.set("/linux/intelRdt", R"({"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20",
                                     "schemata": ["L2:0=3"]})");
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks(id()), cat(pid(), '\n'));
  EXPECT_EQ(read(cat(root(), '/', id(), "/schemata")), "L3:0=f\nMB:0=20\nL2:0=3\n");
  ASSERT_TRUE(succeeds(remove_by_force()));  // the record says where it is
  EXPECT_FALSE(exists(cat(root(), '/', id())));
}

TEST_F(IntelRdt, AClassOutlivesTheContainer) {
  config_.set("/linux/intelRdt", R"({"closID": "silver", "memBwSchema": "MB:0=20"})");
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks("silver"), cat(pid(), '\n'));
  EXPECT_FALSE(exists(cat(root(), '/', id())));
  ASSERT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(exists(root() + "/silver"));
}

TEST_F(IntelRdt, AClassThatIsThereIsUsed) {
  config_.set("/linux/intelRdt", R"({"closID": "gold"})");
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks("gold"), cat(pid(), '\n'));
  EXPECT_EQ(read(root() + "/gold/schemata"), "L3:0=0ff\nMB:0= 50\n");
  ASSERT_TRUE(succeeds(remove_by_force()));
}

TEST_F(IntelRdt, AClassThatIsNotThereOrDifferentIsAnError) {
  config_.set("/linux/intelRdt", R"({"closID": "silver"})");
  EXPECT_TRUE(fails_saying(create_with_tree(), "no such resctrl group"));
  config_.set("/linux/intelRdt", R"({"closID": "gold", "memBwSchema": "MB:0=60"})");
  const Outcome different = create_with_tree();
  EXPECT_TRUE(fails_saying(different, "its schemata are others"));
  EXPECT_NE(different.err.find("/linux/intelRdt/memBwSchema"), std::string::npos) << different.err;
}

TEST_F(IntelRdt, TheDefaultClassIsTheRoot) {
  config_.set("/linux/intelRdt", R"({"closID": "/"})");
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks("."), cat(pid(), '\n'));
  ASSERT_TRUE(succeeds(remove_by_force()));
}

TEST_F(IntelRdt, MonitoringIsAGroupThatGoesWithTheContainer) {
  config_.set("/linux/intelRdt", R"({"closID": "gold", "enableMonitoring": true})");
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks("gold/mon_groups/" + id()), cat(pid(), '\n'));
  ASSERT_TRUE(succeeds(remove_by_force()));
  EXPECT_FALSE(exists(root() + "/gold/mon_groups/" + id()));
  EXPECT_TRUE(exists(root() + "/gold/mon_groups"));
}

TEST_F(IntelRdt, ACreateThatFailsLeavesNoGroup) {
  config_.set("/linux/intelRdt", R"({"enableMonitoring": true})").args({"/no/such/program"});
  EXPECT_NE(create_with_tree().exit_code, 0);
  EXPECT_FALSE(exists(cat(root(), '/', id())));
}

TEST_F(IntelRdt, AMonitoringGroupOfSomebodyElseIsAnErrorAndStays) {
  make("/gold/mon_groups/" + id());
  config_.set("/linux/intelRdt", R"({"closID": "gold", "enableMonitoring": true})");
  EXPECT_TRUE(fails_saying(create_with_tree(), "file exists"));
  EXPECT_TRUE(exists(root() + "/gold/mon_groups/" + id()));
}

TEST_F(IntelRdt, AProcessThatIsExecutedIsInTheGroup) {
  config_.set("/linux/intelRdt", R"({"closID": "gold"})").args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create_with_tree()));
  ASSERT_TRUE(succeeds(start()));
  const std::string before = tasks("gold");
  ASSERT_TRUE(succeeds(with_tree({"exec", id(), "/bin/true"})));
  const std::string after = tasks("gold");
  EXPECT_TRUE(after.starts_with(before));
  EXPECT_GT(after.size(), before.size());
  ASSERT_TRUE(succeeds(remove_by_force()));
}

TEST_F(IntelRdt, WithoutResctrlIsAnError) {
  if (exists("/sys/fs/resctrl/tasks")) GTEST_SKIP() << "this machine has one";
  config_.set("/linux/intelRdt", R"({"closID": "gold"})");
  EXPECT_TRUE(fails_saying(create(), "no resctrl file system is mounted"));
}

TEST_F(IntelRdt, IsNotTouchedWithoutTheSection) {
  ASSERT_TRUE(succeeds(create_with_tree()));
  EXPECT_EQ(tasks("."), "");
  EXPECT_FALSE(exists(cat(root(), '/', id())));
  ASSERT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
