// What Docker shows of a container: docker top, stats, inspect, events, wait, info, health.
#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"
#include "tests/support/json.h"

namespace rt::testing {
namespace {

class DockerWatch : public Docker {
 protected:
  /// The lines of `docker top name() OPTIONS...` behind the first, without runs of blanks.
  [[nodiscard]] std::vector<std::string> top(const std::vector<std::string>& options) const {
    std::vector<std::string> args = {"top", name()};
    args.insert(args.end(), options.begin(), options.end());
    const Outcome outcome = docker(args);
    EXPECT_TRUE(succeeds(outcome));
    const std::string text = stripped(outcome.out);
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) lines.push_back(squeezed(line));
    if (!lines.empty()) lines.erase(lines.begin());
    return lines;
  }

  /// The actions that `docker events` tells of the container, up to now.
  [[nodiscard]] std::vector<std::string> events() const {
    const Outcome outcome =
        docker({"events", "--since=2020-01-01T00:00:00", "--until=0s", "--filter",
                "container=" + name(), "--filter", "type=container", "--format", "{{.Action}}"});
    EXPECT_TRUE(succeeds(outcome));
    const std::string text = stripped(outcome.out);
    std::vector<std::string> actions;
    for (const std::string_view line : split(text, '\n')) actions.emplace_back(line);
    return actions;
  }

