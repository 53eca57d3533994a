#include <linux/mount.h>

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Config config_with(spec::Mount mount) {
  spec::Config config = small_config();
  config.mounts = {std::move(mount)};
  return config;
}

MountStep only_mount(spec::Mount mount) {
  const Plan plan = plan_of(config_with(std::move(mount)));
  EXPECT_EQ(plan.mounts.size(), 1U);
  return plan.mounts.empty() ? MountStep{} : plan.mounts[0];
}

spec::Mount tmpfs(std::vector<std::string> options) {
  return {"/data", "tmpfs", "tmpfs", std::move(options), {}, {}};
}

spec::Mount bind(std::vector<std::string> options) {
  options.insert(options.begin(), "bind");
  return {"/data", "", "/src", std::move(options), {}, {}};
}

spec::Mount disk(std::vector<std::string> options) {
  return {"/data", "ext4", "/dev/vdb", std::move(options), {}, {}};
}

TEST(Mounts, AFileSystemKeepsItsOwnOptions) {
  const MountStep step = only_mount(tmpfs({"nosuid", "mode=755", "size=64k", "noswap"}));
  const NewFilesystem expected{
      "tmpfs", "tmpfs", {{"mode", "755"}, {"size", "64k"}, {"noswap", std::nullopt}}};
  EXPECT_EQ(std::get<NewFilesystem>(step.what), expected);
  EXPECT_EQ(step.attributes, (MountAttributes{MOUNT_ATTR_NOSUID, 0}));
  EXPECT_EQ(step.origin, "/mounts/0");
}

TEST(Mounts, AreSharedWithNobodyUnlessAsked) {
  EXPECT_EQ(only_mount(tmpfs({})).propagation, MS_PRIVATE | MS_REC);
  EXPECT_EQ(only_mount(bind({})).propagation, MS_PRIVATE | MS_REC);
  EXPECT_EQ(only_mount(bind({"rslave"})).propagation, MS_SLAVE | MS_REC);
  EXPECT_EQ(only_mount(bind({"private", "shared"})).propagation, MS_SHARED);
}

TEST(Mounts, ABindIsToldByOptionOrType) {
  const BindMount flat{"/src", false};
  const BindMount deep{"/src", true};
  const auto what = [](const char* type, std::vector<std::string> options) {
    return std::get<BindMount>(
        only_mount({"/data", type, "/src", std::move(options), {}, {}}).what);
  };
  EXPECT_EQ(what("", {"bind"}), flat);
  EXPECT_EQ(what("none", {"bind"}), flat);
  EXPECT_EQ(what("bind", {}), flat);
  EXPECT_EQ(what("tmpfs", {"bind"}), flat);
  EXPECT_EQ(what("", {"rbind"}), deep);
  EXPECT_EQ(what("rbind", {}), deep);
  EXPECT_EQ(what("bind", {"rbind", "bind"}), deep);
}

TEST(Mounts, ARelativeBindSourceIsInTheBundle) {
  const MountStep step = only_mount({"/data", "bind", "files/../more", {}, {}, {}});
  EXPECT_EQ(std::get<BindMount>(step.what).source, "/bundle/files/../more");
}

TEST(Mounts, TargetsAreClean) {
  const auto target = [](const char* destination) {
    return only_mount({destination, "tmpfs", "", {}, {}, {}}).target;
  };
  EXPECT_EQ(target("//a/./b/"), "/a/b");
  EXPECT_EQ(target("relative"), "/relative");
  EXPECT_EQ(target("/a/../../../b"), "/b");
}

struct AttributeRow {
  const char* name;
  std::vector<std::string> options;
  MountAttributes own;
  MountAttributes recursive;
};

class BindAttributes : public ::testing::TestWithParam<AttributeRow> {};

TEST_P(BindAttributes, FollowTheWords) {
  const MountStep step = only_mount(bind(GetParam().options));
  EXPECT_EQ(step.attributes, GetParam().own);
  EXPECT_EQ(step.recursive_attributes, GetParam().recursive);
}

constexpr uint64_t kAccessTime = MOUNT_ATTR__ATIME;

