// Mounts of a plan, made for real in namespaces of the test's own: what they are afterwards.
#include "runtime/kernel/mounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <fstream>
#include <string>

#include "runtime/kernel/devices.h"
#include "runtime/kernel/restrict.h"
#include "runtime/sys/file.h"
#include "tests/support/matchers.h"
#include "tests/support/namespaces.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::in_new_namespaces;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

constexpr unsigned long kPrivate = MS_PRIVATE | MS_REC;

class Mounts : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"/root", "/source", "/source/below"}) {
      ASSERT_EQ(::mkdir((directory_.path() + name).c_str(), 0755), 0);
    }
    std::ofstream(source() + "/file") << "content";
  }

  std::string root() const { return directory_.path() + "/root"; }
  std::string source() const { return directory_.path() + "/source"; }

  /// Prepares and attaches as init does, below root().
  Status mount_all(const std::vector<plan::MountStep>& steps) const {
    const UniqueFd fd = TRY(sys::open(root(), O_PATH | O_DIRECTORY));
    Trees trees = TRY(clone_sources(steps));
    TRY(prepare_mounts(steps, trees));
    return attach_mounts(steps, trees, fd.get());
  }

  plan::MountStep bind(const std::string& target) const {
    plan::MountStep step;
    step.target = target;
    step.what = plan::BindMount{.source = source(), .recursive = true};
    step.propagation = kPrivate;
    step.origin = "/mounts/0";
    return step;
  }
  static plan::MountStep filesystem(const std::string& type, const std::string& target) {
    plan::MountStep step;
    step.target = target;
    step.what = plan::NewFilesystem{.type = type, .source = type, .parameters = {}};
    step.propagation = kPrivate;
    step.origin = "/mounts/1";
    return step;
  }

  unsigned long flags(const std::string& path) const {
    struct statvfs info{};
    EXPECT_EQ(::statvfs((root() + path).c_str(), &info), 0) << path;
    return info.f_flag;
  }
  int64_t type(const std::string& path) const {
    const Result<int64_t> type = sys::filesystem_type(root() + path);
    EXPECT_TRUE(is_ok(type)) << path;
    return type.ok() ? type.value() : 0;
  }

  TemporaryDirectory directory_;
};

TEST_F(Mounts, AReadOnlyBindIsReadOnlyAndShowsItsSource) {
  in_new_namespaces([&] {
    plan::MountStep step = bind("/a");
    step.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
    ASSERT_TRUE(is_ok(mount_all({step})));
    EXPECT_NE(flags("/a") & ST_RDONLY, 0UL);
    EXPECT_NE(flags("/a") & ST_NOSUID, 0UL);
    EXPECT_EQ(flags("/a") & ST_NOEXEC, 0UL);
    std::string word;
    std::ifstream(root() + "/a/file") >> word;
    EXPECT_EQ(word, "content");
    EXPECT_FALSE(std::ofstream(root() + "/a/new").is_open());
  });
}

TEST_F(Mounts, ReadOnlyAloneLeavesMountsBelowWritableAndRecursiveDoesNot) {
  in_new_namespaces([&] {
    ASSERT_EQ(::mount("none", (source() + "/below").c_str(), "tmpfs", 0, nullptr), 0);
    plan::MountStep alone = bind("/alone");
    alone.attributes.set = MOUNT_ATTR_RDONLY;
    plan::MountStep all = bind("/all");
    all.recursive_attributes.set = MOUNT_ATTR_RDONLY;
    ASSERT_TRUE(is_ok(mount_all({alone, all})));
    EXPECT_NE(flags("/alone") & ST_RDONLY, 0UL);
    EXPECT_EQ(flags("/alone/below") & ST_RDONLY, 0UL);
    EXPECT_NE(flags("/all") & ST_RDONLY, 0UL);
    EXPECT_NE(flags("/all/below") & ST_RDONLY, 0UL);
  });
}

TEST_F(Mounts, AFileIsBoundOnAFile) {
  in_new_namespaces([&] {
    plan::MountStep step = bind("/etc/deep/file");
    std::get<plan::BindMount>(step.what).source = source() + "/file";
    ASSERT_TRUE(is_ok(mount_all({step})));
    struct stat info{};
    ASSERT_EQ(::stat((root() + "/etc/deep/file").c_str(), &info), 0);
    EXPECT_TRUE(S_ISREG(info.st_mode));
    EXPECT_EQ(info.st_size, 7);
  });
}

