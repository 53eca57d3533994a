// Docker Swarm: a service on three hosts, its updates, and hosts that go.
#include "tests/engines/swarm.h"

#include <functional>

namespace rt::testing {
namespace {

/// The values that a variable has in the environments of all tasks, as the kernel has them.
std::map<std::string, int> values(const std::string& variable, const std::vector<SwarmHost*>& on) {
  std::map<std::string, int> counts;
  for (const SwarmHost* host : on) {
    for (const std::string& pid : host->containers()) {
      const Outcome environment = call_program("cat", {cat("/proc/", pid, "/environ")});
      for (const std::string_view one : split(environment.out, '\0')) {
        if (one.starts_with(variable + "=")) ++counts[std::string(one)];
      }
    }
  }
  return counts;
}

TEST_F(Swarm, ScalesAServiceToThirtyTasksOnThreeHosts) {
  create(3);
  EXPECT_TRUE(runs(3)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
  EXPECT_TRUE(succeeds(docker({"service", "scale", "--detach", name() + "=30"})));
  EXPECT_TRUE(runs(30)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
  for (const int number : {1, 2, 3}) EXPECT_EQ(host(number).containers().size(), 10U) << number;
}

TEST_F(Swarm, UpdatesEveryTaskInStepsAndRollsBack) {
  create(15, {"--env=V=1", "--update-parallelism=5", "--update-monitor=1s",
              "--rollback-parallelism=0", "--rollback-monitor=1s"});
  EXPECT_TRUE(runs(15)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
  using Counts = std::map<std::string, int>;
  const std::vector<SwarmHost*> everywhere = {&host(1), &host(2), &host(3)};
  EXPECT_EQ(values("V", everywhere), (Counts{{"V=1", 15}}));

  EXPECT_TRUE(succeeds(docker({"service", "update", "--detach", "--env-add=V=2", name()})));
  EXPECT_TRUE(in_time([&] { return inspect("{{.UpdateStatus.State}}") == "completed"; }));
  EXPECT_TRUE(runs(15));
  EXPECT_EQ(values("V", everywhere), (Counts{{"V=2", 15}}));

  EXPECT_TRUE(succeeds(docker({"service", "rollback", "--detach", name()})));
  EXPECT_TRUE(in_time([&] { return inspect("{{.UpdateStatus.State}}") == "rollback_completed"; }));
  EXPECT_TRUE(runs(15));
  EXPECT_EQ(values("V", everywhere), (Counts{{"V=1", 15}}));
}

TEST_F(Swarm, LimitsOfAServiceReachTheKernel) {
  create(1, {"--constraint=node.hostname==host-2", "--limit-memory=32M", "--limit-pids=20"});
  EXPECT_TRUE(runs(1, {"host-2"}));
  EXPECT_EQ(shell(host(2),
                  "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes || cat memory.max; "
                  "cat pids/pids.max || cat pids.max"),
            "33554432\n20\n");
}

TEST_F(Swarm, SecretsAndConfigsAreFilesWithTheirMode) {
  const std::string secret = name() + "-secret";
  const std::string config = name() + "-config";
  Call text;
  text.input = "hidden";
  EXPECT_TRUE(succeeds(docker({"secret", "create", secret, "-"}, text)));
  text.input = "shown";
  EXPECT_TRUE(succeeds(docker({"config", "create", config, "-"}, text)));
  create(1, {"--constraint=node.hostname==host-3",
             "--secret=source=" + secret + ",target=key,mode=0400,uid=1000",
             "--config=source=" + config + ",target=/etc/settings,mode=0444"});
  EXPECT_TRUE(runs(1, {"host-3"}));
  EXPECT_EQ(shell(host(3),
                  "stat -c '%a %u %n' /run/secrets/key /etc/settings;"
                  "cat /run/secrets/key /etc/settings; echo x >/run/secrets/key || echo kept"),
            "400 1000 /run/secrets/key\n444 0 /etc/settings\nhiddenshownkept\n");
}

TEST_F(Swarm, TasksOnDifferentHostsReachEachOtherByTheNameOfTheService) {
  EXPECT_TRUE(succeeds(docker({"network", "create", "--driver=overlay", name()})));
  network_ = name();
  create(3, {"--endpoint-mode=dnsrr"});
  EXPECT_TRUE(runs(3)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
  for (const int number : {1, 2, 3}) {
    const std::string reached = "for one in $(nslookup " + name() +
                                " | awk '/^Address/ && !/:53/ {print $2}'); do "
                                "ping -c 1 -W 5 $one >/dev/null && echo reached; done";
    std::string said;
    EXPECT_TRUE(in_time([&] {
      return (said = shell(host(number), reached)) == "reached\nreached\nreached\n";
    })) << said;
  }
}

TEST_F(Swarm, ATaskThatIsKilledIsReplaced) {
  create(1, {"--constraint=node.hostname==host-2", "--restart-delay=0s"});
  EXPECT_TRUE(runs(1, {"host-2"}));
  const std::vector<std::string> first = host(2).containers();
  EXPECT_TRUE(succeeds(call_program("kill", {"-9", first.at(0)})));
  EXPECT_TRUE(in_time([&] {
    const std::vector<std::string> now = host(2).containers();
    return now.size() == 1 && now != first;
  })) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
}

TEST_F(Swarm, SaysWhyATaskCannotBeStarted) {
  create(1, {"--restart-condition=none"}, {"/no-such-program"});
  EXPECT_TRUE(in_time([&] {
    return tasks("{{.Error}}").find("no such file or directory") != std::string::npos;
  })) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
}

TEST_F(Swarm, JobsRunToTheirEnd) {
  create(6, {"--mode=replicated-job"}, {"sh", "-c", "exit 0"});
  EXPECT_TRUE(in_time([&] {
    const std::string states = tasks("{{.CurrentState}}");
    return lines_of(states).size() == 6 && states.find("Running") == std::string::npos;
  })) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
}

TEST_F(Swarm, AHealthyTaskIsOneWhoseCheckSucceeds) {
  create(3, {"--health-cmd=test -e /tmp/healthy", "--health-interval=200ms"},
         {"sh", "-c", "mkdir -p /tmp; >/tmp/healthy; trap 'exit 0' TERM; sleep 1000 & wait"});
  EXPECT_TRUE(runs(3)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
}

TEST_F(Swarm, DrainedHostsLoseTheirTasksToTheOthers) {
  create(9);
  EXPECT_TRUE(runs(9));
  EXPECT_TRUE(succeeds(docker({"node", "update", "--availability=drain", "host-3"})));
  EXPECT_TRUE(runs(9, {"host-1", "host-2"}));
  std::string left;
  EXPECT_TRUE(in_time([&] { return (left = host(3).remains()).empty(); })) << left;
  EXPECT_TRUE(succeeds(docker({"node", "update", "--availability=active", "host-3"})));
}

/// A host that goes while its tasks run, and comes back.
class SwarmWithoutAHost : public Swarm {
 protected:
  void loses_a_host(const std::function<void(SwarmHost&)>& goes) {
    create(30);
    EXPECT_TRUE(runs(30)) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
    goes(host(3));
    EXPECT_TRUE(runs(30, {"host-1", "host-2"})) << tasks("{{.Name}} {{.CurrentState}} {{.Error}}");
    host(3).start();
    std::string left;
    EXPECT_TRUE(in_time([&] { return (left = host(3).remains()).empty(); })) << left;
    EXPECT_TRUE(runs(30, {"host-1", "host-2"}));
  }
};

TEST_F(SwarmWithoutAHost, AfterACrashOfItsDaemons) {
  loses_a_host([](SwarmHost& host) {
    host.crash();
    EXPECT_NE(host.remains().find("process: sleep"), std::string::npos)
        << "it took its tasks along";
  });
}

TEST_F(SwarmWithoutAHost, AfterALossOfPower) {
  loses_a_host([](SwarmHost& host) { host.lose_power(); });
}

}  // namespace
}  // namespace rt::testing
