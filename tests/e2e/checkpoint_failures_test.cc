// What checkpoint and restore refuse, and what they leave when CRIU fails.
#include <signal.h>
#include <unistd.h>

#include "runtime/sys/file.h"
#include "tests/e2e/checkpoint.h"

namespace rt::testing {
namespace {

class CheckpointFailures : public SavedContainer {};

TEST_F(CheckpointFailures, NothingIsSavedOfAContainerThatDoesNotRun) {
  EXPECT_TRUE(fails_saying(checkpoint(), "container does not exist"));
  config_.args({"/bin/true"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_TRUE(fails_saying(checkpoint(), "cannot checkpoint a container that was not started"));
  ASSERT_TRUE(succeeds(start()));
  ASSERT_TRUE(becomes("stopped"));
  EXPECT_TRUE(fails_saying(checkpoint(), "container not running"));
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(CheckpointFailures, TheContainerGoesOn) {
  // A file without a name that is larger than what CRIU saves of such.
  start_counting("exec 5<>/tmp/big; rm /tmp/big; dd if=/dev/zero bs=1M count=3 >&5 2>/dev/null");
  EXPECT_TRUE(fails_saying(checkpoint(), "ghost file"));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(counts_on_from(count(pid())));
  EXPECT_TRUE(exists(work() + "/dump.log"));
  EXPECT_TRUE(fails_saying(checkpoint({"--manage-cgroups-mode", "odd"}), "odd"));
  EXPECT_TRUE(fails_saying(runtime({"checkpoint", "--image-path", bundle() + "/config.json", id()}),
                           "not a directory"));
  EXPECT_TRUE(fails_saying(runtime({"checkpoint", "--image-path", image(), "--work-path",
                                    directory() + "/none/none", id()}),
                           "no such file or directory"));
  ASSERT_EQ(::chmod(image().c_str(), 0777), 0);
  EXPECT_TRUE(fails_saying(checkpoint(), "others may write to it"));
  EXPECT_EQ(status(), "running");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointFailures, NothingIsLeftOfARestoreThatFails) {
  hook("prestart", "! test -e $D/fail");
  hook("poststop", "echo over >>$D/poststop");
  write_config();
  EXPECT_TRUE(fails_saying(restore(), "no such file or directory"));
  write(image(), "no directory");
  EXPECT_TRUE(fails_saying(restore(), "not a directory"));
  ASSERT_EQ(::unlink(image().c_str()), 0);
  ASSERT_EQ(::mkdir(image().c_str(), 0700), 0);
  EXPECT_TRUE(fails_saying(restore(), image()));
  start_counting();
  ASSERT_TRUE(succeeds(checkpoint({"--leave-running"})));
  EXPECT_TRUE(fails_saying(restore(), "already exists"));
  EXPECT_TRUE(counts_on_from(count(pid())));
  EXPECT_TRUE(succeeds(remove_by_force()));

  write(shared() + "/fail", "");
  EXPECT_TRUE(fails_saying(restore(), "prestart"));
  check_nothing_is_left();
  ASSERT_EQ(::unlink((shared() + "/fail").c_str()), 0);
  ASSERT_EQ(::truncate((image() + "/core-1.img").c_str(), 100), 0);
  EXPECT_TRUE(fails_saying(restore(), "core-1.img"));
  EXPECT_FALSE(exists(pid_file()));
  check_nothing_is_left();
  ASSERT_EQ(::unlink((image() + "/inventory.img").c_str()), 0);
  EXPECT_TRUE(fails_saying(restore(), "log file: "));
}

TEST_F(CheckpointFailures, TheContainerOutlivesACheckpointThatIsKilled) {
  start_counting();
  Program killed(runtime_binary(), call({"checkpoint", "--leave-running", "--image-path", image(),
                                         "--work-path", work(), id()}));
  ASSERT_TRUE(eventually([&] { return exists(work() + "/dump.log"); })) << killed.err();
  killed.signal(SIGKILL);
  killed.wait();
  EXPECT_TRUE(becomes("running")) << status();
  EXPECT_TRUE(counts_on_from(count(pid())));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointFailures, WhatARestoreThatIsKilledLeavesIsDeleted) {
  start_counting();
  ASSERT_TRUE(succeeds(checkpoint()));
  {
    Program killed(runtime_binary(), call(restore_words(id())));
    ASSERT_TRUE(eventually([&] { return exists(work() + "/restore.log"); })) << killed.err();
    killed.signal(SIGKILL);
    killed.wait();
  }
  EXPECT_TRUE(eventually([&] { return remove_by_force().exit_code == 0; }));
  check_nothing_is_left();
  EXPECT_TRUE(succeeds(restore()));
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(CheckpointFailures, WhatWouldComeBackWithLessIsRefused) {
  write_config();
  ASSERT_EQ(::mkdir(image().c_str(), 0700), 0);
  EXPECT_TRUE(fails_saying(restore({"--manage-cgroups-mode", "ignore"}), "the host's cgroups"));
  EXPECT_TRUE(fails_saying(restore({"--empty-ns", "mount"}), "expected network"));
  config_.set("/process/terminal", "true");
  write_config();
  EXPECT_TRUE(fails_saying(restore(), "console socket"));
  config_.erase("/process/terminal").without_namespace("mount");
  write_config();
  EXPECT_TRUE(fails_saying(restore(), "mount namespace"));
}

}  // namespace
}  // namespace rt::testing
