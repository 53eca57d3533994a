// Containers of a user without any privilege.
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

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
    ::nftw(directory().c_str(), give_away, 16, FTW_PHYS);
    const std::string map = cat(R"([{"containerID": 0, "size": 1, "hostID": )", kUser, "}]");
    config_.user_namespace().set("/linux/uidMappings", map).set("/linux/gidMappings", map);
  }
  [[nodiscard]] Outcome as_user(const std::vector<std::string>& args) const {
    return runtime_as(kUser, args);
  }
  Outcome run_as_user(std::string_view script) {
    config_.shell(script);
    write_config();
    return as_user({"run", id(), bundle()});
  }
};

TEST_F(Rootless, Runs) {
  const Outcome outcome = run_as_user("id -u; cat /proc/self/uid_map; exit 7");
  EXPECT_EQ(outcome.exit_code, 7) << outcome.err;
  EXPECT_EQ(outcome.out, "0\n         0       4242          1\n");
}

TEST_F(Rootless, GoesThroughTheLifecycle) {
  config_.shell("touch /tmp/started; exec sleep 1000");
  write_config();
  ASSERT_TRUE(succeeds(as_user({"create", id(), bundle()})));
  EXPECT_EQ(Json(as_user({"state", id()}).out).at("/status"), "created");
  EXPECT_FALSE(exists(rootfs() + "/tmp/started"));
  ASSERT_TRUE(succeeds(as_user({"start", id()})));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  EXPECT_EQ(Json(as_user({"state", id()}).out).at("/status"), "running");
  EXPECT_TRUE(succeeds(as_user({"kill", id(), "KILL"})));
  EXPECT_TRUE(
      eventually([&] { return Json(as_user({"state", id()}).out).at("/status") == "stopped"; }));
  EXPECT_TRUE(succeeds(as_user({"delete", id()})));
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
  EXPECT_EQ(info.st_uid, kUser);
}

TEST_F(Rootless, MoreThanOneIdNeedsTheHelpersAndTheirPermission) {
  config_.set("/linux/uidMappings", R"([{"containerID": 0, "hostID": 4242, "size": 1},
                                        {"containerID": 1, "hostID": 900000, "size": 100}])");
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
  ASSERT_EQ(::chown(state_root().c_str(), 0, 0), 0);
  write_config();
  EXPECT_EQ(as_user({"create", id(), bundle()}).exit_code, 1);
}

}  // namespace
}  // namespace rt::testing
