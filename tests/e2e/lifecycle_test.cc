// create, state, start, kill, delete: what each may do when. runtime-spec runtime.md, "Lifecycle".
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

class Lifecycle : public Container {};

TEST_F(Lifecycle, GoesFromCreatedThroughRunningToStopped) {
  config_.shell("touch /tmp/ran; exec sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(status(), "created");
  const pid_t init = pid();
  EXPECT_GT(init, 1);
  EXPECT_FALSE(exists(rootfs() + "/tmp/ran")) << "the payload ran before start";

  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(pid(), init);
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/ran"); }));

  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_EQ(pid(), 0);
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_TRUE(fails_saying(runtime({"state", id()}), "container does not exist"));
}

TEST_F(Lifecycle, ThePayloadWaitsForStart) {
  config_.shell("touch /tmp/ran");
  ASSERT_TRUE(succeeds(create()));
  // It is our own program still, and not the payload's.
  EXPECT_NE(read(cat("/proc/", pid(), "/cmdline")).find("runtime"), std::string::npos);
  EXPECT_FALSE(exists(rootfs() + "/tmp/ran"));
  EXPECT_TRUE(succeeds(remove())) << "deleting a created container kills it";
  EXPECT_FALSE(exists(rootfs() + "/tmp/ran"));
}

TEST_F(Lifecycle, StateIsTheSpecificationsDocument) {
  config_.set("/annotations", R"({"org.example.a": "b", "empty": ""})");
  ASSERT_TRUE(succeeds(create()));
  const Outcome outcome = runtime({"state", id()});
  EXPECT_EQ(outcome.err, "");
  const Json state(outcome.out);
  ASSERT_TRUE(state.valid()) << outcome.out;
  EXPECT_EQ(state.at("/id"), id());
  EXPECT_EQ(state.at("/status"), "created");
  EXPECT_EQ(state.at("/bundle"), bundle());
  EXPECT_EQ(state.at("/annotations/org.example.a"), "b");
  EXPECT_TRUE(state.at("/ociVersion").starts_with("1.")) << state.at("/ociVersion");
  // RFC 3339
  EXPECT_EQ(state.at("/created").find('T'), 10U) << state.at("/created");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, ASecondStartFails) {
  start_sleeping();
  EXPECT_TRUE(fails_saying(start(), "cannot start an already running container"));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Lifecycle, AStoppedContainerCannotBeStarted) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(start(), "cannot start a container that has stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, StartAfterInitWasKilledFails) {
  ASSERT_TRUE(succeeds(create()));
  ::kill(pid(), SIGKILL);
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(start(), "cannot start a container that has stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, AnIdIsUsedOnce) {
  ASSERT_TRUE(succeeds(create()));
  const pid_t first = pid();
  EXPECT_TRUE(fails_saying(create(), "container with given ID already exists"));
  EXPECT_EQ(pid(), first) << "the loser touched the winner";
  EXPECT_EQ(status(), "created");
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_TRUE(succeeds(create())) << "an id can be used again";
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, ARunningContainerIsDeletedByForceOnly) {
  start_sleeping();
  EXPECT_TRUE(fails_saying(remove(),
                           cat("cannot delete container ", id(), " that is not stopped: running")));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(fails_saying(runtime({"state", id()}), "container does not exist"));
}

TEST_F(Lifecycle, WhatDoesNotExistIsSaidSo) {
  for (const char* command : {"state", "start", "kill", "delete"}) {
    EXPECT_TRUE(fails_saying(runtime({command, id()}), "container does not exist")) << command;
  }
  EXPECT_TRUE(succeeds(remove_by_force())) << "delete --force of nothing is done already";
}

TEST_F(Lifecycle, AStoppedContainerCannotBeKilled) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(kill("KILL"), "container not running"));
  EXPECT_TRUE(succeeds(runtime({"kill", "--all", id(), "9"})));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, AZombieIsStopped) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  ASSERT_TRUE(succeeds(start()));
  // Not reaped: conmon and buildah ask before they wait for it.
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(init), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(status(), "stopped");
  EXPECT_EQ(pid(), 0);
  EXPECT_TRUE(succeeds(remove()));
  int wait_status = 0;
  EXPECT_EQ(::waitpid(init, &wait_status, 0), init) << "the exit status is the caller's to collect";
  EXPECT_EQ(wait_status, 0);
}

