// Descriptors that the caller hands in (--preserve-fds, LISTEN_FDS) and gets (--pidfd-socket).
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sys/socket.h"
#include "tests/support/container.h"
#include "tests/support/listener.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

/// What `ls` opens for itself is the number after the last one.
constexpr const char* kList = "ls /proc/self/fd | tr '\\n' ' '";

class Descriptors : public Container {
 protected:
  /// Files "fd-3" to "fd-LAST" of the test's directory as descriptors 3 to LAST; each holds its
  /// number.
  [[nodiscard]] Call with_descriptors(int last) const {
    for (int fd = 3; fd <= last; ++fd) write(path_of(fd), std::to_string(fd));
    Call call;
    call.before_exec = [this, last] {
      // From above down: what is open there now is the test's own.
      for (int fd = 3; fd <= last; ++fd) {
        const int opened = ::open(path_of(fd).c_str(), O_RDONLY);
        if (opened < 0 || (opened != fd && ::dup2(opened, fd) < 0)) ::_exit(123);
        if (opened != fd) ::close(opened);
        if (::fcntl(fd, F_SETFD, 0) < 0) ::_exit(123);
      }
      if (::close_range(static_cast<unsigned>(last) + 1, ~0U, 0) < 0) ::_exit(123);
    };
    return call;
  }

  /// The same for socket activation: LISTEN_PID is the pid of the runtime, or not.
  [[nodiscard]] Outcome run_activated(const Call& descriptors, const std::string& count,
                                      const std::string& pid,
                                      const std::vector<std::string>& options = {}) const {
    write_config();
    Call activated = descriptors;
    activated.env.push_back("LISTEN_FDS=" + count);
    activated.args = {"-c",     cat("export LISTEN_PID=", pid, "; exec \"$@\""),
                      "sh",     runtime_binary(),
                      "--root", state_root(),
                      "run"};
    activated.args.insert(activated.args.end(), options.begin(), options.end());
    activated.args.insert(activated.args.end(), {id(), bundle()});
    return run_program("/bin/sh", activated);
  }

 private:
  [[nodiscard]] std::string path_of(int fd) const { return cat(directory(), "/fd-", fd); }
};

TEST_F(Descriptors, ThatArePreservedAndNoOthersReachThePayload) {
  config_.shell(cat("cat <&3; cat <&4; echo; ", kList));
  write_config();
  const Outcome outcome =
      runtime({"run", "--preserve-fds", "2", id(), bundle()}, with_descriptors(7));
  EXPECT_EQ(outcome.out, "34\n0 1 2 3 4 5 ") << outcome.err;
}

TEST_F(Descriptors, AreAllClosedUnlessTheyArePreserved) {
  config_.shell(kList);
  EXPECT_EQ(run(with_descriptors(7)).out, "0 1 2 3 ");
}

TEST_F(Descriptors, LastFromCreateToStart) {
  config_.shell(cat("(cat <&3; cat <&5; echo; ", kList, ") >/tmp/seen"));
  write_config();
  ASSERT_TRUE(
      succeeds(runtime({"create", "--preserve-fds", "3", id(), bundle()}, with_descriptors(7))));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_EQ(read(rootfs() + "/tmp/seen"), "35\n0 1 2 3 4 5 6 ");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Descriptors, ThatAreNotOpenAreAnErrorAndNothingIsMade) {
  write_config();
  for (const char* command : {"create", "run"}) {
    const Outcome outcome =
        runtime({command, "--preserve-fds", "3", id(), bundle()}, with_descriptors(4));
    EXPECT_TRUE(fails_saying(outcome, "descriptor 5: fcntl: bad file descriptor")) << command;
    EXPECT_TRUE(fails_saying(runtime({"state", id()}), "does not exist"));
  }
}

TEST_F(Descriptors, AreANumber) {
  write_config();
  for (const char* number : {"", "-1", "two", "1.5", "4294967296", "18446744073709551616"}) {
    EXPECT_TRUE(fails_saying(runtime({"run", cat("--preserve-fds=", number), id(), bundle()}),
                             "--preserve-fds"))
        << number;
  }
  EXPECT_TRUE(
      fails_saying(runtime({"run", "--preserve-fds", "4294967295", id(), bundle()}), "too many"));
}

TEST_F(Descriptors, OfSocketActivationReachThePayloadThatIsTold) {
  config_.shell(cat("cat <&4; echo; env | grep LISTEN; ", kList));
  const Outcome outcome = run_activated(with_descriptors(6), "2", "$$");
  EXPECT_EQ(outcome.out, "4\nLISTEN_FDS=2\nLISTEN_PID=1\n0 1 2 3 4 5 ") << outcome.err;
}

TEST_F(Descriptors, OfSocketActivationForSomebodyElseAreNotThePayloads) {
  config_.shell(cat("env | grep LISTEN; ", kList));
  for (const char* pid : {"1", "$PPID", "-1", "x", ""}) {
    EXPECT_EQ(run_activated(with_descriptors(4), "2", pid).out, "0 1 2 3 ") << pid;
  }
}

