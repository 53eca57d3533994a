// What follows when a hook fails, or when the runtime is killed while one runs. runtime-spec
// runtime.md, "Lifecycle", steps 3 to 13.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/hooks.h"

namespace rt::testing {
namespace {

class HookFailures : public HookedContainer {
 protected:
  /// A hook that fails between two that write to the log, and poststop hooks that do.
  void fail_at(std::string_view kind) {
    hook(kind, "echo before >>$D/log");
    hook(kind, "echo from the hook; echo its last words >&2; exit 3");
    hook(kind, "echo after >>$D/log");
    if (kind != "poststop") hook("poststop", "echo poststop >>$D/log");
  }
  static constexpr const char* kMessage =
      R"(hook "/bin/sh": exit status 3: "from the hook\x0aits last words")";
};

class CreateHookFailures : public HookFailures,
                           public ::testing::WithParamInterface<const char*> {};

TEST_P(CreateHookFailures, FailTheCreateAndLeaveNothing) {
  fail_at(GetParam());
  EXPECT_TRUE(fails_saying(create(), kMessage));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "before\npoststop\n");
}

TEST_P(CreateHookFailures, FailTheRun) {
  fail_at(GetParam());
  EXPECT_TRUE(fails_saying(run_shell("touch /shared/ran"), kMessage));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "before\npoststop\n");
  EXPECT_TRUE(fails_saying(runtime({"run", "--detach", "-b", bundle(), id()}), kMessage));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "before\npoststop\nbefore\npoststop\n");
  EXPECT_FALSE(exists(shared() + "/ran"));
}

TEST_P(CreateHookFailures, NameTheHookInTheDocument) {
  fail_at(GetParam());
  EXPECT_TRUE(fails_saying(create(), cat("/hooks/", GetParam(), "/1")));
}

TEST_P(CreateHookFailures, ByTimeoutFailTheCreate) {
  hook(GetParam(), "trap '' TERM; echo waiting; sleep 1000", R"(, "timeout": 1)");
  EXPECT_TRUE(fails_saying(create(), R"(hook "/bin/sh": timed out after 1 s: "waiting")"));
  EXPECT_TRUE(is_gone());
}

TEST_P(CreateHookFailures, WithMuchOutputShowItsEnd) {
  hook(GetParam(), "yes 123456789 | head -n 1000000; echo the end; exit 1");
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "exit status 1: "));
  EXPECT_TRUE(fails_saying(outcome, "123456789\\x0athe end\""));
  EXPECT_TRUE(is_gone());
}

TEST_P(CreateHookFailures, OfAMissingProgramSayWhich) {
  config_.set(cat("/hooks/", GetParam()), R"([{"path": "/no/such/hook"}])");
  EXPECT_TRUE(
      fails_saying(create(), R"(hook "/no/such/hook": fork/exec: no such file or directory)"));
  EXPECT_TRUE(is_gone());
}

INSTANTIATE_TEST_SUITE_P(Kinds, CreateHookFailures,
                         ::testing::Values("prestart", "createRuntime", "createContainer"),
                         [](const auto& info) { return std::string(info.param); });

class StartHookFailures : public HookFailures, public ::testing::WithParamInterface<const char*> {};

TEST_P(StartHookFailures, FailTheStartAndDestroyTheContainer) {
  fail_at(GetParam());
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  EXPECT_TRUE(fails_saying(start(), kMessage));
  EXPECT_TRUE(is_gone());
  int wait_status = 0;
  EXPECT_EQ(::waitpid(init, &wait_status, WNOHANG), init) << "it still runs";
  EXPECT_EQ(written("log"), "before\npoststop\n");
  EXPECT_TRUE(succeeds(remove_by_force())) << "engines do this after a failed start";
  EXPECT_EQ(written("log"), "before\npoststop\n");
}

TEST_P(StartHookFailures, FailTheRun) {
  fail_at(GetParam());
  EXPECT_TRUE(fails_saying(run(), kMessage));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "before\npoststop\n");
  EXPECT_TRUE(fails_saying(runtime({"run", "--detach", "-b", bundle(), id()}), kMessage));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "before\npoststop\nbefore\npoststop\n");
}

