// runtime-systemd, from outside: what it asks systemd for, and what becomes of it when systemd does
// not do its part.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/command.h"
#include "tests/systemd/fake_systemd.h"

namespace rt::testing {
namespace {

using std::chrono::seconds;

constexpr const char* kUnit = "box.scope";

std::string helper_binary() {
  if (const char* named = std::getenv("SYSTEMD_HELPER")) return named;
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"),
             "/runtime/systemd/runtime-systemd");
}

/// A cgroup of this process, by which systemd would tell it from others.
std::string own_cgroup() {
  const std::string text = sys::read_file("/proc/self/cgroup", 65536).value();
  for (const std::string_view line : split(text, '\n')) {
    for (const std::string_view prefix : {":name=systemd:", "0::"}) {
      const size_t at = line.find(prefix);
      if (at != std::string_view::npos) return std::string(line.substr(at + prefix.size()));
    }
  }
  return "";
}

/// The number behind the last "UINT32" before the end of the properties: PIDs, of one process.
pid_t holder_in(const std::string& log) {
  const size_t property = log.find("\"PIDs\"");
  const size_t number = log.find("UINT32 ", property);
  if (property == std::string::npos || number == std::string::npos) return 0;
  return static_cast<pid_t>(std::strtol(log.c_str() + number + 7, nullptr, 10));
}

class Helper : public ::testing::Test {
 protected:
  /// What the helper leaves behind becomes ours.
  void SetUp() override { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  void TearDown() override {
    end_input();
    EXPECT_TRUE(eventually([] { return ::waitpid(-1, nullptr, WNOHANG) <= 0; }));
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  /// Runs the helper on that bus, with a pipe for its standard input.
  Outcome call(const std::string& address, std::vector<std::string> words) {
    sys::Pipe pipe = sys::pipe().value();
    input_ = std::move(pipe.write);
    Call call;
    call.args = std::move(words);
    call.env = {cat("DBUS_SYSTEM_BUS_ADDRESS=", address)};
    call.before_exec = [&pipe] { ::dup2(pipe.read.get(), 0); };
    Program program(helper_binary(), call);
    pipe.read.reset();
    return program.wait();
  }

  Outcome start(const FakeSystemd& systemd, const std::string& cgroup = "/elsewhere",
                const std::vector<std::string>& properties = {}) {
    std::vector<std::string> words = {"start",    "--unit", kUnit,       "--slice", "system.slice",
                                      "--cgroup", cgroup,   "--timeout", "1",       "--"};
    words.insert(words.end(), properties.begin(), properties.end());
    return call(systemd.address(), words);
  }

  void end_input() { input_.reset(); }

 private:
  UniqueFd input_;
};

TEST_F(Helper, StartsAUnitInTwoRoundTrips) {
  const FakeSystemd systemd({});
  const Outcome outcome =
      start(systemd, own_cgroup(),
            {"Description", "s",   "container box", "Delegate",    "b",        "true",
             "MemoryMax",   "t",   "1073741824",    "AllowedCPUs", "ay",       "2",
             "3",           "128", "KillSignal",    "i",           "37",       "DeviceAllow",
             "a(ss)",       "2",   "/dev/null",     "rwm",         "char-pts", "rw"});
  EXPECT_EQ(outcome.out, "ok\n");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(systemd.round_trips(), 2U) << systemd.log();
  const std::string log = systemd.log();
  for (const char* part :
       {"\"box.scope\"", "\"fail\"", "\"system.slice\"", "\"container box\"", "BOOLEAN true",
        "UINT64 1073741824", "BYTE 3", "BYTE 128", "INT32 37", "\"/dev/null\"", "\"char-pts\""}) {
    EXPECT_NE(log.find(part), std::string::npos) << part << " is not in " << log;
  }
}

TEST_F(Helper, LeavesAProcessThatHoldsThePlaceUntilItsInputEnds) {
  const FakeSystemd systemd({});
  ASSERT_EQ(start(systemd, own_cgroup()).out, "ok\n");
  const pid_t holder = holder_in(systemd.log());
  ASSERT_GT(holder, 0) << systemd.log();
  EXPECT_EQ(sys::read_file(cat("/proc/", holder, "/comm"), 64).value(), "runtime-holder\n");
  EXPECT_EQ(sys::list_directory(cat("/proc/", holder, "/fd")).value(),
            std::vector<std::string>{"0"});
  end_input();
  int status = -1;
  EXPECT_TRUE(eventually([&] { return ::waitpid(holder, &status, WNOHANG) == holder; }));
  EXPECT_EQ(status, 0);
}

TEST_F(Helper, TellsAVersionOnlyWhatItKnows) {
  Behaviour behaviour;
  behaviour.version = "v243-rc1";
  const FakeSystemd systemd(behaviour);
  EXPECT_EQ(start(systemd, own_cgroup(),
                  {"CPUQuotaPeriodUSec@242", "t", "5000", "AllowedCPUs@244", "ay", "1", "1"})
                .out,
            "ok\n");
  EXPECT_NE(systemd.log().find("CPUQuotaPeriodUSec"), std::string::npos);
  EXPECT_EQ(systemd.log().find("AllowedCPUs"), std::string::npos);
}

struct FailureRow {
  const char* name;
  Behaviour behaviour;
  const char* message;
  bool removed;  // systemd has accepted the unit: it is asked to take it back
};

class Failures : public Helper, public ::testing::WithParamInterface<FailureRow> {};

TEST_P(Failures, AreToldInTimeAndLeaveNothing) {
  const FakeSystemd systemd(GetParam().behaviour);
  const auto before = sys::monotonic_clock();
  const Outcome outcome = start(systemd);
  EXPECT_LT(sys::monotonic_clock() - before, seconds(10));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(outcome.out.starts_with(cat("error ", GetParam().message))) << outcome.out;
  EXPECT_EQ(systemd.calls("StopUnit"), GetParam().removed ? 1U : 0U) << systemd.log();
  EXPECT_EQ(systemd.calls("ResetFailedUnit"), GetParam().removed ? 1U : 0U);
  const pid_t holder = holder_in(systemd.log());
  EXPECT_TRUE(holder <= 0 || ::kill(holder, 0) < 0) << "the process that holds the place is left";
}

Behaviour silent_at(const char* method) {
  Behaviour behaviour;
  behaviour.silent_at = method;
  return behaviour;
}

Behaviour breaks_at(const char* method) {
  Behaviour behaviour;
  behaviour.breaks_at = method;
  return behaviour;
}

Behaviour job_ends_with(const char* result) {
  Behaviour behaviour;
  behaviour.job_result = result;
  return behaviour;
}

Behaviour refuses_with(const char* error) {
  Behaviour behaviour;
  behaviour.refusals.assign(100, error);
  return behaviour;
}

Behaviour exists_with(unsigned processes) {
  Behaviour behaviour = refuses_with("org.freedesktop.systemd1.UnitExists");
  behaviour.processes = processes;
  return behaviour;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Failures,
    ::testing::Values(
        FailureRow{"NoGreeting", silent_at("Hello"),
                   "systemd did not start box.scope within 1 s (cannot connect to systemd's bus "
                   "(unix:abstract=",
                   false},
        FailureRow{"NoVersion", silent_at("Get"),
                   "systemd did not start box.scope within 1 s (no answer to Get)", false},
        FailureRow{"NoAnswer", silent_at("StartTransientUnit"),
                   "systemd did not start box.scope within 1 s (no answer to StartTransientUnit)",
                   false},
        FailureRow{"JobHangs", job_ends_with(""),
                   "systemd did not start box.scope within 1 s (its job did not end)", true},
        FailureRow{"JobFails", job_ends_with("failed"),
                   "systemd could not start box.scope: its job ended with \"failed\"", true},
        FailureRow{"JobIsCanceled", job_ends_with("canceled"),
                   "systemd could not start box.scope: its job ended with \"canceled\"", true},
        FailureRow{
            "Elsewhere", {}, "systemd has made box.scope elsewhere than at \"/elsewhere\"", true},
        FailureRow{"Denied", refuses_with("org.freedesktop.DBus.Error.AccessDenied"),
                   "systemd does not start box.scope: refused for the test", false},
        FailureRow{"NeverBack", refuses_with("org.freedesktop.DBus.Error.NoReply"),
                   "systemd does not start box.scope: refused for the test", false},
        FailureRow{"LiveUnit", exists_with(2),
                   "a unit box.scope exists already, and is active with 2 processes", false},
        FailureRow{"ClosedAtOnce", breaks_at("Hello"),
                   "cannot connect to systemd's bus (unix:", false},
        FailureRow{"ClosedLater", breaks_at("StartTransientUnit"), "systemd's bus: ", false}),
    [](const auto& row) { return row.param.name; });

TEST_F(Helper, SaysWhereThereIsNoBus) {
  const Outcome outcome =
      call("unix:path=/nonexistent/bus", {"start", "--unit", kUnit, "--slice", "system.slice",
                                          "--cgroup", "/x", "--timeout", "1", "--"});
  EXPECT_EQ(outcome.out,
            "error cannot connect to systemd's bus (unix:path=/nonexistent/bus): connect: no such "
            "file or directory (is systemd running? --cgroup-manager cgroupfs works without)\n");
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST_F(Helper, WaitsForSystemdThatExecutesItselfAnew) {
  Behaviour behaviour;
  behaviour.refusals = {"org.freedesktop.DBus.Error.NoReply",
                        "org.freedesktop.DBus.Error.ServiceUnknown"};
  behaviour.job_result = "failed";
  const FakeSystemd systemd(behaviour);
  EXPECT_TRUE(start(systemd).out.starts_with("error systemd could not start box.scope"));
  EXPECT_EQ(systemd.calls("StartTransientUnit"), 3U);
}

TEST_F(Helper, IsContentWhenTheAnswerWasLostAndTheUnitIsThere) {
  Behaviour behaviour = refuses_with("org.freedesktop.DBus.Error.NoReply");
  const FakeSystemd systemd(behaviour);
  EXPECT_EQ(start(systemd, own_cgroup()).out, "ok\n");
  EXPECT_EQ(systemd.calls("StartTransientUnit"), 1U);
  EXPECT_EQ(systemd.calls("StopUnit"), 0U);
}

TEST_F(Helper, IsContentWhenTheEndOfTheJobWasNotHeard) {
  const FakeSystemd systemd(job_ends_with(""));
  EXPECT_EQ(start(systemd, own_cgroup()).out, "ok\n");
  EXPECT_EQ(systemd.calls("StopUnit"), 0U);
}

TEST_F(Helper, RemovesAUnitThatNobodyIsIn) {
  Behaviour behaviour;
  behaviour.refusals.assign(2, "org.freedesktop.systemd1.UnitExists");
  behaviour.state = "failed";
  behaviour.job_result = "failed";
  const FakeSystemd systemd(behaviour);
  static_cast<void>(start(systemd));
  EXPECT_EQ(systemd.calls("StartTransientUnit"), 3U);
  EXPECT_EQ(systemd.calls("ResetFailedUnit"), 3U) << "two leftovers, and the failure at the end";
}

TEST_F(Helper, LeavesAUnitAloneThatIsBeingStarted) {
  Behaviour behaviour = exists_with(0);
  behaviour.state = "inactive";
  const FakeSystemd systemd(behaviour);
  EXPECT_TRUE(start(systemd).out.starts_with("error systemd does not start box.scope: "));
  EXPECT_GT(systemd.calls("StartTransientUnit"), 1U);
  EXPECT_EQ(systemd.calls("StopUnit"), 0U);
}

TEST_F(Helper, HasAProcessPutIntoAUnitAndLooksWhereItIs) {
  const FakeSystemd systemd({});
  const std::string pid = std::to_string(::getpid());
  const auto attach = [&](const std::string& cgroup) {
    return call(systemd.address(),
                {"attach", "--unit", kUnit, "--cgroup", cgroup, "--pid", pid, "--timeout", "1"})
        .out;
  };
  EXPECT_EQ(attach(own_cgroup()), "ok\n");
  EXPECT_EQ(attach("/x"),
            cat("error systemd has put process ", pid, " elsewhere than into \"/x\"\n"));
  EXPECT_EQ(systemd.calls("AttachProcessesToUnit"), 2U);
  EXPECT_NE(systemd.log().find(cat("UINT32 ", pid)), std::string::npos);
}

TEST_F(Helper, SetsPropertiesOfAUnit) {
  const FakeSystemd systemd({});
  const Outcome outcome = call(systemd.address(), {"set", "--unit", kUnit, "--timeout", "1", "--",
                                                   "TasksMax", "t", "7", "New@300", "t", "1"});
  EXPECT_EQ(outcome.out, "ok\n");
  EXPECT_EQ(systemd.calls("SetUnitProperties"), 1U);
  EXPECT_NE(systemd.log().find("UINT64 7"), std::string::npos);
  EXPECT_EQ(systemd.log().find("New"), std::string::npos);
}

struct WrongRow {
  const char* name;
  std::vector<std::string> words;
  const char* message;
};

class WrongOrders : public Helper, public ::testing::WithParamInterface<WrongRow> {};

TEST_P(WrongOrders, AreRefused) {
  const FakeSystemd systemd({});
  const Outcome outcome = call(systemd.address(), GetParam().words);
  EXPECT_EQ(outcome.out, cat("error command line: ", GetParam().message, '\n'));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(systemd.round_trips(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongOrders,
    ::testing::Values(
        WrongRow{"Nothing", {}, "the command is missing"},
        WrongRow{"Command", {"stop"}, "\"stop\": unknown"},
        WrongRow{"Option", {"start", "--what"}, "\"--what\": unknown"},
        WrongRow{"NoUnit", {"set", "--timeout", "1", "--"}, "--unit is missing"},
        WrongRow{"NoTime", {"set", "--unit", "x", "--"}, "--timeout is missing"},
        WrongRow{"NoPid",
                 {"attach", "--unit", "x", "--timeout", "1", "--cgroup", "/x"},
                 "--pid is missing"},
        WrongRow{"Time", {"set", "--timeout", "x"}, "--timeout: \"x\": not a number that fits"},
        WrongRow{"NoValue",
                 {"set", "--unit", "x", "--timeout", "1", "--", "A", "t"},
                 "A: a value is missing"},
        WrongRow{"ShortArray",
                 {"set", "--unit", "x", "--timeout", "1", "--", "A", "a(ss)", "2", "x", "y", "z"},
                 "A: a value is missing"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace rt::testing
