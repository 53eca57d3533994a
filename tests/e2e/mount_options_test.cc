// What the option words of a mount do that its line in the tables of mounts_test.cc does not show:
// taking attributes away, flags of file systems, tmpcopyup. runtime-spec config.md, "Linux mount
// options".
#include <ftw.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

constexpr uid_t kRoot = 100000;

int give_away(const char* path, const struct stat* /*info*/, int /*type*/, struct FTW* /*where*/) {
  return ::lchown(path, kRoot, kRoot);
}

bool has_word(std::string_view words, std::string_view word) {
  for (const std::string_view one : split(words, ',')) {
    if (one == word) return true;
  }
  return false;
}

class MountOptions : public Container {
 protected:
  void TearDown() override {
    for (const std::string& point : mounted_) ::umount2(point.c_str(), MNT_DETACH);
    Container::TearDown();
  }
  [[nodiscard]] std::string source() const { return directory() + "/source"; }

  /// A mount of the test's at source(), with another one below it, both with these flags.
  void mount_source(unsigned long flags) {
    ASSERT_EQ(::mkdir(source().c_str(), 0755), 0);
    ASSERT_EQ(::mount("none", source().c_str(), "tmpfs", 0, nullptr), 0);
    mounted_.insert(mounted_.begin(), source());
    const std::string below = source() + "/below";
    ASSERT_EQ(::mkdir(below.c_str(), 0755), 0);
    ASSERT_EQ(::mount("none", below.c_str(), "tmpfs", 0, nullptr), 0);
    mounted_.insert(mounted_.begin(), below);
    for (const std::string& point : mounted_) {
      ASSERT_EQ(::mount(nullptr, point.c_str(), nullptr, MS_BIND | MS_REMOUNT | flags, nullptr), 0);
    }
  }

  /// The options of the mount and of its file system, of each line of mountinfo for this point.
  std::vector<std::pair<std::string, std::string>> lines_of(std::string_view point) {
    const Outcome outcome = run_shell("cat /proc/self/mountinfo");
    EXPECT_TRUE(succeeds(outcome));
    std::vector<std::pair<std::string, std::string>> lines;
    for (const std::string_view line : split(outcome.out, '\n')) {
      const std::vector<std::string_view> fields = split(line, ' ');
      if (fields.size() > 9 && fields[4] == point) lines.emplace_back(fields[5], fields.back());
    }
    return lines;
  }
  std::string options_of(std::string_view point) {
    const auto lines = lines_of(point);
    EXPECT_EQ(lines.size(), 1U) << point;
    return lines.empty() ? "" : lines[0].first;
  }
  std::string super_options_of(std::string_view point) {
    const auto lines = lines_of(point);
    EXPECT_EQ(lines.size(), 1U) << point;
    return lines.empty() ? "" : lines[0].second;
  }

 private:
  std::vector<std::string> mounted_;
};

struct Clear {
  const char* word;
  unsigned long flags;
  const char* gone;  // from the mount's options
  bool recursive = true;
};

class ClearingWords : public MountOptions, public ::testing::WithParamInterface<Clear> {};

TEST_P(ClearingWords, TakeAwayWhatTheSourceHas) {
  mount_source(GetParam().flags);
  config_.mount("/tmp/as-is", "bind", source(), {"rbind"});
  config_.mount("/tmp/m", "bind", source(), {"rbind", GetParam().word});
  EXPECT_TRUE(has_word(options_of("/tmp/as-is/below"), GetParam().gone));
  EXPECT_FALSE(has_word(options_of("/tmp/m"), GetParam().gone));
  EXPECT_EQ(has_word(options_of("/tmp/m/below"), GetParam().gone), !GetParam().recursive);
}

INSTANTIATE_TEST_SUITE_P(
    MountOptions, ClearingWords,
    ::testing::Values(
        Clear{"rrw", MS_RDONLY, "ro"}, Clear{"rsuid", MS_NOSUID, "nosuid"},
        Clear{"rdev", MS_NODEV, "nodev"}, Clear{"rexec", MS_NOEXEC, "noexec"},
        Clear{"rdiratime", MS_NODIRATIME, "nodiratime"},
        Clear{"rsymfollow", MS_NOSYMFOLLOW, "nosymfollow"}, Clear{"ratime", MS_NOATIME, "noatime"},
        Clear{"rrelatime", MS_NOATIME, "noatime"}, Clear{"rstrictatime", MS_RELATIME, "relatime"},
        Clear{"rnorelatime", MS_NOATIME, "noatime"}, Clear{"rnostrictatime", MS_NOATIME, "noatime"},
        Clear{"rw", MS_RDONLY, "ro", false}, Clear{"suid", MS_NOSUID, "nosuid", false},
        Clear{"dev", MS_NODEV, "nodev", false}, Clear{"exec", MS_NOEXEC, "noexec", false},
        Clear{"diratime", MS_NODIRATIME, "nodiratime", false},
        Clear{"symfollow", MS_NOSYMFOLLOW, "nosymfollow", false},
        Clear{"atime", MS_NOATIME, "noatime", false},
        Clear{"relatime", MS_NOATIME, "noatime", false}),
    [](const auto& info) { return std::string(info.param.word); });

