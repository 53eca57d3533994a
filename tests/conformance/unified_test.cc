// config-linux.md, "Unified": files of cgroup v2 by their names.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"
#include "tests/support/cgroups.h"

namespace rt::conformance {
namespace {

using testing::Hierarchy;

/// A value of a controller's that is not what the kernel begins with.
struct Value {
  const char* controller;
  const char* file;
  const char* text;
};

constexpr Value kValues[] = {
    {"memory", "memory.high", "67108864"}, {"pids", "pids.max", "99"},
    {"cpu", "cpu.weight", "77"},           {"hugetlb", "hugetlb.2MB.max", "4194304"},
    {"cpuset", "cpuset.cpus", "0"},
};

class Unified : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const std::vector<Hierarchy> all = testing::hierarchies();
    const auto found = std::ranges::find_if(all, &Hierarchy::unified);
    if (found == all.end()) GTEST_SKIP() << "no cgroup v2";
    unified_ = *found;
    config_.set_string("/linux/cgroupsPath", cat('/', id(), "/below/deep"));
  }

  void TearDown() override {
    for (const char* made : {"/below/deep", "/below", ""}) {  // some runtimes leave all three
      for (const Hierarchy& hierarchy : testing::hierarchies()) {
        ::rmdir(cat(hierarchy.mount, '/', id(), made).c_str());
      }
    }
    Conformance::TearDown();
  }

  /// Those of kValues whose controllers the v2 hierarchy has.
  [[nodiscard]] std::vector<Value> values() const {
    const std::string text = read(unified_.mount + "/cgroup.controllers");
    const std::vector<std::string_view> have =
        split(std::string_view(text).substr(0, text.find('\n')), ' ');
    std::vector<Value> found;
    for (const Value& value : kValues) {
      if (std::ranges::find(have, value.controller) != have.end()) found.push_back(value);
    }
    return found;
  }

  [[nodiscard]] std::string seen(const std::string& file) const {
    const std::string text = read(cat(testing::cgroup_of(pid(), unified_), '/', file));
    return text.substr(0, text.find('\n'));
  }

  Hierarchy unified_;
};

TEST_F(Unified, SwitchesOnTheControllersThatItNeeds) {
  const std::vector<Value> all = values();
  if (all.empty()) GTEST_SKIP() << "cgroup v2 has no controllers here";
  for (const Value& value : all) {
    config_.set(cat("/linux/resources/unified/", value.file), testing::json_string(value.text));
  }
  start_waiting();
  for (const Value& value : all) EXPECT_EQ(seen(value.file), value.text) << value.file;
  end();
}

/// Also beside hierarchies of v1: the key is a file of the unified hierarchy, which is there.
TEST_F(Unified, WritesWhatTheRuntimeDoesNotKnow) {
  config_.set("/linux/resources", R"({"unified": {"cgroup.max.depth": "7"}})");
  start_waiting();
  EXPECT_EQ(seen("cgroup.max.depth"), "7");
  end();
}

TEST_F(Unified, OfAControllerThatIsNotThereIsAnError) {
  config_.set("/linux/resources", R"({"unified": {"frobnicate.max": "7"}})");
  EXPECT_TRUE(refuses());
}

/// No controller for the children of a cgroup that has processes of its own.
TEST_F(Unified, OfAControllerThatCannotBeSwitchedOnIsAnError) {
  const std::vector<Value> all = values();
  // Those of threads ("pids", "cpuset") can be had there.
  const auto domain = std::ranges::find_if(all, [](const Value& value) {
    return value.controller == std::string_view("memory") ||
           value.controller == std::string_view("hugetlb");
  });
  if (domain == all.end()) GTEST_SKIP() << "no controller that is for whole processes";
  const std::string parent = cat(unified_.mount, '/', id());
  ASSERT_EQ(::mkdir(parent.c_str(), 0755), 0);
  const pid_t inside = ::fork();
  if (inside == 0) {
    ::pause();
    ::_exit(0);
  }
  write(parent + "/cgroup.procs", cat(inside));
  config_.set_string("/linux/cgroupsPath", cat('/', id(), "/below"));
  config_.set(cat("/linux/resources/unified/", domain->file), testing::json_string(domain->text));
  EXPECT_TRUE(refuses());
  ::kill(inside, SIGKILL);
  ::waitpid(inside, nullptr, 0);
}

TEST_F(Unified, WithAValueThatTheKernelRefusesIsAnError) {
  config_.set("/linux/resources", R"({"unified": {"cgroup.max.depth": "many"}})");
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
