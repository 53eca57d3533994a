// The command events: what a container uses, and what happens to it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

constexpr const char* kGo = "/tmp/go";

class Events : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (!IsSkipped() && hierarchies().empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
    config_.set_string("/linux/cgroupsPath", cat("/events-", id()));
  }

  /// Of the container's cgroups, the one that has this file; "" when there is none.
  [[nodiscard]] std::string with(const std::string& file) const {
    for (const Hierarchy& hierarchy : hierarchies()) {
      const std::string path = cat(hierarchy.mount, "/events-", id());
      if (exists(cat(path, '/', file))) return path;
    }
    return "";
  }

  [[nodiscard]] std::string figure(const std::string& path) const {
    std::string text = read(path);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  /// The command, in the background; it is at work once this returns.
  [[nodiscard]] Program follow(std::vector<std::string> options) const {
    options.insert(options.begin(), "events");
    options.push_back(id());
    Program program(runtime_binary(), call(options));
    EXPECT_TRUE(eventually([&] { return !lines(program).empty(); })) << program.err();
    return program;
  }

  /// The lines that it wrote up to now.
  static std::vector<Json> lines(const Program& program) { return parse(program.out()); }
  static std::vector<Json> parse(std::string_view text) {
    std::vector<Json> documents;
    for (const std::string_view line : split(text, '\n')) {
      if (!line.empty()) documents.emplace_back(line);
    }
    return documents;
  }
  static long count(const Program& program, std::string_view type) {
    return std::ranges::count_if(lines(program),
                                 [type](const Json& line) { return line.at("/type") == type; });
  }

  /// A payload that takes far more memory than it may, in one process of its own (of two that take
  /// it together the kernel may kill a third), when it is told to.
  void start_greedy() {
    config_.shell(cat("touch /tmp/started; until [ -e ", kGo,
                      " ]; do sleep 0.1; done; (echo 1000 > /proc/self/oom_score_adj; "
                      "exec dd if=/dev/zero of=/dev/null bs=200M count=1); exec sleep 1000"));
    write_config();
    // For two seconds the kernel keeps what belonged to a process that it killed for its memory.
    ASSERT_TRUE(succeeds(runtime({"create", "--no-new-keyring", "--bundle", bundle(), id()})));
    const std::string directory =
        with("memory.limit_in_bytes").empty() ? with("memory.max") : with("memory.limit_in_bytes");
    if (directory.empty()) return;
    const std::string limit = exists(directory + "/memory.max") ? "max" : "limit_in_bytes";
    write(cat(directory, "/memory.", limit), "33554432");
    if (exists(directory + "/memory.swap.max")) write(directory + "/memory.swap.max", "0");
    ASSERT_TRUE(succeeds(start()));
    ASSERT_TRUE(eventually([&] { return exists(rootfs() + "/tmp/started"); }));
  }
};

TEST_F(Events, StatisticsAreTheKernelsFigures) {
  start_sleeping();
  const std::string process = cat("/proc/", pid(), "/status");
  ASSERT_TRUE(eventually([&] {
    const std::string text = read(process);
    return text.starts_with("Name:\tsleep\n") && text.find("State:\tS") != std::string::npos;
  }));
  const std::string v1 = with("cpuacct.usage");
  const std::string used = v1.empty() ? with("cpu.stat") + "/cpu.stat" : v1 + "/cpuacct.usage";
  // What is the same before and after was it meanwhile.
  std::string before;
  Outcome outcome;
  do {
    before = figure(used);
    outcome = runtime({"events", "--stats", id()});
  } while (figure(used) != before);
  ASSERT_TRUE(succeeds(outcome));
  const std::vector<Json> all = parse(outcome.out);
  ASSERT_EQ(all.size(), 1U);
  const Json& stats = all[0];
  EXPECT_EQ(stats.at("/type"), "stats");
  EXPECT_EQ(stats.at("/id"), id());
  const std::string pids = with("pids.current");
  if (!pids.empty()) {
    EXPECT_EQ(stats.at("/data/pids/current"), "1");
  }
  const std::string total = stats.at("/data/cpu/usage/total");
  if (!v1.empty()) {
    EXPECT_EQ(total, before);
  } else {
    EXPECT_TRUE(before.starts_with(cat("usage_usec ", *parse_uint(total) / 1000, '\n')));
  }
  const std::string limit = with("memory.limit_in_bytes");
  if (!limit.empty()) {
    EXPECT_EQ(stats.at("/data/memory/usage/limit"), figure(limit + "/memory.limit_in_bytes"));
  }
  EXPECT_EQ(stats.at("/data/network_interfaces"), "null");
  EXPECT_TRUE(stats.has("/data/intel_rdt"));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Events, StatisticsOfACreatedContainerAreThereToo) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(succeeds(runtime({"events", "--stats", id()})));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Events, OfAStoppedContainerAreRefused) {
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(runtime({"events", "--stats", id()}), "container not running"));
  EXPECT_TRUE(fails_saying(runtime({"events", id()}), "container not running"));
  EXPECT_TRUE(succeeds(remove()));
  EXPECT_TRUE(fails_saying(runtime({"events", id()}), "container does not exist"));
}