TEST_F(Lifecycle, APidFileHasTheDigitsAlone) {
  write_config();
  const std::string file = directory() + "/pid";
  ASSERT_TRUE(succeeds(runtime({"create", "--pid-file", file, "-b", bundle(), id()})));
  EXPECT_EQ(read(file), cat(pid()));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, APidFileThatCannotBeWrittenFailsCreateAndLeavesNothing) {
  write_config();
  const std::string file = directory() + "/no/such/directory/pid";
  const Outcome outcome = runtime({"create", "--pid-file", file, "--bundle", bundle(), id()});
  EXPECT_TRUE(fails_saying(outcome, "no such file or directory"));
  EXPECT_TRUE(fails_saying(runtime({"state", id()}), "container does not exist"));
}

struct Form {
  const char* name;
  std::vector<std::string> arguments;  // ID and BUNDLE are replaced
};

class CommandForms : public Container, public ::testing::WithParamInterface<Form> {};

TEST_P(CommandForms, CreateAContainer) {
  Form form = GetParam();
  for (std::string& word : form.arguments) {
    if (word == "ID") word = id();
    const size_t at = word.find("BUNDLE");
    if (at != std::string::npos) word.replace(at, 6, bundle());
  }
  Call in_bundle;
  in_bundle.cwd = bundle();
  ASSERT_TRUE(succeeds(runtime(form.arguments, in_bundle)));
  EXPECT_EQ(status(), "created");
  EXPECT_TRUE(succeeds(remove()));
}

INSTANTIATE_TEST_SUITE_P(
    Create, CommandForms,
    ::testing::Values(Form{"Positional", {"create", "ID", "BUNDLE"}},
                      Form{"Bundle", {"create", "--bundle", "BUNDLE", "ID"}},
                      Form{"BundleEquals", {"create", "--bundle=BUNDLE", "ID"}},
                      Form{"SingleDash", {"create", "-bundle", "BUNDLE", "ID"}},
                      Form{"Short", {"create", "-b", "BUNDLE", "ID"}},
                      Form{"OptionsLast", {"create", "ID", "-b", "BUNDLE"}},
                      Form{"CurrentDirectory", {"create", "ID"}},
                      Form{"AsContainerd",
                           {"create", "--bundle", "BUNDLE", "--pid-file", "BUNDLE/../init.pid",
                            "--no-new-keyring", "ID"}},
                      Form{"NoPivot", {"create", "--no-pivot", "ID"}}),
    [](const auto& info) { return info.param.name; });

class Signals : public Container, public ::testing::WithParamInterface<std::string> {};

TEST_P(Signals, AreNamedInEveryWay) {
  // A payload that handles it: an init of a pid namespace ignores all else.
  config_.shell("trap 'exit 3' TERM; touch /tmp/started; while :; do sleep 1000 & wait; done");
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  ASSERT_TRUE(succeeds(GetParam().empty() ? runtime({"kill", id()}) : kill(GetParam())));
  int wait_status = 0;
  ASSERT_EQ(::waitpid(init, &wait_status, 0), init);
  EXPECT_TRUE(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 3) << wait_status;
  EXPECT_TRUE(succeeds(remove()));
}

INSTANTIATE_TEST_SUITE_P(Kill, Signals,
                         ::testing::Values("", "TERM", "SIGTERM", "15", "term", "sigterm"));

TEST_F(Lifecycle, RealTimeSignalsAndUnknownOnes) {
  ASSERT_TRUE(succeeds(create()));
  for (const char* signal : {"RTMIN+3", "SIGRTMIN+3", "37", "64", "RTMAX-1"}) {
    EXPECT_TRUE(succeeds(kill(signal))) << signal;
    EXPECT_EQ(status(), "created") << signal;
  }
  for (const char* signal : {"NOPE", "0", "65", "-1", "", "9x", "RTMIN+99"}) {
    EXPECT_EQ(runtime({"kill", id(), "--", signal}).exit_code, 1) << signal;
  }
  EXPECT_EQ(status(), "created");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, ProcessesThatOutliveInitAreFoundByTheCgroup) {
  if (rootless())
    GTEST_SKIP() << "a user cannot mount proc for a pid namespace that is not its own";
  config_.without_namespace("pid");
  config_.shell("sleep 1000 & touch /tmp/started");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_EQ(remove().exit_code, 1) << "what is left is not stopped";
  EXPECT_TRUE(succeeds(runtime({"kill", "--all", id(), "KILL"})));
  EXPECT_TRUE(eventually([&] { return remove().exit_code == 0; }));
}

