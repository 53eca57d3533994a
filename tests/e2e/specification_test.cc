// What the specification demands and no other file shows.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

using Rlimits = Container;
using Scheduler = Container;
using ExecAffinity = Container;
using CgroupOwnership = Container;
using MemoryLimits = Container;
using NetDevices = Container;

struct Limit {
  const char* type;
  __rlimit_resource number;
  const char* line;  // of proc_pid_limits(5)
};

constexpr Limit kLimits[] = {
    {"RLIMIT_CPU", RLIMIT_CPU, "Max cpu time"},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE, "Max file size"},
    {"RLIMIT_DATA", RLIMIT_DATA, "Max data size"},
    {"RLIMIT_STACK", RLIMIT_STACK, "Max stack size"},
    {"RLIMIT_CORE", RLIMIT_CORE, "Max core file size"},
    {"RLIMIT_RSS", RLIMIT_RSS, "Max resident set"},
    {"RLIMIT_NPROC", RLIMIT_NPROC, "Max processes"},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE, "Max open files"},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, "Max locked memory"},
    {"RLIMIT_AS", RLIMIT_AS, "Max address space"},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS, "Max file locks"},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING, "Max pending signals"},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE, "Max msgqueue size"},
    {"RLIMIT_NICE", RLIMIT_NICE, "Max nice priority"},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO, "Max realtime priority"},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME, "Max realtime timeout"},
};

/// Soft and hard, each pair another: within what this test may ask for, and enough for a program.
std::pair<uint64_t, uint64_t> wanted(const Limit& limit) {
  constexpr uint64_t kEnough = 1U << 30;
  struct rlimit now{};
  EXPECT_EQ(::getrlimit(limit.number, &now), 0) << limit.type;
  const uint64_t hard = std::min<uint64_t>(now.rlim_max, kEnough + 1000 + limit.number);
  return {hard - std::min<uint64_t>(hard, 10), hard};
}

