// Containers of a user without any privilege: with one id and with a range of subordinate ones,
// with a cgroup of the user's own and without. Run by root, the tests become such a user.
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ostream>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

constexpr uid_t kUser = 4242;

int give_away(const char* path, const struct stat* /*info*/, int /*type*/, struct FTW* /*where*/) {
  return ::lchown(path, kUser, kUser);
}

class Rootless : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (::geteuid() == 0) {
      user_ = kUser;
      write_user_files();
      ::nftw(directory().c_str(), give_away, 16, FTW_PHYS);
    }
    config_ = Config();
    config_.user_namespace(one_id(user_), one_id(user_));
  }

  [[nodiscard]] Outcome as_user(const std::vector<std::string>& args, Call rest = {}) const {
    if (user_ != kUser) return runtime(args, std::move(rest));
    rest.before_exec = [this] { have_user_files(); };
    return runtime_as(kUser, args, std::move(rest));
  }
  Outcome run_as_user(std::string_view script) {
    config_.shell(script);
    write_config();
    return as_user({"run", id(), bundle()});
  }
  /// Without the test's own --root.
  [[nodiscard]] Outcome as_user_alone(const std::vector<std::string>& args, Call rest) const {
    rest.args = args;
    if (user_ != kUser) return run_program(runtime_binary(), rest);
    rest.before_exec = [this] { have_user_files(); };
    return program_as(kUser, std::move(rest));
  }

  /// Container id 0 is the user, 1 and those above are the first of the range in /etc/subuid.
  void map_range() {
    if (user_ == kUser) {
      const std::string map = cat(R"([{"containerID": 0, "hostID": )", kUser,
                                  R"(, "size": 1},
                                      {"containerID": 1, "hostID": 200000, "size": 65536}])");
      config_.set("/linux/uidMappings", map).set("/linux/gidMappings", map);
    } else {
      config_.set("/linux/uidMappings", with_range("/etc/subuid", user_));
      config_.set("/linux/gidMappings", with_range("/etc/subgid", user_));
    }
  }
  [[nodiscard]] uid_t range_begin() const {
    const std::string begin = config_.json().at("/linux/uidMappings/1/hostID");
    return static_cast<uid_t>(parse_int(begin).value_or(0));
  }

  /// create, start, exec, kill and delete, the state looked at in between.
  void live() {
    config_.shell("touch /tmp/started; exec sleep 1000");
    write_config();
    ASSERT_TRUE(succeeds(as_user({"create", id(), bundle()})));
    EXPECT_EQ(Json(as_user({"state", id()}).out).at("/status"), "created");
    EXPECT_FALSE(exists(rootfs() + "/tmp/started"));
    ASSERT_TRUE(succeeds(as_user({"start", id()})));
    EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
    EXPECT_EQ(Json(as_user({"state", id()}).out).at("/status"), "running");
    const Outcome more = as_user({"exec", id(), "/bin/sh", "-c", "id -u; hostname; exit 5"});
    EXPECT_EQ(more.exit_code, 5) << more.err;
    EXPECT_EQ(more.out, "0\ne2e\n");
    EXPECT_NE(as_user({"list"}).out.find(id()), std::string::npos);
    EXPECT_TRUE(succeeds(as_user({"kill", id(), "KILL"})));
    EXPECT_TRUE(
        eventually([&] { return Json(as_user({"state", id()}).out).at("/status") == "stopped"; }));
    EXPECT_TRUE(succeeds(as_user({"delete", id()})));
  }

  uid_t user_ = ::geteuid();

 private:
  /// A machine where the user has a name and subordinate ids, whatever this one is like.
  void write_user_files() const {
    write(directory() + "/passwd",
          cat("root:x:0:0::/:/bin/sh\ne2e:x:", kUser, ':', kUser, "::/:\n"));
    write(directory() + "/subid", "e2e:200000:65536\n");
  }
  void have_user_files() const {
    const auto lay_over = [this](const char* ours, const char* theirs) {
      return ::mount((directory() + ours).c_str(), theirs, nullptr, MS_BIND, nullptr) == 0;
    };
    const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0 &&
                      lay_over("/passwd", "/etc/passwd") && lay_over("/subid", "/etc/subuid") &&
                      lay_over("/subid", "/etc/subgid");
    if (!done) ::_exit(123);
  }
};

TEST_F(Rootless, Runs) {
  const Outcome outcome = run_as_user("id -u; cat /proc/self/uid_map; exit 7");
  EXPECT_EQ(outcome.exit_code, 7) << outcome.err;
  std::string map = std::to_string(user_);
  map.insert(0, 10 - map.size(), ' ');
  EXPECT_EQ(outcome.out, cat("0\n         0 ", map, "          1\n"));
}

TEST_F(Rootless, WithOneIdGoesThroughTheLifecycle) { live(); }

TEST_F(Rootless, WithARangeOfIdsGoesThroughTheLifecycle) {
  map_range();
  ASSERT_EQ(config_.json().size("/linux/uidMappings"), 2U) << "this user has no subordinate ids";
  live();
}

