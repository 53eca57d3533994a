// What becomes of a container when CRIU saves it, does not, or ends in the middle.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/sys/file.h"
#include "tests/e2e/played_criu.h"

namespace rt::testing {
namespace {

class CheckpointAnswers : public PlayedCriu {
 protected:
  void take_down() const { EXPECT_TRUE(succeeds(remove_by_force())); }
};

TEST_F(CheckpointAnswers, ASavedContainerIsDeleted) {
  hook("poststop", "echo over >>$D/poststop");
  start_sleeping();
  play("kill\nsucceed");
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone()) << status();
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
  EXPECT_EQ(written("poststop"), "over\n");
  check_nothing_is_left();
}

TEST_F(CheckpointAnswers, ThatItIsSavedIsEnoughForItToBeKilled) {
  start_sleeping();
  play("succeed");
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone()) << status();
  check_nothing_is_left();
}

TEST_F(CheckpointAnswers, AContainerThatIsLeftRunningRuns) {
  start_sleeping();
  const pid_t init = pid();
  for (const char* way : {"--leave-running", "--pre-dump"}) {
    play("succeed");
    EXPECT_TRUE(succeeds(checkpoint({way}))) << way;
    expect_running(init);
  }
  take_down();
}

TEST_F(CheckpointAnswers, TheImageIsNobodyElses) {
  start_sleeping();
  const mode_t old = ::umask(0);
  play("succeed");
  EXPECT_TRUE(succeeds(checkpoint({"--leave-running"})));
  ::umask(old);
  const auto mode = [&](const std::string& name) {
    return sys::stat(image() + name).value().st_mode & 07777;
  };
  EXPECT_EQ(mode(""), 0700U);
  EXPECT_EQ(mode("/descriptors.json"), 0600U);
  EXPECT_EQ(mode("/image"), 0600U) << "CRIU wrote it";
  take_down();
}

struct Refusal {
  const char* name;
  const char* play;
  const char* says;
};

class Refusals : public CheckpointAnswers, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, LeaveTheContainerRunning) {
  start_sleeping();
  const pid_t init = pid();
  play(GetParam().play);
  const Outcome refused = checkpoint();
  EXPECT_TRUE(fails_saying(refused, GetParam().says));
  EXPECT_TRUE(refused.err.starts_with(cat("runtime: checkpoint ", id(), ": "))) << refused.err;
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
  expect_running(init);
  play("kill\nsucceed");
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refusals,
    ::testing::Values(
        Refusal{"WithALog",
                "log (00.000001) Version: 3.17\n"
                "log (00.083412) Error (criu/mount.c:753): mnt: 51:./x doesn't have a root\n"
                "log (00.083419)      1: Error (criu/files.c:1): no such luck\n"
                "log (00.085412) Error (criu/cr-dump.c:2053): Dumping FAILED.\n"
                "fail 22 not this",
                "criu failed: mnt: 51:./x doesn't have a root; no such luck (log file: "},
        Refusal{"WithoutALog", "fail - it is too big", "criu failed: it is too big (log file: "},
        Refusal{"WithACode", "fail 13", "criu failed: permission denied"},
        Refusal{"WithoutAnyReason", "fail", "criu failed: it does not say why"},
        Refusal{"WhoseLogSaysNothing",
                "log (00.1) Error (criu/cr-dump.c:2053): Dumping FAILED.\nfail 5",
                "criu failed: input/output error"},
        Refusal{"ThatIsAnEnd", "exit", "criu ended without an answer: exit status 9"},
        Refusal{"ThatIsADeath", "die", "criu ended without an answer: signal 9"},
        Refusal{"ThatIsALastWord", "say no libnet\nexit",
                "criu ended without an answer: exit status 9 (\"no libnet\")"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CheckpointAnswers, TheLogIsNamed) {
  start_sleeping();
  play("fail");
  EXPECT_TRUE(fails_saying(checkpoint(), cat("(log file: ", work(), "/dump.log)")));
  take_down();
}

TEST_F(CheckpointAnswers, AContainerThatWasPausedStaysPaused) {
  start_sleeping();
  ASSERT_TRUE(succeeds(runtime({"pause", id()})));
  play("fail");
  EXPECT_TRUE(fails_saying(checkpoint(), "criu failed"));
  EXPECT_EQ(status(), "paused");
  play("succeed");
  EXPECT_TRUE(succeeds(checkpoint({"--leave-running"})));
  EXPECT_EQ(status(), "paused");
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone());
}

TEST_F(CheckpointAnswers, TheContainerOfARuntimeThatIsKilledGoesOn) {
  start_sleeping();
  const pid_t init = pid();
  play("hang");
  Program killed(runtime_binary(), call(checkpoint_words()));
  ASSERT_TRUE(eventually([&] { return was_asked(); }));
  killed.signal(SIGKILL);
  EXPECT_EQ(killed.wait().signal, SIGKILL);
  expect_running(init);
  play("kill\nsucceed");
  // The one that was killed holds nothing any more; its CRIU ends by itself.
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone());
}

TEST_F(CheckpointAnswers, TwoAreNotMadeAtATime) {
  start_sleeping();
  play("hang");
  Program first(runtime_binary(), call(checkpoint_words()));
  ASSERT_TRUE(eventually([&] { return was_asked(); }));
  EXPECT_EQ(request().at("/type"), "DUMP");
  play("kill\nsucceed");
  EXPECT_EQ(status(), "running") << "who only looks does not wait";
  EXPECT_TRUE(fails_saying(checkpoint(), "another command is at work on it"));
  EXPECT_FALSE(was_asked());
  first.signal(SIGKILL);
  first.wait();
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone());
}