TEST_P(StartHookFailures, NameTheHookInTheDocument) {
  fail_at(GetParam());
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(fails_saying(start(), cat("/hooks/", GetParam(), "/1")));
}

TEST_P(StartHookFailures, WithMuchOutputShowItsEnd) {
  hook(GetParam(), "dd if=/dev/zero bs=1024 count=100000 2>/dev/null; echo the end; exit 1");
  ASSERT_TRUE(succeeds(create()));
  const Outcome outcome = start();
  EXPECT_TRUE(fails_saying(outcome, "exit status 1: "));
  EXPECT_TRUE(fails_saying(outcome, "\\x00the end\""));
  EXPECT_TRUE(is_gone());
}

TEST_P(StartHookFailures, ByTimeoutFailTheStart) {
  hook(GetParam(), "trap '' TERM; echo waiting; sleep 1000", R"(, "timeout": 1)");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(fails_saying(start(), R"(hook "/bin/sh": timed out after 1 s: "waiting")"));
  EXPECT_TRUE(is_gone());
}

INSTANTIATE_TEST_SUITE_P(Kinds, StartHookFailures, ::testing::Values("startContainer", "poststart"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(HookFailures, OfStartContainerComeBeforeThePayload) {
  fail_at("startContainer");
  config_.shell("touch /shared/ran");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(fails_saying(start(), kMessage));
  EXPECT_FALSE(exists(shared() + "/ran"));
}

TEST_F(HookFailures, OfPoststopOnlyWarn) {
  fail_at("poststop");
  ASSERT_TRUE(succeeds(create()));
  const Outcome outcome = remove();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find(kMessage), std::string::npos) << outcome.err;
  EXPECT_EQ(written("log"), "before\nafter\n");
  EXPECT_TRUE(is_gone());
}

TEST_F(HookFailures, OfPoststopDoNotChangeTheResultOfARun) {
  fail_at("poststop");
  const Outcome outcome = run_shell("exit 7");
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_NE(outcome.err.find(kMessage), std::string::npos) << outcome.err;
  EXPECT_EQ(written("log"), "before\nafter\n");
}

TEST_F(HookFailures, OfPoststopByTimeoutOnlyWarn) {
  hook("poststop", "sleep 1000", R"(, "timeout": 1)");
  hook("poststop", "echo next >>$D/log");
  ASSERT_TRUE(succeeds(create()));
  const Outcome outcome = remove();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("timed out after 1 s"), std::string::npos) << outcome.err;
  EXPECT_EQ(written("log"), "next\n");
}

TEST_F(HookFailures, BesidesHooksRunPoststopHooksToo) {
  // The payload cannot be executed: the hooks before it ran, and what they did must be undone.
  hook("createRuntime", "echo createRuntime >>$D/log");
  hook("poststop", "echo poststop >>$D/log");
  config_.args({"/no/such/program"});
  EXPECT_EQ(create().exit_code, 1);
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "createRuntime\npoststop\n");
}

TEST_F(HookFailures, PoststopHooksRunOnceHoweverManyDelete) {
  hook("poststop", "echo once >>$D/log");
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    std::vector<Program> programs;
    programs.reserve(8);
    for (int i = 0; i < 8; ++i) {
      programs.emplace_back(runtime_binary(), call({"delete", "--force", id()}));
    }
    for (Program& program : programs) {
      const Outcome outcome = program.wait();
      const bool fine =
          outcome.exit_code == 0 || outcome.err.find("does not exist") != std::string::npos;
      EXPECT_TRUE(fine) << outcome.err;
    }
    EXPECT_TRUE(is_gone());
    EXPECT_TRUE(succeeds(remove_by_force()));
    EXPECT_EQ(written("log"), "once\n") << round;
    ASSERT_EQ(::unlink((shared() + "/log").c_str()), 0);
  }
}

TEST_F(HookFailures, PoststopHooksRunOnceWhereARunIsDeletedByForce) {
  hook("poststop", "echo once >>$D/log");
  config_.shell("touch /shared/started; exec sleep 1000");
  write_config();
  Program program(runtime_binary(), run_call());
  ASSERT_TRUE(eventually([&] { return exists(shared() + "/started"); })) << program.err();
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
  EXPECT_EQ(written("log"), "once\n");
}