INSTANTIATE_TEST_SUITE_P(
    Table, BindAttributes,
    ::testing::Values(
        AttributeRow{"Nothing", {"defaults"}, {}, {}},
        AttributeRow{"Set",
                     {"ro", "nosuid", "nodev", "noexec", "nodiratime", "nosymfollow"},
                     {MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                          MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW,
                      0},
                     {}},
        AttributeRow{"Clear",
                     {"rw", "suid", "dev", "exec", "diratime", "symfollow"},
                     {0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                             MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW},
                     {}},
        AttributeRow{"LaterWins", {"ro", "rw"}, {0, MOUNT_ATTR_RDONLY}, {}},
        AttributeRow{"LaterWinsAgain", {"rw", "ro"}, {MOUNT_ATTR_RDONLY, 0}, {}},
        AttributeRow{"Noatime", {"noatime"}, {MOUNT_ATTR_NOATIME, kAccessTime}, {}},
        AttributeRow{"Relatime", {"relatime"}, {0, kAccessTime}, {}},
        AttributeRow{"Strictatime", {"strictatime"}, {MOUNT_ATTR_STRICTATIME, kAccessTime}, {}},
        AttributeRow{"LaterAccessTimeWins",
                     {"noatime", "strictatime"},
                     {MOUNT_ATTR_STRICTATIME, kAccessTime},
                     {}},
        AttributeRow{"AtimeCancelsNoatime", {"noatime", "atime"}, {0, kAccessTime}, {}},
        AttributeRow{"NostrictatimeCancelsStrictatime",
                     {"strictatime", "nostrictatime"},
                     {0, kAccessTime},
                     {}},
        AttributeRow{"NorelatimeLeavesNoatime",
                     {"noatime", "norelatime"},
                     {MOUNT_ATTR_NOATIME, kAccessTime},
                     {}},
        AttributeRow{"Recursive",
                     {"rro", "rnosuid", "rdev", "rexec", "rnoatime"},
                     {},
                     {MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME,
                      MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | kAccessTime}},
        AttributeRow{"RecursiveOverrulesEarlier", {"rw", "rro"}, {}, {MOUNT_ATTR_RDONLY, 0}},
        AttributeRow{"AnExceptionToRecursive",
                     {"rro", "rw"},
                     {0, MOUNT_ATTR_RDONLY},
                     {MOUNT_ATTR_RDONLY, 0}},
        AttributeRow{"RecursiveClear",
                     {"rrw", "rsuid", "rnodev", "rnoexec", "rdiratime", "rsymfollow"},
                     {},
                     {MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                                MOUNT_ATTR_NODIRATIME |
                                                                MOUNT_ATTR_NOSYMFOLLOW}},
        AttributeRow{"RecursiveAccessTimes",
                     {"rstrictatime", "rnostrictatime", "rrelatime", "rnorelatime", "ratime",
                      "rnodiratime", "rnosymfollow"},
                     {},
                     {MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, kAccessTime}}),
    row_name<AttributeRow>);

TEST(Mounts, ANewFileSystemHasNothingToClear) {
  EXPECT_EQ(only_mount(tmpfs({"rw", "exec", "dev"})).attributes, MountAttributes{});
  EXPECT_EQ(only_mount(tmpfs({"strictatime"})).attributes,
            (MountAttributes{MOUNT_ATTR_STRICTATIME, kAccessTime}));
}