TEST_F(MountOptions, NosymfollowKeepsLinksFromBeingFollowed) {
  ASSERT_EQ(::mkdir(source().c_str(), 0755), 0);
  write(source() + "/file", "seen\n");
  ASSERT_EQ(::symlink("file", (source() + "/link").c_str()), 0);
  config_.mount("/tmp/m", "bind", source(), {"bind", "nosymfollow"});
  config_.mount("/tmp/n", "bind", source(), {"bind", "nosymfollow", "symfollow"});
  const Outcome outcome = run_shell("cat /tmp/m/file /tmp/m/link; cat /tmp/n/link");
  EXPECT_EQ(outcome.out, "seen\nseen\n");
  EXPECT_NE(outcome.err.find("/tmp/m/link"), std::string::npos) << outcome.err;
}

class SuperblockWords : public MountOptions, public ::testing::WithParamInterface<const char*> {};

TEST_P(SuperblockWords, AreSeenInTheFileSystemsOptions) {
  const char* const word = GetParam();
  config_.mount("/tmp/m", "tmpfs", "tmpfs", {word});
  config_.mount("/tmp/plain", "tmpfs", "tmpfs", {});
  EXPECT_TRUE(has_word(super_options_of("/tmp/m"), word)) << super_options_of("/tmp/m");
  EXPECT_FALSE(has_word(super_options_of("/tmp/plain"), word));
  config_.mount("/tmp/plain", "tmpfs", "tmpfs", {"remount", word});
  const bool changes = std::string_view(word) != "dirsync";  // the kernel does not change it
  EXPECT_EQ(has_word(super_options_of("/tmp/plain"), word), changes);
}

INSTANTIATE_TEST_SUITE_P(MountOptions, SuperblockWords,
                         ::testing::Values("sync", "dirsync", "lazytime", "mand"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(MountOptions, TheirOppositesTakeThemBack) {
  config_.mount("/tmp/m", "tmpfs", "tmpfs",
                {"sync", "lazytime", "mand", "async", "nolazytime", "nomand"});
  config_.mount("/tmp/n", "tmpfs", "tmpfs", {"sync", "lazytime"});
  config_.mount("/tmp/n", "tmpfs", "tmpfs", {"remount", "async", "nolazytime"});
  for (const char* point : {"/tmp/m", "/tmp/n"}) {
    const std::string options = super_options_of(point);
    for (const char* word : {"sync", "lazytime", "mand"}) {
      EXPECT_FALSE(has_word(options, word)) << point << ": " << options;
    }
  }
}

TEST_F(MountOptions, WordsWithoutAnEffectAreWarnedAboutAndDoNoHarm) {
  config_.mount("/tmp/m", "tmpfs", "tmpfs", {"silent", "loud", "iversion", "noiversion", "mand"});
  config_.mount("/tmp/b", "bind", "/tmp", {"bind", "sync"});
  config_.args({"/bin/true"});
  const Outcome outcome = run();
  EXPECT_TRUE(succeeds(outcome));
  for (const char* word : {"silent", "loud", "iversion", "noiversion", "mand", "sync"}) {
    EXPECT_NE(outcome.err.find(cat("option \"", word, "\" has no effect")), std::string::npos)
        << word << ": " << outcome.err;
  }
}

TEST_F(MountOptions, ALabelNeedsSelinux) {
  if (exists("/sys/fs/selinux/enforce")) GTEST_SKIP() << "SELinux is on here";
  config_.set_string("/linux/mountLabel", "system_u:object_r:container_file_t:s0");
  EXPECT_TRUE(fails_saying(create(), "a label needs a kernel with SELinux enabled"));
}

class CopyUp : public MountOptions {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(image().c_str(), 0750), 0);
    ASSERT_EQ(::mkdir((image() + "/dir").c_str(), 02755), 0);
    ASSERT_EQ(::chmod((image() + "/dir").c_str(), 02755), 0);
    write(image() + "/dir/file", "content\n");
    ASSERT_EQ(::chmod((image() + "/dir/file").c_str(), 0640), 0);
    ASSERT_EQ(::symlink("dir/file", (image() + "/link").c_str()), 0);
  }
  [[nodiscard]] std::string image() const { return rootfs() + "/data"; }
  void own(const std::string& name, uid_t uid, gid_t gid) const {
    ASSERT_EQ(::lchown((image() + name).c_str(), uid, gid), 0);
  }
};

TEST_F(CopyUp, FillsTheTmpfsAndLeavesTheImageAlone) {
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  const Outcome outcome = run_shell(
      "stat -f -c %T /data; cat /data/dir/file /data/link; readlink /data/link; "
      "echo changed > /data/dir/file; rm /data/link; touch /data/new");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "tmpfs\ncontent\ncontent\ndir/file\n");
  EXPECT_EQ(read(image() + "/dir/file"), "content\n");
  EXPECT_TRUE(exists(image() + "/link"));
  EXPECT_FALSE(exists(image() + "/new"));
}

