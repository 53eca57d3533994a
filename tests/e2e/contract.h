// The callers of contract_test.cc and contract_failures_test.cc: what engines call the runtime
// with, word by word, and what it inherits from each of them.
#pragma once

#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {

/// In a child, before it becomes the program.
inline void make_or_exit(bool made) {
  if (!made) ::_exit(123);
}

/// A socket that listens, as descriptor 3: containerd's shim hands its own on by mistake.
inline void leak_listening_socket() {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  // No more than the family: the kernel finds a name.
  const auto* address = reinterpret_cast<const sockaddr*>(&unnamed);
  make_or_exit(::bind(socket, address, sizeof unnamed.sun_family) == 0);
  make_or_exit(::listen(socket, 1) == 0);
  make_or_exit(socket == 3 || ::dup2(socket, 3) == 3);
}

/// Both ends of four pipes, as descriptors 8 to 15.
inline void leak_pipes() {
  for (int fd = 8; fd < 16; fd += 2) {
    int ends[2];
    make_or_exit(::pipe(ends) == 0);
    make_or_exit(::dup2(ends[0], fd) == fd && ::dup2(ends[1], fd + 1) == fd + 1);
  }
}

inline void die_with_parent() { make_or_exit(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); }

/// Who calls, and what of it the runtime inherits.
struct Caller {
  std::vector<std::string> env;
  void (*inherit)();
};

inline const Caller& shim() {
  static const Caller kCaller = {
      .env = {"PATH=/opt/containerd/bin:/usr/sbin:/usr/bin:/sbin:/bin",
              "LD_LIBRARY_PATH=/opt/containerd/lib:", "TTRPC_ADDRESS=/run/containerd/ttrpc.sock",
              "GOMAXPROCS=4"},
      .inherit = [] {
        die_with_parent();
        leak_listening_socket();
      }};
  return kCaller;
}

inline const Caller& conmon() {
  static const Caller kCaller = {.env = {"_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4",
                                         "PATH=/usr/bin:/bin", "HOME=/root", "XDG_RUNTIME_DIR="},
                                 .inherit = [] {
                                   die_with_parent();
                                   make_or_exit(::setsid() > 0 || ::getsid(0) > 0);
                                 }};
  return kCaller;
}

/// No PATH; what it runs to clean up has SIGUSR1 blocked.
inline const Caller& podman() {
  static const Caller kCaller = {.env = {"XDG_RUNTIME_DIR="}, .inherit = [] {
                                   sigset_t blocked;
                                   ::sigemptyset(&blocked);
                                   ::sigaddset(&blocked, SIGUSR1);
                                   ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
                                 }};
  return kCaller;
}

inline const Caller& buildah() {
  static const Caller kCaller = {.env = {"PATH=/usr/bin:/bin", "HOME=/root"}, .inherit = [] {
                                   die_with_parent();
                                   leak_listening_socket();
                                   leak_pipes();
                                 }};
  return kCaller;
}

inline const Caller& crio() {
  static const Caller kCaller = {.env = {"PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=/run/user/0"},
                                 .inherit = [] {}};
  return kCaller;
}

/// What the caller waits for before it makes a call.
enum class First { kNothing, kPayload, kZombie, kReaped };

struct Step {
  const Caller& (*caller)();
  /// ROOT, LOG, BUNDLE, PIDFILE, SOCKET, PROCESS and ID stand for the test's own; SHIM for
  /// "--root ROOT --log LOG --log-format json".
  const char* words;
  int code = 0;
  const char* says = "";   // on standard output; of a failure on standard error
  const char* input = "";  // standard input
  First first = First::kNothing;
};

class Contract : public Container {
 protected:
  void SetUp() override {
    if (rootless()) GTEST_SKIP() << "the calls are those of root";
    if (with_systemd()) GTEST_SKIP() << "the calls say who makes the cgroup";
    Container::SetUp();
    if (IsSkipped()) return;
    // Podman and Buildah give no --root: this one is the test's own.
    ASSERT_TRUE(sys::mount("tmpfs", "/run", "tmpfs", 0, "mode=755").ok());
    hidden_ = true;
    config_.shell("trap 'exit 3' TERM; : >/tmp/started; while :; do sleep 1000 & wait $!; done");
    write_config();
  }
  void TearDown() override {
    if (hidden_) {
      EXPECT_TRUE(sys::umount("/run", MNT_DETACH).ok());
    }
    Container::TearDown();
  }

