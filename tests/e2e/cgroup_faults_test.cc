// What goes wrong with cgroups: frozen from above, processes that neither freeze nor die, gone
// under our hands, not there at all. Each command says what is the matter, in a bounded time, and
// leaves nothing that another command could not take away.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/stuck_file.h"

namespace rt::testing {
namespace {

/// Where processes are frozen: the controller of v1, else what every cgroup of v2 has.
std::optional<Hierarchy> freezer() {
  std::optional<Hierarchy> found;
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.options.contains("freezer")) return hierarchy;
    if (hierarchy.unified) found = hierarchy;
  }
  return found;
}

class CgroupFaults : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (hierarchies().empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
    if (::geteuid() != 0) GTEST_SKIP() << "makes cgroups and mounts of its own";
  }
  void TearDown() override {
    for (const std::string& path : made_) ::rmdir(path.c_str());
    Container::TearDown();
  }

  /// Makes the directory in each hierarchy; it goes when the test ends.
  void make_cgroup(const std::string& path) {
    for (const Hierarchy& hierarchy : hierarchies()) {
      const std::string directory = cat(hierarchy.mount, path);
      ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0) << directory;
      made_.insert(made_.begin(), directory);
    }
  }

  /// Asks for it; a container that is there does not stop at once.
  void set_frozen(const Hierarchy& hierarchy, const std::string& path, bool frozen) const {
    const std::string directory = cat(hierarchy.mount, path);
    if (hierarchy.unified) {
      write(directory + "/cgroup.freeze", frozen ? "1" : "0");
    } else {
      write(directory + "/freezer.state", frozen ? "FROZEN" : "THAWED");
    }
  }

  /// A time in which a command that gives up has done so, with all that it waits for twice.
  static constexpr std::chrono::seconds kBound{25};
  Outcome in_time(const std::vector<std::string>& args) const {
    return Program(runtime_binary(), call(args)).wait(kBound);
  }

  std::vector<std::string> made_;
};

class Frozen : public CgroupFaults {
 protected:
  void SetUp() override {
    CgroupFaults::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    freezer_ = freezer();
    if (!freezer_) GTEST_SKIP() << "no freezer";
    make_cgroup(parent());
    config_.set_string("/linux/cgroupsPath", parent() + "/container");
  }
  [[nodiscard]] std::string parent() const { return cat('/', id()); }

  std::optional<Hierarchy> freezer_;
};

TEST_F(Frozen, ParentsAreRefusedAtCreate) {
  set_frozen(*freezer_, parent(), true);
  write_config();
  EXPECT_TRUE(fails_saying(in_time({"create", "--bundle", bundle(), id()}),
                           "container's cgroup unexpectedly frozen"));
  set_frozen(*freezer_, parent(), false);
}

TEST_F(Frozen, ContainersAreDeletedByForceAlone) {
  start_sleeping();
  ASSERT_TRUE(succeeds(runtime({"pause", id()})));
  EXPECT_TRUE(fails_saying(in_time({"delete", id()}), "that is not stopped: paused"));
  EXPECT_TRUE(succeeds(in_time({"delete", "--force", id()})));
}

/// Not ours to thaw. SIGKILL waits for that in v1; v2 lets it through.
TEST_F(Frozen, FromAboveIsSaidAndNotUndone) {
  start_sleeping();
  set_frozen(*freezer_, parent(), true);
  ASSERT_TRUE(becomes("paused"));
  EXPECT_TRUE(fails_saying(in_time({"exec", id(), "/bin/true"}), "paused"));
  EXPECT_TRUE(fails_saying(in_time({"resume", id()}), "frozen"));
  const Outcome forced = in_time({"delete", "--force", id()});
  if (freezer_->unified) {
    EXPECT_TRUE(succeeds(forced));
  } else {
    EXPECT_TRUE(
        fails_saying(forced, cat("(cgroup \"", freezer_->mount, parent(), "\" is frozen)")));
    EXPECT_EQ(read(cat(freezer_->mount, parent(), "/freezer.state")), "FROZEN\n");
    set_frozen(*freezer_, parent(), false);
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
  set_frozen(*freezer_, parent(), false);
}

/// A process in a state in which it neither freezes nor dies.
class Stuck : public CgroupFaults {
 protected:
  void SetUp() override {
    CgroupFaults::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::mkdir(trap().c_str(), 0755), 0);
    file_ = std::make_unique<StuckFile>(trap());
    if (!file_->works()) GTEST_SKIP() << "no file systems in user space (/dev/fuse)";
    config_.mount("/stuck", "bind", trap(), {"bind"});
  }
  void TearDown() override {
    file_.reset();
    ::rmdir(trap().c_str());
    CgroupFaults::TearDown();
  }
  [[nodiscard]] std::string trap() const { return directory() + "/trap"; }

  void start_stuck() {
    start_sleeping("(exec 3</stuck/file; exec 3<&-) & echo");
    ASSERT_TRUE(file_->has_caught());
  }

  std::unique_ptr<StuckFile> file_;
};

