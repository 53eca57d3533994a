// config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle".
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

constexpr const char* kKinds[] = {"prestart",       "createRuntime", "createContainer",
                                  "startContainer", "poststart",     "poststop"};

bool is_inside(std::string_view kind) {
  return kind == "createContainer" || kind == "startContainer";
}

/// The hooks are probes too: each adds a line, its report, to a file that is at the same path for
/// all of them and for the program.
class Hooks : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    testing::copy_file(probe_binary(), hook(), 0755);
    make_directory(log_directory());
    config_.mount(log_directory(), "bind", log_directory(), {"rbind", "rw"});
    config_.set("/annotations", R"({"com.example.key": "value"})");
  }

  [[nodiscard]] std::string hook() const { return directory() + "/hook"; }
  [[nodiscard]] std::string log_directory() const { return directory() + "/log"; }
  [[nodiscard]] std::string log() const { return log_directory() + "/lines"; }

  /// `words` are further ones for the probe.
  void add_hook(const std::string& kind, const std::string& name,
                const std::vector<std::string>& words = {}, const std::string& more = "") {
    std::vector<std::string> args = {name, "input", cat("to=", log())};
    args.insert(args.end(), words.begin(), words.end());
    // A path of the container for this kind, of the runtime for all others.
    const std::string path = kind == "startContainer" ? "/probe" : hook();
    config_.add(cat("/hooks/", kind), cat(R"({"path": )", testing::json_string(path),
                                          R"(, "args": )", testing::json_strings(args), more, '}'));
  }
  void add_all() {
    for (const char* kind : kKinds) add_hook(kind, kind);
  }

  /// What has been written up to now.
  [[nodiscard]] std::vector<Json> reports() const {
    std::vector<Json> all;
    const std::string text = read(log());
    for (const std::string_view line : split(text, '\n')) {
      if (!line.empty()) all.emplace_back(line);
    }
    return all;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Json& report : reports()) all.push_back(report.at("/args/0"));
    return all;
  }
  [[nodiscard]] bool ran(const std::string& name) const {
    return std::ranges::count(names(), name) != 0;
  }
  [[nodiscard]] Json report_of(const std::string& name) const {
    for (const Json& report : reports()) {
      if (report.at("/args/0") == name) return report;
    }
    ADD_FAILURE() << "no hook " << name;
    return Json("null");
  }
  [[nodiscard]] Json state_given_to(const std::string& name) const {
    return Json(report_of(name).at("/input"));
  }

  /// From create to delete.
  void live() {
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    wait_for_end();
    ASSERT_TRUE(succeeds(remove()));
  }
};

TEST_F(Hooks, RunInTheOrderOfTheLifecycleAndOfTheDocument) {
  for (const char* kind : kKinds) {
    add_hook(kind, cat(kind, "-1"));
    add_hook(kind, cat(kind, "-2"));
  }
  live();
  std::vector<std::string> wanted;
  for (const char* kind : kKinds) {
    wanted.push_back(cat(kind, "-1"));
    wanted.push_back(cat(kind, "-2"));
  }
  EXPECT_EQ(names(), wanted);
}

TEST_F(Hooks, OfCreateRunInCreateThoseOfStartInStartThoseOfDeleteInDelete) {
  add_all();
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(names(), std::vector<std::string>({"prestart", "createRuntime", "createContainer"}));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(names().size(), 5U);
  wait_for_end();
  EXPECT_FALSE(ran("poststop"));
  ASSERT_TRUE(succeeds(remove()));
  EXPECT_TRUE(ran("poststop"));
}

TEST_F(Hooks, StartContainerRunsBeforeTheProgram) {
  add_hook("startContainer", "startContainer");
  config_.args({"/probe", "program", cat("to=", log())});
  live();
  EXPECT_EQ(names(), std::vector<std::string>({"startContainer", "/probe"}));
}

