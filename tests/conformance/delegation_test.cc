// config-linux.md, "Cgroup ownership": whom the container's cgroup belongs to.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"

namespace rt::conformance {
namespace {

using testing::Hierarchy;

/// User 1000 of the container, in a user namespace that begins at 100000.
constexpr uid_t kUser = 101000;
constexpr const char* kDelegate = "/sys/kernel/cgroup/delegate";
constexpr const char* kWritable[] = {"nosuid", "noexec", "nodev", "relatime"};

class Delegation : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    hierarchies_ = testing::hierarchies();
    config_.user_namespace();
    config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
    config_.set_string("/linux/cgroupsPath", cat('/', id()));
  }

  /// "Runtimes SHOULD NOT change the ownership of container cgroups when cgroups v1 is in use."
  [[nodiscard]] bool is_pure() const {
    return hierarchies_.size() == 1 && hierarchies_.front().unified;
  }
  void mount_writable() {
    config_.mount("/sys/fs/cgroup", "cgroup", "cgroup",
                  {std::begin(kWritable), std::end(kWritable)});
  }

  [[nodiscard]] static uid_t owner(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_uid;
  }
  [[nodiscard]] std::string cgroup() const { return cat(hierarchies_.front().mount, '/', id()); }
  /// The names of the files in the container's cgroup that belong to its user.
  [[nodiscard]] std::set<std::string> handed_over() const {
    std::set<std::string> names;
    const UniqueFd directory = sys::open(cgroup(), O_RDONLY | O_DIRECTORY).value();
    for (const std::string& name : sys::list_directory(directory.get()).value()) {
      const uid_t user = owner(cat(cgroup(), '/', name));
      EXPECT_TRUE(user == kUser || user == 0) << name;
      if (user == kUser) names.insert(name);
    }
    return names;
  }
  /// The names of the list that the container's cgroup has.
  [[nodiscard]] std::set<std::string> listed(const std::string& list) const {
    std::set<std::string> names;
    for (const std::string_view name : split(list, '\n')) {
      const std::string path = cat(cgroup(), '/', name);
      if (!name.empty() && ::access(path.c_str(), F_OK) == 0) names.emplace(name);
    }
    return names;
  }

  /// For the runtime, another list than the kernel's; null: none. It hides a part of /sys: a user
  /// namespace may not mount that then.
  [[nodiscard]] Call with_list(const char* list) {
    for (size_t i = 0; i < config_.json().size("/mounts"); ++i) {
      const std::string mount = cat("/mounts/", i);
      if (config_.json().at(mount + "/type") == "sysfs") config_.erase(mount);
    }
    for (const char* name : {"/sys/fs", "/sys/fs/cgroup"}) make_directory(rootfs() + name);
    const std::string directory = this->directory() + "/cgroup";
    make_directory(directory);
    if (list != nullptr) write(directory + "/delegate", list);
    Call call;
    call.before_exec = [directory] {
      const bool done =
          ::unshare(CLONE_NEWNS) == 0 &&
          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
          ::mount(directory.c_str(), "/sys/kernel/cgroup", nullptr, MS_BIND, nullptr) == 0;
      if (!done) ::_exit(99);
    };
    return call;
  }

  void start_with(Call call) {
    config_.args({"/probe", "await"});
    ASSERT_TRUE(succeeds(create(std::move(call))));
  }

  std::vector<Hierarchy> hierarchies_;
};

TEST_F(Delegation, OfAWritableCgroupIsToTheContainersUser) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  start_waiting();
  EXPECT_EQ(owner(cgroup()), kUser);
  EXPECT_TRUE(handed_over().contains("cgroup.procs"));
  end();
}

TEST_F(Delegation, IsOfTheFilesOfTheKernelsListAlone) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  start_waiting();
  EXPECT_EQ(handed_over(), listed(read(kDelegate)));
  EXPECT_FALSE(handed_over().contains("cgroup.freeze"));
  end();
}

TEST_F(Delegation, FollowsTheKernelsListAndToleratesWhatIsNotThere) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  start_with(with_list("cgroup.procs\nno.such.file\ncgroup.subtree_control\n"));
  EXPECT_EQ(owner(cgroup()), kUser);
  EXPECT_EQ(handed_over(), (std::set<std::string>{"cgroup.procs", "cgroup.subtree_control"}));
  end();
}

TEST_F(Delegation, WithoutTheKernelsListIsOfThreeFiles) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  start_with(with_list(nullptr));
  EXPECT_EQ(owner(cgroup()), kUser);
  EXPECT_EQ(handed_over(),
            (std::set<std::string>{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}));
  end();
}

TEST_F(Delegation, LetsTheContainersUserMakeCgroups) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  EXPECT_EQ(path_at(look({"path=/sys/fs/cgroup"}), "/sys/fs/cgroup", "write"), "");
}

TEST_F(Delegation, IsNotOfAReadOnlyCgroup) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  config_.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  start_waiting();
  EXPECT_EQ(owner(cgroup()), 0U);
  EXPECT_EQ(handed_over(), std::set<std::string>());
  end();
}

TEST_F(Delegation, IsNotWithoutAMountOfCgroup) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  start_waiting();
  EXPECT_EQ(owner(cgroup()), 0U);
  EXPECT_EQ(handed_over(), std::set<std::string>());
  end();
}

TEST_F(Delegation, IsNotWithoutACgroupNamespace) {
  if (!is_pure()) GTEST_SKIP() << "cgroup v1 is in use";
  mount_writable();
  config_.without_namespace("cgroup");
  start_waiting();
  EXPECT_EQ(owner(cgroup()), 0U);
  EXPECT_EQ(handed_over(), std::set<std::string>());
  end();
}

TEST_F(Delegation, IsNotWhereVersionOneIsInUse) {
  if (is_pure()) GTEST_SKIP() << "cgroup v2 alone is in use";
  mount_writable();
  start_waiting();
  for (const Hierarchy& hierarchy : hierarchies_) {
    const std::string path = cat(hierarchy.mount, '/', id());
    if (::access(path.c_str(), F_OK) == 0) {
      EXPECT_EQ(owner(path), 0U) << path;
      EXPECT_EQ(owner(path + "/cgroup.procs"), 0U) << path;
    }
  }
  end();
}

}  // namespace
}  // namespace rt::conformance
