// What the tests of cgroups share: a cgroup of the test's own in each hierarchy, and processes for
// it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "runtime/cgroup/cgroup.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/cgroups.h"
#include "tests/support/matchers.h"

namespace rt::cgroup::testing {

using rt::testing::all_cgroups;
using rt::testing::fails_with;
using rt::testing::hierarchies;
using rt::testing::Hierarchy;
using rt::testing::is_ok;

inline constexpr std::chrono::seconds kPatience(10);

inline std::string read_text(const std::string& path) {
  return sys::read_file(path, size_t{1} << 20).value();
}

inline bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// A child that lives in the cgroups: it is in them when this returns.
inline sys::Child start_in(const std::vector<Directory>& directories,
                           const std::function<void()>& life) {
  sys::Pipe there = sys::pipe().value();
  const UniqueFd unified = open_unified(directories).value();
  sys::Child child = sys::clone(0, unified ? unified.get() : -1).value();
  char byte = 0;
  if (child.pid == 0) {
    if (!enter(directories) || ::write(there.write.get(), &byte, 1) != 1) ::_exit(1);
    life();
    ::_exit(0);
  }
  there.write.reset();
  EXPECT_EQ(::read(there.read.get(), &byte, 1), 1) << "it cannot enter the cgroup";
  return child;
}

/// A child that waits to be killed, made in the v2 directory.
class Sleeper {
 public:
  explicit Sleeper(const std::vector<Directory>& directories) {
    pid_ = start_in(directories, [] {
             while (true) ::pause();
           }).pid;
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == pid_;
  }

 private:
  pid_t pid_ = 0;
};

class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (hierarchies().empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
    const Status writable = sys::mkdir(cat(place_in(hierarchies().front()), '/', name()), 0755);
    if (!writable) GTEST_SKIP() << "cannot make cgroups: " << writable.error().message();
    ::rmdir(cat(place_in(hierarchies().front()), '/', name()).c_str());
    before_ = all_cgroups();
  }

  void TearDown() override {
    for (const std::string& path : all_cgroups()) {
      if (path.find(prefix()) == std::string::npos || before_.contains(path)) continue;
      ADD_FAILURE() << "left behind: " << path;
      to_remove_.push_back(path);
    }
    std::ranges::sort(to_remove_, std::greater<>());  // children first
    for (const std::string& path : to_remove_) ::rmdir(path.c_str());
  }

  /// Beside the test's own v2 cgroup, which has a process and so no controllers for children.
  static std::string place_in(const Hierarchy& hierarchy) {
    const bool below = !hierarchy.unified || hierarchy.own == hierarchy.mount;
    return below ? hierarchy.own : hierarchy.own.substr(0, hierarchy.own.rfind('/'));
  }
  static std::string prefix() { return cat("runtime-test-", ::getpid(), '-'); }
  static std::string name() {
    return prefix() + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  /// A plan for the directory `below` (default: one of the test's name) in each hierarchy.
  static plan::CgroupStep plan_for(const std::string& below = name()) {
    plan::CgroupStep step;
    for (const Hierarchy& hierarchy : hierarchies()) {
      step.directories.push_back({.hierarchy = hierarchy.mount,
                                  .path = cat(place_in(hierarchy), '/', below),
                                  .unified = hierarchy.unified,
                                  .cpuset = hierarchy.options.contains("cpuset"),
                                  .needs = {}});
    }
    step.origin = "/linux/cgroupsPath";
    return step;
  }

  /// Of `directories`, the leaf in the hierarchy with this v1 controller; "" when there is none.
  static std::string leaf_with(const std::string& controller, const std::string& below = name()) {
    for (const Hierarchy& hierarchy : hierarchies()) {
      if (hierarchy.options.contains(controller)) return cat(place_in(hierarchy), '/', below);
    }
    return "";
  }
  static std::string unified_leaf(const std::string& below = name()) {
    for (const Hierarchy& hierarchy : hierarchies()) {
      if (hierarchy.unified) return cat(place_in(hierarchy), '/', below);
    }
    return "";
  }

 private:
  std::set<std::string> before_;
  std::vector<std::string> to_remove_;
};

}  // namespace rt::cgroup::testing