TEST_F(Mounts, ATmpfsHasItsParametersAndTakesMountsOnTop) {
  in_new_namespaces([&] {
    plan::MountStep step = filesystem("tmpfs", "/dev");
    std::get<plan::NewFilesystem>(step.what).parameters = {{"mode", "0710"}, {"size", "64k"}};
    step.attributes.set = MOUNT_ATTR_NOEXEC;
    ASSERT_TRUE(is_ok(mount_all({step, bind("/dev/inner")})));
    EXPECT_EQ(type("/dev"), TMPFS_MAGIC);
    struct stat info{};
    ASSERT_EQ(::stat((root() + "/dev").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0710U);
    EXPECT_EQ(::access((root() + "/dev/inner/file").c_str(), R_OK), 0);
    EXPECT_NE(flags("/dev") & ST_NOEXEC, 0UL);
  });
}

TEST_F(Mounts, ARemountChangesTheMountThatIsThere) {
  in_new_namespaces([&] {
    plan::MountStep again = filesystem("tmpfs", "/t");
    again.what = plan::Remount{};
    again.attributes.set = MOUNT_ATTR_RDONLY;
    ASSERT_TRUE(is_ok(mount_all({filesystem("tmpfs", "/t"), again})));
    EXPECT_NE(flags("/t") & ST_RDONLY, 0UL);
  });
}

TEST_F(Mounts, ErrorsNameTheEntryTheObjectAndThePointer) {
  in_new_namespaces([&] {
    plan::MountStep missing = bind("/a");
    std::get<plan::BindMount>(missing.what).source = source() + "/absent";
    const Status absent = mount_all({missing});
    ASSERT_FALSE(absent.ok());
    EXPECT_EQ(absent.error().message(), "mounts[0] /a: source \"" + source() +
                                            "/absent\": open_tree: no such file or directory");
    EXPECT_EQ(absent.error().pointer(), "/mounts/0");
    EXPECT_EQ(absent.error().call(), "open_tree");
    plan::MountStep option = filesystem("tmpfs", "/t");
    std::get<plan::NewFilesystem>(option.what).parameters = {{"nonsense", std::nullopt}};
    const Status refused = mount_all({option});
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.error().message().find("option \"nonsense\"") != std::string::npos)
        << refused.error().message();
    EXPECT_EQ(refused.error().pointer(), "/mounts/1");
  });
}

TEST_F(Mounts, ABindFollowsALinkOfTheImageBelowTheRoot) {
  in_new_namespaces([&] {
    ASSERT_EQ(::symlink("/elsewhere", (root() + "/proc").c_str()), 0);
    plan::MountStep proc = bind("/proc");
    std::get<plan::BindMount>(proc.what).source = "/proc";
    ASSERT_TRUE(is_ok(mount_all({filesystem("tmpfs", "/elsewhere"), proc})));
    EXPECT_EQ(type("/elsewhere"), PROC_SUPER_MAGIC);
  });
}

TEST_F(Mounts, ALinkOfTheImageDoesNotLeadIntoProc) {
  in_new_namespaces([&] {
    ASSERT_EQ(::symlink("proc/self", (root() + "/x").c_str()), 0);
    plan::MountStep proc = bind("/proc");
    std::get<plan::BindMount>(proc.what).source = "/proc";
    const Status refused = mount_all({proc, bind("/x")});
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.error().message().find("leads into /proc") != std::string::npos)
        << refused.error().message();
  });
}

TEST_F(Mounts, ARemountLeavesThePropagationAlone) {
  in_new_namespaces([&] {
    plan::MountStep shared = filesystem("tmpfs", "/t");
    shared.propagation = MS_SHARED;
    plan::MountStep again = shared;
    again.what = plan::Remount{};
    again.propagation = 0;
    again.attributes.set = MOUNT_ATTR_RDONLY;
    ASSERT_TRUE(is_ok(mount_all({shared, again})));
    EXPECT_NE(flags("/t") & ST_RDONLY, 0UL);
    std::ifstream mounts("/proc/self/mountinfo");
    const std::string all((std::istreambuf_iterator<char>(mounts)), {});
    const size_t line = all.find(root() + "/t ");
    ASSERT_NE(line, std::string::npos);
    EXPECT_NE(all.substr(line, all.find('\n', line) - line).find("shared:"), std::string::npos);
  });
}