TEST_F(CheckpointAnswers, NothingIsSavedOfAContainerThatDoesNotRun) {
  EXPECT_TRUE(fails_saying(checkpoint(), "container does not exist"));
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(fails_saying(checkpoint(), "cannot checkpoint a container that was not started"));
  config_.args({"/bin/true"});
  EXPECT_TRUE(succeeds(remove()));
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(checkpoint(), "cannot checkpoint a stopped container"));
  EXPECT_FALSE(was_asked());
  EXPECT_FALSE(exists(image()));
  EXPECT_TRUE(succeeds(remove()));
}

struct Foreign {
  const char* name;
  void (*make)(const std::string& image, const std::string& elsewhere);
  const char* says;
};

class ForeignImages : public CheckpointAnswers, public ::testing::WithParamInterface<Foreign> {};

TEST_P(ForeignImages, AreNotWrittenTo) {
  start_sleeping();
  const pid_t init = pid();
  play("kill\nsucceed");
  GetParam().make(image(), directory() + "/elsewhere");
  const Outcome refused = checkpoint();
  EXPECT_TRUE(fails_saying(refused, cat("image path \"", image(), "\": ", GetParam().says)));
  EXPECT_FALSE(was_asked());
  expect_running(init);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

void make_directory(const std::string& path, mode_t mode, uid_t owner) {
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  ASSERT_EQ(::chown(path.c_str(), owner, 0), 0);
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ForeignImages,
    ::testing::Values(
        Foreign{"OfAnotherUser",
                [](const auto& image, const auto&) { make_directory(image, 0700, 1000); },
                "belongs to another user, 1000"},
        Foreign{"OfAGroup", [](const auto& image, const auto&) { make_directory(image, 0770, 0); },
                "others may write to it"},
        Foreign{"OfEverybody",
                [](const auto& image, const auto&) { make_directory(image, 0702, 0); },
                "others may write to it"},
        Foreign{"ThatAreLinks",
                [](const auto& image, const auto& elsewhere) {
                  make_directory(elsewhere, 0755, 1000);
                  ASSERT_EQ(::symlink(elsewhere.c_str(), image.c_str()), 0);
                },
                "belongs to another user, 1000"},
        Foreign{"ThatAreDanglingLinks",
                [](const auto& image, const auto& elsewhere) {
                  ASSERT_EQ(::symlink(elsewhere.c_str(), image.c_str()), 0);
                },
                "open: no such file or directory"},
        Foreign{"ThatAreFiles",
                [](const auto& image, const auto&) {
                  ASSERT_GE(UniqueFd(::open(image.c_str(), O_CREAT | O_CLOEXEC, 0600)).get(), 0);
                },
                "open: not a directory"},
        Foreign{"ThatAreFifos",
                [](const auto& image, const auto&) { ASSERT_EQ(::mkfifo(image.c_str(), 0600), 0); },
                "open: not a directory"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CheckpointAnswers, WhereThereIsNoCriuIsSaid) {
  start_sleeping();
  const pid_t init = pid();
  const auto with = [&](const std::string& criu) {
    return runtime({"--log", directory() + "/log", "--log-format", "json", "--criu", criu,
                    "checkpoint", "--image-path", image(), id()});
  };
  EXPECT_TRUE(fails_saying(with("/nonexistent"), "--criu /nonexistent: "));
  const Json logged(read(directory() + "/log"));
  EXPECT_EQ(logged.at("/level"), "error");
  EXPECT_NE(logged.at("/msg").find("no such file or directory"), std::string::npos);
  const Outcome by_name = with("name-that-is-not-there");
  EXPECT_TRUE(fails_saying(by_name, "name-that-is-not-there: executable file not found"));
  EXPECT_NE(by_name.err.find("install criu, or name it with --criu PATH"), std::string::npos);
  EXPECT_TRUE(fails_saying(with("../sbin/criu"), "executable file not found"));
  EXPECT_TRUE(fails_saying(with("/etc/passwd"), "permission denied"));
  EXPECT_FALSE(exists(image()));
  expect_running(init);
  take_down();
}

TEST_F(CheckpointAnswers, WhereThereIsNoHelperIsSaid) {
  start_sleeping();
  const std::string alone = directory() + "/runtime-alone";
  copy_file(runtime_binary(), alone, 0755);
  const Outcome outcome = run_program(alone, call(checkpoint_words()));
  EXPECT_TRUE(fails_saying(outcome, "runtime-criu, which talks to criu, is neither"));
  EXPECT_FALSE(exists(image()));
  EXPECT_EQ(status(), "running");
  take_down();
}

// Where CRIU sees nothing of the host.
TEST_F(CheckpointAnswers, ProgramsMayBeBelowTmp) {
  start_sleeping();
  const std::string from = runtime_binary().substr(0, runtime_binary().rfind('/'));
  ASSERT_TRUE(directory().starts_with("/tmp/")) << directory();
  for (const char* name : {"/runtime", "/runtime-criu"}) {
    copy_file(from + name, directory() + name, 0755);
  }
  copy_file(criu(), directory() + "/criu", 0755);
  play("succeed");
  const Call checkpoint = call({"--criu", directory() + "/criu", "checkpoint", "--leave-running",
                                "--image-path", image(), "--work-path", work(), id()});
  EXPECT_TRUE(succeeds(run_program(directory() + "/runtime", checkpoint)));
  EXPECT_TRUE(was_asked());
  take_down();
}

}  // namespace
}  // namespace rt::testing
