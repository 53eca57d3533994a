// When hooks run, where, and with what. runtime-spec config.md, "POSIX-platform Hooks", and
// runtime.md, "Lifecycle".
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/hooks.h"

namespace rt::testing {
namespace {

class Hooks : public HookedContainer {
 protected:
  /// "mnt:[4026531841]"
  static std::string namespace_of(const std::string& process, const std::string& file) {
    return sys::readlinkat(-1, cat("/proc/", process, "/ns/", file)).value();
  }
  /// The lines of a mountinfo whose mount point is this.
  static std::string mount_at(const std::string& mountinfo, const std::string& point) {
    for (const std::string_view line : split(mountinfo, '\n')) {
      const auto fields = split(line, ' ');
      if (fields.size() > 5 && fields[4] == point) return std::string(line);
    }
    return "";
  }
};

TEST_F(Hooks, RunInTheOrderOfTheSpecification) {
  // In the document in another order.
  for (size_t i = std::size(kHookKinds); i > 0; --i) {
    const char* kind = kHookKinds[i - 1].name;
    hook(kind, "echo $KIND 1 >>$D/log");
    hook(kind, "echo $KIND 2 >>$D/log");
  }
  config_.shell("cat /shared/log >/shared/payload; exec sleep 1000");
  const std::string created =
      "prestart 1\nprestart 2\ncreateRuntime 1\ncreateRuntime 2\n"
      "createContainer 1\ncreateContainer 2\n";
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(written("log"), created);
  EXPECT_FALSE(exists(shared() + "/payload"));

  ASSERT_TRUE(succeeds(start()));
  const std::string before_payload = created + "startContainer 1\nstartContainer 2\n";
  const std::string started = before_payload + "poststart 1\npoststart 2\n";
  EXPECT_EQ(written("log"), started) << "poststart hooks run before start returns";
  EXPECT_TRUE(eventually([&] { return written("payload").starts_with(before_payload); }));

  EXPECT_TRUE(succeeds(kill("KILL")));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_EQ(written("log"), started);
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_EQ(written("log"), started + "poststop 1\npoststop 2\n");
}

TEST_F(Hooks, AllRunInTheSameOrderInOneRun) {
  for (const HookKind& kind : kHookKinds) hook(kind.name, "echo $KIND >>$D/log");
  config_.args({"/bin/true"});
  EXPECT_TRUE(succeeds(run()));
  EXPECT_EQ(written("log"),
            "prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop\n");
}

TEST_F(Hooks, OfADetachedRunRunBeforeItReturns) {
  for (const HookKind& kind : kHookKinds) hook(kind.name, "echo $KIND >>$D/log");
  write_config();
  ASSERT_TRUE(succeeds(runtime({"run", "--detach", "-b", bundle(), id()})));
  const std::string started =
      "prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\n";
  EXPECT_EQ(written("log"), started);
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_EQ(written("log"), started + "poststop\n");
}

TEST_F(Hooks, ReadTheStateOfTheContainer) {
  config_.set("/annotations", R"({"org.example.a": "b c"})");
  for (const HookKind& kind : kHookKinds) hook(kind.name, "cat >$D/$KIND");
  ASSERT_TRUE(succeeds(create()));
  const pid_t init = pid();
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
  for (const HookKind& kind : kHookKinds) {
    SCOPED_TRACE(kind.name);
    const Json state(written(kind.name));
    ASSERT_TRUE(state.valid()) << written(kind.name);
    EXPECT_TRUE(state.at("/ociVersion").starts_with("1.")) << state.at("/ociVersion");
    EXPECT_EQ(state.at("/id"), id());
    EXPECT_EQ(state.at("/status"), kind.status);
    EXPECT_EQ(state.at("/bundle"), bundle());
    EXPECT_EQ(state.at("/annotations/org.example.a"), "b c");
    const bool stopped = std::string_view(kind.status) == "stopped";
    const std::string pid = kind.inside ? "1" : cat(init);
    EXPECT_EQ(state.at("/pid"), stopped ? "(absent)" : pid) << "as the hook's namespace sees it";
  }
}

TEST_F(Hooks, RunInTheNamespacesOfTheirKind) {
  constexpr const char* kFiles[] = {"mnt", "pid", "net", "uts", "ipc", "cgroup"};
  for (const HookKind& kind : kHookKinds) {
    hook(kind.name,
         "for n in mnt pid net uts ipc cgroup; do readlink /proc/self/ns/$n; done >$D/$KIND");
  }
  ASSERT_TRUE(succeeds(create()));
  std::string host;
  std::string container;
  for (const char* file : kFiles) {
    host += namespace_of("self", file) + "\n";
    container += namespace_of(cat(pid()), file) + "\n";
  }
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
  for (const HookKind& kind : kHookKinds) {
    EXPECT_EQ(written(kind.name), kind.inside ? container : host) << kind.name;
  }
}

TEST_F(Hooks, OfTheRuntimeFindTheContainersMountsInItsMountNamespace) {
  constexpr const char* kScript =
      "pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p'); "
      "cat /proc/$pid/mountinfo >$D/$KIND; readlink /proc/$pid/ns/mnt >>$D/$KIND";
  hook("prestart", kScript);
  hook("createRuntime", kScript);
  ASSERT_TRUE(succeeds(create()));
  for (const char* kind : {"prestart", "createRuntime"}) {
    const std::string seen = written(kind);
    EXPECT_TRUE(seen.ends_with(namespace_of(cat(pid()), "mnt") + "\n")) << kind;
    EXPECT_NE(mount_at(seen, rootfs()), "") << kind;
    EXPECT_NE(mount_at(seen, rootfs() + "/dev/shm"), "") << kind;
    EXPECT_NE(mount_at(seen, rootfs() + "/shared"), "") << kind;
    EXPECT_EQ(mount_at(seen, "/dev/shm").find(rootfs()), std::string::npos) << "pivoted already";
  }
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Hooks, OfCreateContainerAreProgramsOfTheHostInTheContainersMountNamespace) {
  hook("createContainer",
       "cat /proc/self/mountinfo >$D/mounts; ls -d /shared >$D/own 2>&1; "
       "echo $(readlink -f /bin/sh) $(hostname) >$D/who; "
       "touch $R/dev/by-hook $R/from-hook",
       cat(R"(, "timeout": 60)"));
  const std::string environment = cat("R=", rootfs());
  config_.add("/hooks/createContainer/0/env", json_string(environment));
  config_.shell("ls /dev/by-hook /from-hook >/shared/payload; exec sleep 1000");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_NE(mount_at(written("mounts"), rootfs() + "/dev"), "");
  EXPECT_NE(mount_at(written("mounts"), rootfs() + "/proc"), "");
  EXPECT_NE(written("own").find("/shared"), std::string::npos);
  EXPECT_NE(written("own").find("No such file"), std::string::npos) << "\"/\" is still the host's";
  const Result<std::string> shell = sys::realpath("/bin/sh");
  EXPECT_EQ(written("who"), cat(shell.value(), " e2e\n"));
  EXPECT_TRUE(eventually([&] { return written("payload") == "/dev/by-hook\n/from-hook\n"; }))
      << written("payload");
  EXPECT_FALSE(exists(rootfs() + "/dev/by-hook")) << "it went below the container's mount";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Hooks, OfCreateContainerMakeMountsThatThePayloadSees) {
  ASSERT_EQ(::mkdir((rootfs() + "/mnt").c_str(), 0755), 0);
  hook("createContainer",
       cat("mount -t tmpfs from-hook ", rootfs(), "/mnt && echo hi >", rootfs(), "/mnt/file"));
  config_.shell("cat /mnt/file; grep -c 'from-hook' /proc/self/mountinfo");
  const Outcome outcome = run();
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "hi\n1\n");
  EXPECT_FALSE(exists(rootfs() + "/mnt/file"));
}

TEST_F(Hooks, OfTheRuntimeMakeMountsThatThePayloadSees) {
  // As the hooks of graphics drivers and of container engines do: by the container's namespace.
  ASSERT_EQ(::mkdir((rootfs() + "/mnt").c_str(), 0755), 0);
  const std::string place = rootfs() + "/mnt";
  for (const char* kind : {"prestart", "createRuntime"}) {
    config_.erase("/hooks");
    hook(kind, cat("pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p'); nsenter -t $pid -m "
                   "sh -c 'mount -t tmpfs from-hook ",
                   place, " && echo hi >", place, "/file'"));
    config_.shell("cat /mnt/file");
    const Outcome outcome = run();
    EXPECT_TRUE(succeeds(outcome)) << kind;
    EXPECT_EQ(outcome.out, "hi\n") << kind;
  }
}

TEST_F(Hooks, OfCreateContainerBeginInTheRootFileSystemWithItsMounts) {
  hook("createContainer", "pwd -P >$D/cwd; [ -c dev/null ] && echo device >>$D/cwd");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(written("cwd"), rootfs() + "\ndevice\n");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Hooks, OfTheRuntimeBeginInTheBundle) {
  for (const HookKind& kind : kHookKinds) {
    if (!kind.inside) hook(kind.name, "pwd -P >$D/$KIND");
  }
  write_config();
  Call elsewhere;
  elsewhere.cwd = "/usr";
  ASSERT_TRUE(succeeds(runtime({"create", "-b", bundle(), id()}, elsewhere)));
  ASSERT_TRUE(succeeds(runtime({"start", id()}, elsewhere)));
  EXPECT_TRUE(succeeds(runtime({"delete", "--force", id()}, elsewhere)));
  for (const HookKind& kind : kHookKinds) {
    if (kind.inside) continue;
    EXPECT_EQ(written(kind.name), bundle() + "\n") << kind.name;
  }
}

TEST_F(Hooks, OfStartContainerAreProgramsOfTheContainer) {
  // This path is not on the host.
  write(rootfs() + "/bin/only-inside",
        "#!/bin/sh\n{ echo \"$0 $1\"; hostname; id -u; pwd; cat /proc/1/comm; "
        "tr '\\0' '\\n' </proc/$$/environ; } "
        ">/shared/start\n");
  ASSERT_EQ(::chmod((rootfs() + "/bin/only-inside").c_str(), 0755), 0);
  config_.set("/hooks/startContainer",
              R"([{"path": "/bin/only-inside", "args": ["x", "word"], "env": ["PATH=/bin"]}])");
  config_.set("/process/user", R"({"uid": 1234, "gid": 1234})").set_string("/process/cwd", "/tmp");
  config_.add("/process/env", json_string("OF=the payload"));
  ASSERT_TRUE(succeeds(create()));
  EXPECT_FALSE(exists(shared() + "/start"));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(written("start"), "/bin/only-inside word\ne2e\n1234\n/tmp\nruntime\nPATH=/bin\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Hooks, OfPoststartFindThePayloadExecuted) {
  hook("poststart",
       "pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p'); tr '\\0' ' ' </proc/$pid/cmdline "
       ">$D/args");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(written("args"), "/bin/sleep 1000 ");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Hooks, OfPoststopFindTheContainerDeleted) {
  hook("poststop", cat("ls ", state_root(), " >$D/state; ", "find /sys/fs/cgroup -name '*", id(),
                       "*' >$D/cgroups 2>/dev/null; exit 0"));
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_EQ(written("state").find(id()), std::string::npos) << written("state");
  EXPECT_EQ(written("cgroups"), "");
}

TEST_F(Hooks, MayCallTheRuntimeForTheirContainer) {
  for (const HookKind& kind : kHookKinds) {
    if (kind.inside || std::string_view(kind.name) == "poststop") continue;
    hook(kind.name, cat(runtime_binary(), " --root ", state_root(), " state ", id(), " >$D/$KIND"),
         R"(, "timeout": 5)");
  }
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(Json(written("prestart")).at("/status"), "creating");
  EXPECT_EQ(Json(written("createRuntime")).at("/status"), "creating");
  EXPECT_EQ(Json(written("poststart")).at("/status"), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Hooks, OfDockerExecuteARunningProgramUnderAnotherName) {
  Call sleeper;
  sleeper.args = {"1000"};
  const std::string link = directory() + "/sleep";
  ASSERT_EQ(::symlink("/usr/bin/busybox", link.c_str()), 0);
  const Program engine(link, sleeper);
  ASSERT_TRUE(eventually([&] {
    return sys::readlinkat(-1, cat("/proc/", engine.pid(), "/exe")).value() == "/usr/bin/busybox";
  }));
  // Which program busybox is depends on args[0].
  config_.set("/hooks/prestart", cat(R"([{"path": "/proc/)", engine.pid(), R"(/exe", "args": )",
                                     json_strings({"tee", shared() + "/state"}), "}]"));
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(Json(written("state")).at("/pid"), cat(pid()));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Hooks, OfAnInterfaceComeBeforeItsParameters) {
  hook("createRuntime",
       "pid=$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p'); "
       "nsenter -t $pid -n ip link add hook0 type veth peer name hook1 2>$D/err || echo none "
       ">$D/none");
  config_.set("/linux/sysctl", R"({"net.ipv4.conf.hook0.forwarding": "1"})");
  config_.shell("cat /proc/sys/net/ipv4/conf/hook0/forwarding");
  const Outcome outcome = run();
  if (exists(shared() + "/none")) GTEST_SKIP() << "no such interfaces here: " << written("err");
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "1\n");
}

TEST_F(Hooks, WorkInAUserNamespace) {
  config_.user_namespace();
  for (const HookKind& kind : kHookKinds) {
    hook(kind.name, "readlink /proc/self/ns/user >$D/$KIND; id -u >>$D/$KIND");
  }
  ASSERT_TRUE(succeeds(create()));
  const std::string inside = namespace_of(cat(pid()), "user") + "\n0\n";
  const std::string outside = namespace_of("self", "user") + "\n0\n";
  ASSERT_NE(inside, outside);
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
  for (const HookKind& kind : kHookKinds) {
    EXPECT_EQ(written(kind.name), kind.inside ? inside : outside) << kind.name;
  }
}

TEST_F(Hooks, SeeTheSamePidsWhereTheContainerHasNoPidNamespace) {
  config_.without_namespace("pid");
  for (const HookKind& kind : kHookKinds) hook(kind.name, "cat >$D/$KIND");
  ASSERT_TRUE(succeeds(create()));
  const std::string init = cat(pid());
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(succeeds(remove_by_force()));
  for (const HookKind& kind : kHookKinds) {
    if (std::string_view(kind.name) == "poststop") continue;
    EXPECT_EQ(Json(written(kind.name)).at("/pid"), init) << kind.name;
  }
}

TEST_F(Hooks, WorkWhereTheMountNamespaceIsJoined) {
  write_config();
  ASSERT_TRUE(succeeds(runtime({"run", "--detach", "-b", bundle(), id(1)})));
  const std::string other = Json(runtime({"state", id(1)}).out).at("/pid");
  config_.join_namespace("mount", cat("/proc/", other, "/ns/mnt"));
  config_.set("/mounts", "[]").erase("/linux/maskedPaths").erase("/linux/readonlyPaths");
  hook("prestart", "readlink /proc/self/ns/mnt >$D/$KIND");
  config_.add("/hooks/createContainer",
              R"({"path": "/bin/sh", "args": ["sh", "-c", "pwd >/shared/inside"]})");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(written("prestart"), namespace_of("self", "mnt") + "\n");
  EXPECT_EQ(written("inside"), "/\n") << "there is no other root to be found in it";
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_TRUE(succeeds(runtime({"delete", "--force", id(1)})));
}

TEST_F(Hooks, AreNotRunByExec) {
  for (const HookKind& kind : kHookKinds) hook(kind.name, "echo $KIND >>$D/log");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  const std::string before = written("log");
  EXPECT_TRUE(succeeds(runtime({"exec", id(), "/bin/true"})));
  EXPECT_EQ(written("log"), before);
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Hooks, LeaveThePayloadsWorldAsItIs) {
  constexpr const char* kScript =
      "grep -E 'Sig(Blk|Ign)|NoNewPrivs|Cap|Umask' /proc/self/status; ls /proc/self/fd | wc -l; "
      "ulimit -n; pwd; grep -o ' /[^ ]* [^ ]* - [^ ]*' /proc/self/mountinfo; ps | wc -l";
  config_.mount("/tmp", "tmpfs", "tmpfs", {});
  const Outcome plain = run_shell(kScript);
  ASSERT_TRUE(succeeds(plain));
  for (const HookKind& kind : kHookKinds) hook(kind.name, "cat >/dev/null");
  const Outcome hooked = run_shell(kScript);
  EXPECT_TRUE(succeeds(hooked));
  EXPECT_EQ(hooked.out, plain.out);
}

}  // namespace
}  // namespace rt::testing