TEST_F(Stuck, ProcessesFailThePauseAndTheOthersGoOn) {
  start_stuck();
  EXPECT_TRUE(fails_saying(in_time({"pause", id()}), "not all processes stop"));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(in_time({"exec", id(), "/bin/true"})));
  file_->let_go();
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Stuck, ProcessesAreNamedByADeleteThatCannotKillThem) {
  start_stuck();
  const Json pids(runtime({"ps", "--format", "json", id()}).out);
  ASSERT_EQ(pids.size(), 2U) << pids.text();
  const std::string stuck = pids.at("/0") == cat(pid()) ? pids.at("/1") : pids.at("/0");
  EXPECT_TRUE(fails_saying(in_time({"delete", "--force", id()}),
                           cat("processes are still there after SIGKILL: ", stuck, '\n')));
  // Its pid namespace waits for it, and nobody but init is of that.
  EXPECT_EQ(status(), "running");
  file_->let_go();
  EXPECT_TRUE(succeeds(remove_by_force()));
}

using Nested = CgroupFaults;

/// As a payload makes them that runs containers of its own.
TEST_F(Nested, CgroupsAreRemovedHoweverDeepAndWithWhatIsInThem) {
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  start_sleeping("sleep 1000 & echo $! > /tmp/other\n");
  std::vector<std::string> deepest;
  for (const Hierarchy& hierarchy : hierarchies()) {
    std::string path = cat(hierarchy.mount, '/', id());
    for (int depth = 0; depth < 50; ++depth) {
      path += "/n";
      ASSERT_EQ(::mkdir(path.c_str(), 0755), 0) << path;
    }
    if (hierarchy.options.contains("cpuset")) continue;  // takes nobody while cpus is empty
    deepest.push_back(path);
  }
  const Outcome inside = runtime({"ps", "--format", "json", id()});
  const Json pids(inside.out);
  ASSERT_EQ(pids.size(), 2U) << inside.out;
  for (const std::string& path : deepest) write(path + "/cgroup.procs", pids.at("/1"));
  EXPECT_TRUE(succeeds(in_time({"delete", "--force", id()})));
}

TEST_F(Nested, ThreadedCgroupsAreRemoved) {
  const std::vector<Hierarchy> all = hierarchies();
  const auto unified = std::ranges::find_if(all, &Hierarchy::unified);
  if (unified == all.end()) GTEST_SKIP() << "no cgroup v2";
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  start_sleeping();
  const std::string below = cat(unified->mount, '/', id(), "/threads");
  ASSERT_EQ(::mkdir(below.c_str(), 0755), 0);
  if (!read(cat(unified->mount, '/', id(), "/cgroup.subtree_control")).starts_with('\n')) {
    write(below + "/cgroup.type", "threaded");
    write(below + "/cgroup.threads", cat(pid()));
  }
  // Neither a domain nor threaded: no process can enter, and reading who is in fails.
  const std::string invalid = below + "/invalid";
  ASSERT_EQ(::mkdir(invalid.c_str(), 0755), 0);
  EXPECT_EQ(read(invalid + "/cgroup.type"), "domain invalid\n");
  EXPECT_TRUE(succeeds(in_time({"delete", "--force", id()})));
}

using Vanished = CgroupFaults;

