// Id-mapped mounts: who owns the files, seen from inside and from outside. runtime-spec config.md,
// "Linux mount options" (idmap, ridmap), "POSIX-platform Mounts" (uidMappings, gidMappings).
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
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

class IdMappedMounts : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(source().c_str(), 0777), 0);
    ASSERT_EQ(::chmod(source().c_str(), 0777), 0);
    make_file("/of-0", 0, 0);
    make_file("/of-1000", 1000, 1001);
  }
  void TearDown() override {
    for (const std::string& point : mounted_) ::umount2(point.c_str(), MNT_DETACH);
    Container::TearDown();
  }

  [[nodiscard]] std::string source() const { return directory() + "/source"; }
  void make_file(const std::string& name, uid_t uid, gid_t gid) const {
    write(source() + name, "x");
    ASSERT_EQ(::chown((source() + name).c_str(), uid, gid), 0);
  }
  /// A tmpfs of the test's below the source, with a file of root in it.
  void mount_below_source(const char* type = "tmpfs") {
    const std::string point = source() + "/below";
    ASSERT_EQ(::mkdir(point.c_str(), 0755), 0);
    ASSERT_EQ(::mount("none", point.c_str(), type, 0, nullptr), 0);
    mounted_.push_back(point);
    if (std::string_view(type) == "tmpfs") make_file("/below/of-0", 0, 0);
  }
  void use_user_namespace() {
    ::nftw(rootfs().c_str(), give_away, 16, FTW_PHYS);
    config_.user_namespace();
  }

  /// A mount with mappings from file system to mount, given as the document has them.
  void mount(const std::string& target, const std::vector<std::string>& options,
             const std::string& uids = "", const std::string& gids = "",
             const std::string& type = "bind") {
    std::string text =
        cat("{\"destination\": ", json_string(target), ", \"type\": ", json_string(type),
            ", \"source\": ", json_string(source()), ", \"options\": ", json_strings(options));
    if (!uids.empty()) text += cat(", \"uidMappings\": [", uids, ']');
    if (!gids.empty()) text += cat(", \"gidMappings\": [", gids, ']');
    config_.add("/mounts", cat(text, '}'));
  }
  static std::string range(unsigned inside, unsigned host, unsigned size) {
    return cat("{\"containerID\": ", inside, ", \"hostID\": ", host, ", \"size\": ", size, '}');
  }

 private:
  std::vector<std::string> mounted_;
};

TEST_F(IdMappedMounts, ShowFilesOfTheContainersIdsAsOfTheHosts) {
  mount("/tmp/m", {"bind", "idmap"}, range(0, 5000, 10) + "," + range(1000, 7, 1),
        range(0, 6000, 10) + "," + range(1001, 8, 1));
  const Outcome outcome = run_shell("stat -c %u:%g /tmp/m/of-0 /tmp/m/of-1000");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "5000:6000\n7:8\n");
}