/// The two numbers behind the name of the limit.
std::string numbers_of(const std::string& limits, std::string_view name) {
  for (const std::string_view line : split(limits, '\n')) {
    if (!line.starts_with(name)) continue;
    std::vector<std::string_view> words;
    for (const std::string_view word : split(line.substr(name.size()), ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    return words.size() < 2 ? std::string(line) : cat(words[0], ' ', words[1]);
  }
  return "(absent)";
}

TEST_F(Rlimits, OfEveryTypeAreTheDocuments) {
  std::string all;
  for (const Limit& limit : kLimits) {
    const auto [soft, hard] = wanted(limit);
    all += cat(all.empty() ? "" : ",", R"({"type": ")", limit.type, R"(", "soft": )", soft,
               R"(, "hard": )", hard, "}");
  }
  config_.set("/process/rlimits", cat("[", all, "]")).args({"/bin/cat", "/proc/self/limits"});
  const Outcome outcome = run();
  ASSERT_TRUE(succeeds(outcome));
  for (const Limit& limit : kLimits) {
    const auto [soft, hard] = wanted(limit);
    EXPECT_EQ(numbers_of(outcome.out, limit.line), cat(soft, ' ', hard)) << limit.type;
  }
}

TEST_F(Scheduler, ValuesThatAreNotGivenAreZeroWhateverTheCallersAre) {
  Call call;
  call.before_exec = [] {
    if (::setpriority(PRIO_PROCESS, 0, 7) != 0) ::_exit(125);
  };
  config_.args({"/bin/cat", "/proc/self/stat"});
  const auto field = [&](size_t number) {  // proc_pid_stat(5) counts from 1
    const Outcome outcome = run(call);
    const std::vector<std::string_view> fields = split(outcome.out, ' ');
    return fields.size() > number ? std::string(fields[number - 1]) : outcome.err;
  };
  constexpr size_t kNice = 19;
  constexpr size_t kRealtimePriority = 40;
  constexpr size_t kPolicy = 41;
  EXPECT_EQ(field(kNice), "7") << "without a scheduler it is the caller's";
  config_.set("/process/scheduler", R"({"policy": "SCHED_BATCH"})");
  EXPECT_EQ(field(kNice), "0");
  EXPECT_EQ(field(kRealtimePriority), "0");
  EXPECT_EQ(field(kPolicy), cat(SCHED_BATCH));
}

/// The CPUs of a process, from its /proc/PID/status.
std::string cpus_in(const std::string& status) {
  constexpr std::string_view kName = "Cpus_allowed_list:\t";
  for (const std::string_view line : split(status, '\n')) {
    if (line.starts_with(kName)) return std::string(line.substr(kName.size()));
  }
  return "(absent)";
}

TEST_F(ExecAffinity, InitialIsForExecAloneAndHoldsUnlessFinalIsGiven) {
  const std::string all = cpus_in(read("/proc/self/status"));
  if (!all.starts_with("0-")) GTEST_SKIP() << "CPUs 0 and 1 are not ours: " << all;
  for (const auto& [affinity, expected] :
       {std::pair{R"({"initial": "1"})", "1"}, std::pair{R"({"initial": "1", "final": ""})", "1"},
        std::pair{R"({"initial": "1", "final": "0"})", "0"}, std::pair{R"({"final": "0"})", "0"}}) {
    config_.set("/process/execCPUAffinity", affinity);
    start_sleeping();
    EXPECT_EQ(cpus_in(read(cat("/proc/", pid(), "/status"))), all) << "of init";
    const Outcome outcome = runtime({"exec", id(), "/bin/cat", "/proc/self/status"});
    EXPECT_TRUE(succeeds(outcome));
    EXPECT_EQ(cpus_in(outcome.out), expected) << affinity;
    EXPECT_TRUE(succeeds(remove_by_force()));
  }
}

/// The directories of the container's cgroups on the host, from proc_pid_cgroup(5).
std::vector<std::string> cgroup_directories(const std::string& cgroups) {
  std::vector<std::string> found;
  for (const std::string_view line : split(cgroups, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() != 3) continue;
    std::string_view controllers = fields[1];
    if (controllers.starts_with("name=")) controllers.remove_prefix(5);
    found.push_back(cat("/sys/fs/cgroup/", controllers, fields[2]));
    found.push_back(cat("/sys/fs/cgroup/unified", fields[2]));
  }
  return found;
}

TEST_F(CgroupOwnership, IsNotTheContainersUsers) {
  config_.user_namespace();
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  start_sleeping();
  size_t seen = 0;
  for (const std::string& path : cgroup_directories(read(cat("/proc/", pid(), "/cgroup")))) {
    struct stat info{};
    if (!path.ends_with(id()) || ::stat(path.c_str(), &info) != 0) continue;
    ++seen;
    EXPECT_EQ(info.st_uid, 0U) << path;
    EXPECT_EQ(info.st_gid, 0U) << path;
  }
  EXPECT_GT(seen, 0U) << read(cat("/proc/", pid(), "/cgroup"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// What is in /dev/shm counts, and without swap cannot go anywhere.
TEST_F(MemoryLimits, BelowThePresentUseAreRefusedWhereTheDocumentWantsThat) {
  const auto memory = hierarchy_with("memory");
  if (!memory) GTEST_SKIP() << "no controller memory";
  config_.set_string("/linux/cgroupsPath", workplace_path(id()));
  config_.set("/linux/resources", R"({"memory": {"limit": 67108864, "swap": 67108864}})");
  start_sleeping("dd if=/dev/zero of=/dev/shm/x bs=1048576 count=32 2>/dev/null");
  const std::string file =
      cat(cgroup_of(pid(), *memory), memory->unified ? "/memory.max" : "/memory.limit_in_bytes");
  const auto update_to = [&](size_t limit) {
    write(directory() + "/resources", cat(R"({"memory": {"limit": )", limit, R"(, "swap": )", limit,
                                          R"(, "checkBeforeUpdate": true}})"));
    return runtime({"update", "--resources", directory() + "/resources", id()});
  };
  EXPECT_TRUE(fails_saying(update_to(16777216), "memory"));
  EXPECT_EQ(read(file), "67108864\n");
  EXPECT_EQ(status(), "running") << "it was killed for it";
  EXPECT_TRUE(succeeds(update_to(50331648)));
  EXPECT_EQ(read(file), "50331648\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// A process with a network of its own, in which there is a device.
Call network_holder() {
  Call call;
  call.args = {"--net", "/bin/sh", "-c",
               "ip link add rtt-a type veth peer name rtt-b && echo made && exec sleep 1000"};
  return call;
}

Outcome ip_in_network_of(pid_t holder, const std::vector<std::string>& words) {
  Call call;
  call.args = {cat("--net=/proc/", holder, "/ns/net"), "/usr/sbin/ip"};
  call.args.insert(call.args.end(), words.begin(), words.end());
  return run_program("/usr/bin/nsenter", call);
}

TEST_F(NetDevices, AreLeftToTheContainerOnceTheyAreThere) {
  const Program host("/usr/bin/unshare", network_holder());
  const Program pod("/usr/bin/unshare", network_holder());
  ASSERT_TRUE(eventually([&] { return host.out() == "made\n" && pod.out() == "made\n"; }))
      << host.err();
  config_.join_namespace("network", cat("/proc/", pod.pid(), "/ns/net"));
  config_.set("/linux/netDevices", R"({"rtt-a": {"name": "eth0"}})");
  write_config();
  const std::string network = cat("/proc/", host.pid(), "/ns/net");
  Call on_host;
  on_host.before_exec = [network] {
    const int fd = ::open(network.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) ::_exit(125);
  };
  ASSERT_TRUE(succeeds(runtime({"create", "--bundle", bundle(), id()}, on_host)));
  EXPECT_TRUE(succeeds(ip_in_network_of(
      pod.pid(), {"link", "set", "eth0", "down", "mtu", "1300", "alias", "mine"})));
  EXPECT_TRUE(succeeds(runtime({"start", id()}, on_host)));
  EXPECT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(runtime({"delete", id()}, on_host)));
  const std::string left = ip_in_network_of(pod.pid(), {"-o", "link", "show", "dev", "eth0"}).out;
  EXPECT_NE(left.find("mtu 1300"), std::string::npos) << left;
  EXPECT_NE(left.find("alias mine"), std::string::npos) << left;
  EXPECT_EQ(left.find(",UP"), std::string::npos) << left;
}

}  // namespace
}  // namespace rt::testing
