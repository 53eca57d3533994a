// The commands checkpoint and restore: a container goes on where it was, and is what it was.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/sys/file.h"
#include "tests/e2e/checkpoint.h"
#include "tests/support/cgroups.h"
#include "tests/support/listener.h"

namespace rt::testing {
namespace {

/// A line of mountinfo without what is another number each time: ids, devices, peer groups.
std::string lasting_part(std::string_view line) {
  std::string text;
  for (const std::string_view word : split(line, ' ')) {
    const size_t colon = word.find(':');
    const bool peers = word.starts_with("shared:") || word.starts_with("master:");
    const bool number = word.find_first_not_of("0123456789:") == std::string_view::npos;
    if (!number) text += cat(peers ? word.substr(0, colon) : word, ' ');
  }
  return text;
}

class Checkpoint : public SavedContainer {
 protected:
  /// Of a text, the lines that begin with one of these words.
  [[nodiscard]] std::string lines_of(const std::string& path, const Words& beginnings) const {
    std::string found;
    const std::string text = read(path);
    for (const std::string_view line : split(text, '\n')) {
      const auto begins = [&](const std::string& word) { return line.starts_with(word); };
      if (std::ranges::any_of(beginnings, begins)) found += cat(line, '\n');
    }
    return found;
  }
  [[nodiscard]] std::string mounts_of(pid_t init) const {
    Words lines;
    const std::string text = read(cat("/proc/", init, "/mountinfo"));
    for (const std::string_view line : split(text, '\n')) lines.push_back(lasting_part(line));
    std::ranges::sort(lines);
    std::string all;
    for (const std::string& line : lines) all += line + '\n';
    return all;
  }
  [[nodiscard]] std::string cgroup_file(pid_t init, const std::string& controller, const char* v1,
                                        const char* v2) const {
    const std::optional<Hierarchy> hierarchy = hierarchy_with(controller);
    if (!hierarchy) return cat("no ", controller, '\n');
    return read(cat(cgroup_of(init, *hierarchy), '/', hierarchy->unified ? v2 : v1));
  }
  /// All that the payload and its jailer can see of it.
  [[nodiscard]] std::string picture() const {
    const pid_t init = pid();
    const std::string process = cat("/proc/", init);
    return cat(mounts_of(init),
               lines_of(process + "/status", {"Umask", "Uid", "Gid", "Groups", "Cap", "NoNewPrivs",
                                              "Seccomp", "SigIgn"}),
               read(process + "/limits"), read(process + "/oom_score_adj"),
               read(process + "/cgroup"), cgroup_file(init, "pids", "pids.max", "pids.max"),
               cgroup_file(init, "memory", "memory.limit_in_bytes", "memory.max"),
               runtime({"exec", id(), "sh", "-c",
                        "hostname; cat /proc/1/cgroup; wc -c </proc/keys; ip -o link show lo; "
                        "touch /new 2>&1; ls /sys/firmware; id; ulimit -n"})
                   .out);
  }
};

TEST_F(Checkpoint, GoesOnWhereItWas) {
  start_counting();
  const int64_t before = count(pid());
  EXPECT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone()) << status();
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
  EXPECT_TRUE(succeeds(restore()));
  EXPECT_EQ(status(), "running");
  EXPECT_EQ(read(pid_file()), std::to_string(pid()));
  EXPECT_TRUE(counts_on_from(before));
  EXPECT_EQ(runtime({"exec", id(), "cat", "/proc/1/comm"}).out, "sh\n");
  // And once more, of what was restored.
  const int64_t later = count(pid());
  ASSERT_TRUE(succeeds(checkpoint()));
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_TRUE(counts_on_from(later));
  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Checkpoint, KeepsEveryRestriction) {
  config_.set("/root/readonly", "true")
      .set("/process/user", R"({"uid": 1000, "gid": 1000, "umask": 23, "additionalGids": [5]})")
      .set("/process/oomScoreAdj", "300")
      .set("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                                   {"type": "RLIMIT_CORE", "soft": 1, "hard": 7}])")
      .set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
          [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]})")
      .set("/linux/resources", R"({"pids": {"limit": 40}, "memory": {"limit": 67108864}})")
      .mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"})
      .mount("/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec", "size=1m"});
  start_counting();
  const std::string before = picture();
  EXPECT_NE(before.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(before.find("Read-only file system"), std::string::npos) << before;
  ASSERT_TRUE(succeeds(checkpoint()));
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(picture(), before);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, BindMountsAreThereAgainThoughTheRootIsNew) {
  write(directory() + "/file", "told\n");
  ASSERT_EQ(::symlink("run", (rootfs() + "/var").c_str()), 0);
  ASSERT_EQ(::mkdir((rootfs() + "/run").c_str(), 0755), 0);
  config_.mount("/var/data", "bind", shared(), {"bind", "rw"})
      .mount("/etc/told", "bind", directory() + "/file", {"bind", "ro", "nosuid"})
      .mount("/read/only", "bind", shared(), {"rbind", "ro", "noexec", "nodev"});
  start_counting();
  const std::string before = mounts_of(pid());
  EXPECT_NE(before.find(" /run/data "), std::string::npos) << before;
  ASSERT_TRUE(succeeds(checkpoint()));
  for (const char* made : {"/run/data", "/etc/told", "/read/only", "/read"}) {
    ASSERT_EQ(::remove((rootfs() + made).c_str()), 0) << made;
  }
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(mounts_of(pid()), before);
  const Outcome inside = runtime({"exec", id(), "sh", "-c",
                                  "cat /etc/told; echo new >/var/data/new; cat /read/only/new; "
                                  "echo no >/read/only/no || echo no >/etc/told || echo refused"});
  EXPECT_EQ(inside.out, "told\nnew\nrefused\n") << inside.err;
  EXPECT_EQ(written("new"), "new\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, LeavesItRunningAndABrotherBeginsThere) {
  start_counting();
  ASSERT_TRUE(succeeds(checkpoint({"--leave-running"})));
  EXPECT_EQ(status(), "running");
  const pid_t first = pid();
  EXPECT_TRUE(counts_on_from(count(first)));
  ASSERT_TRUE(succeeds(runtime(restore_words(id(2), {"--detach"}))));
  const auto brother = static_cast<pid_t>(parse_int(read(pid_file())).value_or(0));
  const int64_t from = count(brother);
  EXPECT_TRUE(eventually([&] { return count(brother) > from; }));
  EXPECT_TRUE(counts_on_from(count(first)));
  for (const Hierarchy& hierarchy : hierarchies()) {
    const std::string cgroup = cgroup_of(brother, hierarchy);
    EXPECT_NE(cgroup.find(id(2)), std::string::npos) << cgroup;
  }
  const Outcome inside = runtime({"exec", id(2), "grep", "-v", ":/$", "/proc/1/cgroup"});
  EXPECT_EQ(inside.out, "") << "the cgroup namespace begins elsewhere";
  EXPECT_TRUE(succeeds(runtime({"delete", "--force", id(2)})));
  EXPECT_TRUE(counts_on_from(count(first)));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, OfAPausedContainerIsMadeToo) {
  start_counting();
  ASSERT_TRUE(succeeds(runtime({"pause", id()})));
  const int64_t before = count(pid());
  ASSERT_TRUE(succeeds(checkpoint({"--leave-running"})));
  EXPECT_EQ(status(), "paused");
  ASSERT_TRUE(succeeds(checkpoint()));
  EXPECT_TRUE(is_gone());
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(counts_on_from(before));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, SavesWhatHasChangedSinceAnEarlierOne) {
  start_counting("x=$(dd if=/dev/zero bs=1M count=2 2>/dev/null | tr '\\0' a)");
  const std::string earlier = directory() + "/earlier";
  ASSERT_TRUE(succeeds(runtime({"checkpoint", "--pre-dump", "--image-path", earlier, id()})));
  EXPECT_EQ(status(), "running");
  const int64_t before = count(pid());
  ASSERT_TRUE(succeeds(checkpoint({"--parent-path", "../earlier"})));
  const auto size = [](const std::string& path) { return sys::stat(path).value().st_size; };
  EXPECT_GT(size(earlier + "/pages-1.img"), 2 << 20);
  EXPECT_LT(size(image() + "/pages-1.img"), 1 << 20);
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_TRUE(counts_on_from(before));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// What the image has changed of itself must not become a mount elsewhere: no link is followed.
TEST_F(Checkpoint, AMountPointThatHasBecomeALinkIsNoMountPoint) {
  config_.mount("/data", "bind", shared(), {"bind", "rw"});
  start_counting();
  ASSERT_TRUE(succeeds(checkpoint()));
  for (const char* target : {"/usr", "shared"}) {
    ASSERT_EQ(::remove((rootfs() + "/data").c_str()), 0);
    ASSERT_EQ(::symlink(target, (rootfs() + "/data").c_str()), 0);
    EXPECT_TRUE(fails_saying(restore(), "criu failed: ")) << target;
    check_nothing_is_left();
  }
}

/// What a terminal shows, until it has shown this.
std::string shown_until(int terminal, std::string_view wanted) {
  std::string all;
  std::array<char, 256> block{};
  eventually([&] {
    if (is_readable(terminal)) {
      const ssize_t size = ::read(terminal, block.data(), block.size());
      if (size > 0) all.append(block.data(), static_cast<size_t>(size));
    }
    return all.find(wanted) != std::string::npos;
  });
  return all;
}

TEST_F(Checkpoint, ATerminalIsSentAgain) {
  const std::string path = directory() + "/console.sock";
  const Listener listener(path);
  config_.set("/process/terminal", "true");
  config_.shell("n=1; while read -r line; do echo \"$n: $line\"; n=$((n+1)); done");
  write_config();
  ASSERT_TRUE(succeeds(runtime({"create", "--console-socket", path, id(), bundle()})));
  const UniqueFd first = receive_all(listener.accept().get()).descriptor;
  ASSERT_TRUE(succeeds(start()));
  ASSERT_EQ(::write(first.get(), "one\n", 4), 4);
  EXPECT_NE(shown_until(first.get(), "1: one"), "");
  ASSERT_TRUE(succeeds(checkpoint()));
  ASSERT_TRUE(succeeds(restore({"--console-socket", path})));
  const UniqueFd second = receive_all(listener.accept().get()).descriptor;
  ASSERT_EQ(::isatty(second.get()), 1);
  ASSERT_EQ(::write(second.get(), "two\n", 4), 4);
  EXPECT_NE(shown_until(second.get(), "2: two").find("2: two"), std::string::npos);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, WritesToThePipeOfWhoRestoresIt) {
  const auto to = [](const UniqueFd& stream) {
    Call call;
    call.before_exec = [fd = stream.get()] { ::dup2(fd, STDOUT_FILENO); };
    return call;
  };
  const auto line_of = [](const UniqueFd& stream) {
    std::array<char, 64> block{};
    if (!eventually([&] { return is_readable(stream.get()); })) return int64_t{-1};
    const ssize_t size = ::read(stream.get(), block.data(), block.size());
    const std::string text(block.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return static_cast<int64_t>(parse_int(text.substr(0, text.find('\n'))).value_or(-1));
  };
  config_.shell(
      "n=1; while read -r line; do :; done; trap 'n=$((n+1)); echo $n' USR1; echo $n; "
      "while :; do sleep 0.02; done");
  sys::Pipe first = sys::pipe().value();
  write_config();
  ASSERT_TRUE(succeeds(runtime({"run", "--detach", id(), bundle()}, to(first.write))));
  EXPECT_EQ(line_of(first.read), 1);
  ASSERT_TRUE(succeeds(checkpoint()));
  sys::Pipe second = sys::pipe().value();
  ASSERT_TRUE(succeeds(runtime(restore_words(id(), {"--detach"}), to(second.write))));
  EXPECT_TRUE(succeeds(kill("USR1")));
  EXPECT_EQ(line_of(second.read), 2);
  EXPECT_FALSE(is_readable(first.read.get()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, ComesBackIntoTheNamespacesOfAnother) {
  Call call;
  call.args = {"--net", "--ipc", "--uts", "sleep", "1000"};
  const Program other("/usr/bin/unshare", call);
  const auto link = [](pid_t pid, const char* name) {
    return sys::readlinkat(-1, cat("/proc/", pid, "/ns/", name)).value();
  };
  ASSERT_TRUE(eventually([&] { return link(other.pid(), "uts") != link(::getpid(), "uts"); }));
  config_.erase("/hostname");
  for (const auto& [type, file] : {std::pair("network", "net"), {"ipc", "ipc"}, {"uts", "uts"}}) {
    config_.join_namespace(type, cat("/proc/", other.pid(), "/ns/", file));
  }
  start_counting();
  const int64_t before = count(pid());
  ASSERT_TRUE(succeeds(checkpoint()));
  ASSERT_TRUE(succeeds(restore()));
  for (const char* file : {"net", "ipc", "uts"}) {
    EXPECT_EQ(link(pid(), file), link(other.pid(), file));
  }
  EXPECT_TRUE(counts_on_from(before));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, KeepsTheIdsOfAUserNamespace) {
  config_.user_namespace();
  start_counting();
  const std::string before = picture() + read(cat("/proc/", pid(), "/uid_map"));
  EXPECT_NE(before.find("Uid:\t100000"), std::string::npos);
  ASSERT_TRUE(succeeds(checkpoint()));
  ASSERT_TRUE(succeeds(restore()));
  EXPECT_EQ(picture() + read(cat("/proc/", pid(), "/uid_map")), before);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Checkpoint, HooksRunAgainAndTheForegroundWaitsForTheEnd) {
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer",
                           "poststart", "poststop"}) {
    hook(kind, "echo $KIND >>$D/hooks");
  }
  start_counting("trap 'exit 7' TERM");
  ASSERT_TRUE(succeeds(checkpoint()));
  EXPECT_EQ(written("hooks"),
            "prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop\n");
  ASSERT_EQ(::unlink((shared() + "/hooks").c_str()), 0);
  Program foreground(runtime_binary(), call(restore_words(id())));
  ASSERT_TRUE(eventually([&] { return status() == "running"; }, std::chrono::seconds(20)))
      << foreground.err();
  EXPECT_TRUE(succeeds(kill("TERM")));
  EXPECT_EQ(foreground.wait().exit_code, 7);
  EXPECT_TRUE(is_gone());
  EXPECT_EQ(written("hooks"), "prestart\ncreateRuntime\npoststart\npoststop\n");
}

}  // namespace
}  // namespace rt::testing