TEST_F(CopyUp, IsTheSameWhenHooksWantTheRootEnteredLast) {
  config_.add("/hooks/createRuntime", R"({"path": "/bin/true"})");
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup", "ro"});
  const Outcome outcome = run_shell("cat /data/link; touch /data/new || echo refused");
  EXPECT_EQ(outcome.out, "content\nrefused\n");
}

TEST_F(CopyUp, KeepsOwnersModesAndDevices) {
  own("/dir/file", 1000, 1001);
  own("/link", 1002, 1003);
  own("/dir", 7, 8);
  own("", 9, 10);
  ASSERT_EQ(::chmod(image().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((image() + "/dir/file").c_str(), 04640), 0);
  ASSERT_EQ(::mknod((image() + "/null").c_str(), S_IFCHR | 0620, makedev(1, 3)), 0);
  ASSERT_EQ(::chmod((image() + "/null").c_str(), 0620), 0);
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  const Outcome outcome =
      run_shell("cd /data; stat -c '%n %u:%g %a %F' . dir dir/file link null; stat -c %t:%T null");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out,
            ". 9:10 755 directory\n"
            "dir 7:8 2755 directory\n"
            "dir/file 1000:1001 4640 regular file\n"
            "link 1002:1003 777 symbolic link\n"
            "null 0:0 620 character special file\n"
            "1:3\n");
}

TEST_F(CopyUp, KeepsFileCapabilities) {
  // VFS_CAP_REVISION_2 with the effective bit, permitted: CAP_NET_RAW (13). capabilities(7).
  const std::string capability(
      "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00",
      20);
  const std::string file = image() + "/dir/file";
  ASSERT_EQ(
      ::setxattr(file.c_str(), "security.capability", capability.data(), capability.size(), 0), 0);
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  start_sleeping();
  std::string value(64, ' ');
  const std::string inside = cat("/proc/", pid(), "/root/data/dir/file");
  const ssize_t size =
      ::getxattr(inside.c_str(), "security.capability", value.data(), value.size());
  EXPECT_EQ(value.substr(0, size < 0 ? 0 : static_cast<size_t>(size)), capability);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CopyUp, KeepsOwnersInAUserNamespace) {
  ::nftw(rootfs().c_str(), give_away, 16, FTW_PHYS);
  own("/dir/file", kRoot + 1000, kRoot + 1001);
  ASSERT_EQ(::mknod((image() + "/null").c_str(), S_IFCHR | 0620, makedev(1, 3)), 0);
  own("/null", kRoot, kRoot);
  config_.user_namespace();
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  config_.mount("/other", "tmpfs", "tmpfs", {"tmpcopyup", "idmap"});
  const Outcome outcome =
      run_shell("stat -c %u:%g /data /data/dir/file /data/link /other; ls /data");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "0:0\n1000:1001\n0:0\n0:0\ndir\nlink\n");  // no device can be made there
}

TEST_F(CopyUp, AnOwnerThatTheUserNamespaceDoesNotKnowIsRefused) {
  ::nftw(rootfs().c_str(), give_away, 16, FTW_PHYS);
  own("/dir/file", 5, 5);
  ASSERT_EQ(::chmod((image() + "/dir/file").c_str(), 0644), 0);
  config_.user_namespace();
  config_.set("/linux/uidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 1000}])");
  config_.set("/linux/gidMappings", R"([{"containerID": 0, "hostID": 100000, "size": 1000}])");
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "tmpcopyup: \"./dir/file\": fchown: invalid argument"));
  EXPECT_NE(outcome.err.find("the user namespace knows nothing"), std::string::npos) << outcome.err;
}

TEST_F(CopyUp, WhatDoesNotFitFailsTheCreate) {
  write(image() + "/large", std::string(256 << 10, 'x'));
  config_.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup", "size=64k"});
  EXPECT_TRUE(fails_saying(create(), "tmpcopyup: \"./large\": sendfile: no space left on device"));
}

TEST_F(CopyUp, ALinkToTheHostIsNotFollowed) {
  ASSERT_EQ(::symlink(directory().c_str(), (rootfs() + "/out").c_str()), 0);
  write(directory() + "/secret", "secret");
  config_.mount("/out", "tmpfs", "tmpfs", {"tmpcopyup"});
  EXPECT_EQ(run_shell(cat("ls -A ", directory())).out, "");
  EXPECT_EQ(read(directory() + "/secret"), "secret");
}

TEST_F(CopyUp, IsRefusedForOtherMounts) {
  config_.mount("/data", "bind", directory(), {"bind", "tmpcopyup"});
  EXPECT_TRUE(fails_saying(create(), "is for a new file system of type \"tmpfs\" only"));
}

}  // namespace
}  // namespace rt::testing
