// docker run: the namespaces that a container has, shares and joins.
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

const ScriptRow kNames[] = {
    {"AHostName",
     {"--hostname=named"},
     "hostname; cat /etc/hostname; uname -n",
     "named\nnamed\nnamed\n"},
    {"AHostNameOfALongDomain",
     {"--hostname=named", "--domainname=example.test"},
     "hostname; cat /proc/sys/kernel/domainname",
     "named\nexample.test\n"},
    {"TheHostsName", {"--uts=host"}, "hostname", "machine\n"},
    {"AnAddedHost", {"--add-host=other:192.0.2.7"}, "grep other /etc/hosts", "192.0.2.7\tother\n"},
    {"DnsServers",
     {"--dns=192.0.2.1", "--dns-search=example.test", "--dns-option=ndots:2"},
     "grep -v '^#' /etc/resolv.conf | sort",
     "nameserver 192.0.2.1\noptions ndots:2\nsearch example.test\n"},
    {"OnlyLoopbackWithoutANetwork", {}, "ls /sys/class/net", "lo\n"},
    {"ItsOwnProcesses", {}, "echo $$", "1\n"},
    {"AnInitBeforeItsOwn",
     {"--init"},
     "cat /proc/1/comm; echo $(cat /proc/$PPID/comm)",
     "docker-init\ndocker-init\n"},
    {"ItsOwnMessages", {}, "cat /proc/sysvipc/shm | wc -l", "1\n"},
    {"NoSharedMemory", {"--ipc=none"}, "grep -c ' /dev/shm ' /proc/mounts", "0\n", 1},
};

using DockerNames = DockerScript;
TEST_P(DockerNames, Are) { check(); }
INSTANTIATE_TEST_SUITE_P(Run, DockerNames, ::testing::ValuesIn(kNames), kNameOfRow);

std::string own_namespace(const std::string& kind) {
  const Result<std::string> link = sys::readlinkat(-1, cat("/proc/self/ns/", kind));
  return link ? link.value() : link.error().message();
}

/// A namespace and how docker run says that it is the host's, or another container's.
struct Kind {
  const char* name;
  const char* option;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class DockerNamespaces : public Docker, public ::testing::WithParamInterface<Kind> {
 protected:
  static std::string seen(const std::vector<std::string>& options, const std::string& kind) {
    return stripped(run(options, {"readlink", cat("/proc/self/ns/", kind)}).out);
  }
};

using DockerHostNamespaces = DockerNamespaces;

TEST_P(DockerHostNamespaces, AreJoinedWhenAskedFor) {
  const std::string kind = GetParam().name;
  EXPECT_EQ(seen({cat(GetParam().option, "=host")}, kind), own_namespace(kind));
}

INSTANTIATE_TEST_SUITE_P(Run, DockerHostNamespaces,
                         ::testing::Values(Kind{"ipc", "--ipc"}, Kind{"pid", "--pid"},
                                           Kind{"uts", "--uts"}, Kind{"net", "--network"},
                                           Kind{"cgroup", "--cgroupns"}),
                         [](const auto& row) { return row.param.name; });

using DockerOwnNamespaces = DockerNamespaces;

TEST_P(DockerOwnNamespaces, AreNew) {
  const std::string kind = GetParam().name;
  const std::string option = GetParam().option;
  const std::string found =
      seen(option.empty() ? std::vector<std::string>() : std::vector{option}, kind);
  EXPECT_TRUE(found.starts_with(kind)) << found;
  EXPECT_NE(found, own_namespace(kind));
}

INSTANTIATE_TEST_SUITE_P(Run, DockerOwnNamespaces,
                         ::testing::Values(Kind{"ipc", "--ipc=private"}, Kind{"pid", ""},
                                           Kind{"uts", ""}, Kind{"net", ""}, Kind{"mnt", ""},
                                           Kind{"cgroup", "--cgroupns=private"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(DockerNamespaces, OfAPrivateCgroupShowNoPathOfTheHost) {
  const Outcome outcome =
      run_shell({"--cgroupns=private"}, "cut -d: -f3 /proc/self/cgroup | sort -u");
  EXPECT_EQ(outcome.out, "/\n");
}

TEST_F(DockerNamespaces, OfAnotherContainerAreJoined) {
  start({"--ipc=shareable"});
  const std::string id = cat("container:", name());
  for (const Kind& kind : {Kind{"ipc", "--ipc"}, Kind{"pid", "--pid"}, Kind{"net", "--network"}}) {
    const std::string other = stripped(exec({"readlink", cat("/proc/self/ns/", kind.name)}).out);
    EXPECT_TRUE(other.starts_with(kind.name)) << other;
    EXPECT_EQ(seen({cat(kind.option, "=", id)}, kind.name), other);
  }
  remove();
}

TEST_F(DockerNamespaces, OfASharedIpcHaveTheSameMemory) {
  start({"--ipc=shareable"}, {"sh", "-c", "echo shared >/dev/shm/file; exec sleep 1000"});
  EXPECT_TRUE(eventually([&] {
    return run({cat("--ipc=container:", name())}, {"cat", "/dev/shm/file"}).out == "shared\n";
  }));
  remove();
}

TEST_F(DockerNamespaces, OfAPrivateIpcAreNotShared) {
  start({"--ipc=private"});
  const Outcome outcome = run({cat("--ipc=container:", name())}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125);
  EXPECT_NE(outcome.err.find("non-shareable"), std::string::npos) << outcome.err;
  remove();
}

TEST_F(DockerNamespaces, OfJoinedProcessesShowThemAndEndWithTheirOwnersInit) {
  start();
  const Outcome shown = run({cat("--pid=container:", name())}, {"cat", "/proc/1/comm"});
  EXPECT_EQ(shown.out, "sleep\n");
  const std::string guest = cat(name(), "-guest");
  EXPECT_TRUE(succeeds(docker({"run", "--detach", "--name", guest, "--network=none",
                               cat("--pid=container:", name()), "bb", "sleep", "1000"})));
  remove();
  EXPECT_EQ(stripped(docker({"wait", guest}).out), "137");
  EXPECT_TRUE(succeeds(docker({"rm", guest})));
}

TEST_F(DockerNamespaces, OfAStoppedContainerCannotBeJoined) {
  start({}, {"true"});
  docker({"wait", name()});
  const Outcome outcome = run({cat("--pid=container:", name())}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125);
  EXPECT_NE(outcome.err.find("not running"), std::string::npos) << outcome.err;
  remove();
}

TEST_F(DockerNamespaces, OfTheHostsProcessesAreNotEndedWithTheContainer) {
  Call call;
  call.args = {"-c", "exec sleep 1000"};
  Program bystander("/bin/sh", call);
  start({"--pid=host"}, {"sh", "-c", "sleep 1000 & exec sleep 1000"});
  EXPECT_TRUE(succeeds(exec({"test", "-d", cat("/proc/", bystander.pid())})));
  remove();
  EXPECT_EQ(::access(cat("/proc/", bystander.pid(), "/cwd/.").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace rt::testing
