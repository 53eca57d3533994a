// tmpcopyup on real trees, some of them made to lead the copy astray. In namespaces of the test's
// own: what a device or a foreign id becomes is for tests/e2e, which has root.
#include "runtime/kernel/copy_up.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "runtime/kernel/mounts.h"
#include "runtime/sys/file.h"
#include "tests/support/matchers.h"
#include "tests/support/namespaces.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::fails_with;
using rt::testing::in_new_namespaces;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

class CopyUp : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir(root().c_str(), 0755), 0);
    ASSERT_EQ(::mkdir(image().c_str(), 0750), 0);
  }

  std::string root() const { return directory_.path() + "/root"; }
  std::string image() const { return root() + "/data"; }
  std::string outside() const { return directory_.path() + "/outside"; }

  /// Covers the image's /data by a tmpfs that holds the same.
  Status cover(const std::vector<plan::FilesystemParameter>& parameters = {},
               plan::MountAttributes attributes = {}, const std::string& target = "/data") const {
    plan::MountStep step;
    step.target = target;
    step.what = plan::NewFilesystem{.type = "tmpfs", .source = "tmpfs", .parameters = parameters};
    step.propagation = MS_PRIVATE | MS_REC;
    step.attributes = attributes;
    step.copy_up = true;
    step.origin = "/mounts/0";
    const UniqueFd fd = TRY(sys::open(root(), O_PATH | O_DIRECTORY));
    Trees trees = TRY(clone_sources({step}));
    TRY(prepare_mounts({step}, trees));
    return attach_mounts({step}, trees, fd.get());
  }

  struct stat look(const std::string& name) const {
    struct stat info{};
    EXPECT_EQ(::lstat((image() + name).c_str(), &info), 0) << name;
    return info;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(image() + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool is_covered() const {
    const Result<int64_t> type = sys::filesystem_type(image());
    return type.ok() && type.value() == 0x01021994;  // TMPFS_MAGIC
  }
  void write(const std::string& name, std::string_view text, mode_t mode = 0644) const {
    std::ofstream(image() + name) << text;
    ASSERT_EQ(::chmod((image() + name).c_str(), mode), 0);
  }

  TemporaryDirectory directory_;
};

TEST_F(CopyUp, BringsFilesDirectoriesLinksFifosAndSockets) {
  ASSERT_EQ(::mkdir((image() + "/d").c_str(), 03711), 0);
  ASSERT_EQ(::chmod((image() + "/d").c_str(), 03711), 0);
  write("/d/file", "content", 04751);
  ASSERT_EQ(::symlink("/etc/passwd", (image() + "/link").c_str()), 0);
  ASSERT_EQ(::mkfifo((image() + "/fifo").c_str(), 0640), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_EQ(::chdir(image().c_str()), 0);
  std::string("socket").copy(address.sun_path, sizeof address.sun_path);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(listener);
  ASSERT_EQ(::chdir("/"), 0);
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    ASSERT_TRUE(is_covered());
    EXPECT_EQ(content("/d/file"), "content");
    EXPECT_EQ(look("/d/file").st_mode, S_IFREG | 04751U);
    EXPECT_EQ(look("/d").st_mode, S_IFDIR | 03711U);
    EXPECT_EQ(look("/fifo").st_mode, S_IFIFO | 0640U);
    EXPECT_TRUE(S_ISSOCK(look("/socket").st_mode));
    const Result<std::string> target = sys::readlinkat(AT_FDCWD, image() + "/link");
    ASSERT_TRUE(is_ok(target));
    EXPECT_EQ(target.value(), "/etc/passwd");
  });
}

TEST_F(CopyUp, KeepsTheTimesOfFilesDirectoriesAndLinks) {
  ASSERT_EQ(::mkdir((image() + "/d").c_str(), 0755), 0);
  write("/d/file", "x");
  ASSERT_EQ(::symlink("x", (image() + "/link").c_str()), 0);
  const timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 1}, {.tv_sec = 2000, .tv_nsec = 123}};
  for (const char* name : {"/d/file", "/d", "/link", ""}) {
    const std::string path = image() + name;
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    for (const char* name : {"/d/file", "/d", "/link", ""}) {
      EXPECT_EQ(look(name).st_mtim.tv_sec, 2000) << name;
      EXPECT_EQ(look(name).st_mtim.tv_nsec, 123) << name;
    }
  });
}