/// The runtime is killed while a hook of this kind runs.
class KilledInAHook : public HookedContainer, public ::testing::WithParamInterface<const char*> {
 protected:
  /// `program` runs a hook that says so; both are killed. The pid of the hook.
  void kill_in_hook(Program& program) {
    ASSERT_TRUE(eventually([&] { return exists(shared() + "/there"); })) << program.err();
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait().signal, SIGKILL);
  }
  void add_hooks() {
    hook(GetParam(), "touch $D/there; exec sleep 1000");
    hook("poststop", "echo poststop >>$D/log");
  }
  [[nodiscard]] bool nothing_runs() const {
    reap_orphans();
    return take_snapshot({.token = id(), .state_root = "", .bundle = ""}).processes.empty();
  }
};

using KilledInACreateHook = KilledInAHook;

TEST_P(KilledInACreateHook, LeavesNoProcessAndIsDeletedByForce) {
  add_hooks();
  write_config();
  Program program(runtime_binary(), call({"create", "-b", bundle(), id()}));
  kill_in_hook(program);
  EXPECT_TRUE(eventually([&] { return nothing_runs(); })) << "init or the hook lives on";
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("log"), "poststop\n");
}

INSTANTIATE_TEST_SUITE_P(Kinds, KilledInACreateHook,
                         ::testing::Values("prestart", "createRuntime", "createContainer"),
                         [](const auto& info) { return std::string(info.param); });

using KilledInAStartHook = KilledInAHook;

TEST_P(KilledInAStartHook, HangsNothingAndIsDeletedByForce) {
  add_hooks();
  ASSERT_TRUE(succeeds(create()));
  Program program(runtime_binary(), call({"start", id()}));
  kill_in_hook(program);
  EXPECT_NE(status(), "creating");
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(is_gone());
  EXPECT_TRUE(eventually([&] { return nothing_runs(); }));
  EXPECT_EQ(written("log"), "poststop\n");
}

INSTANTIATE_TEST_SUITE_P(Kinds, KilledInAStartHook,
                         ::testing::Values("startContainer", "poststart"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(KilledInAHook, OfPoststopLeavesNothing) {
  hook("poststop", "touch $D/there; exec sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  Program program(runtime_binary(), call({"delete", id()}));
  kill_in_hook(program);
  EXPECT_TRUE(eventually([&] { return nothing_runs(); }));
  config_.erase("/hooks");
  write_config();
  EXPECT_EQ(runtime({"delete", "--force", id()}).exit_code, 0);
  EXPECT_TRUE(is_gone());
}

TEST_F(HookFailures, AStartThatWasKilledInAHookIsTakenUpByTheNext) {
  ASSERT_EQ(::mkfifo((shared() + "/go").c_str(), 0600), 0);
  hook("startContainer", "touch $D/there; read -r word <$D/go; echo startContainer >>$D/log");
  hook("poststart", "echo poststart >>$D/log");
  ASSERT_TRUE(succeeds(create()));
  Program first(runtime_binary(), call({"start", id()}));
  ASSERT_TRUE(eventually([&] { return exists(shared() + "/there"); })) << first.err();
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait().signal, SIGKILL);
  Program second(runtime_binary(), call({"start", id()}));
  const std::string report = cat(state_root(), '/', id(), "/report.fifo");
  ASSERT_TRUE(eventually([&] {
    for (int fd = 0; fd < 20; ++fd) {
      const auto link = sys::readlinkat(-1, cat("/proc/", second.pid(), "/fd/", fd));
      if (link && link.value() == report) return true;
    }
    return false;
  })) << second.err();
  write(shared() + "/go", "go\n");
  EXPECT_TRUE(succeeds(second.wait()));
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(written("log"), "startContainer\npoststart\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(HookFailures, OfStartContainerAreKilledWithTheContainer) {
  hook("startContainer", "touch $D/there; exec sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  Program program(runtime_binary(), call({"start", id()}));
  ASSERT_TRUE(eventually([&] { return exists(shared() + "/there"); })) << program.err();
  EXPECT_TRUE(succeeds(remove_by_force())) << "it does not wait for the hook";
  EXPECT_EQ(program.wait().exit_code, 1);
  EXPECT_TRUE(is_gone());
}

}  // namespace
}  // namespace rt::testing
