// What CRIU is asked to do, from the command line and from what the container is.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "tests/e2e/played_criu.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

class CheckpointOrders : public PlayedCriu {
 protected:
  /// What CRIU is asked when the container is saved with these options, and goes on.
  [[nodiscard]] Json ordered(const Words& options = {}) const {
    play("succeed");
    Words words = {"--leave-running"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_TRUE(succeeds(checkpoint(words)));
    return request();
  }
  /// Likewise for a restore; the container is gone again.
  [[nodiscard]] Json ordered_of_restore(const Words& options = {}) const {
    play("child\nnotice post-restore\nsucceed");
    EXPECT_TRUE(succeeds(restore(options)));
    EXPECT_TRUE(succeeds(remove_by_force()));
    return request();
  }
  static bool has_external(const Json& request, const std::string& name) {
    for (size_t i = 0; i < request.size("/opts/external"); ++i) {
      if (request.at(cat("/opts/external/", i)) == name) return true;
    }
    return false;
  }
  /// Where that mount of the host is for a restore; empty when it is not told.
  static std::string source_of(const Json& request, const std::string& target) {
    const std::string key = cat("mnt[", target, "]:");
    for (size_t i = 0; i < request.size("/opts/external"); ++i) {
      const std::string one = request.at(cat("/opts/external/", i));
      if (one.starts_with(key)) return one.substr(key.size());
    }
    return "";
  }
  /// The container's cgroup, by which it is frozen.
  static std::string freezer_of(pid_t init) {
    if (const auto freezer = hierarchy_with("freezer")) return cgroup_of(init, *freezer);
    for (const Hierarchy& hierarchy : hierarchies()) {
      if (hierarchy.unified) return cgroup_of(init, hierarchy);
    }
    return "there is none";
  }
};

TEST_F(CheckpointOrders, ADumpIsOfInitInItsCgroup) {
  start_sleeping();
  const Json request = ordered();
  EXPECT_EQ(request.at("/type"), "DUMP");
  EXPECT_EQ(request.at("/opts/pid"), std::to_string(pid()));
  EXPECT_EQ(request.at("/opts/freeze_cgroup"), freezer_of(pid()));
  EXPECT_EQ(request.at("/opts/manage_cgroups_mode"), "SOFT");
  EXPECT_EQ(request.at("/opts/orphan_pts_master"), "true");
  EXPECT_EQ(request.at("/opts/log_file"), "dump.log");
  EXPECT_EQ(request.at("/opts/log_level"), "4");
  EXPECT_FALSE(request.has("/opts/notify_scripts"));
  EXPECT_FALSE(request.has("/opts/rst_sibling"));
  EXPECT_FALSE(request.has("/opts/inherit_fd"));
  EXPECT_FALSE(request.has("/opts/root"));
  EXPECT_TRUE(exists(image() + "/image"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointOrders, ADumpNamesTheMountsOfTheHost) {
  write(directory() + "/file", "");
  ASSERT_EQ(::mkdir((shared() + "/part").c_str(), 0755), 0);
  ASSERT_TRUE(sys::mount("tmpfs", (shared() + "/part").c_str(), "tmpfs", 0, "size=4k").ok());
  ASSERT_EQ(::mkdir((rootfs() + "/run").c_str(), 0755), 0);
  ASSERT_EQ(::symlink("run", (rootfs() + "/linked").c_str()), 0);
  config_.erase("/root/readonly")
      .mount("/linked/data", "bind", shared(), {"bind", "ro"})
      .mount("/all of it", "bind", shared(), {"rbind"})
      .mount("/told", "bind", directory() + "/file", {"bind"})
      .mount("/scratch", "tmpfs", "tmpfs", {})
      .set("/linux/maskedPaths", R"(["/proc/version", "/proc/none", "/sys/kernel"])");
  start_sleeping();
  const Json request = ordered();
  for (const char* name : {"mnt[/shared]:/shared", "mnt[/run/data]:/linked/data",
                           "mnt[/all of it]:/all of it", "mnt[/all of it/part]:/all of it/part",
                           "mnt[/told]:/told", "mnt[/proc/version]:/proc/version"}) {
    EXPECT_TRUE(has_external(request, name)) << name << " in " << request.text();
  }
  // Six, and as many streams.
  EXPECT_EQ(request.size("/opts/external"), 6U + 3U) << request.text();
  EXPECT_TRUE(succeeds(remove_by_force()));
  ASSERT_TRUE(sys::umount((shared() + "/part").c_str(), 0).ok());
  ASSERT_EQ(::rmdir((shared() + "/part").c_str()), 0);
}

/// In the words of CRIU, from what proc(5) says.
std::string file_key(pid_t pid, int fd) {
  const std::string info = sys::read_file(cat("/proc/", pid, "/fdinfo/", fd), 4096).value();
  const size_t at = info.find("mnt_id:\t") + 8;
  const auto mount = parse_int(info.substr(at, info.find('\n', at) - at)).value_or(-1);
  std::array<char, 64> text{};
  const struct stat file = sys::stat(cat("/proc/", pid, "/fd/", fd)).value();
  std::snprintf(text.data(), text.size(), "file[%llx:%llx]", static_cast<unsigned long long>(mount),
                static_cast<unsigned long long>(file.st_ino));
  return text.data();
}

TEST_F(CheckpointOrders, StreamsOfTheHostAreNamedAndKeptForTheRestore) {
  const std::string log = directory() + "/payload.log";
  write(log, "");
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  config_.shell("exec </dev/null; : >/tmp/started; exec sleep 1000");
  write_config();
  Call call;
  call.before_exec = [&] {
    ::dup2(::open(log.c_str(), O_WRONLY | O_APPEND), 1);
    ::dup2(writing.get(), 2);
  };
  ASSERT_TRUE(succeeds(runtime({"create", "--bundle", bundle(), id()}, call)));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  const Json request = ordered();
  const std::string file = file_key(pid(), 1);
  const std::string pipe = sys::readlinkat(AT_FDCWD, cat("/proc/", pid(), "/fd/2")).value();
  ASSERT_TRUE(pipe.starts_with("pipe:["));
  EXPECT_TRUE(has_external(request, file)) << file << " in " << request.text();
  EXPECT_FALSE(has_external(request, pipe));
  EXPECT_EQ(read(image() + "/descriptors.json"), json_strings({"", file, pipe}));
  EXPECT_TRUE(succeeds(remove_by_force()));

  play("child\nnotice post-restore\nsucceed");
  EXPECT_TRUE(fails_saying(restore(), "descriptor 1 was a regular file of mode 0644"));
  EXPECT_FALSE(was_asked());
  EXPECT_TRUE(succeeds(runtime(restore_words({"--detach"}), call)));
  EXPECT_TRUE(succeeds(remove_by_force()));
  const Json restored = this->request();
  ASSERT_EQ(restored.size("/opts/inherit_fd"), 2U) << restored.text();
  EXPECT_EQ(restored.at("/opts/inherit_fd/0/key"), file);
  EXPECT_EQ(restored.at("/opts/inherit_fd/1/key"), pipe);
}

struct Flag {
  const char* name;
  bool restore;
  std::vector<std::string> words;
  const char* field;
  const char* value;
};

class Flags : public CheckpointOrders, public ::testing::WithParamInterface<Flag> {};

TEST_P(Flags, ArriveAndAreOffWithoutBeingGiven) {
  const auto ask = [&](const std::vector<std::string>& words) {
    return GetParam().restore ? ordered_of_restore(words) : ordered(words);
  };
  if (GetParam().restore) {
    make_image();
  } else {
    start_sleeping();
  }
  const std::string field = cat("/opts/", GetParam().field);
  EXPECT_NE(ask({}).at(field), GetParam().value);
  const Json request = ask(GetParam().words);
  EXPECT_EQ(request.at(field), GetParam().value) << request.text();
  if (!GetParam().restore) {
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

constexpr const char* kNewNetwork = "1073741824";

INSTANTIATE_TEST_SUITE_P(
    Checkpoint, Flags,
    ::testing::Values(
        Flag{"TcpEstablished", false, {"--tcp-established"}, "tcp_established", "true"},
        Flag{"TcpInFlight", false, {"--tcp-skip-in-flight"}, "tcp_skip_in_flight", "true"},
        Flag{"Sockets", false, {"--ext-unix-sk"}, "ext_unix_sk", "true"},
        Flag{"ShellJob", false, {"--shell-job"}, "shell_job", "true"},
        Flag{"FileLocks", false, {"--file-locks"}, "file_locks", "true"},
        Flag{"LinkRemap", false, {"--link-remap"}, "link_remap", "true"},
        Flag{"AutoDedup", false, {"--auto-dedup"}, "auto_dedup", "true"},
        Flag{"EmptyNetwork", false, {"--empty-ns", "network"}, "empty_ns", kNewNetwork},
        Flag{"NetworkLock", false, {"--network-lock", "nftables"}, "network_lock", "NFTABLES"},
        Flag{"CgroupsMode", false, {"--manage-cgroups-mode=full"}, "manage_cgroups_mode", "FULL"},
        Flag{"Parent", false, {"--parent-path", "../earlier"}, "parent_img", "../earlier"},
        Flag{"ChangesAlone", false, {"--parent-path", "../earlier"}, "track_mem", "true"},
        Flag{"MemoryAlone", false, {"--pre-dump"}, "track_mem", "true"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Restore, Flags,
    ::testing::Values(
        Flag{"TcpEstablished", true, {"--tcp-established"}, "tcp_established", "true"},
        Flag{"TcpClose", true, {"--tcp-close"}, "tcp_close", "true"},
        Flag{"Sockets", true, {"--ext-unix-sk"}, "ext_unix_sk", "true"},
        Flag{"ShellJob", true, {"--shell-job"}, "shell_job", "true"},
        Flag{"FileLocks", true, {"--file-locks"}, "file_locks", "true"},
        Flag{"AutoDedup", true, {"--auto-dedup"}, "auto_dedup", "true"},
        Flag{"EmptyNetwork", true, {"--empty-ns=network"}, "empty_ns", kNewNetwork},
        Flag{"NetworkLock", true, {"--network-lock", "iptables"}, "network_lock", "IPTABLES"},
        Flag{"CgroupsMode",
             true,
             {"--manage-cgroups-mode", "strict"},
             "manage_cgroups_mode",
             "STRICT"},
        Flag{"Profile", true, {"--lsm-profile", "apparmor:web"}, "lsm_profile", "apparmor:web"},
        Flag{"MountContext", true, {"--lsm-mount-context=a:b"}, "lsm_mount_context", "a:b"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CheckpointOrders, APreDumpIsOneOrder) {
  start_sleeping();
  EXPECT_EQ(ordered({"--pre-dump"}).at("/type"), "SINGLE_PRE_DUMP");
  EXPECT_EQ(ordered().at("/type"), "DUMP");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointOrders, TheEnvironmentIsNotTheCallers) {
  start_sleeping();
  play("succeed");
  Call from;
  from.env = {"PATH=/tmp/evil", "LD_LIBRARY_PATH=/tmp/evil", "CRIU_CONFIG_FILE=/tmp/evil"};
  EXPECT_TRUE(succeeds(runtime(checkpoint_words({"--leave-running"}), from)));
  EXPECT_EQ(read(work() + "/environment"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointOrders, PathsAreTheCallers) {
  start_sleeping();
  // The default of --image-path, and its work path is the same.
  const std::string place = directory() + "/checkpoint";
  ASSERT_EQ(::mkdir(place.c_str(), 0700), 0);
  write(place + "/play", "succeed");
  Call there;
  there.cwd = directory();
  const Outcome saved = runtime({"--criu", criu(), "checkpoint", "--leave-running", id()}, there);
  EXPECT_TRUE(succeeds(saved));
  EXPECT_TRUE(exists(place + "/image"));
  EXPECT_TRUE(exists(place + "/request.json"));
  EXPECT_TRUE(exists(place + "/descriptors.json"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointOrders, ARestoreHasTheMountsOfTheHostAndTheCgroup) {
  make_image();
  config_.mount("/linked/data", "bind", shared(), {"bind", "ro"});
  const Json request = ordered_of_restore();
  EXPECT_EQ(request.at("/type"), "RESTORE");
  EXPECT_FALSE(request.has("/opts/pid"));
  EXPECT_EQ(request.at("/opts/notify_scripts"), "true");
  EXPECT_EQ(request.at("/opts/rst_sibling"), "true");
  EXPECT_EQ(request.at("/opts/log_file"), "restore.log");
  EXPECT_TRUE(request.at("/opts/root").starts_with('/'));
  EXPECT_TRUE(source_of(request, "/shared").starts_with('/')) << request.text();
  EXPECT_TRUE(source_of(request, "/linked/data").starts_with('/')) << request.text();
  EXPECT_TRUE(source_of(request, "/proc/keys").starts_with('/')) << request.text();
  EXPECT_EQ(read(work() + "/missing"), "") << "none of these paths leads anywhere";
  EXPECT_FALSE(request.has("/opts/cg_root/0/ctrl"));
  EXPECT_NE(request.at("/opts/cg_root/0/path").find(id()), std::string::npos);
  EXPECT_FALSE(request.has("/opts/inherit_fd"));
  EXPECT_EQ(read(image() + "/descriptors.json"), R"(["","",""])");
  EXPECT_TRUE(exists(rootfs() + "/linked/data")) << "CRIU mounts on what is there";
}

TEST_F(CheckpointOrders, ANetworkOfAnotherIsNamedAndGivenBack) {
  const std::string path = cat("/proc/", ::getpid(), "/ns/net");
  config_.join_namespace("network", path);
  start_sleeping();
  const std::string number = std::to_string(sys::stat(path).value().st_ino);
  const Json saved = ordered();
  EXPECT_TRUE(has_external(saved, cat("net[", number, "]:extRootNetNS"))) << saved.text();
  EXPECT_TRUE(succeeds(remove_by_force()));
  write(image() + "/descriptors.json", "[]");
  const Json restored = ordered_of_restore();
  EXPECT_EQ(restored.at("/opts/inherit_fd/0/key"), "extRootNetNS") << restored.text();
}

TEST_F(CheckpointOrders, AUserNamespaceOfAnotherCannotBeSaved) {
  Call call;
  call.args = {"--user", "sleep", "1000"};
  const Program other("/usr/bin/unshare", call);
  const std::string path = cat("/proc/", other.pid(), "/ns/user");
  const auto number = [](const std::string& file) { return sys::stat(file).value().st_ino; };
  ASSERT_TRUE(eventually([&] { return number(path) != number("/proc/self/ns/user"); }));
  make_image();
  config_.join_namespace("user", path);
  EXPECT_TRUE(fails_saying(restore(), cat("shares the namespace \"", path, "\" cannot be saved")));
  EXPECT_FALSE(was_asked());
}

class AwkwardNames : public CheckpointOrders, public ::testing::WithParamInterface<const char*> {};

TEST_P(AwkwardNames, AreNotToldToCriu) {
  config_.mount(GetParam(), "bind", shared(), {"bind"});
  start_sleeping();
  const pid_t init = pid();
  play("kill\nsucceed");
  EXPECT_TRUE(fails_saying(checkpoint(), "CRIU cannot be told of that name"));
  EXPECT_FALSE(was_asked());
  expect_running(init);
  EXPECT_TRUE(succeeds(remove_by_force()));
  write(image() + "/descriptors.json", "[]");
  EXPECT_TRUE(fails_saying(restore(), "CRIU cannot be told of that name"));
  EXPECT_FALSE(was_asked());
}

INSTANTIATE_TEST_SUITE_P(Names, AwkwardNames,
                         ::testing::Values("/a]:/b", "/two\nlines", "/back\\slash"));

}  // namespace
}  // namespace rt::testing
