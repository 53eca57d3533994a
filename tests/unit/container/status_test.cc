#include "runtime/container/status.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/container/process.h"
#include "runtime/sys/process.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::container {
namespace {

using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

class Observe : public ::testing::Test {
 protected:
  Observe() : store_(Store::make(directory_.path() + "/state").value()) {
    // This very process plays init.
    record_.id = "x";
    record_.phase = Phase::kCreated;
    record_.boot_id = boot_id().value();
    record_.pid = ::getpid();
    record_.start_time = start_time_of(::getpid()).value();
  }

  /// What another command sees of a container with `record_`.
  ContainerStatus status() {
    EXPECT_TRUE(is_ok(entry_.save(record_)));
    const auto seen = observe(entry_);
    EXPECT_TRUE(is_ok(seen));
    // Only a live init has a descriptor.
    const bool lives = seen.value().status == ContainerStatus::kCreated ||
                       seen.value().status == ContainerStatus::kRunning;
    EXPECT_EQ(static_cast<bool>(seen.value().init), lives);
    return seen.value().status;
  }

  TemporaryDirectory directory_;
  Store store_;
  Entry entry_ = store_.reserve("x").value();
  Record record_;
};

TEST_F(Observe, RunningWithoutAFifo) { EXPECT_EQ(status(), ContainerStatus::kRunning); }

TEST_F(Observe, CreatedWhileSomebodyReadsTheFifo) {
  ASSERT_TRUE(is_ok(entry_.make_fifo(Fifo::kExec)));
  const auto reader = entry_.open_fifo(Fifo::kExec, O_RDWR);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(status(), ContainerStatus::kCreated);
}

TEST_F(Observe, RunningWhenNobodyReadsTheFifoAnyMore) {
  ASSERT_TRUE(is_ok(entry_.make_fifo(Fifo::kExec)));
  EXPECT_EQ(status(), ContainerStatus::kRunning);
}

TEST_F(Observe, StoppedAfterAReboot) {
  record_.boot_id = "another";
  EXPECT_EQ(status(), ContainerStatus::kStopped);
}

TEST_F(Observe, StoppedWhenThePidBelongsToAnother) {
  record_.start_time -= 1;
  EXPECT_EQ(status(), ContainerStatus::kStopped);
}

TEST_F(Observe, StoppedWhenItsCreateWasInterrupted) {
  record_.phase = Phase::kCreating;
  record_.pid = 0;
  EXPECT_EQ(status(), ContainerStatus::kStopped);
}

TEST_F(Observe, CreatingWhileAnotherProcessIsAtIt) {
  record_.phase = Phase::kCreating;
  record_.pid = 0;
  ASSERT_TRUE(is_ok(entry_.save(record_)));
  const pid_t child = ::fork();  // does not inherit the lock
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto seen = observe(store_.find("x").value().value());
    ::_exit(seen && seen.value().status == ContainerStatus::kCreating ? 0 : 1);
  }
  EXPECT_EQ(sys::wait_for(child).value(), 0);
}

}  // namespace
}  // namespace rt::container
