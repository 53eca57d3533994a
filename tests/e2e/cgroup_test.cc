// Where the container's processes are put. runtime-spec config-linux.md, "Cgroups Path".
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class CgroupPlacement : public Container {
 protected:
  /// The cgroups of this process that have the token in their path, one for each hierarchy.
  [[nodiscard]] std::vector<std::string> placed(pid_t process) const {
    std::vector<std::string> paths;
    const std::string text = read(cat("/proc/", process, "/cgroup"));
    for (const std::string_view line : split(text, '\n')) {
      if (line.find(id()) == std::string_view::npos) continue;
      paths.emplace_back(line.substr(line.find('/')));
    }
    return paths;
  }
  void SetUp() override {
    Container::SetUp();
    if (!IsSkipped() && hierarchies().empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
  }
};

TEST_F(CgroupPlacement, IsInEveryHierarchyByDefault) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(placed(pid()).size(), hierarchies().size()) << read(cat("/proc/", pid(), "/cgroup"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(CgroupPlacement, IsThePathOfTheDocument) {
  config_.set_string("/linux/cgroupsPath", cat("/e2e-parent-", id(), '/', id()));
  ASSERT_TRUE(succeeds(create()));
  const std::vector<std::string> paths = placed(pid());
  EXPECT_EQ(paths.size(), hierarchies().size());
  for (const std::string& path : paths) EXPECT_EQ(path, cat("/e2e-parent-", id(), '/', id()));
  EXPECT_TRUE(succeeds(remove())) << "parents that were made go too";
}

TEST_F(CgroupPlacement, OfARelativePathIsBelowTheRuntimesOwn) {
  config_.set_string("/linux/cgroupsPath", cat("relative/", id()));
  ASSERT_TRUE(succeeds(create()));
  const std::vector<std::string> paths = placed(pid());
  EXPECT_EQ(paths.size(), hierarchies().size());
  for (const std::string& path : paths) EXPECT_TRUE(path.ends_with(cat("/relative/", id())));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(CgroupPlacement, IsTheRootOfItsCgroupNamespace) {
  const Outcome outcome = run_shell("cut -d : -f 3 /proc/self/cgroup | sort -u");
  EXPECT_EQ(outcome.out, "/\n");
}

TEST_F(CgroupPlacement, WithProcessesOfOthersIsRefused) {
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  write_config();
  ASSERT_TRUE(succeeds(runtime({"create", id(1), bundle()})));
  EXPECT_TRUE(fails_saying(create(), "container's cgroup is not empty: 1 process(es) found"));
  EXPECT_EQ(Json(runtime({"state", id(1)}).out).at("/status"), "created") << "it was hurt";
  EXPECT_TRUE(succeeds(runtime({"delete", id(1)})));
}

TEST_F(CgroupPlacement, ThatIsFrozenIsRefused) {
  const std::vector<Hierarchy> all = hierarchies();
  const auto freezer = std::ranges::find_if(
      all, [](const Hierarchy& each) { return each.options.contains("freezer") || each.unified; });
  ASSERT_NE(freezer, all.end());
  const std::string path = cat(freezer->mount, '/', id());
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  write(path + (freezer->unified ? "/cgroup.freeze" : "/freezer.state"),
        freezer->unified ? "1" : "FROZEN");
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  EXPECT_TRUE(fails_saying(create(), "container's cgroup unexpectedly frozen"));
  EXPECT_TRUE(exists(path)) << "it was not ours to remove";
  EXPECT_EQ(::rmdir(path.c_str()), 0);
}

TEST_F(CgroupPlacement, ThatIsFrozenIsKilledByForce) {
  start_sleeping();
  for (const Hierarchy& hierarchy : hierarchies()) {
    const std::string path = cgroup_of(pid(), hierarchy);
    if (exists(path + "/freezer.state")) write(path + "/freezer.state", "FROZEN");
    if (exists(path + "/cgroup.freeze")) write(path + "/cgroup.freeze", "1");
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CgroupPlacement, CannotLeadOutOfTheHierarchy) {
  for (const char* path : {"/../x", "../x", "/a/../../x", "/", "/."}) {
    config_.set_string("/linux/cgroupsPath", path);
    EXPECT_EQ(create().exit_code, 1) << path;
  }
}

TEST_F(CgroupPlacement, OfNestedCgroupsOfThePayloadIsRemovedWithThem) {
  start_sleeping();
  for (const Hierarchy& hierarchy : hierarchies()) {
    std::string path = cgroup_of(pid(), hierarchy);
    ASSERT_NE(path.find(id()), std::string::npos) << path;
    for (int depth = 0; depth < 20; ++depth) {
      path += "/n";
      ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
    }
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CgroupPlacement, ThatVanishedDoesNotKeepTheContainerFromBeingDeleted) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  std::set<std::string> cgroups;
  for (const Hierarchy& hierarchy : hierarchies()) cgroups.insert(cgroup_of(pid(), hierarchy));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  reap_orphans();
  for (const std::string& path : cgroups) {
    EXPECT_TRUE(eventually([&] { return ::rmdir(path.c_str()) == 0; })) << path;
  }
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(CgroupPlacement, ForSystemdIsRefusedWithoutSystemd) {
  config_.set_string("/linux/cgroupsPath", "system.slice:runtime:x");
  EXPECT_TRUE(fails_saying(create(), "systemd"));
}

}  // namespace
}  // namespace rt::testing
