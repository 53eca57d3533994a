// What is mounted in a container, seen from inside. runtime-spec config.md, "Mounts", "Root";
// config-linux.md, "Rootfs Mount Propagation", "Masked Paths", "Readonly Paths".
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// A line of /proc/self/mountinfo. proc_pid_mountinfo(5).
struct MountLine {
  std::string options;
  std::string propagation;  // "shared:1 master:2"
  std::string type;
  std::string super_options;
};

/// By mount point; the topmost where there are several.
std::map<std::string, MountLine> parse_mountinfo(const std::string& text) {
  std::map<std::string, MountLine> lines;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() < 10) continue;
    MountLine parsed;
    parsed.options = fields[5];
    size_t at = 6;
    for (; fields[at] != "-"; ++at) parsed.propagation += cat(fields[at], ' ');
    parsed.type = fields[at + 1];
    parsed.super_options = fields[at + 3];
    lines[std::string(fields[4])] = parsed;
  }
  return lines;
}

bool has_word(const std::string& words, std::string_view word) {
  for (const std::string_view one : split(words, ',')) {
    if (one == word) return true;
  }
  return false;
}

class Mounts : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(source().c_str(), 0755), 0);
    write(source() + "/file", "hello\n");
  }
  void TearDown() override {
    for (const std::string& point : mounted_) ::umount2(point.c_str(), MNT_DETACH);
    Container::TearDown();
  }
  [[nodiscard]] std::string source() const { return directory() + "/source"; }

  /// A tmpfs of the test's below the source, with a file in it.
  void mount_below_source(unsigned long flags = 0) {
    const std::string point = source() + "/below";
    ASSERT_EQ(::mkdir(point.c_str(), 0755), 0);
    ASSERT_EQ(::mount("tmpfs", point.c_str(), "tmpfs", flags, nullptr), 0);
    mounted_.push_back(point);
  }

  std::map<std::string, MountLine> mountinfo() {
    const Outcome outcome = run_shell("cat /proc/self/mountinfo");
    EXPECT_TRUE(succeeds(outcome));
    return parse_mountinfo(outcome.out);
  }

 private:
  std::vector<std::string> mounted_;
};

TEST_F(Mounts, OfEachFileSystemAreThere) {
  config_.mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  const auto lines = mountinfo();
  const std::map<std::string, std::string> wanted = {
      {"/proc", "proc"},     {"/dev", "tmpfs"},         {"/dev/pts", "devpts"},
      {"/dev/shm", "tmpfs"}, {"/dev/mqueue", "mqueue"}, {"/sys", "sysfs"},
  };
  for (const auto& [point, type] : wanted) {
    ASSERT_TRUE(lines.contains(point)) << point;
    EXPECT_EQ(lines.at(point).type, type) << point;
  }
  EXPECT_TRUE(lines.contains("/sys/fs/cgroup"));
  EXPECT_TRUE(has_word(lines.at("/sys").options, "ro"));
  EXPECT_TRUE(has_word(lines.at("/dev/shm").options, "noexec"));
  EXPECT_TRUE(has_word(lines.at("/dev").super_options, "size=65536k"));
  EXPECT_TRUE(has_word(lines.at("/dev").super_options, "mode=755"));
}

TEST_F(Mounts, NothingIsSharedWithTheHostUnlessAskedFor) {
  for (const auto& [point, line] : mountinfo()) EXPECT_EQ(line.propagation, "") << point;
}

TEST_F(Mounts, BindMountsShowTheHostsFiles) {
  config_.mount("/tmp/bound", "bind", source(), {"bind"});
  config_.mount("/tmp/one-file", "bind", source() + "/file", {"bind", "ro"});
  const Outcome outcome = run_shell(
      "cat /tmp/bound/file /tmp/one-file; echo changed > /tmp/bound/file; "
      "echo no > /tmp/one-file || echo refused");
  EXPECT_EQ(outcome.out, "hello\nhello\nrefused\n");
  EXPECT_EQ(read(source() + "/file"), "changed\n");
}