TEST_F(Mounts, NothingOfTheSourceIsSharedWithTheHost) {
  in_new_namespaces([&] {
    ASSERT_EQ(::mount("none", source().c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, source().c_str(), nullptr, MS_SHARED, nullptr), 0);
    ASSERT_EQ(::mkdir((source() + "/late").c_str(), 0755), 0);
    plan::MountStep slave = bind("/slave");
    slave.propagation = MS_SLAVE | MS_REC;
    ASSERT_TRUE(is_ok(mount_all({bind("/private"), slave})));
    ASSERT_EQ(::mount("none", (source() + "/late").c_str(), "tmpfs", 0, nullptr), 0);
    std::ofstream(source() + "/late/mark") << "x";
    EXPECT_NE(::access((root() + "/private/late/mark").c_str(), F_OK), 0);
    EXPECT_EQ(::access((root() + "/slave/late/mark").c_str(), F_OK), 0);
    ASSERT_EQ(::mount("none", (root() + "/slave/late").c_str(), "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(::access((source() + "/late/mark").c_str(), F_OK), 0);  // not covered from below
  });
}

TEST_F(Mounts, ASharedMountPassesMountsOnToItsSource) {
  in_new_namespaces([&] {
    ASSERT_EQ(::mount("none", source().c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, source().c_str(), nullptr, MS_SHARED, nullptr), 0);
    ASSERT_EQ(::mkdir((source() + "/late").c_str(), 0755), 0);
    for (const unsigned long recursive : {0UL, static_cast<unsigned long>(MS_REC)}) {
      plan::MountStep shared = bind("/shared");
      shared.propagation = MS_SHARED | recursive;
      ASSERT_TRUE(is_ok(mount_all({shared})));
      ASSERT_EQ(::mount("none", (root() + "/shared/late").c_str(), "tmpfs", 0, nullptr), 0);
      std::ofstream(root() + "/shared/late/mark") << "x";
      EXPECT_EQ(::access((source() + "/late/mark").c_str(), F_OK), 0) << recursive;
      ASSERT_EQ(::umount2((root() + "/shared/late").c_str(), MNT_DETACH), 0);
      ASSERT_EQ(::umount2((root() + "/shared").c_str(), MNT_DETACH), 0);
    }
  });
}

TEST_F(Mounts, MasksHideFilesAndDirectoriesAndPassOverWhatIsAbsent) {
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(mount_all({bind("/d")})));
    const std::vector<plan::PathStep> paths = {
        {"/d/file", "/0"}, {"/d/below", "/1"}, {"/absent/x", "/2"}, {"/d/file/x", "/3"}};
    Result<Masks> masks = prepare_masks(paths);
    ASSERT_TRUE(is_ok(masks));
    const Result<UniqueFd> fd = sys::open(root(), O_PATH | O_DIRECTORY);
    ASSERT_TRUE(is_ok(mask_paths(paths, std::move(masks).value(), fd.value().get())));
    struct stat info{};
    ASSERT_EQ(::stat((root() + "/d/file").c_str(), &info), 0);
    EXPECT_TRUE(S_ISCHR(info.st_mode));
    EXPECT_EQ(type("/d/below"), TMPFS_MAGIC);
    EXPECT_NE(flags("/d/below") & ST_RDONLY, 0UL);
    EXPECT_FALSE(std::ofstream(root() + "/d/below/x").is_open());
  });
}

TEST_F(Mounts, ReadOnlyPathsCannotBeWritten) {
  in_new_namespaces([&] {
    ASSERT_TRUE(is_ok(mount_all({bind("/d")})));
    const Result<UniqueFd> fd = sys::open(root(), O_PATH | O_DIRECTORY);
    ASSERT_TRUE(
        is_ok(make_paths_readonly({{"/d/below", "/0"}, {"/none", "/1"}}, fd.value().get())));
    EXPECT_FALSE(std::ofstream(root() + "/d/below/x").is_open());
    EXPECT_TRUE(std::ofstream(root() + "/d/x").is_open());
  });
}

TEST_F(Mounts, ABoundDeviceIsThatDevice) {
  in_new_namespaces([&] {
    plan::DeviceNode null;
    null.path = "/dev/null";
    null.major = 1;
    null.minor = 3;
    null.bind = "/dev/null";
    plan::DeviceNode wrong = null;
    wrong.minor = 5;
    const Result<UniqueFd> fd = sys::open(root(), O_PATH | O_DIRECTORY);
    Result<std::vector<UniqueFd>> trees = clone_devices({null});
    ASSERT_TRUE(is_ok(trees));
    ASSERT_TRUE(is_ok(make_devices({null}, trees.value(), fd.value().get())));
    EXPECT_TRUE(std::ofstream(root() + "/dev/null").is_open());
    const Result<std::vector<UniqueFd>> refused = clone_devices({wrong});
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.error().message().find("is not the device c 1:5") != std::string::npos);
  });
}

TEST_F(Mounts, LinksReplaceFilesButNotDirectories) {
  in_new_namespaces([&] {
    ASSERT_EQ(::mkdir((root() + "/dev").c_str(), 0755), 0);
    std::ofstream(root() + "/dev/fd") << "old";
    const Result<UniqueFd> fd = sys::open(root(), O_PATH | O_DIRECTORY);
    const std::vector<plan::Link> links = {{"/dev/fd", "/proc/self/fd", "default: links"}};
    EXPECT_TRUE(is_ok(make_links(links, fd.value().get())));
    EXPECT_TRUE(is_ok(make_links(links, fd.value().get())));  // again: it is there already
    const Result<std::string> target = sys::readlinkat(AT_FDCWD, root() + "/dev/fd");
    ASSERT_TRUE(is_ok(target));
    EXPECT_EQ(target.value(), "/proc/self/fd");
    ASSERT_EQ(::mkdir((root() + "/dev/stdin").c_str(), 0755), 0);
    EXPECT_FALSE(make_links({{"/dev/stdin", "x", "default: links"}}, fd.value().get()).ok());
  });
}

}  // namespace
}  // namespace rt::kernel