TEST_F(Hooks, PoststartFindsTheProgramExecuted) {
  add_all();
  config_.args({"/probe", "await"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  end();
  EXPECT_NE(report_of("createRuntime").at("/program"), "/probe await ");
  EXPECT_EQ(report_of("poststart").at("/program"), "/probe await ");
}

class HookKind : public Hooks, public ::testing::WithParamInterface<const char*> {};

TEST_P(HookKind, GetsTheStateOnStandardInput) {
  add_all();
  live();
  const Json state = state_given_to(GetParam());
  EXPECT_EQ(state.at("/id"), id());
  EXPECT_EQ(state.at("/bundle"), bundle());
  EXPECT_EQ(state.at("/annotations/com.example.key"), "value");
  EXPECT_TRUE(state.at("/ociVersion").starts_with("1.")) << state.text();
}

TEST_P(HookKind, GetsTheStatusOfItsMoment) {
  // When step 2 of the lifecycle is done the status is created; when create is, too.
  const std::string kind = GetParam();
  std::set<std::string> right = {"creating", "created"};
  if (kind == "startContainer") right = {"created"};
  if (kind == "poststart") right = {"running"};
  if (kind == "poststop") right = {"stopped"};
  config_.args({"/probe", "await"});
  add_all();
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  end();
  const std::string status = state_given_to(kind).at("/status");
  EXPECT_TRUE(right.contains(status)) << status;
}

TEST_P(HookKind, GetsThePidAsItIsSeenWhereTheHookRuns) {
  const std::string kind = GetParam();
  if (kind == "poststop") GTEST_SKIP() << "a stopped container has no pid";
  add_all();
  config_.args({"/probe", "await"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(state_given_to(kind).at("/pid"), is_inside(kind) ? "1" : cat(pid()));
  end();
}

TEST_P(HookKind, RunsInItsNamespaces) {
  const std::string kind = GetParam();
  add_all();
  config_.args({"/probe", "await"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  const std::string process = is_inside(kind) ? cat(pid()) : "self";
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const char* name : {"ipc", "mnt", "net", "uts"}) {
    wanted.emplace_back(name, sys::readlinkat(-1, cat("/proc/", process, "/ns/", name)).value());
  }
  end();
  const Json report = report_of(kind);
  for (const auto& [name, space] : wanted) {
    EXPECT_EQ(report.at(cat("/namespaces/", name)), space) << name;
  }
}

TEST_P(HookKind, GetsItsArgumentsAndEnvironment) {
  const std::string kind = GetParam();
  add_hook(kind, "a name of its own", {"two words", ""}, R"(, "env": ["ONE=1", "TWO=two words"])");
  live();
  const Json report = report_of("a name of its own");
  EXPECT_EQ(report.at("/args"),
            cat(R"(["a name of its own","input","to=)", log(), R"(","two words",""])"));
  EXPECT_TRUE(has_word(report, "/env", "ONE=1")) << report.at("/env");
  EXPECT_TRUE(has_word(report, "/env", "TWO=two words")) << report.at("/env");
}

TEST_P(HookKind, HasNothingOfTheCallersEnvironment) {
  const std::string kind = GetParam();
  add_hook(kind, kind, {}, R"(, "env": ["ONE=1"])");
  Call call;
  call.env.emplace_back("SECRET=of-the-caller");
  ASSERT_TRUE(succeeds(run(call)));
  EXPECT_FALSE(has_word(report_of(kind), "/env", "SECRET=of-the-caller"));
}

TEST_P(HookKind, WithARelativePathIsAnError) {
  config_.set(cat("/hooks/", GetParam()), R"([{"path": "hook"}])");
  EXPECT_TRUE(refuses());
}

TEST_P(HookKind, WithATimeoutOfZeroIsAnError) {
  add_hook(GetParam(), GetParam(), {}, R"(, "timeout": 0)");
  EXPECT_TRUE(refuses());
}

TEST_P(HookKind, WithoutAPathIsAnError) {
  config_.set(cat("/hooks/", GetParam()), R"([{"args": ["hook"]}])");
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(Hooks, HookKind, ::testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(info.param); });

// What a hook of create can see: the container's mounts are made, its root is not entered.

TEST_F(Hooks, OfCreateRunBeforeTheRootIsChanged) {
  add_all();
  live();
  for (const char* kind : {"prestart", "createRuntime", "createContainer"}) {
    const Json report = report_of(kind);
    // The hook's own file is found at the host's path: the log was written there.
    EXPECT_NE(report.at("/mounts/0/destination"), "(absent)");
  }
  EXPECT_EQ(mount_at(report_of("createContainer"), rootfs() + "/dev/shm", "type"), "tmpfs");
  EXPECT_EQ(mount_at(report_of("startContainer"), "/dev/shm", "type"), "tmpfs");
}

class FailingHook : public Hooks, public ::testing::WithParamInterface<const char*> {
 protected:
  /// Of the command that runs the hook.
  bool fails(std::string_view kind) {
    const Outcome created = create();
    if (kind != "startContainer" && kind != "poststart") return created.exit_code != 0;
    EXPECT_TRUE(succeeds(created));
    return start().exit_code != 0;
  }
};

TEST_P(FailingHook, IsAnError) {
  add_hook(GetParam(), "failing", {"exit=3"});
  EXPECT_TRUE(fails(GetParam()));
}

TEST_P(FailingHook, IsTheLastOfItsKind) {
  add_hook(GetParam(), "failing", {"exit=3"});
  add_hook(GetParam(), "next");
  fails(GetParam());
  EXPECT_TRUE(ran("failing"));
  EXPECT_FALSE(ran("next"));
}

TEST_P(FailingHook, StopsTheContainer) {
  config_.args({"/probe", "await"});
  add_hook(GetParam(), "failing", {"exit=3"});
  fails(GetParam());
  EXPECT_TRUE(eventually([&] { return !exists() || status() == "stopped"; })) << status();
}

TEST_P(FailingHook, DestroysTheContainer) {
  config_.args({"/probe", "await"});
  add_hook(GetParam(), "failing", {"exit=3"});
  EXPECT_TRUE(fails(GetParam()));
  EXPECT_FALSE(exists());
}

TEST_P(FailingHook, IsFollowedByThePoststopHooks) {
  add_hook(GetParam(), "failing", {"exit=3"});
  add_hook("poststop", "poststop");
  fails(GetParam());
  EXPECT_TRUE(ran("poststop"));
}

TEST_P(FailingHook, ThatDoesNotExistIsAnError) {
  config_.set(cat("/hooks/", GetParam()), R"([{"path": "/no/such/hook"}])");
  EXPECT_TRUE(fails(GetParam()));
  EXPECT_FALSE(exists());
}

TEST_P(FailingHook, IsOneThatTakesLongerThanItsTimeout) {
  add_hook(GetParam(), "slow", {"await"}, R"(, "timeout": 1)");
  EXPECT_TRUE(fails(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Hooks, FailingHook,
                         ::testing::Values("prestart", "createRuntime", "createContainer",
                                           "startContainer", "poststart"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Hooks, StartContainerThatFailsKeepsTheProgramFromRunning) {
  config_.args({"/probe", "program", cat("to=", log())});
  add_hook("startContainer", "failing", {"exit=3"});
  ASSERT_TRUE(succeeds(create()));
  static_cast<void>(start());
  EXPECT_TRUE(eventually([&] { return ran("failing"); }));
  EXPECT_TRUE(eventually([&] { return !exists() || status() == "stopped"; }));
  EXPECT_FALSE(ran("/probe"));
}

TEST_F(Hooks, PoststopThatFailsIsAWarning) {
  add_hook("poststop", "failing", {"exit=3"});
  add_hook("poststop", "next");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  const Outcome outcome = remove();
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_FALSE(outcome.err.empty());
  EXPECT_TRUE(ran("next"));
  EXPECT_FALSE(exists());
}

}  // namespace
}  // namespace rt::conformance
