#include "tests/support/namespaces.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/base/result.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

Status become_root_of_new_namespaces() {
  const uid_t uid = ::getuid();
  const gid_t gid = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return Error::from_errno("unshare");
  TRY(sys::write_file("/proc/self/setgroups", "deny"));
  TRY(sys::write_file("/proc/self/uid_map", cat("0 ", uid, " 1")));
  TRY(sys::write_file("/proc/self/gid_map", cat("0 ", gid, " 1")));
  return sys::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr);
}

}  // namespace

void in_new_namespaces(const std::function<void()>& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    EXPECT_TRUE(is_ok(become_root_of_new_namespaces()));
    if (!::testing::Test::HasFailure()) body();
    ::_exit(::testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) << "see above";
}

}  // namespace rt::testing
