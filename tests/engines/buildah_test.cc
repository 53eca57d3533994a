// Buildah: a step of a build is a container.
#include <signal.h>

#include <algorithm>
#include <ostream>

#include "runtime/base/text.h"
#include "tests/engines/podman.h"
#include "tests/engines/rows.h"
#include "tests/engines/terminal.h"

namespace rt::testing {
namespace {

/// With a working container of the image "bb", which is name().
class Buildah : public Podman {
 protected:
  Buildah() : Buildah(0) {}
  explicit Buildah(uid_t user) : Podman(user, {"buildah"}) {}

  void SetUp() override {
    Podman::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(succeeds(buildah({"from", "--name", name(), "localhost/bb"})));
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_TRUE(succeeds(buildah({"rm", name()})));
    Podman::TearDown();
  }

  [[nodiscard]] Outcome buildah(const std::vector<std::string>& args, Call rest = {}) const {
    return call_program("buildah", args, as_user(std::move(rest)));
  }
  /// `buildah run --network none OPTIONS... name() -- COMMAND...`. The network can be the host's.
  [[nodiscard]] Outcome step(const Options& options, const std::vector<std::string>& command,
                             Call rest = {}) const {
    std::vector<std::string> args = {"run"};
    const bool has_network = std::ranges::find(options, "--network=host") != options.end();
    if (!has_network) args.emplace_back("--network=none");
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {name(), "--"});
    args.insert(args.end(), command.begin(), command.end());
    return buildah(args, std::move(rest));
  }
  [[nodiscard]] Outcome shell_step(const Options& options, const std::string& script) const {
    return step(options, {"sh", "-c", script});
  }
  /// `buildah bud` of this Containerfile in directory(); the image is named name().
  [[nodiscard]] Outcome build(const std::string& text) const {
    static_cast<void>(file("Containerfile", text));
    return buildah({"bud", "--network=none", "--tag", name(), directory()});
  }
};

class BuildahOption : public Buildah, public ::testing::WithParamInterface<ScriptRow> {};

TEST_P(BuildahOption, ReachesTheStep) {
  const ScriptRow& row = GetParam();
  const Outcome outcome = shell_step(row.options, row.script);
  expect_as_in(row, outcome);
}

const ScriptRow kRows[] = {
    {"Output", {}, "echo hi", "hi\n"},
    {"ExitCode", {}, "exit 7", "", 7},
    {"Env", {"--env=A=b"}, "echo $A", "b\n"},
    {"User", {"--user=33:44"}, "id -u; id -g", "33\n44\n"},
    {"Workingdir", {"--workingdir=/tmp"}, "pwd", "/tmp\n"},
    {"Hostname", {"--hostname=elsewhere"}, "hostname", "elsewhere\n"},
    {"CapDrop", {"--cap-drop=all"}, "grep CapEff /proc/self/status", "CapEff:\t0000000000000000\n"},
    {"CapAdd",
     {"--cap-add=CAP_NET_RAW"},
     "test $((0x$(grep CapEff /proc/self/status | cut -f2) & 0x2000)) != 0 && echo net_raw",
     "net_raw\n"},
    {"NoNetwork", {}, "ls /sys/class/net", "lo\n"},
    {"Tmpfs", {"--mount=type=tmpfs,target=/x"}, "grep -o ' /x tmpfs' /proc/mounts", " /x tmpfs\n"},
    {"IsolationOci", {"--isolation=oci"}, "test $$ = 1 && echo first", "first\n"},
    {"IsolationRootless", {"--isolation=rootless"}, "test $$ = 1 && echo first", "first\n"},
    {"IsolationChrootNeedsNoRuntime", {"--isolation=chroot", "--network=host"}, "echo hi", "hi\n"},
};

INSTANTIATE_TEST_SUITE_P(Run, BuildahOption, ::testing::ValuesIn(kRows), kNameOfRow);

TEST_F(Buildah, ShowsNothingButTheOutputOfAStep) {
  const Outcome outcome = step({}, {"true"});
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Buildah, SaysThatTheCommandIsMissing) {
  const Outcome outcome = step({}, {"nope"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("nope"), std::string::npos) << outcome.err;
}

TEST_F(Buildah, KeepsWhatAStepWrites) {
  EXPECT_TRUE(succeeds(shell_step({}, "echo text >/x")));
  EXPECT_EQ(step({}, {"cat", "/x"}).out, "text\n");
  const std::string root = stripped(buildah({"mount", name()}).out);
  EXPECT_EQ(read(root + "/x"), "text\n");
  EXPECT_TRUE(succeeds(buildah({"umount", name()})));
  EXPECT_TRUE(succeeds(buildah({"commit", name(), name()})));
  EXPECT_EQ(podman({"run", "--rm", "--network=none", name(), "cat", "/x"}).out, "text\n");
  EXPECT_TRUE(succeeds(buildah({"rmi", name()})));
}

TEST_F(Buildah, HasVolumes) {
  static_cast<void>(file("x", "text\n"));
  const Outcome outcome = shell_step({cat("--volume=", directory(), ":/v:ro")},
                                     "cat /v/x; touch /v/y 2>/dev/null || echo refused");
  EXPECT_EQ(outcome.out, "text\nrefused\n") << outcome.err;
}

TEST_F(Buildah, TakesInput) {
  Call call;
  call.input = "typed\n";
  EXPECT_EQ(step({}, {"cat"}, std::move(call)).out, "typed\n");
}

TEST_F(Buildah, HasATerminal) {
  Call call;
  call.args = {"run", "--tty", "--network=none", name(), "--", "sh"};
  Terminal terminal("buildah", call);
  ASSERT_TRUE(terminal.shows("#"));
  terminal.type("tty; echo $((6 * 7))\r");
  EXPECT_TRUE(terminal.shows("/dev/pts/0\r\n42\r\n"));
  terminal.type("exit 5\r");
  EXPECT_EQ(terminal.wait().exit_code, 5);
}

TEST_F(Buildah, BuildsFromAContainerfile) {
  const Outcome built = build(R"(FROM localhost/bb
ENV A=b
WORKDIR /work
RUN echo one >file; pwd
USER 33:44
RUN id -u; echo $A; cat file
USER 0
RUN --mount=type=tmpfs,target=/t touch /t/x && mkdir made
CMD ["sh", "-c", "cat file; ls"]
)");
  EXPECT_TRUE(succeeds(built));
  EXPECT_NE(built.out.find("\n/work\n"), std::string::npos) << built.out;
  EXPECT_NE(built.out.find("\n33\nb\none\n"), std::string::npos) << built.out;
  EXPECT_EQ(podman({"run", "--rm", "--network=none", name()}).out, "one\nfile\nmade\n");
  EXPECT_TRUE(succeeds(buildah({"rmi", name()})));
}

TEST_F(Buildah, ABuildEndsWithTheStepThatFails) {
  const Outcome built = build("FROM localhost/bb\nRUN echo first; exit 3\nRUN echo second\n");
  EXPECT_EQ(built.exit_code, 3) << built.err;
  EXPECT_NE(built.out.find("\nfirst\n"), std::string::npos) << built.out;
  EXPECT_EQ(built.out.find("\nsecond\n"), std::string::npos) << built.out;
}

TEST_F(Buildah, TakesTheRuntimeOfTheCall) {
  EXPECT_EQ(step({"--runtime", kRuntime}, {"echo", "hi"}).out, "hi\n");
  const Outcome missing = step({"--runtime=/nope"}, {"echo", "hi"});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_NE(missing.err.find("/nope"), std::string::npos) << missing.err;
  Call call;
  call.env.emplace_back("BUILDAH_RUNTIME=/nope");
  EXPECT_NE(step({}, {"echo", "hi"}, call).exit_code, 0);
  call.env.back() = cat("BUILDAH_RUNTIME=", kRuntime);
  EXPECT_EQ(step({}, {"echo", "hi"}, call).out, "hi\n");
}

TEST_F(Buildah, AStepThatIsInterruptedIsGone) {
  // Before its first look at the state buildah does not handle signals.
  const std::string log = directory() + "/log";
  const std::string watched = file(
      "watched",
      cat("#!/bin/sh\n", kRuntime, " \"$@\"\ncode=$?\necho $1 >>", log, "\nexit $code\n"), 0755);
  Call call;
  call.args = {"run", "--runtime", watched, "--network=none", name(), "--", "sleep", "1000"};
  Program program(find_program("buildah"), call);
  ASSERT_TRUE(eventually([&] { return read(log).find("state\n") != std::string::npos; },
                         std::chrono::seconds(30)));
  program.signal(SIGTERM);
  EXPECT_NE(program.wait(std::chrono::seconds(60)).exit_code, 0);
}

class RootlessBuildah : public Buildah {
 protected:
  RootlessBuildah() : Buildah(kUser) {}
};

TEST_F(RootlessBuildah, RunsAStep) {
  const Outcome outcome = shell_step({}, "id -u; touch /x && echo made; exit 7");
  EXPECT_EQ(outcome.exit_code, 7) << outcome.err;
  EXPECT_EQ(outcome.out, "0\nmade\n") << outcome.err;
}

TEST_F(RootlessBuildah, BuildsFromAContainerfile) {
  EXPECT_TRUE(succeeds(build("FROM localhost/bb\nRUN echo text >/x\nUSER 33\nRUN id -u\n")));
  EXPECT_EQ(podman({"run", "--rm", "--network=none", name(), "cat", "/x"}).out, "text\n");
  EXPECT_TRUE(succeeds(buildah({"rmi", name()})));
}

}  // namespace
}  // namespace rt::testing