TEST_F(Mounts, ReadOnlyBindMountsAreReadOnly) {
  config_.mount("/tmp/bound", "bind", source(), {"bind", "ro"});
  const Outcome outcome = run_shell("echo x > /tmp/bound/new || echo refused");
  EXPECT_EQ(outcome.out, "refused\n");
  EXPECT_FALSE(exists(source() + "/new"));
}

TEST_F(Mounts, BindLeavesOutWhatIsMountedBelowAndRbindTakesItAlong) {
  mount_below_source();
  write(source() + "/below/deep", "deep\n");
  config_.mount("/tmp/one", "bind", source(), {"bind"});
  config_.mount("/tmp/all", "bind", source(), {"rbind"});
  const Outcome outcome = run_shell("ls /tmp/one/below; ls /tmp/all/below");
  EXPECT_EQ(outcome.out, "deep\n");
}

TEST_F(Mounts, RoIsForTheMountAndRroForAllBelow) {
  mount_below_source();
  config_.mount("/tmp/ro", "bind", source(), {"rbind", "ro"});
  config_.mount("/tmp/rro", "bind", source(), {"rbind", "rro"});
  const auto lines = mountinfo();
  EXPECT_TRUE(has_word(lines.at("/tmp/ro").options, "ro"));
  EXPECT_TRUE(has_word(lines.at("/tmp/ro/below").options, "rw"));
  EXPECT_TRUE(has_word(lines.at("/tmp/rro").options, "ro"));
  EXPECT_TRUE(has_word(lines.at("/tmp/rro/below").options, "ro"));
}

struct Word {
  const char* option;
  const char* seen;  // in the mount's options; with '!' in front: not there
};

class OptionWords : public Mounts, public ::testing::WithParamInterface<Word> {};

TEST_P(OptionWords, AreSeenInMountinfo) {
  const Word& word = GetParam();
  const std::string_view seen = word.seen;
  config_.mount("/tmp/new", "tmpfs", "tmpfs", {word.option});
  config_.mount("/tmp/bound", "bind", source(), {"bind", word.option});
  mount_below_source();
  config_.mount("/tmp/all", "bind", source(), {"rbind", word.option});
  const auto lines = mountinfo();
  const bool absent = seen.starts_with('!');
  const std::string_view name = absent ? seen.substr(1) : seen;
  for (const char* point : {"/tmp/new", "/tmp/bound", "/tmp/all"}) {
    ASSERT_TRUE(lines.contains(point)) << point;
    EXPECT_EQ(has_word(lines.at(point).options, name), !absent)
        << point << ": " << lines.at(point).options;
  }
  const bool recursive = word.option[0] == 'r' && std::string_view(word.option) != "ro" &&
                         std::string_view(word.option) != "rw" &&
                         std::string_view(word.option) != "relatime";
  if (!recursive) return;
  EXPECT_EQ(has_word(lines.at("/tmp/all/below").options, name), !absent)
      << lines.at("/tmp/all/below").options;
}

INSTANTIATE_TEST_SUITE_P(
    Mounts, OptionWords,
    ::testing::Values(Word{"ro", "ro"}, Word{"rw", "rw"}, Word{"nosuid", "nosuid"},
                      Word{"suid", "!nosuid"}, Word{"nodev", "nodev"}, Word{"dev", "!nodev"},
                      Word{"noexec", "noexec"}, Word{"exec", "!noexec"},
                      Word{"nodiratime", "nodiratime"}, Word{"noatime", "noatime"},
                      Word{"relatime", "relatime"}, Word{"strictatime", "!relatime"},
                      Word{"nosymfollow", "nosymfollow"}, Word{"rro", "ro"},
                      Word{"rnosuid", "nosuid"}, Word{"rnodev", "nodev"}, Word{"rnoexec", "noexec"},
                      Word{"rnoatime", "noatime"}, Word{"rnosymfollow", "nosymfollow"},
                      Word{"rnodiratime", "nodiratime"}),
    [](const auto& info) { return std::string(info.param.option); });