TEST_F(Descriptors, OfSocketActivationThatNobodyCountsAreNotThePayloads) {
  config_.shell(cat("env | grep LISTEN; ", kList));
  for (const char* count : {"0", "x", "-1", "4294967297", ""}) {
    EXPECT_EQ(run_activated(with_descriptors(4), count, "$$").out, "0 1 2 3 ") << count;
  }
}

// What podman writes: LISTEN_FDS, and no LISTEN_PID, which nobody but the runtime knows.
TEST_F(Descriptors, OfSocketActivationThatTheDocumentNamesAreNamedOnce) {
  config_.add("/process/env", R"("LISTEN_FDS=1")");
  config_.shell("env | grep -c LISTEN_FDS; env | grep LISTEN_PID");
  EXPECT_EQ(run_activated(with_descriptors(3), "1", "$$").out, "1\nLISTEN_PID=1\n");
  config_.add("/process/env", R"("LISTEN_PID=77")");
  EXPECT_EQ(run_activated(with_descriptors(3), "1", "$$").out, "1\nLISTEN_PID=77\n");
}

TEST_F(Descriptors, OfSocketActivationComeBeforeThoseThatArePreserved) {
  config_.shell(cat("cat <&3; cat <&4; cat <&5; env | grep LISTEN_FDS; ", kList));
  const Outcome outcome = run_activated(with_descriptors(7), "1", "$$", {"--preserve-fds", "2"});
  EXPECT_EQ(outcome.out, "345LISTEN_FDS=1\n0 1 2 3 4 5 6 ") << outcome.err;
}

class PidfdSocket : public Container {
 protected:
  [[nodiscard]] std::string socket_path() const { return directory() + "/pidfd.sock"; }

  /// One message with one descriptor, and the end.
  static UniqueFd receive(const Listener& listener) {
    return receive_all(listener.accept().get()).descriptor;
  }

  /// Whose pidfd it is; 0 for any other descriptor.
  [[nodiscard]] pid_t pid_of(const UniqueFd& pidfd) const {
    const std::string info = read(cat("/proc/self/fdinfo/", pidfd.get()));
    const size_t place = info.find("\nPid:\t");
    if (place == std::string::npos) return 0;
    const size_t begin = place + 6;
    const std::string number = info.substr(begin, info.find('\n', begin) - begin);
    return static_cast<pid_t>(parse_int(number).value_or(0));
  }
};

TEST_F(PidfdSocket, OfCreateGetsTheContainersInit) {
  const Listener listener(socket_path());
  write_config();
  // Nobody has accepted it when create returns: it is there already.
  ASSERT_TRUE(succeeds(runtime({"create", "--pidfd-socket", socket_path(), id(), bundle()})));
  const UniqueFd pidfd = receive(listener);
  EXPECT_GT(pid_of(pidfd), 0);
  EXPECT_EQ(pid_of(pidfd), pid());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(PidfdSocket, OfRunGetsTheContainersInit) {
  const Listener listener(socket_path());
  config_.shell("exec sleep 1000");
  write_config();
  ASSERT_TRUE(succeeds(runtime({"run", "-d", "--pidfd-socket", socket_path(), id(), bundle()})));
  const UniqueFd pidfd = receive(listener);
  EXPECT_GT(pid_of(pidfd), 0);
  EXPECT_EQ(pid_of(pidfd), pid());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(PidfdSocket, OfExecGetsTheProcess) {
  const Listener listener(socket_path());
  start_sleeping();
  const std::string pid_file = directory() + "/pid";
  ASSERT_TRUE(succeeds(runtime({"exec", "--detach", "--pid-file", pid_file, "--pidfd-socket",
                                socket_path(), id(), "/bin/sleep", "1000"})));
  const UniqueFd pidfd = receive(listener);
  EXPECT_EQ(std::to_string(pid_of(pidfd)), read(pid_file));
  EXPECT_NE(pid_of(pidfd), pid());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(PidfdSocket, ThatIsNotThereIsAnErrorAndNothingIsMade) {
  write_config();
  EXPECT_TRUE(fails_saying(runtime({"create", "--pidfd-socket", socket_path(), id(), bundle()}),
                           cat("--pidfd-socket \"", socket_path(), "\": connect: no such file")));
  EXPECT_TRUE(fails_saying(runtime({"state", id()}), "does not exist"));
}

TEST_F(PidfdSocket, ThatIsNotThereEndsAnExec) {
  start_sleeping();
  EXPECT_TRUE(fails_saying(
      runtime({"exec", "--pidfd-socket", socket_path(), id(), "/bin/touch", "/tmp/made"}),
      "connect: no such file"));
  EXPECT_FALSE(exists(rootfs() + "/tmp/made"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

}  // namespace
}  // namespace rt::testing
