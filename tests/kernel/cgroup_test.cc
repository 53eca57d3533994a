#include "tests/kernel/cgroup_fixture.h"

#include <fcntl.h>

namespace rt::cgroup::testing {
namespace {

using std::chrono::milliseconds;

using Cgroup = CgroupTest;

TEST_F(Cgroup, IsMadeEnteredKilledAndRemoved) {
  const plan::CgroupStep plan = plan_for();
  const Result<Made> result = make(plan);
  ASSERT_TRUE(is_ok(result));
  const std::vector<Directory>& made = result.value().directories;
  EXPECT_EQ(made.size(), plan.directories.size());
  const Sleeper sleeper(made);
  for (const Directory& directory : made) {
    EXPECT_TRUE(directory.made && directory.leaf);
    EXPECT_EQ(read_text(directory.path + "/cgroup.procs"), cat(sleeper.pid(), '\n'));
  }
  EXPECT_EQ(processes(made).value(), std::vector<pid_t>{sleeper.pid()});
  ASSERT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(sleeper.ended());
  EXPECT_TRUE(processes(made).value().empty());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, AnnouncedDirectoriesAreThoseThatAreMade) {
  const plan::CgroupStep plan = plan_for(cat(name(), "/a/b"));
  const Result<std::vector<Directory>> announced = announce(plan);
  ASSERT_TRUE(is_ok(announced));
  const Result<Made> result = make(plan);
  ASSERT_TRUE(is_ok(result));
  const std::vector<Directory>& made = result.value().directories;
  ASSERT_EQ(announced.value().size(), made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(announced.value()[i].path, made[i].path);
    EXPECT_TRUE(announced.value()[i].made);
    EXPECT_FALSE(announced.value()[i].leaf);
  }
  // A create that died before it could say more is cleaned up by the announcement alone.
  EXPECT_TRUE(is_ok(remove(announced.value(), kPatience)));
}

TEST_F(Cgroup, ParentsAreRemovedWithTheLastChild) {
  const std::string parent = name();
  const std::vector<Directory> first = make(plan_for(parent + "/first")).value().directories;
  const std::vector<Directory> second = make(plan_for(parent + "/second")).value().directories;
  EXPECT_EQ(first.size(), 2 * second.size());
  EXPECT_TRUE(is_ok(remove(first, kPatience)));
  for (const Directory& directory : second) EXPECT_TRUE(exists(directory.path));
  EXPECT_TRUE(is_ok(remove(second, kPatience)));
  EXPECT_TRUE(is_ok(remove(first, kPatience))) << "removing again";
}

TEST_F(Cgroup, ThatIsNotEmptyIsRefused) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  {
    const Sleeper sleeper(made);
    const Result<Made> again = make(plan_for());
    ASSERT_FALSE(again.ok());
    EXPECT_TRUE(
        again.error().message().ends_with(": container's cgroup is not empty: 1 process(es) found"))
        << again.error().message();
    EXPECT_EQ(again.error().pointer(), "/linux/cgroupsPath");
  }
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, ThatExistsAndIsEmptyIsUsedAndNotRemoved) {
  const std::vector<Directory> ours = make(plan_for()).value().directories;
  const Result<Made> result = make(plan_for());
  ASSERT_TRUE(is_ok(result));
  const std::vector<Directory>& theirs = result.value().directories;
  for (const Directory& directory : theirs) EXPECT_FALSE(directory.made);
  const Sleeper sleeper(theirs);
  EXPECT_TRUE(is_ok(kill_all(theirs, kPatience)));
  EXPECT_TRUE(sleeper.ended());
  EXPECT_TRUE(is_ok(remove(theirs, kPatience)));
  for (const Directory& directory : ours) EXPECT_TRUE(exists(directory.path));
  EXPECT_TRUE(is_ok(remove(ours, kPatience)));
}

TEST_F(Cgroup, OthersBelowADirectoryThatIsNotOursAreLeftAlone) {
  const std::vector<Directory> outer = make(plan_for()).value().directories;
  const std::vector<Directory> inner = make(plan_for(name() + "/inner")).value().directories;
  std::vector<Directory> borrowed = outer;
  for (Directory& directory : borrowed) directory.made = false;
  {
    const Sleeper stranger(inner);
    EXPECT_TRUE(processes(borrowed).value().empty());
    EXPECT_TRUE(is_ok(kill_all(borrowed, kPatience)));
    EXPECT_FALSE(stranger.ended());
    EXPECT_EQ(processes(outer).value(), std::vector<pid_t>{stranger.pid()});
  }
  EXPECT_TRUE(is_ok(remove(outer, kPatience)));
}

TEST_F(Cgroup, ThatIsFrozenIsRefused) {
  const std::string freezer = leaf_with("freezer");
  const std::string file =
      freezer.empty() ? unified_leaf() + "/cgroup.freeze" : freezer + "/freezer.state";
  const std::vector<Directory> made = make(plan_for()).value().directories;
  ASSERT_TRUE(is_ok(sys::write_file(file, freezer.empty() ? "1" : "FROZEN")));
  const Result<Made> again = make(plan_for());
  ASSERT_FALSE(again.ok());
  EXPECT_TRUE(again.error().message().ends_with(": container's cgroup unexpectedly frozen"));
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, BelowAFrozenParentIsRefusedAndNothingIsLeft) {
  const std::string parent = unified_leaf();
  if (parent.empty()) GTEST_SKIP() << "no cgroup v2";
  const std::vector<Directory> outer = make(plan_for()).value().directories;
  ASSERT_TRUE(is_ok(sys::write_file(parent + "/cgroup.freeze", "1")));
  const Result<Made> inner = make(plan_for(name() + "/inner"));
  EXPECT_FALSE(inner.ok());
  for (const Directory& directory : outer) EXPECT_FALSE(exists(directory.path + "/inner"));
  EXPECT_TRUE(is_ok(remove(outer, kPatience)));
}

TEST_F(Cgroup, FrozenProcessesAreKilled) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  const Sleeper sleeper(made);
  const std::string freezer = leaf_with("freezer");
  const std::string unified = unified_leaf();
  if (!freezer.empty()) {
    ASSERT_TRUE(is_ok(sys::write_file(freezer + "/freezer.state", "FROZEN")));
  }
  if (!unified.empty()) {
    ASSERT_TRUE(is_ok(sys::write_file(unified + "/cgroup.freeze", "1")));
  }
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(sleeper.ended());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, ProcessesInCgroupsThatThePayloadMadeAndFrozeAreKilled) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  const std::string inner = name() + "/x/y";
  // First: v2 lets nobody in when what is below has been given controllers.
  const Sleeper outside(made);
  std::vector<Directory> nested = make(plan_for(inner)).value().directories;
  const Sleeper inside(nested);
  const std::string freezer = leaf_with("freezer", inner);
  if (!freezer.empty()) {
    ASSERT_TRUE(is_ok(sys::write_file(freezer + "/freezer.state", "FROZEN")));
  }
  EXPECT_EQ(processes(made).value().size(), 2U);
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(outside.ended() && inside.ended());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, OfVersionOneAloneIsKilledToo) {
  plan::CgroupStep plan = plan_for();
  std::erase_if(plan.directories, [](const auto& directory) { return directory.unified; });
  if (plan.directories.empty()) GTEST_SKIP() << "no cgroup v1";
  const std::vector<Directory> made = make(plan).value().directories;
  const Sleeper one(made);
  const Sleeper two(made);
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(one.ended() && two.ended());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, AForkBombIsKilled) {
  plan::CgroupStep plan = plan_for();
  std::erase_if(plan.directories, [](const auto& directory) { return directory.unified; });
  if (plan.directories.empty()) GTEST_SKIP() << "no cgroup v1";
  const std::vector<Directory> made = make(plan).value().directories;
  const std::string pids = leaf_with("pids");
  if (pids.empty()) GTEST_SKIP() << "no pids controller to bound it with";
  ASSERT_TRUE(is_ok(sys::write_file(pids + "/pids.max", "40")));
  const sys::Child bomb = start_in(made, [&] {
    // Unbounded it would be the machine's end.
    if (read_text(pids + "/cgroup.procs") != cat(::getpid(), '\n')) ::_exit(1);
    while (true) {
      // Parent and child take turns in dying, so that a pid is old as soon as it is listed.
      if (::fork() > 0 && ::getpid() % 2 == 0) ::_exit(0);
    }
  });
  EXPECT_FALSE(processes(made).value().empty()) << "the bomb is not in the cgroup";
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
  ::waitpid(bomb.pid, nullptr, 0);
}