TEST_F(Mounts, LaterWordsWin) {
  config_.mount("/tmp/new", "tmpfs", "tmpfs", {"ro", "noexec", "rw"});
  const auto lines = mountinfo();
  EXPECT_TRUE(has_word(lines.at("/tmp/new").options, "rw"));
  EXPECT_TRUE(has_word(lines.at("/tmp/new").options, "noexec"));
}

TEST_F(Mounts, AnUnknownWordIsAnError) {
  config_.mount("/tmp/bound", "bind", source(), {"bind", "nonsense"});
  EXPECT_TRUE(fails_saying(create(), "nonsense"));
  config_ = Config();
  config_.mount("/tmp/new", "tmpfs", "tmpfs", {"nonsense"});
  EXPECT_TRUE(fails_saying(create(), "nonsense"));
}

TEST_F(Mounts, PropagationIsAsAsked) {
  mount_below_source();
  config_.mount("/tmp/private", "bind", source(), {"rbind", "rprivate"});
  config_.mount("/tmp/slave", "bind", source(), {"rbind", "rslave"});
  config_.mount("/tmp/shared", "bind", source(), {"rbind", "rshared"});
  config_.mount("/tmp/unbindable", "bind", source(), {"bind", "unbindable"});
  const auto lines = mountinfo();
  EXPECT_EQ(lines.at("/tmp/private").propagation, "");
  EXPECT_TRUE(lines.at("/tmp/slave").propagation.starts_with("master:"));
  EXPECT_TRUE(lines.at("/tmp/shared").propagation.starts_with("shared:"));
  EXPECT_TRUE(lines.at("/tmp/shared/below").propagation.starts_with("shared:"));
  EXPECT_TRUE(lines.at("/tmp/unbindable").propagation.starts_with("unbindable"));
}

TEST_F(Mounts, WhatTheHostMountsLaterIsSeenThroughASlave) {
  config_.mount("/tmp/slave", "bind", source(), {"rbind", "rslave"});
  config_.mount("/tmp/private", "bind", source(), {"rbind", "rprivate"});
  start_sleeping();
  mount_below_source();
  write(source() + "/below/late", "");
  const std::string inside = cat("/proc/", pid(), "/root/tmp/");
  EXPECT_TRUE(exists(inside + "slave/below/late"));
  EXPECT_FALSE(exists(inside + "private/below/late"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Mounts, RootfsPropagationIsTheRootMounts) {
  for (const auto& [word, seen] :
       std::map<std::string, std::string>{{"private", ""},
                                          {"rprivate", ""},
                                          {"shared", "shared:"},
                                          {"rshared", "shared:"},
                                          {"slave", "master:"},
                                          {"rslave", "master:"},
                                          {"unbindable", "unbindable"}}) {
    config_.set_string("/linux/rootfsPropagation", word);
    const auto lines = mountinfo();
    const std::string& found = lines.at("/").propagation;
    EXPECT_TRUE(seen.empty() ? found.empty() : found.find(seen) != std::string::npos)
        << word << ": " << found;
  }
}

TEST_F(Mounts, AReadOnlyRootIsReadOnlyAndItsMountsAreNot) {
  config_.set("/root/readonly", "true");
  config_.mount("/tmp", "tmpfs", "tmpfs", {});
  const Outcome outcome = run_shell(
      "touch /new || echo refused; touch /tmp/x && echo fine; "
      "echo x > /dev/null && echo null");
  EXPECT_EQ(outcome.out, "refused\nfine\nnull\n");
}

TEST_F(Mounts, MountPointsAreMade) {
  config_.mount("/tmp/a/b/c", "tmpfs", "tmpfs", {});
  config_.mount("/tmp/a/b/file", "bind", source() + "/file", {"bind"});
  const Outcome outcome = run_shell("stat -c %F /tmp/a/b/c /tmp/a/b/file");
  EXPECT_EQ(outcome.out, "directory\nregular file\n");
}

TEST_F(Mounts, LaterOnesCoverEarlierOnes) {
  config_.mount("/tmp/x", "tmpfs", "tmpfs", {});
  config_.mount("/tmp/x", "bind", source(), {"bind"});
  EXPECT_EQ(run_shell("cat /tmp/x/file").out, "hello\n");
}

TEST_F(Mounts, OfAFileOverADirectoryAreRefusedInTheWordsThatDockerKnows) {
  config_.mount("/tmp", "bind", source() + "/file", {"bind"});
  EXPECT_TRUE(fails_saying(create(), "not a directory"));
}

TEST_F(Mounts, WithoutTheirSourceAreRefused) {
  config_.mount("/tmp/x", "bind", directory() + "/nothing", {"bind"});
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "no such file or directory"));
  EXPECT_NE(outcome.err.find("mounts[6]"), std::string::npos) << outcome.err;
}