 private:
  static std::string squeezed(std::string_view line) {
    std::string text;
    for (const std::string_view word : split(line, ' ')) {
      if (!word.empty()) text += cat(text.empty() ? "" : " ", word);
    }
    return text;
  }
};

TEST_F(DockerWatch, TopShowsTheHostsViewOfTheProcesses) {
  start({}, {"sh", "-c", "sleep 999 & exec sleep 1000"});
  ASSERT_TRUE(eventually([&] { return top({}).size() == 2; }));
  const std::vector<std::string> lines = top({});
  EXPECT_TRUE(lines[0].find(cat("root ", pid(), ' ')) == 0) << lines[0];
  EXPECT_TRUE(lines[0].ends_with("sleep 1000")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with("sleep 999")) << lines[1];
  remove();
}

TEST_F(DockerWatch, TopTakesOptionsOfPs) {
  start();
  EXPECT_EQ(top({"-o", "pid,comm"}), std::vector<std::string>{cat(pid(), " sleep")});
  const std::vector<std::string> lines = top({"aux"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with(cat("root ", pid(), ' '))) << lines[0];
  remove();
}

TEST_F(DockerWatch, TopShowsAnExecToo) {
  start();
  EXPECT_TRUE(succeeds(docker({"exec", "--detach", name(), "sleep", "997"})));
  ASSERT_TRUE(eventually([&] { return top({"-o", "pid,args"}).size() == 2; }));
  EXPECT_TRUE(top({"-o", "pid,args"})[1].ends_with("sleep 997"));
  remove();
}

TEST_F(DockerWatch, StatsShowMemoryAndProcesses) {
  start({"--memory=64m"}, {"sh", "-c", "sleep 999 & exec sleep 1000"});
  ASSERT_TRUE(eventually([&] { return top({}).size() == 2; }));
  const Outcome outcome =
      docker({"stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}", name()});
  EXPECT_TRUE(outcome.out.starts_with("2 ")) << outcome.out;
  EXPECT_FALSE(outcome.out.starts_with("2 0B")) << outcome.out;
  EXPECT_NE(outcome.out.find("/ 64MiB"), std::string::npos) << outcome.out;
  remove();
}

TEST_F(DockerWatch, InspectNamesThePayloadsProcess) {
  start();
  const Result<std::string> program = sys::read_file(cat("/proc/", pid(), "/comm"), 64);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program.value(), "sleep\n");
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  EXPECT_TRUE(becomes("{{.State.Pid}} {{.State.Running}}", "0 false"));
  remove();
}

TEST_F(DockerWatch, WaitAnswersAtTheEnd) {
  start({"--init"});
  Program waiting = begin({"wait", name()});
  EXPECT_TRUE(succeeds(docker({"kill", "--signal=TERM", name()})));
  EXPECT_EQ(waiting.wait().out, "143\n");
  remove();
}

TEST_F(DockerWatch, EventsTellTheContainersLife) {
  start();
  EXPECT_TRUE(succeeds(docker({"pause", name()})));
  EXPECT_TRUE(succeeds(docker({"unpause", name()})));
  EXPECT_TRUE(succeeds(docker({"kill", name()})));
  EXPECT_EQ(docker({"wait", name()}).out, "137\n");
  remove();
  const std::vector<std::string> wanted = {"create", "start", "pause",  "unpause",
                                           "kill",   "die",   "destroy"};
  EXPECT_TRUE(eventually([&] { return events() == wanted; })) << ::testing::PrintToString(events());
}

TEST_F(DockerWatch, EventsTellOfTheEndOfMemory) {
  start({"--memory=16m", "--memory-swap=16m"}, {"sh", "-c", "busybox tail /dev/zero"});
  EXPECT_TRUE(becomes("{{.State.Status}} {{.State.OOMKilled}}", "exited true"));
  EXPECT_TRUE(eventually([&] {
    const std::vector<std::string> actions = events();
    return std::ranges::find(actions, "oom") != actions.end() && actions.back() == "die";
  })) << ::testing::PrintToString(events());
  remove();
}

TEST_F(DockerWatch, ANewNameIsTheSameContainer) {
  start();
  const std::string renamed = name() + "-renamed";
  EXPECT_TRUE(succeeds(docker({"rename", name(), renamed})));
  EXPECT_EQ(docker({"exec", renamed, "cat", "/proc/1/comm"}).out, "sleep\n");
  EXPECT_NE(docker({"inspect", name()}).exit_code, 0);
  EXPECT_TRUE(succeeds(docker({"rm", "--force", renamed})));
}

TEST_F(DockerWatch, InfoShowsTheRuntime) {
  EXPECT_EQ(docker({"info", "--format", "{{.DefaultRuntime}}"}).out, "tested\n");
  const Json runtimes(stripped(docker({"info", "--format", "{{json .Runtimes}}"}).out));
  EXPECT_TRUE(runtimes.at("/tested/path").starts_with("/")) << runtimes.text();
}

TEST_F(DockerWatch, VersionShowsTheRuntimes) {
  Call call;
  call.args = {"--version"};
  const Outcome own = run_program(runtime_binary(), call);
  ASSERT_TRUE(succeeds(own));
  // "NAME version X"
  const std::string first = own.out.substr(0, own.out.find('\n'));
  const std::string version = first.substr(first.rfind(' ') + 1);
  const Json components(
      stripped(docker({"version", "--format", "{{json .Server.Components}}"}).out));
  bool found = false;
  for (size_t i = 0; i < components.size(); ++i) {
    if (components.at(cat("/", i, "/Name")) != "tested") continue;
    EXPECT_EQ(components.at(cat("/", i, "/Version")), version);
    found = true;
  }
  EXPECT_TRUE(found) << components.text();
}

class DockerHealth : public Docker {
 protected:
  void start_checked(const std::string& check, const std::string& timeout) const {
    start({"--health-cmd=" + check, "--health-interval=100ms", "--health-retries=2",
           "--health-timeout=" + timeout});
  }
  [[nodiscard]] bool becomes_healthy() const {
    return becomes("{{.State.Health.Status}}", "healthy");
  }
  [[nodiscard]] bool becomes_unhealthy() const {
    return becomes("{{.State.Health.Status}}", "unhealthy");
  }
};

TEST_F(DockerHealth, IsWhatTheCheckSays) {
  start_checked("echo looked; test -e /well", "30s");
  EXPECT_TRUE(becomes_unhealthy());
  EXPECT_TRUE(succeeds(exec({"touch", "/well"})));
  EXPECT_TRUE(becomes_healthy());
  EXPECT_TRUE(becomes("{{(index .State.Health.Log 0).Output}}", "looked"));
  remove();
}

TEST_F(DockerHealth, IsBadWhenTheCheckTakesTooLong) {
  start_checked("sleep 996", "200ms");
  EXPECT_TRUE(becomes_unhealthy());
  EXPECT_NE(inspect("{{(index .State.Health.Log 0).Output}}").find("exceeded timeout"),
            std::string::npos);
  remove();
}

}  // namespace
}  // namespace rt::testing
