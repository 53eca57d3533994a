// A container whose root is nobody on the host. runtime-spec config-linux.md, "User namespace
// mappings".
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

constexpr uid_t kRoot = 100000;

int give_away(const char* path, const struct stat* /*info*/, int /*type*/, struct FTW* /*where*/) {
  return ::lchown(path, kRoot, kRoot);
}

class UserNamespace : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ::nftw(rootfs().c_str(), give_away, 16, FTW_PHYS);
    config_.user_namespace();
  }
};

TEST_F(UserNamespace, ShowsItsMap) {
  const Outcome outcome = run_shell("cat /proc/self/uid_map /proc/self/gid_map");
  EXPECT_TRUE(succeeds(outcome));
  const std::string line = "         0     100000      65536\n";
  EXPECT_EQ(outcome.out, line + line);
}

TEST_F(UserNamespace, OwnsItsFiles) {
  const Outcome outcome = run_shell(
      "id -u; stat -c %u:%g /bin/busybox; touch /tmp/mine; "
      "stat -c %u /tmp/mine /proc/self/stat /dev/pts /dev/shm");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0\n0:0\n0\n0\n0\n0\n");
  struct stat info{};
  ASSERT_EQ(::stat((rootfs() + "/tmp/mine").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kRoot);
  EXPECT_EQ(info.st_gid, kRoot);
}

TEST_F(UserNamespace, HasNoRightsOutside) {
  write(directory() + "/secret", "x");
  ASSERT_EQ(::chmod((directory() + "/secret").c_str(), 0600), 0);
  config_.mount("/tmp/outside", "bind", directory(), {"bind", "rprivate"});
  const Outcome outcome = run_shell("cat /tmp/outside/secret; echo x > /tmp/outside/new");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("Permission denied"), std::string::npos) << outcome.err;
  EXPECT_FALSE(exists(directory() + "/new"));
}

TEST_F(UserNamespace, InitIsNobodyOnTheHost) {
  config_.shell("touch /tmp/started; exec sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  const std::string status = read(cat("/proc/", pid(), "/status"));
  EXPECT_NE(status.find("Uid:\t100000\t100000\t100000\t100000\n"), std::string::npos) << status;
  EXPECT_NE(status.find("Gid:\t100000\t100000\t100000\t100000\n"), std::string::npos) << status;
  EXPECT_TRUE(succeeds(start()));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(UserNamespace, RunsAsAnotherMappedUser) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1001, "additionalGids": [7, 8]})");
  EXPECT_EQ(run_shell("id -u; id -g; id -G").out, "1000\n1001\n1001 7 8\n");
}

TEST_F(UserNamespace, RefusesAUserThatIsNotMapped) {
  config_.set("/process/user", R"({"uid": 70000, "gid": 0})");
  EXPECT_TRUE(fails_saying(create(), "not mapped"));
}

TEST_F(UserNamespace, HasTheDefaultDevices) {
  const Outcome outcome = run_shell(
      "echo x > /dev/null && head -c 3 /dev/zero | wc -c && "
      "stat -c %t:%T /dev/null /dev/full /dev/urandom");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "3\n1:3\n1:7\n1:9\n");
}

TEST_F(UserNamespace, ItsStandardStreamsCanBeOpenedAgain) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  const Outcome outcome = run_shell("echo x > /dev/stdout; echo y > /dev/stderr");
  EXPECT_TRUE(succeeds(outcome));
}

TEST_F(UserNamespace, ThePipesOfItsCallerCanBeOpenedAgain) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  config_.shell("echo x > /dev/stdout && stat -L -c %u /dev/stdout");
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  Call call;
  call.before_exec = [&writer] { ::dup2(writer.get(), 1); };
  EXPECT_TRUE(succeeds(run(call)));
  writer.reset();
  EXPECT_EQ(read(cat("/proc/self/fd/", reader.get())), "x\n1000\n");
}

TEST_F(UserNamespace, GoesThroughTheLifecycle) {
  start_sleeping();
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

struct BadMap {
  const char* what;
  const char* map;
};

class BadMaps : public Container, public ::testing::WithParamInterface<BadMap> {};

TEST_P(BadMaps, AreRefused) {
  config_.user_namespace().set("/linux/uidMappings", GetParam().map);
  EXPECT_EQ(create().exit_code, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Maps, BadMaps,
    ::testing::Values(BadMap{"Empty", "[]"},
                      BadMap{"SizeZero", R"([{"containerID": 0, "hostID": 100000, "size": 0}])"},
                      BadMap{"Overlap", R"([{"containerID": 0, "hostID": 100000, "size": 10},
                              {"containerID": 5, "hostID": 200000, "size": 10}])"},
                      BadMap{"OverlapOutside", R"([{"containerID": 0, "hostID": 100000, "size": 10},
                                     {"containerID": 10, "hostID": 100005, "size": 10}])"},
                      BadMap{"TooLarge",
                             R"([{"containerID": 0, "hostID": 4294967295, "size": 2}])"},
                      BadMap{"Negative", R"([{"containerID": 0, "hostID": -1, "size": 2}])"}),
    [](const auto& info) { return std::string(info.param.what); });

}  // namespace
}  // namespace rt::testing