TEST_F(Mounts, MaskedPathsHideAndReadOnlyPathsProtect) {
  ASSERT_EQ(::mkdir((rootfs() + "/etc/dir").c_str(), 0755), 0);
  write(rootfs() + "/etc/dir/file", "secret");
  write(rootfs() + "/etc/file", "secret");
  write(rootfs() + "/etc/fixed", "fixed\n");
  config_.set("/linux/maskedPaths", R"(["/etc/dir", "/etc/file", "/etc/nothing", "/proc/uptime"])");
  config_.set("/linux/readonlyPaths", R"(["/etc/fixed", "/proc/sys", "/etc/nothing"])");
  const Outcome outcome = run_shell(
      "ls -A /etc/dir; cat /etc/file; cat /etc/fixed; wc -c < /proc/uptime; "
      "echo x > /etc/fixed || echo refused; echo 1 > /proc/sys/vm/swappiness || echo refused; "
      "echo x > /etc/file && echo swallowed; touch /etc/dir/x || echo refused");
  EXPECT_EQ(outcome.out, "fixed\n0\nrefused\nrefused\nswallowed\nrefused\n");
  EXPECT_EQ(read(rootfs() + "/etc/file"), "secret");
}

TEST_F(Mounts, OfTheWholeHostAreGoneWithTheContainer) {
  config_.mount("/tmp/host", "bind", "/", {"rbind", "ro"});
  EXPECT_EQ(run_shell("test -d /tmp/host/proc && echo seen").out, "seen\n");
}

TEST_F(Mounts, ThatAreRemountedChange) {
  config_.mount("/dev/shm", "tmpfs", "shm", {"remount", "ro", "nosuid"});
  const auto lines = mountinfo();
  EXPECT_TRUE(has_word(lines.at("/dev/shm").options, "ro") ||
              has_word(lines.at("/dev/shm").super_options, "ro"));
}

TEST_F(Mounts, InAReadOnlyRootWithoutMountPointsNameThePath) {
  config_.mount("/tmp/ro", "bind", source(), {"bind", "ro"});
  config_.mount("/tmp/ro/missing", "tmpfs", "tmpfs", {});
  const Outcome outcome = create();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("/tmp/ro/missing"), std::string::npos) << outcome.err;
  EXPECT_FALSE(exists(source() + "/missing"));
}

TEST_F(Mounts, AHundredOfThemWork) {
  for (int i = 0; i < 100; ++i) config_.mount(cat("/tmp/m", i), "tmpfs", "tmpfs", {"size=4k"});
  EXPECT_EQ(run_shell("grep -c ' /tmp/m' /proc/self/mountinfo").out, "100\n");
}

TEST_F(Mounts, ThatShallBeReadOnlyOrHiddenMayBeTheRoot) {
  config_.set("/root/readonly", "false").set("/linux/readonlyPaths", R"(["/"])");
  EXPECT_NE(run_shell("touch /tmp/x").exit_code, 0);
  config_.set("/linux/readonlyPaths", R"(["/bin/.."])");
  EXPECT_NE(run_shell("touch /tmp/x").exit_code, 0);
  config_.set("/linux/readonlyPaths", "[]").set("/linux/maskedPaths", R"(["/"])");
  EXPECT_TRUE(fails_saying(run(), "would hide the container's root"));
}

}  // namespace
}  // namespace rt::testing
