// How far the words of mount options reach: one mount, or all below it too. runtime-spec config.md,
// "Linux mount options".
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// `word` and no part of one, in a list with commas.
bool has_word(std::string_view words, std::string_view word) {
  for (const std::string_view one : split(words, ',')) {
    if (one == word) return true;
  }
  return false;
}

/// What proc_pid_mountinfo(5) tells of one mount.
struct Seen {
  std::string own;          // options
  std::string propagation;  // "shared:1", "master:2", "unbindable", or "-" for none
};

/// A source that is a mount of its own with another below it.
class MountWords : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(source().c_str(), 0755), 0);
    ASSERT_EQ(::mount("tmpfs", source().c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(::mkdir(below().c_str(), 0755), 0);
    ASSERT_EQ(::mount("tmpfs", below().c_str(), "tmpfs", 0, nullptr), 0);
  }
  void TearDown() override {
    ::umount2(source().c_str(), MNT_DETACH);
    Container::TearDown();
  }
  [[nodiscard]] std::string source() const { return directory() + "/source"; }
  [[nodiscard]] std::string below() const { return source() + "/below"; }

  Seen seen_at(std::string_view point) {
    const Outcome outcome = run_shell("cat /proc/self/mountinfo");
    EXPECT_TRUE(succeeds(outcome));
    for (const std::string_view line : split(outcome.out, '\n')) {
      const std::vector<std::string_view> fields = split(line, ' ');
      if (fields.size() < 10 || fields[4] != point) continue;
      return {std::string(fields[5]), std::string(fields[6])};
    }
    ADD_FAILURE() << "no mount at " << point;
    return {};
  }
};

struct Word {
  const char* option;
  const char* shows;
  const char* hides = nullptr;
};

class SettingWords : public MountWords, public ::testing::WithParamInterface<Word> {};

TEST_P(SettingWords, RestrictTheMountAlone) {
  config_.mount("/tmp/all", "none", source(), {"rbind", GetParam().option});
  const std::string own = seen_at("/tmp/all").own;
  if (GetParam().shows != nullptr) {
    EXPECT_TRUE(has_word(own, GetParam().shows)) << own;
  }
  if (GetParam().hides != nullptr) {
    EXPECT_FALSE(has_word(own, GetParam().hides)) << own;
  }
  EXPECT_EQ(seen_at("/tmp/all/below").own, "rw,relatime");
}

INSTANTIATE_TEST_SUITE_P(MountWords, SettingWords,
                         ::testing::Values(Word{"ro", "ro"}, Word{"nosuid", "nosuid"},
                                           Word{"nodev", "nodev"}, Word{"noexec", "noexec"},
                                           Word{"nodiratime", "nodiratime"},
                                           Word{"noatime", "noatime"},
                                           Word{"strictatime", nullptr, "relatime"},
                                           Word{"nosymfollow", "nosymfollow"}),
                         [](const auto& info) { return std::string(info.param.option); });

class AccessTimeWords : public MountWords, public ::testing::WithParamInterface<const char*> {};

/// Whatever it was before: mount(8), on what is left when a mode is taken away.
TEST_P(AccessTimeWords, GoBackToTheKernelsOwnMode) {
  for (const unsigned long mode : {MS_NOATIME, MS_STRICTATIME}) {
    ASSERT_EQ(::mount(nullptr, source().c_str(), nullptr, MS_REMOUNT | MS_BIND | mode, nullptr), 0);
    config_ = Config();
    config_.mount("/tmp/all", "none", source(), {"rbind", GetParam()});
    EXPECT_EQ(seen_at("/tmp/all").own, "rw,relatime");
  }
}

INSTANTIATE_TEST_SUITE_P(MountWords, AccessTimeWords,
                         ::testing::Values("atime", "norelatime", "nostrictatime"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(MountWords, DefaultsMakeAMountLikeAnyOther) {
  config_.mount("/tmp/new", "tmpfs", "tmpfs", {"defaults"});
  EXPECT_EQ(seen_at("/tmp/new").own, "rw,relatime");
}

struct Propagation {
  const char* option;
  const char* own;
  const char* of_below;
};

class PropagationWords : public MountWords, public ::testing::WithParamInterface<Propagation> {};

/// Of a shared source. What a word does not reach still hears from the host, and tells it nothing;
/// only below a shared mount all stays as it is.
TEST_P(PropagationWords, ReachTheMountOrAllBelow) {
  for (const std::string& point : {source(), below()}) {
    ASSERT_EQ(::mount(nullptr, point.c_str(), nullptr, MS_SHARED, nullptr), 0);
  }
  config_.mount("/tmp/all", "none", source(), {"rbind", GetParam().option});
  const std::string own = seen_at("/tmp/all").propagation;
  const std::string of_below = seen_at("/tmp/all/below").propagation;
  EXPECT_TRUE(own.starts_with(GetParam().own)) << own;
  EXPECT_TRUE(of_below.starts_with(GetParam().of_below)) << of_below;
}

INSTANTIATE_TEST_SUITE_P(MountWords, PropagationWords,
                         ::testing::Values(Propagation{"private", "-", "master:"},
                                           Propagation{"rprivate", "-", "-"},
                                           Propagation{"shared", "shared:", "shared:"},
                                           Propagation{"rshared", "shared:", "shared:"},
                                           Propagation{"slave", "master:", "master:"},
                                           Propagation{"rslave", "master:", "master:"},
                                           Propagation{"unbindable", "unbindable", "master:"},
                                           Propagation{"runbindable", "unbindable", "unbindable"}),
                         [](const auto& info) { return std::string(info.param.option); });

}  // namespace
}  // namespace rt::testing