TEST_F(IdMappedMounts, GiveNewFilesTheOwnerThatIsBehindTheMapping) {
  mount("/tmp/m", {"bind", "idmap"}, range(1000, 0, 1) + "," + range(0, 1000, 1),
        range(1001, 0, 1) + "," + range(0, 1001, 1));
  EXPECT_TRUE(succeeds(run_shell("touch /tmp/m/new")));
  struct stat info{};
  ASSERT_EQ(::stat((source() + "/new").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000U);
  EXPECT_EQ(info.st_gid, 1001U);
}

TEST_F(IdMappedMounts, MakeOtherIdsNobodysAndUnusable) {
  mount("/tmp/m", {"bind", "idmap"}, range(1000, 1, 1), range(1001, 1, 1));
  const Outcome outcome =
      run_shell("stat -c %u:%g /tmp/m/of-0; echo y > /tmp/m/of-0 || echo refused; touch /tmp/m/x");
  EXPECT_EQ(outcome.out, "65534:65534\nrefused\n");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_FALSE(exists(source() + "/x"));
}

TEST_F(IdMappedMounts, NeedNoOptionWordBesideTheMappings) {
  mount("/tmp/m", {"bind"}, range(0, 5000, 1), range(0, 6000, 1));
  EXPECT_EQ(run_shell("stat -c %u:%g /tmp/m/of-0").out, "5000:6000\n");
}

TEST_F(IdMappedMounts, LeaveOtherMountsOfTheSourceAlone) {
  mount("/tmp/m", {"bind", "idmap"}, range(0, 5000, 1), range(0, 6000, 1));
  mount("/tmp/plain", {"bind"});
  EXPECT_EQ(run_shell("stat -c %u /tmp/m/of-0 /tmp/plain/of-0").out, "5000\n0\n");
  struct stat info{};
  ASSERT_EQ(::stat((source() + "/of-0").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
}

TEST_F(IdMappedMounts, TakeTheContainersMappingWhenTheyHaveNone) {
  use_user_namespace();
  mount("/tmp/m", {"bind", "idmap"});
  mount("/tmp/plain", {"bind"});
  const Outcome outcome = run_shell(
      "stat -c %u:%g /tmp/m/of-0 /tmp/m/of-1000 /tmp/plain/of-0; echo y > /tmp/m/of-0; "
      "touch /tmp/m/new");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0:0\n1000:1001\n65534:65534\n");
  struct stat info{};
  ASSERT_EQ(::stat((source() + "/new").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);  // the container's root, to whom the mount gives root's files
}

TEST_F(IdMappedMounts, PreferTheirOwnMappingToTheContainers) {
  use_user_namespace();
  mount("/tmp/m", {"bind", "idmap"}, range(1000, kRoot, 1), range(1001, kRoot + 5, 1));
  EXPECT_EQ(run_shell("stat -c %u:%g /tmp/m/of-1000 /tmp/m/of-0").out, "0:5\n65534:65534\n");
}

TEST_F(IdMappedMounts, TakeTheMappingOfAUserNamespaceThatIsJoined) {
  ::nftw(rootfs().c_str(), give_away, 16, FTW_PHYS);
  Call call;
  call.args = {"sleep", "1000"};
  call.before_exec = [] { ::unshare(CLONE_NEWUSER); };
  const Program holder("/usr/bin/sleep", call);
  const std::string process = cat("/proc/", holder.pid());
  const std::string name = process + "/ns/user";
  struct stat own{};
  ASSERT_EQ(::stat("/proc/self/ns/user", &own), 0);
  ASSERT_TRUE(eventually([&] {
    struct stat info{};
    return ::stat(name.c_str(), &info) == 0 && info.st_ino != own.st_ino;
  }));
  write(process + "/uid_map", "0 100000 65536");
  write(process + "/gid_map", "0 100000 65536");
  config_.join_namespace("user", name);
  mount("/tmp/m", {"bind", "idmap"});
  const Outcome outcome = run_shell("stat -c %u:%g /tmp/m/of-0 /tmp/m/of-1000");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0:0\n1000:1001\n");
}

TEST_F(IdMappedMounts, IdmapIsForTheMountAndRidmapForAllBelow) {
  mount_below_source();
  mount("/tmp/one", {"rbind", "idmap"}, range(0, 5000, 1), range(0, 5000, 1));
  mount("/tmp/all", {"rbind", "ridmap"}, range(0, 5000, 1), range(0, 5000, 1));
  const Outcome outcome =
      run_shell("stat -c %u /tmp/one/of-0 /tmp/one/below/of-0 /tmp/all/of-0 /tmp/all/below/of-0");
  EXPECT_EQ(outcome.out, "5000\n0\n5000\n5000\n");
}

TEST_F(IdMappedMounts, MayBeNewFileSystems) {
  mount("/tmp/m", {"mode=755", "uid=3", "idmap"}, range(0, 5000, 10), range(0, 6000, 10), "tmpfs");
  EXPECT_EQ(run_shell("stat -c %u:%g /tmp/m").out, "5003:6000\n");
}

TEST_F(IdMappedMounts, MayBeNewFileSystemsInAUserNamespace) {
  use_user_namespace();
  mount("/tmp/m", {"mode=755", "idmap"}, "", "", "tmpfs");
  mount("/tmp/n", {"mode=777", "idmap"}, range(0, kRoot + 9, 1), range(0, kRoot, 1), "tmpfs");
  const Outcome outcome =
      run_shell("stat -c %u:%g /tmp/m /tmp/n; touch /tmp/m/x && stat -c %u /tmp/m/x");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0:0\n9:0\n0\n");
}

TEST_F(IdMappedMounts, KeepTheirOtherOptions) {
  mount("/tmp/m", {"bind", "idmap", "ro", "noexec"}, range(0, 5000, 1), range(0, 6000, 1));
  const Outcome outcome = run_shell(
      "touch /tmp/m/x || grep -c ' /tmp/m ro,.*noexec.*idmapped' "
      "/proc/self/mountinfo");
  EXPECT_EQ(outcome.out, "1\n");
}

TEST_F(IdMappedMounts, ThirtyOfThemAreFine) {
  std::string names;
  for (int i = 0; i < 30; ++i) {
    mount(cat("/tmp/m", i), {"bind", "idmap"}, range(0, 5000 + i % 3, 1), range(0, 6000, 1));
    names += cat(" /tmp/m", i, "/of-0");
  }
  EXPECT_EQ(run_shell(cat("stat -c %u", names, " | sort | uniq -c | tr -s ' '")).out,
            " 10 5000\n 10 5001\n 10 5002\n");
}

TEST_F(IdMappedMounts, OfAFileSystemThatCannotAreRefusedByItsName) {
  mount_below_source("ramfs");
  config_.add("/mounts",
              cat(R"({"destination": "/tmp/m", "options": ["bind", "idmap"], )", R"("source": )",
                  json_string(source() + "/below"), R"(, "uidMappings": [)", range(0, 1, 1),
                  R"(], "gidMappings": [)", range(0, 1, 1), "]}"));
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "the file system \"ramfs\" cannot be id-mapped"));
}

TEST_F(IdMappedMounts, ThatCoverMoreThanTheyCanAreRefused) {
  mount_below_source("ramfs");
  mount("/tmp/m", {"rbind", "ridmap"}, range(0, 1, 1), range(0, 1, 1));
  EXPECT_TRUE(fails_saying(create(), "or one mounted below it, cannot be id-mapped"));
}

TEST_F(IdMappedMounts, OfTheKernelsOwnFileSystemsAreRefused) {
  mount("/tmp/m", {"bind", "idmap"}, range(0, 1, 1), range(0, 1, 1), "proc");
  config_.set("/mounts/6/options", R"(["idmap"])");
  EXPECT_TRUE(fails_saying(create(), "\"proc\" cannot be id-mapped"));
}

struct BadMount {
  const char* what;
  const char* mount;
  const char* words;
};

class BadIdMaps : public Container, public ::testing::WithParamInterface<BadMount> {};

TEST_P(BadIdMaps, AreRefusedBeforeAnythingIsMade) {
  config_.add("/mounts",
              cat(R"({"destination": "/tmp/m", "source": "/tmp", )", GetParam().mount, '}'));
  EXPECT_TRUE(fails_saying(create(), GetParam().words));
  EXPECT_FALSE(exists(rootfs() + "/tmp/m"));
}

INSTANTIATE_TEST_SUITE_P(
    Mounts, BadIdMaps,
    ::testing::Values(BadMount{"WithoutMapping", R"("options": ["bind", "idmap"])",
                               "needs uidMappings and gidMappings"},
                      BadMount{"WithoutMappingRecursive", R"("options": ["rbind", "ridmap"])",
                               "needs uidMappings and gidMappings"},
                      BadMount{"UidsAlone", R"("options": ["bind", "idmap"], "uidMappings":
            [{"containerID": 0, "hostID": 1, "size": 1}])",
                               "uidMappings without gidMappings"},
                      BadMount{"SizeZero", R"("options": ["bind", "idmap"],
            "uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])",
                               "maps no id"},
                      BadMount{"Remount", R"("options": ["remount"],
            "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])",
                               "cannot be id-mapped"},
                      BadMount{"InTheOptionItself", R"("options": ["bind", "idmap=uids=0-1-1"])",
                               "a mapping is given by uidMappings and gidMappings"}),
    [](const auto& info) { return std::string(info.param.what); });

}  // namespace
}  // namespace rt::testing