TEST_F(CopyUp, TheRootHasTheImagesModeUnlessAnOptionSaysAnother) {
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    EXPECT_EQ(look("").st_mode & 07777U, 0750U);
    ASSERT_TRUE(is_ok(cover({{"mode", "0711"}})));
    EXPECT_EQ(look("").st_mode & 07777U, 0711U);
  });
}

TEST_F(CopyUp, AReadOnlyTmpfsIsFilledToo) {
  write("/file", "content");
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover({}, {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC})));
    EXPECT_EQ(content("/file"), "content");
    EXPECT_FALSE(std::ofstream(image() + "/new").is_open());
    struct statvfs info{};
    ASSERT_EQ(::statvfs(image().c_str(), &info), 0);
    EXPECT_NE(info.f_flag & ST_NOEXEC, 0UL);
  });
}

TEST_F(CopyUp, ADirectoryThatIsNotThereIsATmpfsAsAlways) {
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover({}, {}, "/new")));
    struct stat info{};
    ASSERT_EQ(::stat((root() + "/new").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 01777U);
  });
}

TEST_F(CopyUp, HolesStayHoles) {
  constexpr off_t kSize = off_t{1} << 40;
  write("/sparse", "begin");
  ASSERT_EQ(::truncate((image() + "/sparse").c_str(), kSize), 0);
  const Result<UniqueFd> file = sys::open(image() + "/sparse", O_WRONLY);
  ASSERT_TRUE(is_ok(file));
  ASSERT_EQ(::pwrite(file.value().get(), "end", 3, kSize - 3), 3);
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    const struct stat info = look("/sparse");
    EXPECT_EQ(info.st_size, kSize);
    EXPECT_LT(info.st_blocks, 64);
    std::string words(8, ' ');
    const Result<UniqueFd> copy = sys::open(image() + "/sparse", O_RDONLY);
    ASSERT_TRUE(is_ok(copy));
    ASSERT_EQ(::pread(copy.value().get(), words.data(), 5, 0), 5);
    ASSERT_EQ(::pread(copy.value().get(), words.data() + 5, 3, kSize - 3), 3);
    EXPECT_EQ(words, "beginend");
  });
}

TEST_F(CopyUp, WhatDoesNotFitIsAnErrorThatSaysSo) {
  write("/large", std::string(1 << 20, 'x'));
  in_new_namespaces([&] {
    const Status refused = cover({{"size", "64k"}});
    ASSERT_TRUE(fails_with(refused, "mounts[0] /data: tmpcopyup: \"./large\": sendfile: no space"));
    EXPECT_NE(refused.error().message().find("the options size and nr_inodes say how much fits"),
              std::string::npos)
        << refused.error().message();
    EXPECT_EQ(refused.error().code(), ENOSPC);
    EXPECT_EQ(refused.error().pointer(), "/mounts/0");
    EXPECT_FALSE(is_covered());
  });
}

TEST_F(CopyUp, MoreFilesThanFitAreAnErrorToo) {
  for (int i = 0; i < 50; ++i) write("/" + std::to_string(i), "");
  in_new_namespaces([&] {
    const Status refused = cover({{"nr_inodes", "20"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ENOSPC);
  });
}

/// Directories in one another, each with a name of this length.
void dig(const std::string& top, size_t depth, size_t length) {
  int fd = ::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string name(length, 'd');
  for (size_t i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(fd, name.c_str(), 0755), 0);
    const int next = ::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(next, 0);
    ::close(fd);
    fd = next;
  }
  ::close(fd);
}

TEST_F(CopyUp, DeepTreesAreCopied) {
  dig(image(), 1500, 1);
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    std::string path;
    for (int i = 0; i < 1500; ++i) path += "/d";
    EXPECT_TRUE(S_ISDIR(look(path).st_mode));
  });
}

TEST_F(CopyUp, TreesDeeperThanAPathAreAnError) {
  dig(image(), 20, 250);
  in_new_namespaces([&] {
    const Status refused = cover();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ENAMETOOLONG);
  });
}

