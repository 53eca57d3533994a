// What becomes of a restore: the container that CRIU brings back is one like any other, and of one
// that it does not bring back nothing is left.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sys/file.h"
#include "tests/e2e/played_criu.h"
#include "tests/support/cgroups.h"
#include "tests/support/listener.h"

namespace rt::testing {
namespace {

/// The moments at which CRIU asks, in their order, with what can be seen of it.
constexpr const char* kWhole =
    "notice pre-restore\nchild\nnotice setup-namespaces\nnotice post-setup-namespaces\n"
    "notice post-restore\nnotice network-unlock\nnotice pre-resume\nnotice post-resume\nsucceed";

class RestoreAnswers : public PlayedCriu {
 protected:
  [[nodiscard]] pid_t pid_in_file() const {
    return static_cast<pid_t>(parse_int(read(pid_file())).value_or(0));
  }
  /// No container, and none of its files.
  void expect_nothing() const {
    EXPECT_TRUE(is_gone()) << status();
    EXPECT_FALSE(exists(pid_file()));
    check_nothing_is_left();
  }
};

TEST_F(RestoreAnswers, WhatIsBroughtBackIsAContainer) {
  make_image();
  play(kWhole);
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(pid_in_file(), pid());
  EXPECT_EQ(sys::stat(pid_file()).value().st_mode & 07777, 0644U);
  EXPECT_EQ(runtime({"list", "--quiet"}).out, id() + '\n');
  for (const Hierarchy& hierarchy : hierarchies()) {
    EXPECT_NE(cgroup_of(pid(), hierarchy).find(id()), std::string::npos) << hierarchy.mount;
  }
  EXPECT_TRUE(succeeds(runtime({"pause", id()})));
  EXPECT_EQ(status(), "paused");
  EXPECT_TRUE(succeeds(runtime({"resume", id()})));
  EXPECT_TRUE(succeeds(kill("TERM")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_TRUE(is_gone());
}

TEST_F(RestoreAnswers, ItIsTheChildOfWhoAdoptsOrphans) {
  make_image();
  play(kWhole);
  ASSERT_TRUE(succeeds(restore()));
  const pid_t init = pid_in_file();
  EXPECT_TRUE(succeeds(kill("TERM")));
  int status = 0;
  EXPECT_EQ(::waitpid(init, &status, 0), init);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(RestoreAnswers, AReadOnlyRootIsReadOnlyAgain) {
  make_image();
  play(kWhole);
  for (const bool readonly : {true, false}) {
    config_.set("/root/readonly", readonly ? "true" : "false");
    ASSERT_TRUE(succeeds(restore()));
    const std::string mounts = read(cat("/proc/", pid(), "/mountinfo"));
    EXPECT_EQ(mounts.find(" / / ro,") != std::string::npos, readonly) << mounts;
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

TEST_F(RestoreAnswers, NoNewPrivilegesAreWhatTheProcessHas) {
  make_image();
  play(kWhole);
  for (const char* value : {"true", "false"}) {
    config_.set("/process/noNewPrivileges", value);
    ASSERT_TRUE(succeeds(restore()));
    const std::string expected = cat("NoNewPrivs:\t", *value == 't' ? 1 : 0);
    const std::string told = read(cat("/proc/", pid(), "/status"));
    EXPECT_NE(told.find(expected), std::string::npos);
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

TEST_F(RestoreAnswers, HooksRunAtTheirMoments) {
  for (const HookKind& kind : kHookKinds) {
    hook(kind.name, "echo $KIND $(cat | sed 's/.*\"status\":\"\\([a-z]*\\)\".*/\\1/') >>$D/hooks");
  }
  make_image();
  play(kWhole);
  ASSERT_TRUE(succeeds(restore()));
  // Those of the container's inside are a part of what was saved.
  EXPECT_EQ(written("hooks"), "prestart creating\ncreateRuntime creating\npoststart running\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(written("hooks").ends_with("poststart running\npoststop stopped\n"))
      << written("hooks");
}

TEST_F(RestoreAnswers, HooksAreToldThePidOfTheProcess) {
  hook("createRuntime", "cat >$D/state");
  make_image();
  play(kWhole);
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(Json(written("state")).at("/pid"), std::to_string(pid()));
  EXPECT_EQ(Json(written("state")).at("/id"), id());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(RestoreAnswers, TheForegroundEndsAsTheContainerDoes) {
  hook("poststop", "echo over >>$D/poststop");
  make_image();
  write_config();
  play(kWhole);
  Program foreground(runtime_binary(), call(restore_words()));
  ASSERT_TRUE(eventually([&] { return status() == "running"; })) << foreground.err();
  EXPECT_TRUE(succeeds(kill("TERM")));
  const Outcome outcome = foreground.wait();
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(is_gone()) << status();
  EXPECT_EQ(written("poststop"), "over\n");
}

TEST_F(RestoreAnswers, TheForegroundHandsSignalsOnAndKeepsWhatItIsTold) {
  make_image();
  write_config();
  play(kWhole);
  Program foreground(runtime_binary(), call(restore_words({"--keep"})));
  ASSERT_TRUE(eventually([&] { return status() == "running"; })) << foreground.err();
  foreground.signal(SIGTERM);
  EXPECT_EQ(foreground.wait().exit_code, 7);
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(RestoreAnswers, ATerminalGoesToTheConsoleSocket) {
  config_.set("/process/terminal", "true");
  make_image();
  play("child\nnotice setup-namespaces\nterminal\nnotice post-restore\nsucceed");
  EXPECT_TRUE(fails_saying(restore(), "without setting console socket"));
  EXPECT_FALSE(was_asked());
  const std::string path = directory() + "/console.sock";
  const Listener listener(path);
  ASSERT_TRUE(succeeds(restore({"--console-socket", path})));
  const Delivery sent = receive_all(listener.accept().get());
  EXPECT_EQ(::isatty(sent.descriptor.get()), 1);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(RestoreAnswers, ATerminalThatNobodyWantsIsAnError) {
  make_image();
  play("child\nnotice setup-namespaces\nterminal\nnotice post-restore\nsucceed");
  EXPECT_TRUE(fails_saying(restore(), "the image has a terminal, and config.json has none"));
  expect_nothing();
}

TEST_F(RestoreAnswers, ImagesThatAreMissingAreNotMade) {
  // Without a work path the log would go there.
  EXPECT_TRUE(fails_saying(runtime({"restore", "--image-path", image(), id(), bundle()}),
                           "/image\": open: no such file or directory"));
  EXPECT_NE(::access(image().c_str(), F_OK), 0);
  expect_nothing();
}

TEST_F(RestoreAnswers, AnIdInUseStaysWhatItIs) {
  start_sleeping();
  const pid_t init = pid();
  make_image();
  play(kWhole);
  EXPECT_TRUE(fails_saying(restore(), "already exists"));
  EXPECT_FALSE(was_asked());
  EXPECT_FALSE(exists(pid_file()));
  expect_running(init);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

struct Refusal {
  const char* name;
  const char* play;
  const char* says;
};

class Refusals : public RestoreAnswers, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, LeaveNothing) {
  hook("poststop", "echo over >>$D/poststop");
  make_image();
  play(GetParam().play);
  EXPECT_TRUE(fails_saying(restore(), GetParam().says));
  expect_nothing();
  const bool prestart =
      std::string_view(GetParam().play).find("setup-namespaces") != std::string::npos;
  EXPECT_EQ(written("poststop"), prestart ? "over\n" : "") << "for whom hooks had run";
  // The same words with the same id, and a CRIU that does it.
  play(kWhole);
  EXPECT_TRUE(succeeds(restore()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

constexpr const char* kLogged =
    "log (00.083412)      1: Error (criu/pagemap.c:557): Can't read async pr\n"
    "log (00.085412) Error (criu/cr-restore.c:2537): Restoring FAILED.\nfail";

INSTANTIATE_TEST_SUITE_P(
    Table, Refusals,
    ::testing::Values(
        Refusal{"AtOnce", kLogged, "criu failed: Can't read async pr (log file: "},
        Refusal{"OfAnEnd", "exit", "criu ended without an answer: exit status 9"},
        Refusal{"OfADeath", "notice pre-restore\nchild\nnotice setup-namespaces\ndie",
                "criu ended without an answer: signal 9"},
        Refusal{"BetweenNotices", "child\nnotice setup-namespaces\nexit",
                "criu ended without an answer: exit status 9"},
        Refusal{"AfterTheProcessIsThere",
                "child\nnotice setup-namespaces\nnotice post-restore\nexit",
                "criu ended without an answer: exit status 9"},
        Refusal{"AfterEverything",
                "child\nnotice setup-namespaces\nnotice post-restore\nnotice pre-resume\nfail 5",
                "criu failed: input/output error"},
        Refusal{"OfAProcessOutsideItsCgroup",
                "stray\nnotice setup-namespaces\nnotice post-restore\nexit",
                "criu ended without an answer: exit status 9"},
        Refusal{"WithoutAProcess", "succeed", "criu has brought back nothing"},
        Refusal{"OfAProcessThatIsNotSaidToBeThere", "child\nnotice setup-namespaces\nsucceed",
                "criu has brought back nothing"}),
    [](const auto& row) { return row.param.name; });

class HookFailures : public RestoreAnswers, public ::testing::WithParamInterface<const char*> {};

TEST_P(HookFailures, LeaveNothing) {
  hook(GetParam(), "exit 4");
  hook("poststop", "echo over >>$D/poststop");
  make_image();
  play(kWhole);
  EXPECT_TRUE(fails_saying(restore(), GetParam()));
  EXPECT_EQ(written("poststop"), "over\n");
  expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(Kinds, HookFailures,
                         ::testing::Values("prestart", "createRuntime", "poststart"));

TEST_F(RestoreAnswers, APidFileThatCannotBeWrittenLeavesNothing) {
  make_image();
  play(kWhole);
  EXPECT_TRUE(fails_saying(restore({"--pid-file", "/nonexistent/pid"}), "/nonexistent/pid"));
  expect_nothing();
}

TEST_F(RestoreAnswers, OfARuntimeThatIsKilledDeleteRemovesTheRest) {
  make_image();
  write_config();
  play("child\nnotice setup-namespaces\nnotice post-restore\nhang");
  Program killed(runtime_binary(), call(restore_words({"--detach"})));
  ASSERT_TRUE(eventually([&] { return exists(pid_file()); })) << killed.err();
  killed.signal(SIGKILL);
  killed.wait();
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(is_gone()) << status();
}

struct Spoilt {
  const char* name;
  void (*make)(const std::string& image);
  const char* says;
};

class SpoiltImages : public RestoreAnswers, public ::testing::WithParamInterface<Spoilt> {};

TEST_P(SpoiltImages, AreRefusedBeforeCriuIsAsked) {
  play(kWhole);
  GetParam().make(image());
  EXPECT_TRUE(fails_saying(restore(), GetParam().says));
  EXPECT_FALSE(was_asked());
  expect_nothing();
}

void make_directory(const std::string& image, mode_t mode = 0700) {
  ASSERT_EQ(::mkdir(image.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(image.c_str(), mode), 0);
}

/// With this in its descriptors.json.
void make_with(const std::string& image, const std::string& text, off_t size = 0) {
  make_directory(image);
  const UniqueFd file(
      ::open((image + "/descriptors.json").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_TRUE(sys::write_all(file.get(), text).ok());
  if (size > 0) {
    ASSERT_EQ(::ftruncate(file.get(), size), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiltImages,
    ::testing::Values(
        Spoilt{"Missing", [](const std::string&) {}, "/image\": open: no such file or directory"},
        Spoilt{"OfEverybody", [](const auto& image) { make_directory(image, 0777); },
               "others may write to it"},
        Spoilt{"WithoutStreams", [](const auto& image) { make_directory(image); },
               "descriptors.json: open: no such file or directory (there is no checkpoint"},
        Spoilt{"WithGarbage", [](const auto& image) { make_with(image, "{]"); },
               "descriptors.json: "},
        Spoilt{"WithAnObject", [](const auto& image) { make_with(image, "{}"); },
               "descriptors.json: "},
        Spoilt{"WithNumbers", [](const auto& image) { make_with(image, "[1, 2, 3]"); },
               "descriptors.json"},
        Spoilt{"Endless", [](const auto& image) { make_with(image, "[", 1 << 30); },
               "descriptors.json: read: file too large"},
        Spoilt{"WithALink",
               [](const auto& image) {
                 make_directory(image);
                 ASSERT_EQ(::symlink("/etc/passwd", (image + "/descriptors.json").c_str()), 0);
               },
               "descriptors.json: openat: too many levels of symbolic links"},
        Spoilt{"WithAFifo",
               [](const auto& image) {
                 make_directory(image);
                 ASSERT_EQ(::mkfifo((image + "/descriptors.json").c_str(), 0600), 0);
               },
               "descriptors.json: "}),
    [](const auto& row) { return row.param.name; });

struct Wrong {
  const char* name;
  std::vector<std::string> words;
  const char* says;
};

class WrongWords : public RestoreAnswers, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongWords, AreRefusedBeforeAnythingIsMade) {
  make_image();
  play(kWhole);
  const Outcome outcome = restore(GetParam().words);
  EXPECT_TRUE(fails_saying(outcome, GetParam().says));
  EXPECT_FALSE(was_asked());
  expect_nothing();
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongWords,
    ::testing::Values(
        Wrong{"CgroupsOfTheHost",
              {"--manage-cgroups-mode", "ignore"},
              "--manage-cgroups-mode ignore: the container would see the host's cgroups"},
        Wrong{"CgroupsMode",
              {"--manage-cgroups-mode", "Soft"},
              "--manage-cgroups-mode \"Soft\": unknown: expected soft, full, strict or ignore"},
        Wrong{"EmptyNamespace",
              {"--empty-ns", "pid"},
              "--empty-ns \"pid\": cannot be had: expected network"},
        Wrong{"NetworkLock",
              {"--network-lock", "x"},
              "--network-lock \"x\": unknown: expected iptables or nftables"},
        Wrong{"NoPivot", {"--no-pivot"}, "pivot_root(2)"}),
    [](const auto& row) { return row.param.name; });

TEST_F(RestoreAnswers, ContainerdsWordsAreAccepted) {
  make_image();
  play(kWhole);
  EXPECT_TRUE(succeeds(restore({"-no-subreaper"})));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
