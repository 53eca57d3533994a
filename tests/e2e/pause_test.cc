// The commands pause and resume, and what the others do with a paused container.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Pause : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (!IsSkipped() && !freezer()) GTEST_SKIP() << "no cgroup hierarchy with a freezer";
  }

  /// v1's controller, or v2, where every cgroup has one.
  [[nodiscard]] static std::optional<Hierarchy> freezer() {
    std::optional<Hierarchy> found = hierarchy_with("freezer");
    if (found) return found;
    for (const Hierarchy& each : hierarchies()) {
      if (each.unified) found = each;
    }
    return found;
  }
  [[nodiscard]] Outcome pause() const { return runtime({"pause", id()}); }
  [[nodiscard]] Outcome resume() const { return runtime({"resume", id()}); }

  /// A payload that counts in a file of its root.
  void start_counting() {
    config_.shell("i=0; while :; do i=$((i+1)); echo $i > /tmp/count; done");
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    ASSERT_TRUE(eventually([&] { return count() > 0; }));
  }
  [[nodiscard]] int64_t count() const {
    const std::string text = read(rootfs() + "/tmp/count");
    return parse_int(text.substr(0, text.find('\n'))).value_or(0);
  }
  [[nodiscard]] bool counts_on() const {
    const int64_t from = count();
    return eventually([&] { return count() > from; }, std::chrono::seconds(5));
  }
  /// What somebody else does to the container's cgroup, behind the runtime's back.
  void set_frozen(const std::string& cgroup, bool frozen) const {
    const bool unified = freezer()->unified;
    write(cgroup + (unified ? "/cgroup.freeze" : "/freezer.state"),
          unified ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED"));
  }
};

TEST_F(Pause, StopsEveryProcessAndResumeLetsThemGoOn) {
  start_counting();
  EXPECT_TRUE(succeeds(pause()));
  EXPECT_EQ(status(), "paused");
  EXPECT_EQ(Json(runtime({"list", "--format", "json"}).out).at("/0/status"), "paused");
  // Whoever stands still does not count on, however often one looks.
  const int64_t stopped_at = count();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status(), "paused");
  EXPECT_EQ(count(), stopped_at);
  EXPECT_TRUE(succeeds(resume()));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(counts_on());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, OfACreatedContainerKeepsItFromBeingStarted) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(pause()));
  EXPECT_EQ(status(), "paused");
  EXPECT_TRUE(fails_saying(start(), "container paused"));
  EXPECT_TRUE(succeeds(resume()));
  EXPECT_EQ(status(), "created");
  EXPECT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, WorksOnWhatRunsAndResumeOnWhatIsPaused) {
  EXPECT_TRUE(fails_saying(pause(), "container does not exist"));
  EXPECT_TRUE(fails_saying(resume(), "container does not exist"));
  start_sleeping();
  EXPECT_TRUE(fails_saying(resume(), "container not paused"));
  EXPECT_TRUE(succeeds(pause()));
  EXPECT_TRUE(fails_saying(pause(), "container not running: it is paused already"));
  EXPECT_EQ(status(), "paused");
  EXPECT_TRUE(fails_saying(start(), "container paused"));
  EXPECT_TRUE(fails_saying(remove(), "that is not stopped: paused"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, OfAStoppedContainerIsAnError) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(pause(), "container not running"));
  EXPECT_TRUE(fails_saying(resume(), "container not paused"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Pause, KeepsSignalsUntilResumeButNotSigkill) {
  config_.shell("trap 'echo got > /tmp/got' TERM; touch /tmp/started; while :; do sleep .1; done");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  ASSERT_TRUE(succeeds(pause()));
  EXPECT_TRUE(succeeds(kill("TERM")));
  EXPECT_EQ(status(), "paused");
  EXPECT_FALSE(exists(rootfs() + "/tmp/got"));
  EXPECT_TRUE(succeeds(resume()));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/got"); }));
  ASSERT_TRUE(succeeds(pause()));
  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Pause, EveryProcessOfAPausedContainerCanBeKilled) {
  start_sleeping("sleep 1000 &");
  ASSERT_TRUE(succeeds(pause()));
  EXPECT_TRUE(succeeds(runtime({"kill", "--all", id(), "KILL"})));
  EXPECT_TRUE(becomes("stopped"));
  reap_orphans();
  EXPECT_TRUE(eventually([&] { return runtime({"ps", "-f", "json", id()}).out == "[]\n"; }));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Pause, KeepsExecOutUnlessItMayWait) {
  start_sleeping();
  ASSERT_TRUE(succeeds(pause()));
  EXPECT_TRUE(fails_saying(runtime({"exec", id(), "/bin/true"}),
                           "cannot exec in a paused container (use --ignore-paused to override)"));
  Program waiting(runtime_binary(),
                  call({"exec", "--ignore-paused", id(), "/bin/sh", "-c", "echo at last"}));
  EXPECT_EQ(waiting.out(), "");
  EXPECT_TRUE(succeeds(resume()));
  EXPECT_EQ(waiting.wait().out, "at last\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, BySomebodyElseIsAPauseToo) {
  start_sleeping();
  const std::string cgroup = cgroup_of(pid(), *freezer());
  set_frozen(cgroup, true);
  EXPECT_TRUE(becomes("paused"));
  EXPECT_TRUE(fails_saying(pause(), "container not running"));
  EXPECT_TRUE(succeeds(resume()));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, OfACgroupAboveCannotBeResumedFromBelow) {
  const std::string parent = workplace_path("frozen-" + id());
  config_.set_string("/linux/cgroupsPath", cat(parent, '/', id()));
  start_sleeping();
  const std::string cgroup = cgroup_of(pid(), *freezer());
  const std::string above = cgroup.substr(0, cgroup.rfind('/'));
  set_frozen(above, true);
  EXPECT_TRUE(becomes("paused"));
  EXPECT_TRUE(fails_saying(resume(), "frozen by the cgroup above it"));
  EXPECT_EQ(status(), "paused");
  set_frozen(above, false);
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Pause, AndDeleteByForceAtTheSameTimeEndInNothing) {
  for (int round = 0; round < 10; ++round) {
    config_.shell("while :; do :; done");
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    Program pausing(runtime_binary(), call({"pause", id()}));
    Program deleting(runtime_binary(), call({"delete", "--force", id()}));
    const Outcome paused = pausing.wait();
    EXPECT_TRUE(succeeds(deleting.wait())) << "round " << round;
    const bool fine = paused.exit_code == 0 ||
                      paused.err.find("container not running") != std::string::npos ||
                      paused.err.find("does not exist") != std::string::npos;
    EXPECT_TRUE(fine) << paused.err;
    EXPECT_TRUE(fails_saying(runtime({"state", id()}), "container does not exist"));
  }
}

// A frozen process of v1 that was sent SIGKILL a moment before would never end.
TEST_F(Pause, AndKillAtTheSameTimeEndTheContainer) {
  for (int round = 0; round < 20; ++round) {
    config_.shell("sleep 1000 & while :; do :; done");
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    Program pausing(runtime_binary(), call({"pause", id()}));
    Program killing(runtime_binary(), call({"kill", id(), "KILL"}));
    static_cast<void>(pausing.wait());
    EXPECT_TRUE(succeeds(killing.wait()));
    EXPECT_TRUE(becomes("stopped")) << "round " << round;
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

}  // namespace
}  // namespace rt::testing
