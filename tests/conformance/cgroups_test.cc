// config-linux.md, "Control groups", "Cgroups Path", "Cgroup ownership", "IntelRdt".
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"

namespace rt::conformance {
namespace {

class Cgroups : public Conformance {
 protected:
  /// The path of a process in the freezer or, where there are none of version 1, in the only
  /// hierarchy; as the host sees it.
  static std::string path_of(pid_t process) {
    std::string unified;
    const std::string text = read(cat("/proc/", process, "/cgroup"));
    for (const std::string_view line : split(text, '\n')) {
      const std::vector<std::string_view> fields = split(line, ':');
      if (fields.size() < 3) continue;
      if (fields[1] == "freezer") return std::string(fields[2]);
      if (fields[1].empty()) unified = fields[2];
    }
    return unified;
  }
};

TEST_F(Cgroups, AbsolutePathIsMeantFromTheMountPoint) {
  const std::string path = cat('/', id(), "/below");
  config_.set_string("/linux/cgroupsPath", path);
  start_waiting();
  EXPECT_EQ(path_of(pid()), path);
  end();
  for (const testing::Hierarchy& hierarchy : testing::hierarchies()) {
    ::rmdir(cat(hierarchy.mount, '/', id()).c_str());
  }
}

TEST_F(Cgroups, SamePathIsTheSameCgroup) {
  config_.set_string("/linux/cgroupsPath", id() + "-relative");
  std::set<std::string> seen;
  for (int round = 0; round < 2; ++round) {
    start_waiting();
    seen.insert(path_of(pid()));
    end();
  }
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_NE(seen.begin()->find(id() + "-relative"), std::string::npos) << *seen.begin();
}

TEST_F(Cgroups, WithoutAPathTheContainerHasOneOfItsOwn) {
  start_waiting();
  EXPECT_NE(path_of(pid()), path_of(::getpid()));
  end();
}

TEST_F(Cgroups, OfVersionOneBelongToWhomTheyBelonged) {
  config_.user_namespace();
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  start_waiting();
  for (const testing::Hierarchy& hierarchy : testing::hierarchies()) {
    struct stat info{};
    const std::string path = cat(hierarchy.mount, '/', id());
    if (hierarchy.unified || ::stat(path.c_str(), &info) < 0) continue;
    EXPECT_EQ(info.st_uid, 0U) << path;
  }
  end();
}

TEST_F(Cgroups, ThatAreFrozenAreAnError) {
  std::string cgroup;
  for (const testing::Hierarchy& hierarchy : testing::hierarchies()) {
    if (hierarchy.options.contains("freezer")) cgroup = cat(hierarchy.mount, '/', id());
  }
  if (cgroup.empty()) GTEST_SKIP() << "no freezer of version 1";
  ASSERT_EQ(::mkdir(cgroup.c_str(), 0755), 0);
  write(cgroup + "/freezer.state", "FROZEN");
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  EXPECT_TRUE(refuses());
  write(cgroup + "/freezer.state", "THAWED");
  ::rmdir(cgroup.c_str());
}

class IntelRdt : public Conformance {};

TEST_F(IntelRdt, WithoutAMountedResctrlIsAnError) {
  if (read("/proc/mounts").find(" resctrl ") != std::string::npos) {
    GTEST_SKIP() << "resctrl is mounted";
  }
  config_.set("/linux/intelRdt", R"({"closID": "guaranteed"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Cgroups, AreRemovedWithTheContainer) {
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  start_waiting();
  end();
  for (const std::string& cgroup : testing::all_cgroups()) {
    EXPECT_EQ(cgroup.find(id()), std::string::npos) << cgroup;
  }
}

TEST_F(Cgroups, NamespaceShowsTheContainersAsItsRoot) {
  const std::string seen = look().at("/cgroup");
  EXPECT_EQ(seen.find(id()), std::string::npos) << seen;
}

}  // namespace
}  // namespace rt::conformance
