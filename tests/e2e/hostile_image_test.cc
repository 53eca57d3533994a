// The image cannot lead the runtime out of it: links at every place that the runtime makes or
// mounts on, pointing at canaries on the host. Either an error, or the container sees only its own.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class HostileImage : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(canary().c_str(), 0755), 0);
    ASSERT_EQ(::mkdir((canary() + "/directory").c_str(), 0755), 0);
    write(canary() + "/file", "tweet");
    fingerprint_ = fingerprint();
  }
  void TearDown() override {
    if (!fingerprint_.empty()) {
      EXPECT_EQ(fingerprint(), fingerprint_) << "a canary was touched";
    }
    Container::TearDown();
  }
  [[nodiscard]] std::string canary() const { return directory() + "/canary"; }

  /// All that is below the canaries, with types, owners, modes and contents.
  [[nodiscard]] std::string fingerprint() const { return describe(canary()); }

  /// Puts a link in place of whatever is in the image.
  void replace_by_link(const std::string& place, const std::string& target) const {
    remove_tree(rootfs() + place);
    ASSERT_EQ(::symlink(target.c_str(), (rootfs() + place).c_str()), 0) << place;
  }

  /// A path that climbs from any depth of the image to the host's root, and down to the canary.
  [[nodiscard]] std::string climbing(const std::string& name) const {
    return cat("../../../../../../../../../../../..", canary(), '/', name);
  }

  /// Runs it: either an error, or no mount inside is of the canaries (a place inside may have their
  /// name), and their contents are not to be read. They are as they were either way.
  void expect_inside_or_error() {
    const Outcome outcome = run_shell(cat("cat /proc/self/mountinfo; cat ", canary(), "/file"));
    EXPECT_GE(outcome.exit_code, 0) << "signal " << outcome.signal;
    for (const std::string_view line : split(outcome.out, '\n')) {
      const std::vector<std::string_view> fields = split(line, ' ');
      const bool shown = fields.size() > 3 && fields[3].find("/canary") != std::string_view::npos;
      EXPECT_FALSE(shown) << line;
    }
    EXPECT_EQ(outcome.out.find("tweet"), std::string::npos);
    EXPECT_EQ(fingerprint(), fingerprint_) << outcome.err;
  }

 private:
  static std::string describe(const std::string& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return "";
    std::string text = cat(path, ' ', info.st_mode, ' ', info.st_uid, ' ', info.st_gid, ' ',
                           info.st_nlink, ' ', info.st_rdev, '\n');
    if (S_ISREG(info.st_mode)) text += sys::read_file(path, 1 << 20).value();
    if (!S_ISDIR(info.st_mode)) return text;
    std::vector<std::string> names = sys::list_directory(path).value();
    std::ranges::sort(names);
    for (const std::string& name : names) text += describe(cat(path, '/', name));
    return text;
  }

  std::string fingerprint_;
};

struct Place {
  const char* what;
  const char* path;
  const char* canary;  // "directory" or "file"
};

class LinkedPlaces : public HostileImage, public ::testing::WithParamInterface<Place> {};

TEST_P(LinkedPlaces, AbsoluteLinksStayInside) {
  replace_by_link(GetParam().path, cat(canary(), '/', GetParam().canary));
  expect_inside_or_error();
}

TEST_P(LinkedPlaces, ClimbingLinksStayInside) {
  replace_by_link(GetParam().path, climbing(GetParam().canary));
  expect_inside_or_error();
}

TEST_P(LinkedPlaces, LinksToTheHostsRootStayInside) {
  replace_by_link(GetParam().path, "/proc/self/root");
  expect_inside_or_error();
  replace_by_link(GetParam().path, "/proc/1/root");
  expect_inside_or_error();
  replace_by_link(GetParam().path, "/proc/self/cwd");
  expect_inside_or_error();
}

TEST_P(LinkedPlaces, LoopsAreAnErrorAtWorst) {
  replace_by_link(GetParam().path, GetParam().path);
  expect_inside_or_error();
}

TEST_P(LinkedPlaces, LinksToWhatTheCanaryDirectoryDoesNotHaveMakeNothingThere) {
  replace_by_link(GetParam().path, cat(canary(), "/directory/new"));
  expect_inside_or_error();
}

INSTANTIATE_TEST_SUITE_P(Places, LinkedPlaces,
                         ::testing::Values(Place{"Proc", "/proc", "directory"},
                                           Place{"Sys", "/sys", "directory"},
                                           Place{"Dev", "/dev", "directory"},
                                           Place{"Tmp", "/tmp", "directory"},
                                           Place{"Etc", "/etc", "directory"}),
                         [](const auto& info) { return std::string(info.param.what); });

/// The same for what the runtime makes in a /dev that is the image's own.
class LinkedDevices : public HostileImage, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    HostileImage::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    config_.set("/mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
    config_.erase("/linux/maskedPaths").erase("/linux/readonlyPaths");
  }
};

TEST_P(LinkedDevices, AbsoluteLinksStayInside) {
  replace_by_link(cat("/dev/", GetParam()), canary() + "/file");
  expect_inside_or_error();
}

TEST_P(LinkedDevices, ClimbingLinksStayInside) {
  replace_by_link(cat("/dev/", GetParam()), climbing("file"));
  expect_inside_or_error();
}

TEST_P(LinkedDevices, LinksToNewFilesMakeNoneThere) {
  replace_by_link(cat("/dev/", GetParam()), canary() + "/directory/new");
  expect_inside_or_error();
}

