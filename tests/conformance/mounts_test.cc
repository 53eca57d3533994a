// config.md, "Mounts", "Linux mount options"; config-linux.md, "Default Filesystems".
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Mounts : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_directory(source());
    write(source() + "/file", "hello");
  }
  void TearDown() override {
    for (const std::string& point : mounted_) ::umount2(point.c_str(), MNT_DETACH);
    Conformance::TearDown();
  }
  [[nodiscard]] std::string source() const { return directory() + "/source"; }
  Config& bind(const std::vector<std::string>& options, const std::string& destination = "/tmp") {
    return config_.mount(destination, "bind", source(), options);
  }
  /// A tmpfs below the source: a mount below a mount.
  void mount_below() {
    make_directory(source() + "/below");
    mounted_.push_back(source() + "/below");
    ASSERT_EQ(::mount("below", mounted_.back().c_str(), "tmpfs", 0, ""), 0);
    write(mounted_.back() + "/deep", "deep");
  }

 private:
  std::vector<std::string> mounted_;
};

TEST_F(Mounts, AreMadeInTheOrderOfTheDocument) {
  config_.mount("/tmp", "tmpfs", "first", {});
  bind({"bind"}, "/tmp/inside");
  EXPECT_EQ(path_at(look({"path=/tmp/inside/file"}), "/tmp/inside/file", "text"), "hello");
}

TEST_F(Mounts, LaterOnesCoverEarlierOnes) {
  bind({"bind"});
  config_.mount("/tmp", "tmpfs", "second", {});
  EXPECT_EQ(path_at(look({"path=/tmp"}), "/tmp", "entries"), "[]");
}

