// runtime.md, "Lifecycle", "Operations", "Errors".
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"
#include "tests/support/leaks.h"

namespace rt::conformance {
namespace {

class Lifecycle : public Conformance {};

TEST_F(Lifecycle, CreateDoesNotRunTheProgram) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(status(), "created");
  EXPECT_EQ(output(), "");
  end();
}

TEST_F(Lifecycle, StartRunsTheProgram) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(report().at("/args"), R"(["/probe"])");
  EXPECT_EQ(wait_for_end(), 0);
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, CreateMakesTheEnvironmentThatTheProgramFinds) {
  config_.set_string("/hostname", "made-by-create");
  ASSERT_TRUE(succeeds(create()));
  const std::string before = read(cat("/proc/", pid(), "/mountinfo"));
  EXPECT_NE(before.find(" /dev/shm "), std::string::npos) << before;
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(report().at("/hostname"), "made-by-create");
  wait_for_end();
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, ChangesOfTheDocumentAfterCreateHaveNoEffect) {
  config_.set_string("/hostname", "first");
  ASSERT_TRUE(succeeds(create()));
  config_.set_string("/hostname", "second").args({"/probe", "changed"});
  config_.set_string("/process/cwd", "/tmp");
  write_config();
  ASSERT_TRUE(succeeds(start()));
  const Json report = this->report();
  EXPECT_EQ(report.at("/hostname"), "first");
  EXPECT_EQ(report.at("/args"), R"(["/probe"])");
  EXPECT_EQ(report.at("/cwd"), "/");
  wait_for_end();
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, TheExitCodeIsThatOfTheProgram) {
  config_.args({"/probe", "exit=42"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  const int status = wait_for_end();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Lifecycle, RunReturnsTheProgramsExitCodeAndLeavesNoContainer) {
  config_.args({"/probe", "exit=43"});
  EXPECT_EQ(run().exit_code, 43);
  EXPECT_FALSE(exists());
}

class Create : public Conformance {};

TEST_F(Create, WithoutAnIdIsAnError) {
  write_config();
  EXPECT_NE(runtime({"create", "--bundle", bundle()}).exit_code, 0);
}

TEST_F(Create, WithoutABundleIsAnError) {
  Call elsewhere;  // where there is no config.json
  elsewhere.cwd = rootfs();
  EXPECT_NE(runtime({"create", id()}, elsewhere).exit_code, 0);
  EXPECT_NE(runtime({"create", "--bundle", directory() + "/nothing", id()}).exit_code, 0);
  EXPECT_FALSE(exists());
}

TEST_F(Create, WithAnIdThatIsTakenIsAnErrorAndLeavesTheOtherAlone) {
  ASSERT_TRUE(succeeds(create()));
  const pid_t first = pid();
  EXPECT_NE(runtime({"create", "--bundle", bundle(), id()}).exit_code, 0);
  EXPECT_EQ(status(), "created");
  EXPECT_EQ(state().at("/pid"), cat(first));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(report().valid());
  wait_for_end();
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Create, WithAnIdThatIsNotValidIsAnError) {
  write_config();
  for (const char* wrong : {"", "..", "a/b", "../outside"}) {
    EXPECT_NE(runtime({"create", "--bundle", bundle(), wrong}).exit_code, 0) << wrong;
  }
  EXPECT_EQ(::access((directory() + "/outside").c_str(), F_OK), -1);
}

TEST_F(Create, WithoutAConfigIsAnError) {
  EXPECT_NE(runtime({"create", "--bundle", bundle(), id()}).exit_code, 0);
  EXPECT_FALSE(exists());
}

TEST_F(Create, OfWhatCannotBeAppliedIsAnErrorAndMakesNoContainer) {
  config_.mount("/tmp", "no-such-file-system", "none", {});
  EXPECT_TRUE(refuses());
}

TEST_F(Create, ThatFailsLeavesTheMachineAsItWas) {
  const testing::Watched watched{.token = id(), .state_root = directory() + "/state", .bundle = ""};
  const testing::Snapshot before = testing::take_snapshot(watched);
  config_.mount("/tmp", "tmpfs", "first", {});
  config_.mount("/tmp", "no-such-file-system", "none", {});
  EXPECT_TRUE(refuses());
  testing::Snapshot after;
  eventually([&] {
    testing::reap_orphans();
    after = testing::take_snapshot(watched);
    after.descriptors = before.descriptors;  // of the test itself: the output that it keeps
    return after == before;
  });
  EXPECT_EQ(testing::difference(before, after), "");
}

TEST_F(Create, LeavesArgsUntilStart) {
  config_.args({"/probe", "to=/tmp/ran"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_NE(::access((rootfs() + "/tmp/ran").c_str(), F_OK), 0);
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  EXPECT_EQ(::access((rootfs() + "/tmp/ran").c_str(), F_OK), 0);
  EXPECT_TRUE(succeeds(remove()));
}

class Start : public Conformance {};

TEST_F(Start, WithoutAnIdIsAnError) { EXPECT_NE(runtime({"start"}).exit_code, 0); }

TEST_F(Start, OfAContainerThatDoesNotExistIsAnError) { EXPECT_NE(start().exit_code, 0); }

TEST_F(Start, OfARunningContainerIsAnErrorWithoutEffect) {
  start_waiting();
  EXPECT_NE(start().exit_code, 0);
  EXPECT_EQ(status(), "running");
  end();
}

TEST_F(Start, OfAStoppedContainerIsAnErrorWithoutEffect) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  EXPECT_NE(start().exit_code, 0);
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Start, IsAnErrorWithoutAProcess) {
  config_.erase("/process");
  if (create().exit_code != 0) GTEST_SKIP() << "refused by create already";
  EXPECT_NE(start().exit_code, 0);
}

class Kill : public Conformance {};

TEST_F(Kill, WithoutAnIdIsAnError) { EXPECT_NE(runtime({"kill"}).exit_code, 0); }

TEST_F(Kill, OfAContainerThatDoesNotExistIsAnError) { EXPECT_NE(kill("KILL").exit_code, 0); }

TEST_F(Kill, SendsTheSignalThatIsNamed) {
  for (const auto& [name, number] : {std::pair("TERM", SIGTERM), std::pair("USR1", SIGUSR1),
                                     std::pair("SIGHUP", SIGHUP), std::pair("12", SIGUSR2)}) {
    start_waiting();
    EXPECT_TRUE(succeeds(kill(name)));
    const int status = wait_for_end();
    EXPECT_TRUE(WIFEXITED(status)) << name;
    EXPECT_EQ(WEXITSTATUS(status), number) << name;
    EXPECT_TRUE(succeeds(remove()));
  }
}

TEST_F(Kill, WithKillEndsARunningContainer) {
  start_waiting();
  EXPECT_TRUE(succeeds(kill("KILL")));
  const int status = wait_for_end();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(this->status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Kill, EndsACreatedContainer) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(kill("KILL")));
  wait_for_end();
  EXPECT_EQ(status(), "stopped");
  EXPECT_EQ(output(), "");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Kill, OfAStoppedContainerIsAnErrorWithoutEffect) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  EXPECT_NE(kill("TERM").exit_code, 0);
  EXPECT_EQ(status(), "stopped");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Kill, WithASignalThatDoesNotExistIsAnErrorWithoutEffect) {
  start_waiting();
  EXPECT_NE(kill("NOSIGNAL").exit_code, 0);
  EXPECT_EQ(status(), "running");
  end();
}

class Delete : public Conformance {};

TEST_F(Delete, WithoutAnIdIsAnError) { EXPECT_NE(runtime({"delete"}).exit_code, 0); }

TEST_F(Delete, OfAContainerThatDoesNotExistIsAnError) { EXPECT_NE(remove().exit_code, 0); }

TEST_F(Delete, OfARunningContainerIsAnErrorWithoutEffect) {
  start_waiting();
  EXPECT_NE(remove().exit_code, 0);
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(read(cat("/proc/", pid(), "/cmdline")).starts_with("/probe"));
  end();
}

TEST_F(Delete, OfACreatedContainerIsAnErrorWithoutEffect) {
  ASSERT_TRUE(succeeds(create()));
  const Outcome outcome = remove();
  // containerd's shim deletes, without --force, a container that was never started.
  if (outcome.exit_code == 0 && !exists()) {
    GTEST_SKIP() << "ends and deletes it, as orchestrators expect";
  }
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(status(), "created");
}

TEST_F(Delete, UndoesWhatCreateDid) {
  const testing::Watched watched{.token = id(), .state_root = directory() + "/state", .bundle = ""};
  const testing::Snapshot before = testing::take_snapshot(watched);
  start_waiting();
  end();
  testing::Snapshot after;
  eventually([&] {
    after = testing::take_snapshot(watched);
    after.descriptors = before.descriptors;  // of the test itself: the output that it keeps
    return after == before;
  });
  EXPECT_EQ(testing::difference(before, after), "");
}

TEST_F(Delete, LeavesWhatCreateDidNotMake) {
  make_directory(directory() + "/volume");
  write(directory() + "/volume/file", "kept");
  config_.mount("/tmp", "bind", directory() + "/volume", {"rbind"});
  start_waiting();
  end();
  EXPECT_EQ(read(directory() + "/volume/file"), "kept");
  EXPECT_EQ(::access((rootfs() + "/probe").c_str(), F_OK), 0);
  EXPECT_EQ(::access((bundle() + "/config.json").c_str(), F_OK), 0);
}

TEST_F(Delete, FreesTheId) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(succeeds(create())) << round;
    ASSERT_TRUE(succeeds(start()));
    wait_for_end();
    EXPECT_TRUE(succeeds(remove()));
    EXPECT_FALSE(exists());
  }
}

}  // namespace
}  // namespace rt::conformance
