// NOTIFY_SOCKET: what the payload says of its readiness reaches whom the caller named.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/base/unique_fd.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

using Messages = std::vector<std::string>;

std::string say_binary() {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"), "/tests/e2e/say");
}

class Notify : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    copy_file(say_binary(), rootfs() + "/bin/say", 0755);
  }

  [[nodiscard]] std::string host_path() const { return directory() + "/host.sock"; }

  /// A socket as systemd has one, at a path or an abstract name.
  static UniqueFd listen_at(const std::string& name) {
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    return socket;
  }

  static Call with_socket(const std::string& name) {
    Call call;
    call.env.push_back("NOTIFY_SOCKET=" + name);
    return call;
  }

  /// `create`, `run`, ... with the host's socket in the environment. `start` needs none.
  [[nodiscard]] Outcome notifying(std::vector<std::string> words) const {
    write_config();
    words.push_back(id());
    words.push_back(bundle());
    return runtime(words, with_socket(host_path()));
  }

  /// The next `count` messages. As systemd does, a descriptor that comes along is closed.
  static Messages receive(const UniqueFd& socket, size_t count) {
    Messages messages;
    std::array<char, 256> text{};
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    while (messages.size() < count && ::poll(&waiting, 1, 10000) == 1) {
      const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
      messages.emplace_back(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
    }
    return messages;
  }

  static bool has_more(const UniqueFd& socket) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
  }

  [[nodiscard]] Messages readiness_of(pid_t main) const {
    return {"READY=1", cat("MAINPID=", main), "BARRIER=1"};
  }

  /// A start in the background, of a container whose payload says that it is ready once `go` was
  /// called. Returns when the payload runs.
  [[nodiscard]] Program start_one_that_waits() {
    config_.shell(
        "touch /tmp/started; until test -e /tmp/go; do sleep 0.02; done; "
        "say $NOTIFY_SOCKET READY=1; exec sleep 1000");
    EXPECT_TRUE(succeeds(notifying({"create"})));
    Program start(runtime_binary(), call({"start", id()}));
    EXPECT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
    return start;
  }
  void go() const { write(rootfs() + "/tmp/go", ""); }

  /// Until somebody waits for it an ended program is a zombie.
  [[nodiscard]] bool has_ended(const Program& program) const {
    return read(cat("/proc/", program.pid(), "/stat")).find(") Z ") != std::string::npos;
  }
};