TEST_F(Mounts, WithoutADestinationAreAnError) {
  config_.add("/mounts", R"({"type": "tmpfs", "source": "tmpfs"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Mounts, RelativeSourceOfABindIsMeantFromTheBundle) {
  make_directory(bundle() + "/volume");
  write(bundle() + "/volume/file", "of the bundle");
  config_.mount("/tmp", "bind", "volume", {"bind"});
  EXPECT_EQ(path_at(look({"path=/tmp/file"}), "/tmp/file", "text"), "of the bundle");
}

TEST_F(Mounts, OfAFileBindAFile) {
  write(rootfs() + "/target", "covered");
  config_.mount("/target", "bind", source() + "/file", {"bind"});
  EXPECT_EQ(path_at(look({"path=/target"}), "/target", "text"), "hello");
}

TEST_F(Mounts, SourceThatDoesNotExistIsAnError) {
  config_.mount("/tmp", "bind", directory() + "/nothing", {"bind"});
  EXPECT_TRUE(refuses());
}

TEST_F(Mounts, RelativeDestinationIsMeantFromTheRoot) {
  bind({"bind"}, "tmp");
  EXPECT_EQ(path_at(look({"path=/tmp/file"}), "/tmp/file", "text"), "hello");
}

TEST_F(Mounts, BindTakesTheMountAlone) {
  mount_below();
  bind({"bind"});
  EXPECT_EQ(path_at(look({"path=/tmp/below"}), "/tmp/below", "entries"), "[]");
}

TEST_F(Mounts, RbindTakesAllBelowItToo) {
  mount_below();
  bind({"rbind"});
  EXPECT_EQ(path_at(look({"path=/tmp/below"}), "/tmp/below", "entries"), R"(["deep"])");
}

TEST_F(Mounts, RoIsForTheMountAlone) {
  mount_below();
  bind({"rbind", "ro"});
  const Json report = look({"path=/tmp", "path=/tmp/below"});
  EXPECT_EQ(path_at(report, "/tmp", "write"), "EROFS");
  EXPECT_EQ(path_at(report, "/tmp/below", "write"), "");
}

TEST_F(Mounts, RemountChangesTheMountThatIsThere) {
  bind({"rbind", "rw"});
  config_.mount("/tmp", "bind", source(), {"bind", "remount", "ro"});
  EXPECT_EQ(path_at(look({"path=/tmp"}), "/tmp", "write"), "EROFS");
}

TEST_F(Mounts, OtherWordsGoToTheFileSystem) {
  config_.mount("/tmp", "tmpfs", "tmpfs", {"size=64k", "mode=711", "uid=12"});
  const Json report = look({"path=/tmp"});
  EXPECT_EQ(path_at(report, "/tmp", "mode"), cat(0711));
  EXPECT_EQ(path_at(report, "/tmp", "uid"), "12");
  EXPECT_NE(mount_at(report, "/tmp", "fileSystem").find("size=64k"), std::string::npos);
}

TEST_F(Mounts, WordsThatTheFileSystemRefusesAreAnError) {
  config_.mount("/tmp", "tmpfs", "tmpfs", {"no-such-word"});
  EXPECT_TRUE(refuses());
}

TEST_F(Mounts, NamesOfTheHostAreNotSeen) {
  const std::string text = look().at("/mounts");
  EXPECT_EQ(text.find(cat("\"destination\":\"", directory())), std::string::npos) << text;
}

TEST_F(Mounts, OfTheContainerDoNotShowOnTheHost) {
  const std::string before = read("/proc/self/mountinfo");
  config_.mount("/tmp", "tmpfs", "tmpfs", {});
  start_waiting();
  EXPECT_EQ(read("/proc/self/mountinfo"), before);
  end();
}

class DefaultFilesystems : public Conformance {};

TEST_F(DefaultFilesystems, AreAvailable) {
  const Json report = look();
  EXPECT_EQ(mount_at(report, "/proc", "type"), "proc");
  EXPECT_EQ(mount_at(report, "/sys", "type"), "sysfs");
  EXPECT_EQ(mount_at(report, "/dev/pts", "type"), "devpts");
  EXPECT_EQ(mount_at(report, "/dev/shm", "type"), "tmpfs");
}

/// A word of the table in "Linux mount options", and what it does to the attributes of a mount.
struct Word {
  const char* word;
  std::vector<std::string> before;  // words in front of it
  const char* has = nullptr;        // the mount has this attribute
  const char* lacks = nullptr;      // the mount does not
};

class MountWord : public Mounts, public ::testing::WithParamInterface<Word> {
 protected:
  void expect_attributes(const std::set<std::string>& options) {
    const Word& word = GetParam();
    const std::string all = ::testing::PrintToString(options);
    EXPECT_TRUE(word.has == nullptr || options.contains(word.has)) << all;
    EXPECT_FALSE(word.lacks != nullptr && options.contains(word.lacks)) << all;
  }
  static std::vector<std::string> with(std::vector<std::string> first) {
    const Word& word = GetParam();
    first.insert(first.end(), word.before.begin(), word.before.end());
    first.emplace_back(word.word);
    return first;
  }
};

TEST_P(MountWord, WorksOnANewFileSystem) {
  config_.mount("/tmp", "tmpfs", "tmpfs", with({}));
  expect_attributes(mount_options(look(), "/tmp"));
}

TEST_P(MountWord, WorksOnABindMount) {
  bind(with({"rbind"}));
  expect_attributes(mount_options(look(), "/tmp"));
}

INSTANTIATE_TEST_SUITE_P(
    Mounts, MountWord,
    ::testing::Values(Word{"atime", {"noatime"}, nullptr, "noatime"},
                      Word{"noatime", {}, "noatime"}, Word{"dev", {"nodev"}, nullptr, "nodev"},
                      Word{"nodev", {}, "nodev"},
                      Word{"diratime", {"nodiratime"}, nullptr, "nodiratime"},
                      Word{"nodiratime", {}, "nodiratime"},
                      Word{"exec", {"noexec"}, nullptr, "noexec"}, Word{"noexec", {}, "noexec"},
                      Word{"suid", {"nosuid"}, nullptr, "nosuid"}, Word{"nosuid", {}, "nosuid"},
                      Word{"ro", {}, "ro"}, Word{"rw", {"ro"}, nullptr, "ro"},
                      Word{"relatime", {}, "relatime"}, Word{"norelatime", {}, nullptr, "noatime"},
                      Word{"strictatime", {}, "strictatime", "noatime"},
                      Word{"nostrictatime", {}, nullptr, "strictatime"},
                      Word{"defaults", {}, nullptr, "ro"}, Word{"nosymfollow", {}, "nosymfollow"},
                      Word{"symfollow", {"nosymfollow"}, nullptr, "nosymfollow"}),
    [](const auto& info) { return std::string(info.param.word); });

class RecursiveWord : public MountWord {};

TEST_P(RecursiveWord, ReachesTheMountAndAllBelow) {
  mount_below();
  bind(with({"rbind"}));
  const Json report = look();
  expect_attributes(mount_options(report, "/tmp"));
  expect_attributes(mount_options(report, "/tmp/below"));
}

INSTANTIATE_TEST_SUITE_P(
    Mounts, RecursiveWord,
    ::testing::Values(
        Word{"rro", {}, "ro"}, Word{"rrw", {"ro"}, nullptr, "ro"}, Word{"rnosuid", {}, "nosuid"},
        Word{"rsuid", {"nosuid"}, nullptr, "nosuid"}, Word{"rnodev", {}, "nodev"},
        Word{"rdev", {"nodev"}, nullptr, "nodev"}, Word{"rnoexec", {}, "noexec"},
        Word{"rexec", {"noexec"}, nullptr, "noexec"}, Word{"rnodiratime", {}, "nodiratime"},
        Word{"rdiratime", {"nodiratime"}, nullptr, "nodiratime"}, Word{"rnoatime", {}, "noatime"},
        Word{"ratime", {"noatime"}, nullptr, "noatime"}, Word{"rrelatime", {}, "relatime"},
        Word{"rnorelatime", {}, nullptr, "noatime"}, Word{"rstrictatime", {}, "strictatime"},
        Word{"rnostrictatime", {}, nullptr, "strictatime"}, Word{"rnosymfollow", {}, "nosymfollow"},
        Word{"rsymfollow", {"nosymfollow"}, nullptr, "nosymfollow"}),
    [](const auto& info) { return std::string(info.param.word); });

class FilesystemWord : public Mounts, public ::testing::WithParamInterface<const char*> {};

TEST_P(FilesystemWord, IsUnderstood) {
  config_.mount("/tmp", "tmpfs", "tmpfs", {GetParam()});
  EXPECT_EQ(mount_at(look(), "/tmp", "type"), "tmpfs");
}

INSTANTIATE_TEST_SUITE_P(Mounts, FilesystemWord,
                         ::testing::Values("async", "dirsync", "iversion", "lazytime", "loud",
                                           "noiversion", "nolazytime", "silent", "sync", "defaults",
                                           "mand", "nomand"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Mounts, SyncIsTheFileSystems) {
  config_.mount("/tmp", "tmpfs", "tmpfs", {"sync"});
  const std::string options = mount_at(look(), "/tmp", "fileSystem");
  EXPECT_NE(options.find("sync"), std::string::npos) << options;
}

struct Propagation {
  const char* word;
  const char* mount;
  bool below;  // that of the mount below is the same
};

class PropagationWord : public Mounts, public ::testing::WithParamInterface<Propagation> {};

TEST_P(PropagationWord, IsTheMounts) {
  mount_below();
  bind({"rbind", GetParam().word});
  const Json report = look();
  const std::string wanted = GetParam().mount;
  EXPECT_NE(mount_at(report, "/tmp", "propagation").find(wanted), std::string::npos)
      << report.at("/mounts");
  if (!GetParam().below) return;
  EXPECT_NE(mount_at(report, "/tmp/below", "propagation").find(wanted), std::string::npos)
      << report.at("/mounts");
}

INSTANTIATE_TEST_SUITE_P(Mounts, PropagationWord,
                         ::testing::Values(Propagation{"private", "private", false},
                                           Propagation{"rprivate", "private", true},
                                           Propagation{"shared", "shared", false},
                                           Propagation{"rshared", "shared", true},
                                           Propagation{"slave", "slave", false},
                                           Propagation{"rslave", "slave", true},
                                           Propagation{"unbindable", "unbindable", false},
                                           Propagation{"runbindable", "unbindable", true}),
                         [](const auto& info) { return std::string(info.param.word); });

TEST_P(PropagationWord, HoldsInASharedRoot) {
  config_.set_string("/linux/rootfsPropagation", "shared");
  bind({"rbind", GetParam().word});
  const std::string seen = mount_at(look(), "/tmp", "propagation");
  EXPECT_NE(seen.find(GetParam().mount), std::string::npos) << seen;
}

TEST_P(PropagationWord, HoldsWithHooksThatRunBeforeTheRootIsEntered) {
  testing::copy_file(probe_binary(), directory() + "/hook", 0755);
  config_.set("/hooks/createRuntime",
              cat(R"([{"path": ")", directory(), R"(/hook", "args": ["hook", "only"]}])"));
  bind({"rbind", GetParam().word});
  const std::string seen = mount_at(look(), "/tmp", "propagation");
  EXPECT_NE(seen.find(GetParam().mount), std::string::npos) << seen;
}

class TmpCopyUp : public Mounts {};

TEST_F(TmpCopyUp, FillsTheTmpfsWithWhatWasThere) {
  write(rootfs() + "/tmp/kept", "from the image");
  config_.mount("/tmp", "tmpfs", "tmpfs", {"tmpcopyup"});
  const Json report = look({"path=/tmp/kept"});
  EXPECT_EQ(mount_at(report, "/tmp", "type"), "tmpfs");
  EXPECT_EQ(path_at(report, "/tmp/kept", "text"), "from the image");
}

class IdMappedMount : public Mounts {
 protected:
  /// The ids of the source's file are 0; in the mount they are `base`.
  Config& bind_mapped(const char* word, const std::string& more) {
    return config_.add("/mounts",
                       cat(R"({"destination": "/tmp", "type": "bind", "source": ")", source(),
                           R"(", "options": ["rbind", ")", word, "\"]", more, '}'));
  }
  static constexpr const char* kMapping =
      R"(, "uidMappings": [{"containerID": 0, "hostID": 5000, "size": 100}],
           "gidMappings": [{"containerID": 0, "hostID": 6000, "size": 100}])";
};

TEST_F(IdMappedMount, HasTheMappingsOfTheDocument) {
  bind_mapped("idmap", kMapping);
  const Json report = look({"path=/tmp/file"});
  EXPECT_EQ(path_at(report, "/tmp/file", "uid"), "5000");
  EXPECT_EQ(path_at(report, "/tmp/file", "gid"), "6000");
  EXPECT_TRUE(mount_options(report, "/tmp").contains("idmapped"));
}

TEST_F(IdMappedMount, RidmapReachesAllBelow) {
  mount_below();
  bind_mapped("ridmap", kMapping);
  const Json report = look({"path=/tmp/below/deep"});
  EXPECT_EQ(path_at(report, "/tmp/below/deep", "uid"), "5000");
}

TEST_F(IdMappedMount, IdmapIsForTheMountAlone) {
  mount_below();
  bind_mapped("idmap", kMapping);
  EXPECT_EQ(path_at(look({"path=/tmp/below/deep"}), "/tmp/below/deep", "uid"), "0");
}

TEST_F(IdMappedMount, WithoutMappingsHasThoseOfTheContainerOrIsAnError) {
  config_.user_namespace();
  bind_mapped("idmap", "");
  config_.args({"/probe", "path=/tmp/file"});
  const Outcome outcome = run();
  if (outcome.exit_code != 0) return;
  EXPECT_EQ(path_at(Json(outcome.out), "/tmp/file", "uid"), "0");
}

TEST_F(IdMappedMount, WithNeitherMappingsNorAUserNamespaceIsAnError) {
  bind_mapped("idmap", "");
  EXPECT_TRUE(refuses());
}

TEST_F(IdMappedMount, WithMappingsForUsersAloneIsAnError) {
  bind_mapped("idmap", R"(, "uidMappings": [{"containerID": 0, "hostID": 5000, "size": 100}])");
  EXPECT_TRUE(refuses());
}

TEST_F(IdMappedMount, WithMappingsForGroupsAloneIsAnError) {
  bind_mapped("idmap", R"(, "gidMappings": [{"containerID": 0, "hostID": 5000, "size": 100}])");
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
