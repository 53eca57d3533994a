// For tests of what the kernel counts and tells: a cgroup of the test's own in every hierarchy, and
// a process in it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cgroup/cgroup.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/cgroups.h"
#include "tests/support/matchers.h"

namespace rt::testing {

/// Does `work` in the cgroup, says so, and waits to be killed.
class CgroupChild {
 public:
  CgroupChild(const std::vector<cgroup::Directory>& directories,
              const std::function<void()>& work) {
    sys::Pipe go = sys::pipe().value();
    sys::Pipe done = sys::pipe().value();
    const UniqueFd unified = cgroup::open_unified(directories).value();
    Result<sys::Child> cloned = sys::clone(0, unified ? unified.get() : -1);
    EXPECT_TRUE(is_ok(cloned));
    sys::Child child = std::move(cloned).value();
    char byte = 0;
    if (child.pid == 0) {
      go.write.reset();
      if (!cgroup::enter(directories)) ::_exit(1);
      if (::write(done.write.get(), &byte, 1) != 1) ::_exit(1);
      if (::read(go.read.get(), &byte, 1) == 1) work();
      if (::write(done.write.get(), &byte, 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    pid_ = child.pid;
    pidfd_ = std::move(child.pidfd);
    go_ = std::move(go.write);
    done_ = std::move(done.read);
    EXPECT_EQ(::read(done_.get(), &byte, 1), 1) << "it cannot enter the cgroup";
  }
  CgroupChild(const CgroupChild&) = delete;
  CgroupChild& operator=(const CgroupChild&) = delete;
  ~CgroupChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void go() { EXPECT_EQ(::write(go_.get(), "x", 1), 1); }
  /// Waits until it is done, or dead.
  void wait() const {
    char byte = 0;
    EXPECT_GE(::read(done_.get(), &byte, 1), 0);
  }
  /// Readable when it has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == pid_;
  }

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd go_;
  UniqueFd done_;
};

class CgroupWithChild : public ::testing::Test {
 protected:
  void SetUp() override {
    plan::CgroupStep step;
    step.origin = "/linux/cgroupsPath";
    // At the top: below a v2 cgroup with processes, such as our own, there are no controllers.
    for (const Hierarchy& hierarchy : hierarchies()) {
      step.directories.push_back({.hierarchy = hierarchy.mount,
                                  .path = cat(hierarchy.mount, '/', name()),
                                  .unified = hierarchy.unified,
                                  .cpuset = hierarchy.options.contains("cpuset"),
                                  .needs = {}});
    }
    if (step.directories.empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
    Result<cgroup::Made> made = cgroup::make(step);
    if (!made) GTEST_SKIP() << "cannot make cgroups: " << made.error().message();
    directories_ = std::move(made).value().directories;
  }

  void TearDown() override { remove(); }

  void remove() const {
    EXPECT_TRUE(is_ok(cgroup::remove(directories_, std::chrono::seconds(10))));
  }

  static std::string name() {
    return cat("runtime-test-", ::getpid(), '-',
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }

  /// Of the cgroup's directories, the one that has this file; "" when there is none.
  [[nodiscard]] std::string with(const std::string& file) const {
    for (const cgroup::Directory& directory : directories_) {
      if (::access(cat(directory.path, '/', file).c_str(), F_OK) == 0) return directory.path;
    }
    return "";
  }

  static std::string read(const std::string& path) {
    std::string text = sys::read_file(path, size_t{1} << 20).value();
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  static uint64_t number(const std::string& path) { return parse_uint(read(path)).value(); }

  /// Takes away what goes beyond `bytes` of memory. False without a memory controller.
  [[nodiscard]] bool limit_memory(uint64_t bytes) const {
    for (const char* file : {"memory.limit_in_bytes", "memory.max"}) {
      const std::string directory = with(file);
      if (directory.empty()) continue;
      EXPECT_TRUE(is_ok(sys::write_file(cat(directory, '/', file), std::to_string(bytes))));
      const std::string swap = cat(directory, "/memory.swap.max");
      if (::access(swap.c_str(), F_OK) == 0) {
        EXPECT_TRUE(is_ok(sys::write_file(swap, "0")));
      }
      return true;
    }
    return false;
  }

  std::vector<cgroup::Directory> directories_;
};

/// Writes to every page of so much memory.
inline void use_memory(size_t bytes) {
  constexpr size_t kPage = 4096;
  // Kept until the process ends.
  auto* memory = static_cast<volatile char*>(::operator new(bytes));
  for (size_t i = 0; i < bytes; i += kPage) memory[i] = 1;
}

}  // namespace rt::testing