TEST_F(Events, ComeAtTheInterval) {
  start_sleeping();
  Program program = follow({"--interval", "20ms"});
  EXPECT_TRUE(eventually([&] { return count(program, "stats") >= 4; }));
  for (const Json& line : lines(program)) EXPECT_EQ(line.at("/id"), id());
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(succeeds(program.wait()));
}

TEST_F(Events, EndWithTheContainer) {
  start_sleeping();
  Program program = follow({"--interval", "1h"});
  EXPECT_EQ(lines(program).size(), 1U);
  // Others are not kept waiting meanwhile.
  ASSERT_TRUE(succeeds(kill("KILL")));
  const Outcome outcome = program.wait();
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(parse(outcome.out).size(), 1U) << outcome.out;
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Events, TellWhenAProcessIsKilledForItsMemory) {
  start_greedy();
  Program program = follow({"--interval", "1h"});
  if (with("memory.limit_in_bytes").empty() && with("memory.max").empty()) {
    EXPECT_TRUE(succeeds(remove_by_force()));
    program.wait();
    GTEST_SKIP() << "no memory controller";
  }
  EXPECT_EQ(count(program, "oom"), 0);
  write(rootfs() + kGo, "");
  EXPECT_TRUE(eventually([&] { return count(program, "oom") >= 1; })) << program.out();
  if (!with("memory.events").empty()) {
    EXPECT_TRUE(eventually([&] { return count(program, "memory.events") >= 1; }));
    EXPECT_NE(program.out().find("\"oom_kill\":1"), std::string::npos) << program.out();
  }
  EXPECT_EQ(status(), "running");
  EXPECT_NE(program.out().find(cat(R"({"type":"oom","id":")", id(), "\"}\n")), std::string::npos)
      << program.out();
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(succeeds(program.wait()));
}

TEST_F(Events, TellOfPressure) {
  config_.shell(
      "touch /tmp/started; (while :; do :; done) & (while :; do :; done) & "
      "(while :; do :; done) & while :; do :; done");
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  if (with("cpu.pressure").empty()) {
    EXPECT_TRUE(fails_saying(runtime({"events", "--pressure", "cpu some 100000 2000000", id()}),
                             "cpu.pressure: the container has no such file"));
    EXPECT_TRUE(succeeds(remove_by_force()));
    return;
  }
  Program program = follow({"--interval", "1h", "--pressure", "cpu some 100000 2000000"});
  EXPECT_TRUE(eventually([&] { return count(program, "pressure") >= 1; })) << program.out();
  ASSERT_FALSE(lines(program).empty());
  const Json line = lines(program).back();
  EXPECT_EQ(line.at("/data/resource"), "cpu");
  EXPECT_EQ(line.at("/data/trigger"), "some 100000 2000000");
  EXPECT_GE(parse_uint(line.at("/data/psi/some/total")).value_or(0), 100000U);
  EXPECT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(succeeds(program.wait()));
}

TEST_F(Events, EndWhenNobodyReadsThem) {
  start_sleeping();
  sys::Pipe pipe = sys::pipe().value();
  Call quiet;
  quiet.before_exec = [fd = pipe.write.get()] {
    if (::dup2(fd, STDOUT_FILENO) < 0) ::_exit(124);
  };
  Program program(runtime_binary(), call({"events", "--interval", "1h", id()}, quiet));
  pipe.write.reset();
  std::array<char, 1> byte{};
  EXPECT_EQ(sys::read(pipe.read.get(), byte.data(), byte.size()).value(), 1U);
  pipe.read.reset();
  EXPECT_TRUE(succeeds(program.wait()));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Events, RefuseWhatCannotBeAsked) {
  const struct {
    std::vector<std::string> options;
    const char* words;
  } cases[] = {
      {{"--interval", "soon"}, "--interval \"soon\": not a duration"},
      {{"--interval", "0"}, "--interval \"0\": must be greater than 0"},
      {{"--interval=-1s"}, "--interval \"-1s\": not a duration"},
      {{"--pressure", "disk some 1 2"}, "--pressure \"disk some 1 2\": expected"},
      {{"--pressure", "some 1"}, "--pressure \"some 1\": expected"},
      {{"--pressure", "cpu most 1 2"}, "--pressure \"cpu most 1 2\": expected"},
      {{"--pressure", ""}, "--pressure \"\": expected"},
      {{"other"}, "unexpected argument"},
  };
  for (const auto& one : cases) {
    std::vector<std::string> args = {"events", id()};
    args.insert(args.end(), one.options.begin(), one.options.end());
    EXPECT_TRUE(fails_saying(runtime(args), one.words));
  }
}

}  // namespace
}  // namespace rt::testing
