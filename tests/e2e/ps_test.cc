// The command ps: which processes a container has.
#include <signal.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/support/cgroups.h"
#include "tests/support/container.h"
#include "tests/support/mode.h"

namespace rt::testing {
namespace {

class Ps : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    if (!IsSkipped() && hierarchies().empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
  }

  [[nodiscard]] Outcome ps(std::vector<std::string> words) const {
    words.insert(words.begin(), "ps");
    return runtime(words);
  }
  /// The pids of `ps --format json`, which must be all of its output.
  [[nodiscard]] std::vector<pid_t> pids() const {
    const Outcome outcome = ps({"--format", "json", id()});
    EXPECT_TRUE(succeeds(outcome));
    EXPECT_EQ(outcome.err, "");
    const Json json(outcome.out);
    EXPECT_TRUE(json.valid()) << outcome.out;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
    std::vector<pid_t> found;
    found.reserve(json.size());
    for (size_t i = 0; i < json.size(); ++i) {
      found.push_back(static_cast<pid_t>(parse_int(json.at(cat('/', i))).value_or(-1)));
    }
    return found;
  }
  /// The line of the table about this process; empty when there is none.
  [[nodiscard]] static std::string line_of(const std::string& table, pid_t process) {
    for (const std::string_view line : split(table, '\n')) {
      if (line.find(cat(' ', process, ' ')) != std::string_view::npos) return std::string(line);
    }
    return "";
  }
};

TEST_F(Ps, JsonIsOneLineWithThePidsOfEveryProcess) {
  start_sleeping("sleep 1000 & sleep 1000 &");
  const std::vector<pid_t> found = pids();
  EXPECT_EQ(found.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_NE(std::ranges::find(found, pid()), found.end()) << "init";
  ASSERT_TRUE(succeeds(runtime({"exec", "--detach", id(), "/bin/sleep", "1000"})));
  EXPECT_EQ(pids().size(), 4U) << "what was executed later too";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Ps, OfACreatedContainerIsItsInit) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(pids(), std::vector<pid_t>{pid()});
  EXPECT_TRUE(succeeds(remove_by_force()));
}

// containerd asks after the end too; crun 1.8.1 died of that question.
TEST_F(Ps, OfAStoppedContainerIsEmptyAndNoError) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  reap_orphans();
  EXPECT_TRUE(eventually([&] { return pids().empty(); }));
  EXPECT_EQ(ps({"-f", "json", id()}).out, "[]\n");
  EXPECT_EQ(ps({id()}).out, "UID  PID  PPID  STATE  TIME  CMD\n");
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Ps, TheTableSaysWhoDoesWhat) {
  config_.set("/process/user", R"({"uid": 7, "gid": 8})");
  config_.args({"/bin/sleep", "1000"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return ps({id()}).out.find("sleep 1000") != std::string::npos; }));
  const Outcome outcome = ps({id()});
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(outcome.out.starts_with("UID")) << outcome.out;
  const std::string line = line_of(outcome.out, pid());
  if (!rootless()) {
    EXPECT_TRUE(line.starts_with("7 ")) << outcome.out;
  }
  EXPECT_TRUE(line.ends_with("  S      00:00:00  /bin/sleep 1000")) << outcome.out;
  EXPECT_EQ(ps({id(), "-ef", "--forest"}).out.substr(0, 3), "UID") << "options of ps(1)";
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Ps, ACommandCannotDriveTheTerminal) {
  config_.args({"/bin/sh", "-c", "sleep 1000; :", "\x1b[31m\nfake 1 1 S 00:00:00 line"});
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(eventually([&] { return ps({id()}).out.find("fake") != std::string::npos; }));
  const std::string table = ps({id()}).out;
  EXPECT_EQ(table.find('\x1b'), std::string::npos) << table;
  EXPECT_NE(line_of(table, pid()).find("?[31m?fake"), std::string::npos) << table;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Ps, TakesItsFormatBehindTheIdAndNoColumnsOfPs1) {
  start_sleeping();
  const std::string json = cat('[', pid(), "]\n");
  EXPECT_EQ(ps({id(), "--format", "json"}).out, json);
  EXPECT_EQ(ps({id(), "--format=json"}).out, json);
  EXPECT_EQ(ps({id(), "-e", "--format", "json", "--forest"}).out, json);
  EXPECT_EQ(ps({"--format", "table", id(), "--format", "json"}).out, json) << "the last holds";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--format", "pid,comm"}, {"--format=pid"}, {"--format"}, {"--", "--format", "json"}}) {
    std::vector<std::string> all = {id()};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(ps(all).out.substr(0, 3), "UID") << words.front();
  }
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Ps, NeedsAContainerAndAFormatThatItKnows) {
  EXPECT_TRUE(fails_saying(ps({id()}), "container does not exist"));
  EXPECT_TRUE(fails_saying(ps({"--format", "yaml", id()}), "unknown format \"yaml\""));
  EXPECT_TRUE(fails_saying(ps({}), "too few arguments"));
}

}  // namespace
}  // namespace rt::testing