TEST_F(Lifecycle, IsStoppedThoughItsSessionLivesOn) {
  if (rootless())
    GTEST_SKIP() << "a user cannot mount proc for a pid namespace that is not its own";
  config_.without_namespace("pid");
  config_.shell("sleep 1000 & : >/tmp/started");
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  ASSERT_TRUE(succeeds(start()));
  // Nobody has init's number then, but it is the session's.
  ASSERT_TRUE(eventually([&] {
    reap_orphans();
    return !exists(cat("/proc/", init));
  }));
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Lifecycle, AnInitThatEndsOfASignalToAllWasReached) {
  constexpr const char* kStrace = "/usr/bin/strace";
  if (!exists(kStrace)) GTEST_SKIP() << "no strace";
  config_.shell("trap 'exit 3' TERM; touch /tmp/ready; while :; do sleep .01; done");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/ready"); }));
  const pid_t init = pid();
  // A signal takes so long to return that init is over, and waited for, before the next look.
  Call call = this->call({"kill", "--all", id(), "TERM"});
  call.args.insert(
      call.args.begin(),
      {"-o", "/dev/null", "-e", "inject=pidfd_send_signal:delay_exit=500000", runtime_binary()});
  Program kill_all(kStrace, call);
  EXPECT_EQ(::waitpid(init, nullptr, 0), init);
  EXPECT_TRUE(succeeds(kill_all.wait()));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, ListShowsEveryContainer) {
  EXPECT_EQ(Json(runtime({"list", "--format", "json"}).out).size(), 0U);
  ASSERT_TRUE(succeeds(runtime({"create", id(1), bundle()})));
  ASSERT_TRUE(succeeds(runtime({"create", id(2), bundle()})));
  const Json list(runtime({"list", "--format", "json"}).out);
  ASSERT_EQ(list.size(), 2U) << list.text();
  EXPECT_EQ(list.at("/0/id"), id(1));
  EXPECT_EQ(list.at("/1/id"), id(2));
  EXPECT_EQ(list.at("/1/status"), "created");
  EXPECT_EQ(list.at("/1/bundle"), bundle());
  EXPECT_EQ(runtime({"list", "--quiet"}).out, cat(id(1), '\n', id(2), '\n'));
  EXPECT_NE(runtime({"list"}).out.find(id(1)), std::string::npos);
  EXPECT_TRUE(succeeds(runtime({"delete", id(1)})));
  EXPECT_TRUE(succeeds(runtime({"delete", id(2)})));
}

TEST_F(Lifecycle, ADamagedRecordDoesNotHideTheOthersAndIsDeletedByForce) {
  ASSERT_TRUE(succeeds(runtime({"create", id(1), bundle()})));
  for (const char* damage : {"", "{", "[]", "{\"version\": 99}"}) {
    const std::string place = cat(state_root(), '/', id(2));
    ASSERT_EQ(::mkdir(place.c_str(), 0700), 0);
    write(place + "/record.json", damage);
    const Json list(runtime({"list", "--format", "json"}).out);
    EXPECT_EQ(list.size(), 1U) << list.text();
    const Outcome state = runtime({"state", id(2)});
    EXPECT_TRUE(fails_saying(state, "record.json")) << damage;
    EXPECT_TRUE(succeeds(runtime({"delete", "--force", id(2)}))) << damage;
  }
  EXPECT_TRUE(succeeds(runtime({"delete", id(1)})));
}

TEST_F(Lifecycle, AFailedDeletionForgetsNothing) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  // Each limit lets the command come a little further.
  for (rlim_t limit = 4; limit < 10; ++limit) {
    Call starved;
    starved.before_exec = [limit] {
      const rlimit few{.rlim_cur = limit, .rlim_max = limit};
      ::setrlimit(RLIMIT_NOFILE, &few);
    };
    if (runtime({"delete", "--force", id()}, starved).exit_code == 0) break;
    EXPECT_FALSE(fails_saying(runtime({"state", id()}), "does not exist")) << limit;
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Lifecycle, ForceDoesNotWaitForAStartThatIsStuck) {
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  ASSERT_EQ(::kill(init, SIGSTOP), 0);
  // Before it is, it may still take what `start` writes.
  const std::string stat = cat("/proc/", init, "/stat");
  ASSERT_TRUE(eventually([&] { return read(stat).find(") T ") != std::string::npos; }));
  Program stuck(runtime_binary(), call({"start", id()}));
  const std::string holder = cat(" ", stuck.pid(), " ");
  ASSERT_TRUE(eventually([&] { return read("/proc/locks").find(holder) != std::string::npos; }));
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_EQ(stuck.wait().exit_code, 1);
}

}  // namespace
}  // namespace rt::testing