TEST_P(LinkedDevices, InAUserNamespaceStayInside) {
  config_.user_namespace();
  replace_by_link(cat("/dev/", GetParam()), canary() + "/file");
  expect_inside_or_error();
}

INSTANTIATE_TEST_SUITE_P(Places, LinkedDevices,
                         ::testing::Values("null", "zero", "tty", "console", "ptmx", "fd", "stdin",
                                           "pts", "shm"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(HostileImage, MountDestinationsDoNotFollowLinksOut) {
  ASSERT_EQ(::mkdir((directory() + "/source").c_str(), 0755), 0);
  for (const std::string& target : {canary() + "/directory", climbing("directory"),
                                    canary() + "/directory/new", climbing("directory/new")}) {
    replace_by_link("/tmp/link", target);
    for (const char* destination : {"/tmp/link", "/tmp/link/below", "/tmp/link/../link/x/y"}) {
      config_ = Config();
      config_.mount(destination, "tmpfs", "tmpfs", {});
      expect_inside_or_error();
      config_ = Config();
      config_.mount(destination, "bind", directory() + "/source", {"bind"});
      expect_inside_or_error();
    }
  }
}

TEST_F(HostileImage, MountDestinationsWithDotsStayInside) {
  for (const char* destination : {"/../../../../tmp/x", "/tmp/../../../etc", "/tmp/./x/../y"}) {
    config_ = Config();
    config_.mount(destination, "tmpfs", "tmpfs", {});
    expect_inside_or_error();
  }
}

TEST_F(HostileImage, MountsOverProcAreNoWayAround) {
  // CVE-2019-19921, CVE-2023-27561: /proc as a link to another place of the image.
  replace_by_link("/proc", "/tmp");
  const Outcome outcome = run_shell("echo reached");
  if (outcome.exit_code == 0) {
    EXPECT_EQ(run_shell("cat /proc/sys/kernel/hostname").out, "e2e\n");
  }
}

TEST_F(HostileImage, MaskedAndReadOnlyPathsDoNotFollowLinksOut) {
  replace_by_link("/tmp/masked", canary() + "/file");
  replace_by_link("/tmp/fixed", canary() + "/directory");
  config_.set("/linux/maskedPaths", R"(["/tmp/masked", "/tmp/../../../../tmp/masked"])");
  config_.set("/linux/readonlyPaths", R"(["/tmp/fixed"])");
  expect_inside_or_error();
}

TEST_F(HostileImage, WorkingDirectoriesDoNotFollowLinksOut) {
  replace_by_link("/tmp/out", canary() + "/directory");
  for (const char* cwd : {"/tmp/out", "/tmp/out/new", "/proc/1/root", "/proc/self/cwd/new"}) {
    config_.set_string("/process/cwd", cwd);
    expect_inside_or_error();
  }
}

TEST_F(HostileImage, ProgramsThatAreLinksAreLookedUpInside) {
  replace_by_link("/tmp/sh", canary() + "/file");
  config_.args({"/tmp/sh"});
  EXPECT_TRUE(fails_saying(create(), "exec: \"/tmp/sh\": stat /tmp/sh: no such file or directory"));
}

TEST_F(HostileImage, AskedForDevicesDoNotFollowLinksOut) {
  replace_by_link("/tmp/dir", canary() + "/directory");
  replace_by_link("/tmp/node", canary() + "/file");
  for (const char* path : {"/tmp/dir/x", "/tmp/node", "/tmp/dir/../y"}) {
    config_.set("/linux/devices",
                cat(R"([{"type": "c", "major": 1, "minor": 3, "path": )", json_string(path), "}]"));
    expect_inside_or_error();
  }
}

TEST_F(HostileImage, FilesOfTheImageStandInForNothing) {
  remove_tree(rootfs() + "/proc");
  write(rootfs() + "/proc", "a file");
  const Outcome outcome = create();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("/proc"), std::string::npos) << outcome.err;
}

TEST_F(HostileImage, FifosInTheImageHoldNobodyUp) {
  for (const char* place : {"/dev/null", "/tmp/fifo", "/etc/fifo"}) {
    ASSERT_EQ(::mkfifo((rootfs() + place).c_str(), 0666), 0);
  }
  config_.set("/mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  config_.mount("/tmp/fifo", "bind", canary() + "/file", {"bind", "ro"});
  config_.set("/linux/maskedPaths", R"(["/etc/fifo"])");
  EXPECT_EQ(create().exit_code, 1);
}

TEST_F(HostileImage, ARootThatIsALinkLeadsNowhereNew) {
  // The bundle is its owner's, and may be a link farm; the container sees what it points at.
  ASSERT_EQ(::symlink("rootfs", (bundle() + "/link").c_str()), 0);
  config_.set_string("/root/path", "link");
  const Outcome outcome = run_shell("echo /*");
  if (outcome.exit_code == 0) {
    EXPECT_EQ(outcome.out, "/bin /dev /etc /proc /root /sys /tmp\n");
  }
  ASSERT_EQ(::unlink((bundle() + "/link").c_str()), 0);
}

TEST_F(HostileImage, TheHostsRootOrNoRootIsRefused) {
  config_.set_string("/root/path", "missing");
  EXPECT_TRUE(fails_saying(create(), "no such file or directory"));
  config_.set_string("/root/path", "config.json");
  EXPECT_EQ(create().exit_code, 1);
}

}  // namespace
}  // namespace rt::testing
