// podman run: what of the host a container has: directories, hooks, a notify socket, cgroups.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/podman.h"

namespace rt::testing {
namespace {

class PodmanVolume : public Podman {
 protected:
  [[nodiscard]] std::string volume(const std::string& options) const {
    return cat("--volume=", directory(), ":/v", options.empty() ? "" : ":", options);
  }
};

TEST_F(PodmanVolume, IsWrittenTo) {
  EXPECT_TRUE(succeeds(run_shell({volume("")}, "echo text >/v/x")));
  EXPECT_EQ(read(directory() + "/x"), "text\n");
}

TEST_F(PodmanVolume, CanBeReadOnly) {
  static_cast<void>(file("x", "text\n"));
  const Outcome outcome =
      run_shell({volume("ro")}, "cat /v/x; touch /v/y 2>/dev/null || echo refused");
  EXPECT_EQ(outcome.out, "text\nrefused\n") << outcome.err;
}

TEST_F(PodmanVolume, HasItsOptions) {
  const Outcome outcome = run_shell({volume("nosuid,nodev,noexec")},
                                    "grep ' /v ' /proc/mounts | cut -d' ' -f4 | tr , '\\n' | "
                                    "grep ^no | sort | head -n 3");
  EXPECT_EQ(outcome.out, "nodev\nnoexec\nnosuid\n") << outcome.err;
}

TEST_F(PodmanVolume, OfAnOverlayKeepsTheOriginal) {
  static_cast<void>(file("x", "text\n"));
  const Outcome outcome = run_shell({volume("O")}, "echo more >>/v/x; touch /v/y; cat /v/x; ls /v");
  EXPECT_EQ(outcome.out, "text\nmore\nx\ny\n") << outcome.err;
  EXPECT_EQ(read(directory() + "/x"), "text\n");
  EXPECT_NE(::access((directory() + "/y").c_str(), F_OK), 0);
}

TEST_F(PodmanVolume, IsGivenToTheContainersUser) {
  const Outcome outcome =
      run_shell({volume("U"), "--user=33:33", "--uidmap=0:100000:1000", "--gidmap=0:100000:1000"},
                "touch /v/x && stat -c %u:%g /v/x");
  EXPECT_EQ(outcome.out, "33:33\n") << outcome.err;
  struct stat info{};
  ASSERT_EQ(::stat((directory() + "/x").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 100033U);
}

TEST_F(PodmanVolume, ShowsLaterMountsOfTheHostToASlave) {
  ASSERT_EQ(::mkdir((directory() + "/m").c_str(), 0755), 0);
  start({volume("rslave")});
  ASSERT_EQ(::mount("tmpfs", (directory() + "/m").c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_EQ(exec_shell({}, "grep -c ' /v/m ' /proc/mounts").out, "1\n");
  ASSERT_EQ(::umount((directory() + "/m").c_str()), 0);
  EXPECT_EQ(exec_shell({}, "grep -c ' /v/m ' /proc/mounts").out, "0\n");
  remove();
}

TEST_F(PodmanVolume, IsPrivateByDefault) {
  ASSERT_EQ(::mkdir((directory() + "/m").c_str(), 0755), 0);
  start({volume("")});
  ASSERT_EQ(::mount("tmpfs", (directory() + "/m").c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_EQ(exec_shell({}, "grep -c ' /v/m ' /proc/mounts").out, "0\n");
  ASSERT_EQ(::umount((directory() + "/m").c_str()), 0);
  remove();
}

TEST_F(PodmanVolume, SharesItsMountsWithTheHost) {
  ASSERT_EQ(::mkdir((directory() + "/m").c_str(), 0755), 0);
  start({volume("rshared"), "--privileged"});
  EXPECT_TRUE(succeeds(exec_shell({}, "mount -t tmpfs tmpfs /v/m && touch /v/m/inside")));
  EXPECT_EQ(::access((directory() + "/m/inside").c_str(), F_OK), 0);
  EXPECT_TRUE(succeeds(exec_shell({}, "umount /v/m")));
  remove();
}

TEST_F(PodmanVolume, WithANameOutlivesItsContainer) {
  EXPECT_TRUE(succeeds(run_shell({cat("--volume=", name(), ":/v")}, "echo text >/v/x")));
  EXPECT_EQ(run({cat("--volume=", name(), ":/v")}, {"cat", "/v/x"}).out, "text\n");
  EXPECT_TRUE(succeeds(podman({"volume", "rm", name()})));
}

using PodmanHooks = Podman;

TEST_F(PodmanHooks, AreRunInTheirOrderWithTheState) {
  const std::string log = directory() + "/log";
  const std::string hook = file("hook",
                                cat("#!/bin/sh\nread -r state\n"
                                    "case $state in *'\"pid\":'*) p=pid;; *) p=none;; esac\n"
                                    "echo $1 $p >>",
                                    log, "\n"),
                                0755);
  ASSERT_EQ(::mkdir((directory() + "/hooks.d").c_str(), 0755), 0);
  for (const char* stage :
       {"prestart", "createRuntime", "createContainer", "poststart", "poststop"}) {
    static_cast<void>(
        file(cat("hooks.d/", stage, ".json"),
             cat(R"({"version": "1.0.0", "when": {"always": true}, "hook": {"path": ")", hook,
                 R"(", "args": ["hook", ")", stage, R"("]}, "stages": [")", stage, R"("]})")));
  }
  const Outcome outcome =
      podman({"--hooks-dir", directory() + "/hooks.d", "run", "--rm", "--network=none",
              cat("--volume=", directory(), ":", directory()), "bb", "echo", "hi"});
  EXPECT_EQ(outcome.out, "hi\n") << outcome.err;
  EXPECT_TRUE(eventually([&] { return read(log).find("poststop") != std::string::npos; }));
  EXPECT_EQ(read(log),
            "prestart pid\ncreateRuntime pid\ncreateContainer pid\npoststart pid\npoststop none\n");
}

TEST_F(PodmanHooks, ThatFailEndTheContainer) {
  const std::string hook = file("hook", "#!/bin/sh\necho no luck >&2\nexit 3\n", 0755);
  ASSERT_EQ(::mkdir((directory() + "/hooks.d").c_str(), 0755), 0);
  static_cast<void>(file("hooks.d/it.json",
                         cat(R"({"version": "1.0.0", "when": {"always": true}, "hook": {"path": ")",
                             hook, R"("}, "stages": ["createRuntime"]})")));
  const Outcome outcome = podman({"--hooks-dir", directory() + "/hooks.d", "run", "--rm",
                                  "--network=none", "bb", "echo", "hi"});
  EXPECT_EQ(outcome.exit_code, 126) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

class PodmanNotify : public Podman {
 protected:
  void SetUp() override {
    Podman::SetUp();
    if (IsSkipped()) return;
    path_ = directory() + "/notify";
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  }

  [[nodiscard]] Call with_socket() const {
    Call call;
    call.env.push_back("NOTIFY_SOCKET=" + path_);
    return call;
  }
  /// Waits until one of the messages has this line.
  [[nodiscard]] bool hears(const std::string& line) {
    return eventually([&] {
      std::array<char, 4096> block{};
      for (ssize_t count = 0; (count = ::recv(socket_.get(), block.data(), block.size(), 0)) > 0;) {
        heard_ += cat(std::string_view(block.data(), static_cast<size_t>(count)), "\n");
      }
      return heard_.find(line) != std::string::npos;
    });
  }

  std::string heard_;

 private:
  std::string path_;
  UniqueFd socket_;
};

TEST_F(PodmanNotify, ConmonSaysThatTheContainerIsReady) {
  ASSERT_TRUE(succeeds(podman({"run", "--detach", "--name", name(), "--network=none",
                               "--sdnotify=conmon", "bb", "sleep", "1000"},
                              with_socket())));
  EXPECT_TRUE(hears("MAINPID=")) << heard_;
  EXPECT_TRUE(hears("READY=1")) << heard_;
  remove();
}

TEST_F(PodmanNotify, TheContainerSaysItItself) {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  const std::string say =
      cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"), "/tests/e2e/say");
  copy_file(say, directory() + "/say", 0755);
  Program program(find_program("podman"), [&] {
    Call call = with_socket();
    call.args = {
        "run",
        "--name",
        name(),
        "--network=none",
        "--sdnotify=container",
        cat("--volume=", directory(), "/say:/say"),
        "bb",
        "sh",
        "-c",
        "until test -e /tmp/go; do sleep 0.05; done; /say $NOTIFY_SOCKET READY=1; sleep 1000"};
    return call;
  }());
  EXPECT_TRUE(hears("MAINPID=")) << heard_ << program.err();
  EXPECT_EQ(heard_.find("READY=1"), std::string::npos) << heard_;
  EXPECT_TRUE(becomes("running"));
  EXPECT_TRUE(succeeds(exec({}, {"touch", "/tmp/go"})));
  EXPECT_TRUE(hears("READY=1")) << heard_ << program.err();
  remove();
  program.wait();
}

}  // namespace
}  // namespace rt::testing
