// What engines find when a call fails: one line in the log, the same on standard error, its end,
// and nothing that is in the way of the next call.
#include <fcntl.h>

#include <array>

#include "tests/e2e/contract.h"
#include "tests/support/listener.h"

namespace rt::testing {
namespace {

/// A call that fails, whose standard streams are one pipe, as conmon's are.
struct Failure {
  const char* name;
  void (*change)(Config&);
  const char* words;
  const char* says;
};

class Failures : public Contract, public ::testing::WithParamInterface<Failure> {
 protected:
  /// All that the call wrote until the last process closed the streams; fails when one keeps them.
  [[nodiscard]] std::string written_by(Call call, int code) const {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    call.before_exec = [fd = writing.get()] {
      die_with_parent();
      make_or_exit(::dup2(fd, 1) == 1 && ::dup2(fd, 2) == 2);
    };
    EXPECT_EQ(run_program(runtime_binary(), call).exit_code, code);
    writing.reset();
    std::string all;
    std::array<char, 4096> block{};
    ssize_t count = 0;
    while (is_readable(reading.get()) &&
           (count = ::read(reading.get(), block.data(), block.size())) > 0) {
      all.append(block.data(), static_cast<size_t>(count));
    }
    EXPECT_TRUE(is_readable(reading.get())) << "somebody keeps it open";
    return all;
  }

  void expect_one_error(const std::string& text, const char* says) const {
    const Json error(read(log_file()));
    EXPECT_TRUE(error.valid()) << read(log_file());
    EXPECT_EQ(error.at("/level"), "error");
    EXPECT_NE(error.at("/msg").find(says), std::string::npos) << error.at("/msg");
    EXPECT_EQ(text, cat("runtime: ", error.at("/msg"), '\n'));
    EXPECT_FALSE(exists(pid_file()));
  }
};

TEST_P(Failures, OfCreateAreOneErrorTheEndOfTheStreamsAndAFreeName) {
  const Config good = config_;
  // With a warning, which must not be a second line.
  config_.set("/process/capabilities/bounding", R"(["CAP_NONSENSE"])");
  GetParam().change(config_);
  write_config();
  const std::string text = written_by(call_of(conmon(), GetParam().words), 1);
  expect_one_error(text, GetParam().says);
  EXPECT_TRUE(fails_saying(as(shim(), "--root ROOT state ID"), "does not exist"));
  EXPECT_EQ(written_by(call_of(shim(), "SHIM delete --force ID"), 0), "");
  write_config(good.text());
  take({shim, "SHIM create --bundle BUNDLE --pid-file PIDFILE ID"});
  take({shim, "SHIM delete --force ID"});
}

INSTANTIATE_TEST_SUITE_P(
    Create, Failures,
    ::testing::Values(
        Failure{"Program", [](auto& config) { config.args({"nope"}); },
                "SHIM create --bundle BUNDLE --pid-file PIDFILE ID",
                R"(exec: "nope": executable file not found in $PATH)"},
        Failure{"ProgramWithDebug", [](auto& config) { config.args({"/nope"}); },
                "--debug SHIM create --bundle BUNDLE --pid-file PIDFILE ID",
                R"(exec: "/nope": stat /nope: no such file or directory)"},
        Failure{"Sysctl",
                [](auto& config) { config.set("/linux/sysctl", R"({"net.foo.bar": "1"})"); },
                "SHIM create --bundle BUNDLE --pid-file PIDFILE ID",
                "open /proc/sys/net/foo/bar: no such file or directory"},
        Failure{"FileOverDirectory",
                [](auto& config) { config.mount("/tmp", "bind", "/etc/passwd", {"bind"}); },
                "SHIM create --bundle BUNDLE --pid-file PIDFILE ID", "not a directory"},
        Failure{"Hook",
                [](auto& config) {
                  config.set("/hooks/createRuntime",
                             R"([{"path": "/bin/sh", "args": ["sh", "-c", "exit 4"]}])");
                },
                "SHIM create --bundle BUNDLE --pid-file PIDFILE ID", "exit status 4"},
        Failure{"ConsoleSocket", [](auto& config) { config.set("/process/terminal", "true"); },
                "SHIM create --bundle BUNDLE --pid-file PIDFILE --console-socket SOCKET ID",
                "connect: no such file or directory"}),
    [](const auto& info) { return std::string(info.param.name); });

class ExecFailures : public Failures {};

TEST_P(ExecFailures, AreOneErrorAndTheEndOfTheStreams) {
  take({shim, "SHIM create --bundle BUNDLE ID"});
  take({shim, "SHIM start ID"});
  Config changed = config_;
  GetParam().change(changed);
  write(process_file(), changed.json().at("/process"));
  expect_one_error(written_by(call_of(conmon(), GetParam().words), 1), GetParam().says);
  take({shim, "SHIM delete --force ID"});
}

INSTANTIATE_TEST_SUITE_P(
    Exec, ExecFailures,
    ::testing::Values(
        Failure{"Program", [](auto& config) { config.args({"nope"}); },
                "SHIM exec --process PROCESS --detach --pid-file PIDFILE ID",
                R"(exec: "nope": executable file not found in $PATH)"},
        Failure{"Directory", [](auto& config) { config.set_string("/process/cwd", "/nodir"); },
                "SHIM exec --pid-file PIDFILE --process PROCESS --detach --tty=false ID",
                "no such file or directory"},
        Failure{"ConsoleSocket", [](auto& config) { config.set("/process/terminal", "true"); },
                "SHIM exec --pid-file PIDFILE --process PROCESS --detach --tty "
                "--console-socket SOCKET ID",
                "connect: no such file or directory"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Contract, APipeOfTheCallersEndsWithItsCaller) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  Call call = call_of(buildah(), "create --bundle BUNDLE ID");
  call.before_exec = [fd = writing.get()] { make_or_exit(::dup2(fd, 9) == 9); };
  ASSERT_TRUE(succeeds(run_program(runtime_binary(), call)));
  writing.reset();
  char one = 0;
  EXPECT_TRUE(is_readable(reading.get())) << "a process of the container keeps it open";
  if (is_readable(reading.get())) {
    EXPECT_EQ(::read(reading.get(), &one, 1), 0);
  }
  EXPECT_TRUE(succeeds(as(podman(), "delete --force ID")));
}

}  // namespace
}  // namespace rt::testing
