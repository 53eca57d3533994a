#include <grp.h>

#include "tests/kernel/cgroup_fixture.h"

namespace rt::cgroup::testing {
namespace {

using std::chrono::milliseconds;
using Names = std::vector<std::string>;

/// A cgroup v2 of a test's own.
class Controllers : public CgroupTest {
 protected:
  void SetUp() override {
    CgroupTest::SetUp();
    if (!IsSkipped() && unified_leaf().empty()) GTEST_SKIP() << "no cgroup v2";
  }

  /// In the v2 hierarchy alone.
  static plan::CgroupStep plan_with(const Names& needs, const std::string& below = name()) {
    plan::CgroupStep step = plan_for(below);
    std::erase_if(step.directories, [](const auto& directory) { return !directory.unified; });
    for (const std::string& need : needs) {
      step.directories.front().needs.push_back({need, cat("/linux/resources/", need)});
    }
    return step;
  }
  static std::string top() { return plan_with({}).directories.front().hierarchy; }
  static std::string read(const std::string& path) {
    std::string text = read_text(path);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  static bool has(const std::string& controller) {
    return read(top() + "/cgroup.controllers").find(controller) != std::string::npos;
  }
  static std::string in_leaf(const std::string& message) {
    return cat("cgroup ", rt::quoted(unified_leaf()), ": ", message);
  }
};

uid_t owner_of(const std::string& path) { return sys::stat(path).value().st_uid; }

TEST_F(Controllers, ThatTheMachineLacksAreNamed) {
  const Result<Made> made = make(plan_with({"nonesuch"}));
  EXPECT_TRUE(fails_with(made, in_leaf(cat(rt::quoted(top()),
                                           ": controller \"nonesuch\" is not in "
                                           "its cgroup.controllers ("))));
  EXPECT_EQ(made.error().pointer(), "/linux/resources/nonesuch");
  EXPECT_FALSE(exists(unified_leaf()));
}

TEST_F(Controllers, ThatAreNeededAreNotLeftOut) {
  plan::CgroupStep step = plan_with({"nonesuch"});
  step.optional = true;
  EXPECT_FALSE(make(step).ok());
}

TEST_F(Controllers, AreSwitchedOnAllTheWayDown) {
  if (!has("memory") || !has("pids")) GTEST_SKIP() << "no v2 controllers";
  const Result<Made> made = make(plan_with({"memory", "pids"}, name() + "/a/b"));
  ASSERT_TRUE(is_ok(made));
  // The others too, as far as the machine has them.
  EXPECT_EQ(read(unified_leaf() + "/a/b/cgroup.controllers"), read(top() + "/cgroup.controllers"));
  EXPECT_EQ(read(unified_leaf() + "/a/b/cgroup.subtree_control"), "");
  EXPECT_TRUE(exists(unified_leaf() + "/a/b/memory.max"));
  EXPECT_TRUE(is_ok(remove(made.value().directories, kPatience)));
}

TEST_F(Controllers, AreNotForChildrenOfACgroupWithProcesses) {
  if (!has("memory")) GTEST_SKIP() << "no v2 controllers";
  const std::vector<Directory> outer = make(plan_with({})).value().directories;
  {
    const Sleeper sleeper(outer);
    const std::string inner = name() + "/inner";
    const Result<Made> refused = make(plan_with({"memory"}, inner));
    EXPECT_TRUE(fails_with(
        refused, cat("cgroup ", rt::quoted(unified_leaf(inner)), ": ", rt::quoted(unified_leaf()),
                     ": cgroup.subtree_control: +memory: device or resource busy (there are "
                     "processes in that cgroup itself")));
    EXPECT_FALSE(exists(unified_leaf(inner)));
    const Result<Made> without = make(plan_with({}, inner));
    ASSERT_TRUE(is_ok(without)) << "a cgroup it can be all the same";
    EXPECT_TRUE(is_ok(remove(without.value().directories, kPatience)));
  }
  EXPECT_TRUE(is_ok(remove(outer, kPatience)));
}

/// A user owns a cgroup, but not the controllers above it, nor those of the cgroup itself.
TEST_F(Controllers, ThatAreNotTheUsersToSwitchOnAreAnError) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const std::vector<Directory> outer = make(plan_with({})).value().directories;
  ASSERT_EQ(::chown(unified_leaf().c_str(), 65534, 65534), 0);
  const std::string inner = name() + "/inner";
  const std::string other = unified_leaf() + "-other";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    EXPECT_EQ(::setgroups(0, nullptr), 0);
    EXPECT_EQ(::setresgid(65534, 65534, 65534), 0);
    EXPECT_EQ(::setresuid(65534, 65534, 65534), 0);
    plan::CgroupStep step = plan_with({has("memory") ? "memory" : "nonesuch"}, inner);
    step.optional = true;
    const Result<Made> refused = make(step);
    EXPECT_FALSE(refused.ok());
    if (has("memory") && !refused.ok()) {
      EXPECT_TRUE(refused.error().message().find("(not delegated to this user") !=
                  std::string::npos)
          << refused.error().message();
    }
    plan::CgroupStep elsewhere = step;
    elsewhere.directories.front().path = other;
    EXPECT_FALSE(make(elsewhere).ok()) << "not even a directory";
    elsewhere.directories.front().needs.clear();
    EXPECT_TRUE(is_ok(make(elsewhere))) << "which can be left out when nothing needs it";
    const Result<Made> without = make(plan_with({}, inner));
    EXPECT_TRUE(is_ok(without));
    if (without) {
      EXPECT_TRUE(is_ok(remove(without.value().directories, kPatience)));
    }
    ::_exit(::testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "see above";
  EXPECT_TRUE(is_ok(remove(outer, kPatience)));
}

TEST_F(Controllers, AreManagedByTheOwnerButTheLimitsAreNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  plan::CgroupStep step = plan_with({});
  step.owner = 4711;
  step.owner_origin = "/mounts/0";
  const Result<Made> made = make(step);
  ASSERT_TRUE(is_ok(made));
  const std::string leaf = unified_leaf();
  EXPECT_EQ(owner_of(leaf), 4711U);
  for (const char* file : {"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}) {
    EXPECT_EQ(owner_of(cat(leaf, '/', file)), 4711U) << file;
  }
  for (const char* file : {"cgroup.freeze", "cgroup.max.depth", "cgroup.type", "memory.max"}) {
    const std::string path = cat(leaf, '/', file);
    EXPECT_TRUE(!exists(path) || owner_of(path) == 0) << file;
  }
  EXPECT_EQ(owner_of(leaf.substr(0, leaf.rfind('/'))), 0U);
  EXPECT_TRUE(is_ok(remove(made.value().directories, kPatience)));
}

TEST_F(Controllers, OfThreadedCgroupsDoNotKeepThemFromBeingRemoved) {
  const std::vector<Directory> made = make(plan_with({})).value().directories;
  const std::string threaded = unified_leaf() + "/threaded";
  ASSERT_EQ(::mkdir(threaded.c_str(), 0755), 0);
  const Sleeper sleeper(made);
  const Status turned = sys::write_file(threaded + "/cgroup.type", "threaded");
  if (!turned) GTEST_SKIP() << turned.error().message();
  ASSERT_EQ(::mkdir((unified_leaf() + "/invalid").c_str(), 0755), 0);
  ASSERT_TRUE(is_ok(sys::write_file(threaded + "/cgroup.threads", cat(sleeper.pid()))));
  EXPECT_EQ(processes(made).value(), std::vector<pid_t>{sleeper.pid()});
  EXPECT_TRUE(is_ok(pause(made, kPatience)));
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(sleeper.ended());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

}  // namespace
}  // namespace rt::cgroup::testing