  [[nodiscard]] std::string pid_file() const { return bundle() + "/../init.pid"; }
  [[nodiscard]] std::string log_file() const { return bundle() + "/../log.json"; }
  [[nodiscard]] std::string process_file() const { return directory() + "/runc-process1"; }

  [[nodiscard]] Call call_of(const Caller& caller, std::string_view words,
                             const std::string& input = "") const {
    Call call;
    for (const std::string_view word : split(words, ' ')) {
      if (word == "SHIM") {
        call.args.insert(call.args.end(),
                         {"--root", state_root(), "--log", log_file(), "--log-format", "json"});
      } else {
        call.args.push_back(filled_in(word));
      }
    }
    call.env = caller.env;
    call.input = input;
    call.cwd = bundle();
    call.before_exec = caller.inherit;
    return call;
  }
  [[nodiscard]] Outcome as(const Caller& caller, std::string_view words) const {
    return run_program(runtime_binary(), call_of(caller, words));
  }

  /// The number in a pid file, which is all of it.
  [[nodiscard]] pid_t pid_in(const std::string& file) const {
    const std::string text = read(file);
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) << text;
    return static_cast<pid_t>(parse_int(text).value_or(-1));
  }

  void take(const Step& step) const {
    SCOPED_TRACE(step.words);
    wait_for(step.first);
    const Outcome outcome =
        run_program(runtime_binary(), call_of(step.caller(), step.words, step.input));
    ASSERT_EQ(outcome.exit_code, step.code) << outcome.err;
    if (step.code == 0) {
      // go-runc reads both as one text.
      EXPECT_EQ(outcome.err, "");
      EXPECT_EQ(outcome.out.empty(), *step.says == '\0') << outcome.out;
      EXPECT_NE(outcome.out.find(step.says), std::string::npos) << outcome.out;
    } else {
      EXPECT_EQ(outcome.out, "");
      EXPECT_NE(outcome.err.find(step.says), std::string::npos) << outcome.err;
    }
  }

 private:
  [[nodiscard]] std::string filled_in(std::string_view word) const {
    const std::pair<std::string_view, std::string> values[] = {
        {"ROOT", state_root()},
        {"BUNDLE", bundle()},
        {"PIDFILE", pid_file()},
        {"LOG", log_file()},
        {"PROCESS", process_file()},
        {"SOCKET", directory() + "/pty.sock"},
        {"ID", id()}};
    for (const auto& [name, value] : values) {
      if (word.ends_with(name)) return cat(word.substr(0, word.size() - name.size()), value);
    }
    return std::string(word);
  }

  [[nodiscard]] static bool has_standard_descriptors_alone(pid_t process) {
    const auto descriptors = sys::list_directory(cat("/proc/", process, "/fd"));
    return descriptors && std::ranges::all_of(descriptors.value(),
                                              [](const std::string& fd) { return fd <= "2"; });
  }

  void wait_for(First first) const {
    if (first == First::kNothing) return;
    const pid_t init = pid_in(pid_file());
    ASSERT_GT(init, 0);
    if (first == First::kPayload) {
      ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
      // A shell that redirects has more of them for a moment.
      EXPECT_TRUE(eventually([&] { return has_standard_descriptors_alone(init); }));
      return;
    }
    // The exit status comes from the pid file's process, to whom became its parent.
    siginfo_t info{};
    const int keep = first == First::kZombie ? WNOWAIT : 0;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(init), &info, WEXITED | keep), 0);
    EXPECT_TRUE(info.si_code == CLD_EXITED ? info.si_status == 3 : info.si_status == SIGKILL);
  }

  bool hidden_ = false;
};

}  // namespace rt::testing