/// Somebody has moved the container's processes elsewhere, and removed their cgroups.
TEST_F(Vanished, CgroupsLeaveAContainerThatCanBeEnded) {
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  start_sleeping();
  const pid_t init = pid();
  for (const Hierarchy& hierarchy : hierarchies()) {
    write(hierarchy.mount + "/cgroup.procs", cat(init));
    const std::string path = cat(hierarchy.mount, '/', id());
    EXPECT_TRUE(eventually([&] { return ::rmdir(path.c_str()) == 0; })) << path;
  }
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(in_time({"pause", id()}).exit_code, 1);
  EXPECT_EQ(in_time({"update", "--pids-limit", "7", id()}).exit_code, 1);
  for (const char* command : {"ps", "exec", "events"}) {
    std::vector<std::string> args = {command, id()};
    if (command == std::string_view("events")) args = {command, "--stats", id()};
    if (command == std::string_view("exec")) args.emplace_back("/bin/true");
    const Outcome outcome = in_time(args);
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 1 || outcome.exit_code == 255)
        << command << ": " << outcome.exit_code;
    EXPECT_TRUE(outcome.exit_code == 0 || !outcome.err.empty()) << command;
  }
  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Vanished, CgroupsOfAStoppedContainerAreNoErrorForAnybody) {
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  reap_orphans();
  for (const Hierarchy& hierarchy : hierarchies()) {
    const std::string path = cat(hierarchy.mount, '/', id());
    EXPECT_TRUE(eventually([&] { return ::rmdir(path.c_str()) == 0; })) << path;
  }
  for (const std::vector<std::string>& args : {std::vector<std::string>{"pause", id()},
                                               {"exec", id(), "/bin/true"},
                                               {"update", "--pids-limit", "7", id()},
                                               {"events", "--stats", id()}}) {
    const Outcome outcome = in_time(args);
    EXPECT_NE(outcome.exit_code, 0) << args[0];
    EXPECT_NE(outcome.err.find("not running"), std::string::npos) << args[0] << ": " << outcome.err;
  }
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

/// A machine on which the hierarchies are not as they should be, for the runtime alone.
class OddMachine : public CgroupFaults {
 protected:
  /// `change` is done in a mount namespace of the runtime's; false is a failure of the test.
  Outcome run_where(const std::function<bool()>& change) const {
    write_config();
    Call call;
    call.before_exec = [change] {
      const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        change();
      if (!done) ::_exit(99);
    };
    return runtime({"run", id(), bundle()}, call);
  }
  static bool unmount_all() {
    for (const Hierarchy& hierarchy : hierarchies()) {
      if (::umount2(hierarchy.mount.c_str(), MNT_DETACH) != 0) return false;
    }
    return true;
  }
  static bool make_all_read_only() {
    for (const Hierarchy& hierarchy : hierarchies()) {
      constexpr unsigned long kFlags = MS_REMOUNT | MS_BIND | MS_RDONLY;
      if (::mount(nullptr, hierarchy.mount.c_str(), nullptr, kFlags, nullptr) != 0) return false;
    }
    return true;
  }
};

TEST_F(OddMachine, WithoutCgroupsRunsAContainerThatAsksForNone) {
  const Outcome outcome = run_where(unmount_all);
  EXPECT_TRUE(succeeds(outcome));
}

TEST_F(OddMachine, WithoutCgroupsRefusesLimits) {
  config_.set("/linux/resources", R"({"memory": {"limit": 67108864}})");
  const Outcome outcome = run_where(unmount_all);
  EXPECT_TRUE(fails_saying(outcome, "linux.resources.memory.limit"));
}

TEST_F(OddMachine, WithReadOnlyCgroupsSaysSo) {
  EXPECT_TRUE(fails_saying(run_where(make_all_read_only), "read-only file system"));
  config_.set_string("/linux/cgroupsPath", cat('/', id()));
  EXPECT_TRUE(fails_saying(run_where(make_all_read_only), "read-only file system"));
}

TEST_F(OddMachine, WithReadOnlyCgroupsRunsAContainerThatIsNotToHaveOne) {
  write_config();
  Call call;
  call.args = {"--root", state_root(), "--cgroup-manager", "disabled", "run", id(), bundle()};
  call.before_exec = [] {
    const bool done = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      make_all_read_only();
    if (!done) ::_exit(99);
  };
  EXPECT_TRUE(succeeds(run_program(runtime_binary(), call)));
}

TEST_F(OddMachine, WithoutSystemdRefusesItsPaths) {
  if (exists("/run/systemd/system")) GTEST_SKIP() << "systemd runs here: systemd_test";
  config_.set_string("/linux/cgroupsPath", cat("system.slice:runtime:", id()));
  write_config();
  Call call;
  call.args = {"--root", state_root(), "--systemd-cgroup", "create", "--bundle", bundle(), id()};
  const Outcome outcome = run_program(runtime_binary(), call);
  EXPECT_TRUE(fails_saying(outcome, "systemd"));
  EXPECT_NE(status().find("does not exist"), std::string::npos);
}

/// A container without a pid namespace of its own: its processes outlive init.
class SharedPids : public CgroupFaults {
 protected:
  void run_to_the_end(std::string_view script = "sleep 1000 & exit 0") {
    config_.set_string("/linux/cgroupsPath", cat('/', id()));
    config_.without_namespace("pid");
    config_.shell(script);
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    ASSERT_TRUE(becomes("stopped"));
  }
};

TEST_F(SharedPids, WhoOutlivesInitKeepsAPlainDeleteBack) {
  run_to_the_end();
  EXPECT_TRUE(fails_saying(in_time({"delete", id()}),
                           "container's cgroup is not empty: 1 process(es) found"));
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(in_time({"delete", "--force", id()})));
}

/// As containerd does. So many that some are still dying.
TEST_F(SharedPids, WhoIsDyingDoesNotKeepAPlainDeleteBack) {
  run_to_the_end("i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i + 1)); done; exit 0");
  EXPECT_TRUE(succeeds(in_time({"kill", "--all", id(), "KILL"})));
  EXPECT_TRUE(succeeds(in_time({"delete", id()})));
  reap_orphans();
}

TEST_F(SharedPids, WhoOutlivesInitIsReachedByASignalForAll) {
  run_to_the_end();
  EXPECT_TRUE(fails_saying(in_time({"kill", id(), "KILL"}), "container not running"));
  EXPECT_TRUE(succeeds(in_time({"kill", "--all", id(), "KILL"})));
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return remove().exit_code == 0;
  }));
}

}  // namespace
}  // namespace rt::testing