TEST_F(CopyUp, WhatIsMountedBelowIsLeftOut) {
  ASSERT_EQ(::mkdir((image() + "/mounted").c_str(), 0755), 0);
  write("/file", "image");
  write("/other", "other");
  in_new_namespaces([&] {
    const std::string below = image() + "/mounted";
    ASSERT_EQ(::mount("none", below.c_str(), "tmpfs", 0, nullptr), 0);
    std::ofstream(below + "/secret") << "x";
    ASSERT_EQ(::mount((image() + "/other").c_str(), (image() + "/file").c_str(), nullptr, MS_BIND,
                      nullptr),
              0);
    ASSERT_TRUE(is_ok(cover()));
    ASSERT_TRUE(is_covered());
    struct stat info{};
    EXPECT_NE(::lstat(below.c_str(), &info), 0);
    EXPECT_NE(::lstat((image() + "/file").c_str(), &info), 0);
    EXPECT_EQ(content("/other"), "other");
  });
}

TEST_F(CopyUp, ATargetThatIsALinkIsFollowedBelowTheRootOnly) {
  ASSERT_EQ(::mkdir(outside().c_str(), 0755), 0);
  std::ofstream(outside() + "/secret") << "x";
  ASSERT_EQ(::rmdir(image().c_str()), 0);
  ASSERT_EQ(::symlink(outside().c_str(), image().c_str()), 0);
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    struct stat info{};
    EXPECT_NE(::stat((root() + outside() + "/secret").c_str(), &info), 0);
    EXPECT_EQ(::stat((root() + outside()).c_str(), &info), 0);  // where the link says, below root
  });
}

TEST_F(CopyUp, KeepsTheAttributesOfUsers) {
  write("/file", "x");
  const std::string file = image() + "/file";
  if (::setxattr(file.c_str(), "user.colour", "blue", 4, 0) != 0) {
    GTEST_SKIP() << "the file system of the test has no such attributes";
  }
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(cover()));
    std::string value(16, ' ');
    const ssize_t size = ::getxattr(file.c_str(), "user.colour", value.data(), value.size());
    ASSERT_EQ(size, 4);
    EXPECT_EQ(value.substr(0, 4), "blue");
  });
}

/// Exchanges two names without end.
[[noreturn]] void exchange_for_ever(const std::string& one, const std::string& other) {
  while (true) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
}

TEST_F(CopyUp, AnImageThatChangesMeanwhileDoesNotLeadOut) {
  ASSERT_EQ(::mkdir(outside().c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((image() + "/dir").c_str(), 0755), 0);
  for (int i = 0; i < 50; ++i) {  // each is a moment at which the path can lead elsewhere
    const std::string name = "/" + std::to_string(i);
    ASSERT_EQ(::mkdir((image() + "/dir" + name).c_str(), 0755), 0);
    ASSERT_EQ(::mkdir((outside() + name).c_str(), 0755), 0);
    std::ofstream(outside() + name + "/secret") << "x";
  }
  ASSERT_EQ(::symlink(outside().c_str(), (root() + "/link").c_str()), 0);
  const pid_t attacker = ::fork();
  if (attacker == 0) exchange_for_ever(image() + "/dir", root() + "/link");
  in_new_namespaces([&] {
    const Result<UniqueFd> source = sys::open(image(), O_PATH | O_DIRECTORY);
    ASSERT_TRUE(is_ok(source));
    for (int i = 0; i < 100; ++i) {
      const std::string to = directory_.path() + "/to" + std::to_string(i);
      ASSERT_EQ(::mkdir(to.c_str(), 0755), 0);
      const Result<UniqueFd> destination = sys::open(to, O_PATH | O_DIRECTORY);
      ASSERT_TRUE(is_ok(destination));
      // That it fails is an answer, too.
      static_cast<void>(copy_up(source.value().get(), destination.value().get(), {}));
      struct stat info{};
      if (::lstat((to + "/dir").c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
      for (int k = 0; k < 50; ++k) {
        const std::string secret = to + "/dir/" + std::to_string(k) + "/secret";
        ASSERT_NE(::access(secret.c_str(), F_OK), 0) << secret;
      }
    }
  });
  ::kill(attacker, SIGKILL);
  EXPECT_EQ(::waitpid(attacker, nullptr, 0), attacker);
}

}  // namespace
}  // namespace rt::kernel