TEST_F(Rootless, WithARangeOfIdsHasUsersOfItsOwn) {
  map_range();
  config_.set("/process/user", R"({"uid": 33, "gid": 33, "additionalGids": [5, 44]})");
  const Outcome outcome = run_as_user("id -u; id -G; touch /tmp/mine");
  EXPECT_EQ(outcome.out, "33\n33 5 44\n") << outcome.err;
  struct stat info{};
  ASSERT_EQ(::stat((rootfs() + "/tmp/mine").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, range_begin() + 32);
  // Who may do that: a container in which it is root's.
  config_.erase("/process/user/additionalGids").set("/process/user/uid", "0");
  for (const char* set : {"bounding", "effective", "permitted"}) {
    config_.add(cat("/process/capabilities/", set), R"("CAP_FOWNER")");
  }
  EXPECT_TRUE(succeeds(run_as_user("rm /tmp/mine")));
}

TEST_F(Rootless, HasDevicesAndFileSystems) {
  const Outcome outcome = run_as_user(
      "echo x > /dev/null && head -c 2 /dev/zero | wc -c; test -c /dev/urandom && echo random; "
      "touch /dev/shm/x && echo shm; test -d /sys/class && echo sys; hostname");
  EXPECT_EQ(outcome.out, "2\nrandom\nshm\nsys\ne2e\n") << outcome.err;
}

TEST_F(Rootless, RunsTheConfigThatSpecWrites) {
  ASSERT_EQ(::unlink((bundle() + "/config.json").c_str()), 0);
  ASSERT_TRUE(succeeds(as_user({"spec", "--rootless", "--bundle", bundle()})));
  Json config(read(bundle() + "/config.json"));
  config.set("/process/terminal", "false").set("/process/args", R"(["echo", "hi"])");
  write_config(config.text());
  const Outcome outcome = as_user({"run", id(), bundle()});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "hi\n");
}

TEST_F(Rootless, FilesThatItMakesAreTheUsers) {
  EXPECT_TRUE(succeeds(run_as_user("touch /tmp/mine")));
  struct stat info{};
  ASSERT_EQ(::stat((rootfs() + "/tmp/mine").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, user_);
}

TEST_F(Rootless, MoreThanOneIdNeedsTheHelpersAndTheirPermission) {
  config_.set("/linux/uidMappings", cat(R"([{"containerID": 0, "hostID": )", user_, R"(, "size": 1},
                      {"containerID": 1, "hostID": 900000, "size": 100}])"));
  write_config();
  const Outcome outcome = as_user({"create", id(), bundle()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("uidmap"), std::string::npos) << outcome.err;
}

TEST_F(Rootless, WithoutAUserNamespaceItIsRefused) {
  config_ = Config();
  write_config();
  EXPECT_EQ(as_user({"create", id(), bundle()}).exit_code, 1);
}

TEST_F(Rootless, CannotUseTheStateOfRoot) {
  if (user_ != kUser) GTEST_SKIP() << "a directory of root's is made by root";
  ASSERT_EQ(::chown(state_root().c_str(), 0, 0), 0);
  write_config();
  EXPECT_EQ(as_user({"create", id(), bundle()}).exit_code, 1);
}

TEST_F(Rootless, KeepsItsStateInTheRuntimeDirectoryOfTheUser) {
  config_.args({"/bin/sleep", "1000"});
  write_config();
  Call call;
  call.env.push_back(cat("XDG_RUNTIME_DIR=", directory()));
  const auto without_root = [&](const std::vector<std::string>& args) {
    return as_user_alone(args, call);
  };
  ASSERT_TRUE(succeeds(without_root({"create", "--bundle", bundle(), id()})));
  EXPECT_TRUE(exists(cat(directory(), "/runtime/", id())));
  EXPECT_EQ(Json(without_root({"state", id()}).out).at("/status"), "created");
  EXPECT_TRUE(succeeds(without_root({"delete", "--force", id()})));
  EXPECT_FALSE(exists(cat(directory(), "/runtime/", id())));
}

TEST_F(Rootless, WithoutARuntimeDirectoryAsksForOne) {
  const Outcome outcome = as_user_alone({"list"}, Call());
  EXPECT_TRUE(fails_saying(outcome, "XDG_RUNTIME_DIR is not set; give --root DIR"));
}

/// Whether the user can put its own processes into a cgroup with this controller.
bool has_cgroup(const char* controller, uid_t user) {
  const std::optional<Hierarchy> hierarchy = hierarchy_with(controller);
  return hierarchy && user == ::geteuid() && hierarchy->own != hierarchy->mount &&
         ::access(hierarchy->own.substr(0, hierarchy->own.rfind('/')).c_str(), W_OK) == 0;
}

struct Limited {
  const char* controller;
  const char* resources;
  const char* property;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Limited& limited, std::ostream* out) { *out << limited.property; }

class RootlessLimits : public Rootless, public ::testing::WithParamInterface<Limited> {};

TEST_P(RootlessLimits, WithoutACgroupAreRefusedByTheirName) {
  const Limited& limited = GetParam();
  if (has_cgroup(limited.controller, user_)) GTEST_SKIP() << "this user has a cgroup for it";
  config_.set("/linux/resources", limited.resources);
  write_config();
  const Outcome outcome = as_user({"create", id(), bundle()});
  EXPECT_TRUE(fails_saying(outcome, limited.property));
  EXPECT_NE(outcome.err.find("cgroup"), std::string::npos) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Rootless, RootlessLimits,
                         ::testing::Values(Limited{"memory", R"({"memory": {"limit": 67108864}})",
                                                   "memory"},
                                           Limited{"pids", R"({"pids": {"limit": 20}})", "pids"},
                                           Limited{"cpu", R"({"cpu": {"quota": 10000}})", "cpu"}),
                         [](const auto& limited) { return std::string(limited.param.controller); });

}  // namespace
}  // namespace rt::testing