TEST_F(Cgroup, SignalReachesEveryProcessAndNoOther) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  const Sleeper one(made);
  const Sleeper two(made);
  const Sleeper stranger({});
  EXPECT_TRUE(is_ok(signal_all(made, SIGTERM)));
  EXPECT_EQ(sys::wait_readable({sys::pidfd_open(one.pid()).value().get()}, kPatience).value(), 0U);
  EXPECT_EQ(sys::wait_readable({sys::pidfd_open(two.pid()).value().get()}, kPatience).value(), 0U);
  EXPECT_FALSE(stranger.ended());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, WithAProcessInItIsNotRemovedAndTheErrorNamesThePid) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  {
    const Sleeper sleeper(made);
    EXPECT_TRUE(
        fails_with(remove(made, milliseconds(20)),
                   cat("cgroup ", rt::quoted(made.front().path),
                       ": rmdir: device or resource busy (processes in it: ", sleeper.pid(), ')')));
  }
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, ThatIsEmptyIsRemovedAtOnce) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  EXPECT_TRUE(remove_empty(made).value());
  for (const Directory& directory : made) EXPECT_FALSE(exists(directory.path)) << directory.path;
  EXPECT_TRUE(remove_empty(made).value()) << "gone already";
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, WithAProcessInItIsNotEmpty) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  {
    const Sleeper sleeper(made);
    EXPECT_FALSE(remove_empty(made).value());
    EXPECT_FALSE(sleeper.ended());
    EXPECT_EQ(processes(made).value(), std::vector<pid_t>{sleeper.pid()});
  }
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, ThatWasThereBeforeIsNotRemovedAsEmpty) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  std::vector<Directory> taken = made;
  for (Directory& directory : taken) directory.made = false;
  EXPECT_FALSE(remove_empty(taken).value());
  for (const Directory& directory : made) EXPECT_TRUE(exists(directory.path)) << directory.path;
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, IsRemovedHoweverDeepThePayloadNestedIt) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  for (const Directory& directory : made) {
    std::string path = directory.path;
    for (int depth = 0; depth < 60; ++depth) {
      path += "/n";
      ASSERT_EQ(::mkdir(path.c_str(), 0755), 0) << path;
      ASSERT_EQ(::mkdir((path + "-sibling").c_str(), 0755), 0);
    }
  }
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, ThatVanishedIsEmptyAndRemoved) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  for (const Directory& directory : made) ASSERT_EQ(::rmdir(directory.path.c_str()), 0);
  EXPECT_TRUE(processes(made).value().empty());
  EXPECT_TRUE(is_ok(signal_all(made, SIGTERM)));
  EXPECT_TRUE(is_ok(kill_all(made, kPatience)));
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
  // A v2 directory is entered by clone3(2), not here.
  const bool all_unified = std::ranges::all_of(made, &Directory::unified);
  EXPECT_EQ(enter(made).ok(), all_unified);
}

