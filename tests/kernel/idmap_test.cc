// Id-mapped mounts as far as a user namespace with one id can make them; what owners look like is
// for tests/e2e, which has root.
#include "runtime/kernel/idmap.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "runtime/kernel/mounts.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/matchers.h"
#include "tests/support/namespaces.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using rt::testing::fails_with;
using rt::testing::in_new_namespaces;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

plan::MountIdMap map_of(plan::IdRange uids, plan::IdRange gids) {
  plan::MountIdMap map;
  map.uids = {uids};
  map.gids = {gids};
  map.origin = "/mounts/0/uidMappings";
  return map;
}

std::string link_of(int fd) {
  const Result<std::string> link = sys::readlinkat(AT_FDCWD, cat("/proc/self/fd/", fd));
  EXPECT_TRUE(is_ok(link));
  return link.ok() ? link.value() : "";
}

TEST(MappingNamespaces, OneIsForAllMountsWithTheSameMapping) {
  in_new_namespaces([] {
    MappingNamespaces namespaces;
    plan::MountIdMap map = map_of({0, 0, 1}, {0, 0, 1});
    const Result<int> first = namespaces.find(map);
    ASSERT_TRUE(is_ok(first));
    const std::string name = link_of(first.value());
    EXPECT_TRUE(name.starts_with("user:[")) << name;
    map.recursive = true;
    map.origin = "/mounts/1/uidMappings";
    const Result<int> again = namespaces.find(map);
    ASSERT_TRUE(is_ok(again));
    EXPECT_EQ(link_of(again.value()), name);
    const Result<int> other = namespaces.find(map_of({1, 0, 1}, {0, 0, 1}));
    ASSERT_TRUE(is_ok(other));
    EXPECT_NE(link_of(other.value()), name);
    EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);  // no child is left
    EXPECT_EQ(errno, ECHILD);
  });
}

TEST(MappingNamespaces, AMapThatTheKernelRefusesLeavesNoChild) {
  in_new_namespaces([] {
    MappingNamespaces namespaces;
    const Result<int> refused = namespaces.find(map_of({0, 7, 1}, {0, 0, 1}));  // 7 is not ours
    EXPECT_TRUE(fails_with(refused, "uid_map: write: operation not permitted"));
    EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);
  });
}

TEST(MappingNamespaces, OneOfAnotherContainerIsOpened) {
  in_new_namespaces([] {
    const Result<sys::Child> child = sys::clone(CLONE_NEWUSER);
    ASSERT_TRUE(is_ok(child));
    if (child.value().pid == 0) {
      ::pause();
      sys::exit_now(0);
    }
    plan::MountIdMap map;
    map.origin = "/mounts/0/options/0";
    map.user_namespace = cat("/proc/", child.value().pid, "/ns/user");
    MappingNamespaces namespaces;
    const Result<int> found = namespaces.find(map);
    ASSERT_TRUE(is_ok(found));
    const Result<std::string> link = sys::readlinkat(AT_FDCWD, map.user_namespace);
    EXPECT_EQ(link_of(found.value()), link.ok() ? link.value() : "");
    map.user_namespace = "/proc/self/ns/user";
    EXPECT_TRUE(fails_with(namespaces.find(map),
                           "the user namespace \"/proc/self/ns/user\" is the runtime's own"));
    map.user_namespace = "/proc/self/ns/uts";
    EXPECT_TRUE(fails_with(namespaces.find(map), "user namespace \"/proc/self/ns/uts\": it is a"));
    EXPECT_TRUE(is_ok(sys::pidfd_send_signal(child.value().pidfd.get(), SIGKILL)));
    EXPECT_TRUE(is_ok(sys::wait_for(child.value().pid)));
  });
}

class IdMappedMounts : public ::testing::Test {
 protected:
  Status mount(const std::string& type, plan::MountIdMap map) const {
    plan::MountStep step;
    step.target = "/t";
    step.what = plan::NewFilesystem{.type = type, .source = type, .parameters = {}};
    step.propagation = MS_PRIVATE | MS_REC;
    step.id_map = std::move(map);
    step.origin = "/mounts/0";
    const UniqueFd fd = TRY(sys::open(directory_.path(), O_PATH | O_DIRECTORY));
    Trees trees = TRY(clone_sources({step}));
    TRY(prepare_mounts({step}, trees));
    return attach_mounts({step}, trees, fd.get());
  }
  TemporaryDirectory directory_;
};

TEST_F(IdMappedMounts, IdsWithoutAMappingAreNobodysAndCannotBeUsed) {
  in_new_namespaces([&] {
    // On the file system 5 is what everybody sees as 0; its root directory is of 0.
    ASSERT_TRUE(is_ok(mount("tmpfs", map_of({5, 0, 1}, {0, 0, 1}))));
    struct stat info{};
    ASSERT_EQ(::stat((directory_.path() + "/t").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 65534U);
    EXPECT_EQ(info.st_gid, 0U);
    EXPECT_EQ(::mkdir((directory_.path() + "/t/x").c_str(), 0755), -1);
    EXPECT_EQ(errno, EOVERFLOW);
  });
}

TEST_F(IdMappedMounts, AFileSystemThatCannotIsNamed) {
  in_new_namespaces([&] {
    const Status refused = mount("ramfs", map_of({0, 0, 1}, {0, 0, 1}));
    ASSERT_TRUE(fails_with(refused, "mounts[0] /t: id mapping: mount_setattr: invalid argument"));
    EXPECT_NE(refused.error().message().find(
                  "the file system \"ramfs\" cannot be id-mapped by this kernel"),
              std::string::npos)
        << refused.error().message();
    EXPECT_EQ(refused.error().pointer(), "/mounts/0/uidMappings");
  });
}

TEST_F(IdMappedMounts, TheHostsFilesNeedTheHostsRoot) {
  in_new_namespaces([&] {
    plan::MountStep step;
    step.target = "/t";
    step.what = plan::BindMount{.source = directory_.path(), .recursive = false};
    step.id_map = map_of({0, 0, 1}, {0, 0, 1});
    step.propagation = MS_PRIVATE | MS_REC;
    step.origin = "/mounts/0";
    const Result<Trees> refused = clone_sources({step});
    ASSERT_TRUE(fails_with(
        refused, "mounts[0] /t: id mapping: mount_setattr: operation not permitted (the file "));
  });
}

}  // namespace
}  // namespace rt::kernel