TEST_F(Notify, StartTellsTheHostWhoIsReady) {
  const UniqueFd host = listen_at(host_path());
  config_.shell("say $NOTIFY_SOCKET READY=1; exec sleep 1000");
  ASSERT_TRUE(succeeds(notifying({"create"})));
  EXPECT_FALSE(has_more(host));
  Program start(runtime_binary(), call({"start", id()}));
  EXPECT_EQ(receive(host, 3), readiness_of(pid()));
  EXPECT_TRUE(succeeds(start.wait()));
  EXPECT_FALSE(has_more(host));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Notify, StartWaitsUntilThePayloadIsReady) {
  const UniqueFd host = listen_at(host_path());
  Program starting = start_one_that_waits();
  EXPECT_TRUE(becomes("running"));
  // Others may work on the container meanwhile.
  EXPECT_TRUE(fails_saying(start(), "cannot start an already running container"));
  EXPECT_FALSE(has_ended(starting));
  EXPECT_FALSE(has_more(host));
  go();
  EXPECT_EQ(receive(host, 3), readiness_of(pid()));
  EXPECT_TRUE(succeeds(starting.wait()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Notify, StartWaitsUntilTheHostHasSeenIt) {
  const UniqueFd host = listen_at(host_path());
  config_.shell("say $NOTIFY_SOCKET READY=1; exec sleep 1000");
  ASSERT_TRUE(succeeds(notifying({"create"})));
  Program start(runtime_binary(), call({"start", id()}));
  EXPECT_EQ(receive(host, 2).size(), 2U);
  // Its own message is in our queue still.
  ASSERT_TRUE(eventually([&] { return has_more(host); }));
  EXPECT_FALSE(has_ended(start));
  EXPECT_EQ(receive(host, 1), Messages{"BARRIER=1"});
  EXPECT_TRUE(succeeds(start.wait()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Notify, AContainerThatIsKilledIsNotWaitedFor) {
  const UniqueFd host = listen_at(host_path());
  Program start = start_one_that_waits();
  ASSERT_TRUE(becomes("running"));
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(succeeds(start.wait()));
  EXPECT_FALSE(has_more(host));
}

// What it has said by then has been read.
TEST_F(Notify, AContainerThatEndsWithoutTheWordIsNotWaitedFor) {
  const UniqueFd host = listen_at(host_path());
  config_.shell(
      cat("say $NOTIFY_SOCKET '' '\n\n' READY READY=0 XREADY=1 READY=10 'READY=1 ' ready=1 ",
          std::string(6000, '='), "'\nREADY=1' MAINPID=1 STOPPING=1"));
  ASSERT_TRUE(succeeds(notifying({"create"})));
  EXPECT_TRUE(succeeds(start()));
  EXPECT_FALSE(has_more(host));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Notify, NothingButReadinessIsHandedOn) {
  const UniqueFd host = listen_at(host_path());
  config_.shell(
      "say $NOTIFY_SOCKET MAINPID=1 'STATUS=up\nREADY=1\nMAINPID=1\nFDSTORE=1'; exec sleep 1000");
  ASSERT_TRUE(succeeds(notifying({"create"})));
  Program start(runtime_binary(), call({"start", id()}));
  EXPECT_EQ(receive(host, 3), readiness_of(pid()));
  EXPECT_TRUE(succeeds(start.wait()));
  EXPECT_FALSE(has_more(host));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Notify, ADetachedRunTellsIt) {
  const UniqueFd host = listen_at(host_path());
  config_.shell("say $NOTIFY_SOCKET READY=1; exec sleep 1000");
  write_config();
  Program run(runtime_binary(),
              call({"run", "--detach", id(), bundle()}, with_socket(host_path())));
  const Messages told = receive(host, 3);
  EXPECT_TRUE(succeeds(run.wait()));
  EXPECT_EQ(told, readiness_of(pid()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Notify, ARunInTheForegroundIsTheMainProcessItself) {
  const UniqueFd host = listen_at(host_path());
  // Once it is ready nobody listens any more.
  config_.shell(
      "say $NOTIFY_SOCKET READY=1; while say $NOTIFY_SOCKET WATCHDOG=1; do sleep 0.02; done; "
      "exit 5");
  write_config();
  Program run(runtime_binary(), call({"run", id(), bundle()}, with_socket(host_path())));
  EXPECT_EQ(receive(host, 2), (Messages{"READY=1", cat("MAINPID=", run.pid())}));
  EXPECT_EQ(run.wait().exit_code, 5);
  EXPECT_FALSE(has_more(host));
}

TEST_F(Notify, OfAPayloadThatEndsAtOnceIsHandedOnToo) {
  const UniqueFd host = listen_at(host_path());
  config_.args({"/bin/say", "/run/notify/notify.sock", "READY=1"});
  EXPECT_TRUE(succeeds(notifying({"run"})));
  EXPECT_EQ(receive(host, 1), Messages{"READY=1"});
}

TEST_F(Notify, ReachesAnAbstractSocket) {
  const std::string name = "@" + id();
  const UniqueFd host = listen_at(name);
  config_.args({"/bin/say", "/run/notify/notify.sock", "READY=1"});
  EXPECT_TRUE(succeeds(run(with_socket(name))));
  EXPECT_EQ(receive(host, 1), Messages{"READY=1"});
}

TEST_F(Notify, IsForEveryUserOfTheContainer) {
  const UniqueFd host = listen_at(host_path());
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  config_.args({"/bin/say", "/run/notify/notify.sock", "READY=1"});
  EXPECT_TRUE(succeeds(notifying({"run"})));
  EXPECT_EQ(receive(host, 2).size(), 2U);
  config_.user_namespace();
  EXPECT_TRUE(succeeds(notifying({"run"})));
  EXPECT_EQ(receive(host, 2).size(), 2U);
}

TEST_F(Notify, WorksInAStateRootWithALongPath) {
  const UniqueFd host = listen_at(host_path());
  const std::string root = cat(state_root(), '/', std::string(150, 'x'));
  config_.args({"/bin/say", "/run/notify/notify.sock", "READY=1"});
  write_config();
  Call call = with_socket(host_path());
  call.args = {"--root", root, "run", id(), bundle()};
  EXPECT_TRUE(succeeds(run_program(runtime_binary(), call)));
  EXPECT_EQ(receive(host, 1), Messages{"READY=1"});
  EXPECT_EQ(::rmdir(root.c_str()), 0);
}

TEST_F(Notify, ShowsTheContainerASocketThatItCannotReplace) {
  const UniqueFd host = listen_at(host_path());
  config_.add("/process/env", R"("NOTIFY_SOCKET=/elsewhere")");
  config_.shell(
      "env | grep NOTIFY; ls -a /run/notify | tr '\n' ' '; stat -c '%F %a' /run/notify/*; "
      "cd /run/notify; touch x; ln -s /etc x; mkdir x; rm notify.sock; mv notify.sock x; "
      "chmod 0 notify.sock; ls");
  const Outcome outcome = notifying({"run"});
  EXPECT_EQ(outcome.out,
            "NOTIFY_SOCKET=/run/notify/notify.sock\n. .. notify.sock socket 666\nnotify.sock\n");
}

// A container that may mount can change the directory all the same: nothing of it is followed.
TEST_F(Notify, WhatAContainerPutsThereIsRemovedWithIt) {
  const UniqueFd host = listen_at(host_path());
  for (const char* set : {"bounding", "effective", "permitted"}) {
    config_.add(cat("/process/capabilities/", set), R"("CAP_SYS_ADMIN")");
  }
  write(directory() + "/precious", "precious");
  config_.shell(cat(
      "mount -o remount,bind,rw /run/notify && cd /run/notify && mkdir -p a/b/c && touch a/b/f && "
      "ln -s ",
      directory(), " a/link && ln -s ", directory(), " link && rm notify.sock && echo done"));
  const Outcome outcome = notifying({"run"});
  EXPECT_EQ(outcome.out, "done\n") << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(read(directory() + "/precious"), "precious");
}

// Of a user without privileges: the directory is the container's own user's.
TEST_F(Notify, WorksWithoutPrivileges) {
  constexpr uid_t kUser = 4242;
  const UniqueFd host = listen_at(host_path());
  ASSERT_EQ(::chmod(host_path().c_str(), 0777), 0);
  for (const std::string& path : {state_root(), bundle(), rootfs()}) {
    ASSERT_EQ(::chown(path.c_str(), kUser, kUser), 0) << path;
  }
  const std::string map = cat(R"([{"containerID": 0, "size": 1, "hostID": )", kUser, "}]");
  config_.user_namespace().set("/linux/uidMappings", map).set("/linux/gidMappings", map);
  for (const char* set : {"bounding", "effective", "permitted"}) {
    config_.add(cat("/process/capabilities/", set), R"("CAP_SYS_ADMIN")");
  }
  config_.shell(
      "say $NOTIFY_SOCKET READY=1; touch /run/notify/x; mount -o remount,bind,rw /run/notify; "
      "cd /run/notify && mkdir -p a/b/c && rm notify.sock && echo done");
  write_config();
  const Outcome outcome = runtime_as(kUser, {"run", id(), bundle()}, with_socket(host_path()));
  EXPECT_EQ(outcome.out, "done\n");
  EXPECT_EQ(outcome.err, "touch: /run/notify/x: Read-only file system\n");
  EXPECT_EQ(receive(host, 1), Messages{"READY=1"});
}

TEST_F(Notify, AHostThatDoesNotListenIsAWarning) {
  config_.args({"/bin/say", "/run/notify/notify.sock", "READY=1"});
  const Outcome outcome = notifying({"run"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find(cat("NOTIFY_SOCKET \"", host_path(), "\": connect: no such file")),
            std::string::npos)
      << outcome.err;
}

TEST_F(Notify, AnAddressOfAnotherKindIsAWarning) {
  config_.shell("env | grep NOTIFY; test -e /run/notify");
  write_config();
  const Outcome outcome = run(with_socket("vsock:2:1234"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("NOTIFY_SOCKET \"vsock:2:1234\": not passed on"), std::string::npos);
}

TEST_F(Notify, IsNothingWhereNobodyAsks) {
  EXPECT_EQ(run_shell("env | grep NOTIFY; test -e /run/notify").out, "");
  EXPECT_FALSE(exists(rootfs() + "/run/notify"));
}

}  // namespace
}  // namespace rt::testing