TEST_F(Cgroup, CpusetIsFilledFromItsParent) {
  const std::string inner = name() + "/inner";
  const std::string leaf = leaf_with("cpuset", inner);
  if (leaf.empty()) GTEST_SKIP() << "no cpuset v1";
  const std::vector<Directory> made = make(plan_for(inner)).value().directories;
  const std::string top = leaf.substr(0, leaf.size() - inner.size());
  EXPECT_EQ(read_text(leaf + "/cpuset.cpus"), read_text(top + "/cpuset.cpus"));
  EXPECT_EQ(read_text(leaf + "/cpuset.mems"), read_text(top + "/cpuset.mems"));
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, MakingNothingIsFine) {
  const std::vector<Directory> made = make({}).value().directories;
  EXPECT_TRUE(made.empty());
  EXPECT_FALSE(static_cast<bool>(open_unified(made).value()));
  EXPECT_TRUE(is_ok(kill_all(made, milliseconds(0))));
}

TEST_F(Cgroup, DirectoriesOutsideACgroupFileSystemAreRefused) {
  std::string place = ::testing::TempDir() + "not-a-cgroup.XXXXXX";
  ASSERT_NE(::mkdtemp(place.data()), nullptr);
  plan::CgroupStep plan;
  plan.directories.push_back({.hierarchy = place, .path = place + "/x", .needs = {}});
  EXPECT_TRUE(fails_with(
      make(plan), cat("cgroup ", rt::quoted(place + "/x"), ": not in a cgroup v1 file system")));
  EXPECT_FALSE(exists(place + "/x"));
  EXPECT_FALSE(remove({{.path = place, .unified = true, .made = true}}, milliseconds(0)).ok());
  EXPECT_TRUE(exists(place));
  ::rmdir(place.c_str());
}

TEST_F(Cgroup, LinksAreNotFollowed) {
  const std::vector<Directory> made = make(plan_for()).value().directories;
  std::string place = ::testing::TempDir() + "link.XXXXXX";
  ASSERT_NE(::mkdtemp(place.data()), nullptr);
  const std::string link = place + "/link";
  ASSERT_EQ(::symlink(made.front().path.c_str(), link.c_str()), 0);
  const Directory through{.path = link, .unified = made.front().unified, .made = true};
  EXPECT_FALSE(processes({through}).ok());
  EXPECT_FALSE(remove({through}, milliseconds(0)).ok());
  EXPECT_TRUE(exists(made.front().path));
  ::unlink(link.c_str());
  ::rmdir(place.c_str());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

TEST_F(Cgroup, PathsThatLeaveTheHierarchyAreRefused) {
  for (const char* below : {"../x", "a/../../x", "a//b", "./a", "a/."}) {
    EXPECT_FALSE(make(plan_for(below)).ok()) << below;
    EXPECT_FALSE(announce(plan_for(below)).ok()) << below;
  }
  plan::CgroupStep plan = plan_for();
  plan.directories.front().path = "/tmp/elsewhere";
  EXPECT_FALSE(make(plan).ok());
}

TEST_F(Cgroup, WhatCannotBeMadeIsLeftOutWhereItIsOptional) {
  plan::CgroupStep plan = plan_for();
  plan.directories.push_back(
      {.hierarchy = "/no/such/mount", .path = "/no/such/mount/x", .needs = {}});
  EXPECT_FALSE(make(plan).ok());
  plan.optional = true;
  const Result<Made> result = make(plan);
  ASSERT_TRUE(is_ok(result));
  const std::vector<Directory>& made = result.value().directories;
  EXPECT_EQ(made.size() + 1, plan.directories.size());
  EXPECT_TRUE(is_ok(remove(made, kPatience)));
}

}  // namespace
}  // namespace rt::cgroup::testing