TEST(Mounts, ReadOnlyIsForADiskToo) {
  const MountStep step = only_mount(disk({"ro", "sync", "lazytime", "async"}));
  const std::vector<FilesystemParameter> expected = {{"ro", std::nullopt},
                                                     {"lazytime", std::nullopt}};
  EXPECT_EQ(std::get<NewFilesystem>(step.what).parameters, expected);
  EXPECT_EQ(step.attributes.set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_TRUE(std::get<NewFilesystem>(only_mount(tmpfs({"ro"})).what).parameters.empty());
}

TEST(Mounts, ARemountChangesTheMountAlone) {
  const MountStep step = only_mount({"/data", "", "", {"remount", "ro"}, {}, {}});
  EXPECT_EQ(std::get<Remount>(step.what), Remount{});
  EXPECT_EQ(step.attributes, (MountAttributes{MOUNT_ATTR_RDONLY, 0}));
  EXPECT_EQ(step.propagation, 0U);
}

TEST(Mounts, ARemountWithParametersChangesTheFileSystem) {
  const MountStep step =
      only_mount({"/data", "tmpfs", "", {"remount", "size=1m", "async"}, {}, {}});
  const Remount expected{{{"async", std::nullopt}, {"size", "1m"}}, true};
  EXPECT_EQ(std::get<Remount>(step.what), expected);
}

TEST(Mounts, WhatHasNoEffectIsWarnedAbout) {
  const Plan plan = plan_of(config_with(tmpfs({"nosuid", "silent", "iversion", "mand"})));
  EXPECT_TRUE(warns(plan, "/mounts/0/options/1",
                    "option \"silent\" has no effect: how much the kernel logs"));
  EXPECT_TRUE(warns(plan, "/mounts/0/options/2",
                    "option \"iversion\" has no effect: the file system itself decides"));
  EXPECT_TRUE(warns(plan, "/mounts/0/options/3", "option \"mand\" has no effect since Linux 5.15"));
  EXPECT_EQ(plan.warnings.size(), 3U);
}

TEST(Mounts, FlagsOfTheFileSystemHaveNoEffectWhereItIsThereAlready) {
  const std::vector<std::string> words = {"sync", "dirsync", "nolazytime"};
  const Plan bound = plan_of(config_with(bind(words)));
  EXPECT_TRUE(warns(bound, "/mounts/0/options/1", "option \"sync\" has no effect on a bind mount"));
  EXPECT_EQ(bound.warnings.size(), 3U);
  const Plan shared = plan_of(config_with({"/s", "sysfs", "sysfs", words, {}, {}}));
  EXPECT_TRUE(warns(shared, "/mounts/0/options/0",
                    "option \"sync\" has no effect: the kernel has one instance of sysfs"));
  EXPECT_EQ(shared.warnings.size(), 3U);
  EXPECT_TRUE(plan_of(config_with(tmpfs(words))).warnings.empty());
  const Plan again = plan_of(config_with({"/s", "", "", {"remount", "dirsync"}, {}, {}}));
  EXPECT_TRUE(warns(again, "/mounts/0/options/1", "option \"dirsync\" has no effect on a remount"));
  EXPECT_EQ(std::get<Remount>(again.mounts.at(0).what), Remount{});
  EXPECT_TRUE(plan_of(config_with({"/s", "", "", {"remount", "sync"}, {}, {}})).warnings.empty());
}

TEST(Mounts, CopyUpIsPlanned) {
  EXPECT_TRUE(only_mount(tmpfs({"tmpcopyup", "size=1m"})).copy_up);
  EXPECT_FALSE(only_mount(tmpfs({})).copy_up);
}

TEST(Mounts, FollowMount8InWordsOfFstab) {
  EXPECT_EQ(only_mount(bind({"auto", "_netdev", "nouser"})).attributes, MountAttributes{});
  EXPECT_EQ(only_mount(bind({"user", "exec"})).attributes,
            (MountAttributes{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC}));
  EXPECT_EQ(only_mount(bind({"owner"})).attributes,
            (MountAttributes{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0}));
}

TEST(Mounts, EveryWordOfTheSpecificationIsKnown) {
  for (const char* word : {"async",
                           "atime",
                           "bind",
                           "defaults",
                           "dev",
                           "diratime",
                           "dirsync",
                           "exec",
                           "iversion",
                           "lazytime",
                           "loud",
                           "mand",
                           "noatime",
                           "nodev",
                           "nodiratime",
                           "noexec",
                           "noiversion",
                           "nolazytime",
                           "nomand",
                           "norelatime",
                           "nostrictatime",
                           "nosuid",
                           "nosymfollow",
                           "private",
                           "ratime",
                           "rbind",
                           "rdev",
                           "rdiratime",
                           "relatime",
                           "remount",
                           "rexec",
                           "rnoatime",
                           "rnodev",
                           "rnodiratime",
                           "rnoexec",
                           "rnorelatime",
                           "rnostrictatime",
                           "rnosuid",
                           "rnosymfollow",
                           "ro",
                           "rprivate",
                           "rrelatime",
                           "rro",
                           "rrw",
                           "rshared",
                           "rslave",
                           "rstrictatime",
                           "rsuid",
                           "rsymfollow",
                           "runbindable",
                           "rw",
                           "shared",
                           "silent",
                           "slave",
                           "strictatime",
                           "suid",
                           "symfollow",
                           "sync",
                           "tmpcopyup",
                           "unbindable",
                           "idmap",
                           "ridmap"}) {
    std::vector<spec::IdMapping> ids;
    if (std::string_view(word).ends_with("idmap")) ids = {{0, 1, 1}};
    const MountStep step = only_mount({"/data", "tmpfs", "/src", {word}, ids, ids});
    const auto* fresh = std::get_if<NewFilesystem>(&step.what);
    const bool passed_on = fresh != nullptr && !fresh->parameters.empty();
    const std::string_view name = word;
    const bool of_the_file_system =
        name == "sync" || name == "dirsync" || name == "lazytime" || name == "mand";
    EXPECT_EQ(passed_on, of_the_file_system) << word;
  }
}

struct RefusedRow {
  const char* name;
  spec::Mount mount;
  const char* message;
};

class RefusedMounts : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedMounts, SayWhy) {
  EXPECT_TRUE(fails_at(try_plan(config_with(GetParam().mount)), "/mounts/0", GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedMounts,
    ::testing::Values(
        RefusedRow{"BindWithoutSource",
                   {"/data", "bind", "", {}, {}, {}},
                   "mounts[0] /data: a bind mount needs a source"},
        RefusedRow{"EmptyOption", tmpfs({""}), "mounts[0] /data: options[0]: empty"},
        RefusedRow{"OptionWithoutName", tmpfs({"=1"}), "mounts[0] /data: option \"=1\": no name"},
        RefusedRow{"SourceAsOption", tmpfs({"source=/x"}), "mounts[0] /data: option \"source\""},
        RefusedRow{"NoType",
                   {"/data", "", "x", {}, {}, {}},
                   "mounts[0] /data: neither a file system type nor"},
        RefusedRow{"TypeNone",
                   {"/data", "none", "x", {}, {}, {}},
                   "mounts[0] /data: neither a file system type nor"},
        RefusedRow{"RemountOfTheMountWithParameters",
                   {"/data", "", "", {"remount", "bind", "size=1m"}, {}, {}},
                   "mounts[0] /data: option \"size\" changes the file system"},
        RefusedRow{"LongIdMap", bind({"idmap=uids=0-1-1"}),
                   "mounts[0] /data: option \"idmap=uids=0-1-1\": a mapping is given by"},
        RefusedRow{
            "Root", {"/", "tmpfs", "", {}, {}, {}}, "mounts[0] /: would hide the container's root"},
        RefusedRow{"RootInDisguise",
                   {"/a/..", "tmpfs", "", {}, {}, {}},
                   "mounts[0] /a/..: would hide the container's root"},
        RefusedRow{"TmpfsOnProc",
                   {"/proc", "tmpfs", "", {}, {}, {}},
                   "mounts[0] /proc: only a proc file system"},
        RefusedRow{"BindOnProc",
                   {"/x/../proc/", "bind", "/etc", {}, {}, {}},
                   "mounts[0] /x/../proc/: only a proc file system"},
        RefusedRow{"InsideProc",
                   {"/proc/self/attr/exec", "bind", "/dev/null", {}, {}, {}},
                   "mounts[0] /proc/self/attr/exec: inside /proc"},
        RefusedRow{
            "ControlCharacters", {"/a\nb", "", "", {}, {}, {}}, "mounts[0] \"/a\\x0ab\": neither"}),
    row_name<RefusedRow>);

TEST(Mounts, ABindMountHasNoOptionsThatAreNotKnown) {
  const auto refuses = [](const char* word, std::string_view message) {
    return fails_at(try_plan(config_with(bind({"ro", word}))), "/mounts/0/options/2",
                    cat("mounts[0] /data: unknown option \"", word, '"', message));
  };
  EXPECT_TRUE(refuses("nosuidd", "; did you mean \"nosuid\"?"));
  EXPECT_TRUE(refuses("ro=1", ""));
  EXPECT_TRUE(refuses("foo", ""));
}

/// What the file system makes of it is its own business: it says no to what it does not know.
TEST(Mounts, AnOptionThatLooksLikeASlipIsSaid) {
  const auto said_of = [](const char* type, const char* word) -> std::string {
    const spec::Mount mount{"/data", type, "x", {"ro", word}, {}, {}};
    const Plan plan = plan_of(config_with(mount));
    for (const Warning& warning : plan.warnings) {
      if (warning.origin == "/mounts/0/options/1") return warning.message;
    }
    return "";
  };
  const auto slip = [](std::string_view word, std::string_view meant) {
    return cat("option \"", word, "\" is left to the file system to understand; did you mean \"",
               meant, "\"?");
  };
  EXPECT_EQ(said_of("tmpfs", "nosuidd"), slip("nosuidd", "nosuid"));
  EXPECT_EQ(said_of("ext4", "noxeec"), slip("noxeec", "noexec"));
  EXPECT_EQ(said_of("tmpfs", "RO"), slip("RO", "ro"));
  EXPECT_EQ(said_of("tmpfs", "realtime"), slip("realtime", "relatime"));
}

TEST(Mounts, OptionsOfFileSystemsAreNoSlips) {
  for (const char* word :
       {"size=64k",  "mode=755",       "noswap",    "inode64", "newinstance", "hidepid=2",
        "userxattr", "volatile",       "usrquota",  "grpid",   "nogrpid",     "acl",
        "noacl",     "noac",           "hard",      "soft",    "intr",        "lock",
        "nolock",    "barrier",        "nobarrier", "discard", "nodiscard",   "noload",
        "dax",       "nouuid",         "share",     "noshare", "wsync",       "nowsync",
        "xattr",     "clone_children", "memory",    "cpu"}) {
    const spec::Mount mount{"/data", "xfs", "/dev/vdb", {word}, {}, {}};
    EXPECT_FALSE(warns(plan_of(config_with(mount)), "/mounts/0/options/0", "")) << word;
  }
}

TEST(Mounts, CopyUpIsForATmpfsOnly) {
  const char* const message = "mounts[0] /data: option \"tmpcopyup\" is for a new file system";
  for (const spec::Mount& mount :
       {disk({"ro", "tmpcopyup"}), bind({"tmpcopyup"}),
        spec::Mount{"/data", "tmpfs", "", {"remount", "tmpcopyup"}, {}, {}}}) {
    EXPECT_TRUE(fails_at(try_plan(config_with(mount)), "/mounts/0/options/1", message));
  }
}

struct ProcRow {
  const char* name;
  spec::Mount mount;
};

class AllowedInProc : public ::testing::TestWithParam<ProcRow> {};

TEST_P(AllowedInProc, IsPlanned) { EXPECT_TRUE(is_ok(try_plan(config_with(GetParam().mount)))); }

INSTANTIATE_TEST_SUITE_P(
    Table, AllowedInProc,
    ::testing::Values(ProcRow{"Proc", {"/proc", "proc", "proc", {}, {}, {}}},
                      ProcRow{"ProcOfTheHost", {"/proc", "bind", "/proc/", {"rbind"}, {}, {}}},
                      ProcRow{"Remount", {"/proc", "", "", {"remount", "ro"}, {}, {}}},
                      ProcRow{"MeminfoOfLxcfs", {"/proc/meminfo", "bind", "/lxcfs/m", {}, {}, {}}},
                      ProcRow{"NameThatOnlyBeginsSo", {"/process", "tmpfs", "", {}, {}, {}}}),
    row_name<ProcRow>);

}  // namespace
}  // namespace rt::plan::testing
