// The commands on records that no create would leave: what they refuse, and whom they spare.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/container/container.h"
#include "runtime/container/process.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::container {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

/// A process that lives until it is killed.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~Sleeper() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(sys::wait_for(pid_));
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Still alive: no signal has ended it. Whoever signalled it has returned by now.
  [[nodiscard]] bool lives() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == 0;
  }
  /// The signal that ended it.
  int wait() {
    const int status = sys::wait_for(std::exchange(pid_, 0)).value();
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_;
};

class Control : public ::testing::Test {
 protected:
  Control() : root_(directory_.path() + "/state"), store_(Store::make(root_).value()) {}

  /// A container "x" whose init is `init`.
  void make_container(pid_t init, uint64_t start_time) {
    Record record;
    record.id = "x";
    record.phase = Phase::kCreated;
    record.boot_id = boot_id().value();
    record.pid = init;
    record.start_time = start_time;
    const Entry entry = store_.reserve("x").value();
    ASSERT_TRUE(is_ok(entry.save(record)));
  }
  void make_running(const Sleeper& init) {
    make_container(init.pid(), start_time_of(init.pid()).value());
  }
  void make_stopped(const Sleeper& stranger) {
    make_container(stranger.pid(), start_time_of(stranger.pid()).value() + 1);
  }
  void write_record(std::string_view text) {
    {
      const Entry entry = store_.reserve("x").value();
    }
    const UniqueFd file = sys::open(root_ + "/x/record.json", O_WRONLY | O_CREAT, 0600).value();
    ASSERT_TRUE(is_ok(sys::write_all(file.get(), text)));
  }
  bool is_empty() { return sys::list_directory(root_).value().empty(); }

  TemporaryDirectory directory_;
  std::string root_;
  Store store_;
  Sleeper sleeper_;
};

TEST_F(Control, KillReachesInit) {
  make_running(sleeper_);
  ASSERT_TRUE(is_ok(kill(store_, "x", SIGUSR1, KillTarget::kInit)));
  EXPECT_EQ(sleeper_.wait(), SIGUSR1);
}

TEST_F(Control, KillSparesAStrangerWithInitsPid) {
  make_stopped(sleeper_);
  EXPECT_TRUE(
      fails_with(kill(store_, "x", SIGKILL, KillTarget::kInit), "x: container not running"));
  EXPECT_TRUE(is_ok(kill(store_, "x", SIGKILL, KillTarget::kEveryProcess)));
  EXPECT_TRUE(sleeper_.lives());
}

TEST_F(Control, KillAllReachesAnInitWithoutACgroup) {
  make_running(sleeper_);
  ASSERT_TRUE(is_ok(kill(store_, "x", SIGKILL, KillTarget::kEveryProcess)));
  EXPECT_EQ(sleeper_.wait(), SIGKILL);
}

TEST_F(Control, DeleteRefusesARunningContainer) {
  make_running(sleeper_);
  EXPECT_TRUE(fails_with(destroy(store_, "x", DeleteMode::kStoppedOnly, nullptr),
                         "cannot delete container x that is not stopped: running"));
  EXPECT_TRUE(sleeper_.lives());
  EXPECT_FALSE(is_empty());
}

TEST_F(Control, DeleteByForceKillsInit) {
  make_running(sleeper_);
  ASSERT_TRUE(is_ok(destroy(store_, "x", DeleteMode::kForce, nullptr)));
  EXPECT_EQ(sleeper_.wait(), SIGKILL);
  EXPECT_TRUE(is_empty());
  EXPECT_TRUE(is_ok(destroy(store_, "x", DeleteMode::kForce, nullptr)));
}

TEST_F(Control, DeleteSparesAStrangerWithInitsPid) {
  make_stopped(sleeper_);
  ASSERT_TRUE(is_ok(destroy(store_, "x", DeleteMode::kForce, nullptr)));
  EXPECT_TRUE(sleeper_.lives());
  EXPECT_TRUE(is_empty());
}

TEST_F(Control, DeleteKillsACreatedContainer) {
  make_running(sleeper_);
  Entry entry = store_.find("x").value().value();
  ASSERT_TRUE(is_ok(entry.make_fifo(Fifo::kExec)));
  const auto reader = entry.open_fifo(Fifo::kExec, O_RDWR);
  ASSERT_TRUE(is_ok(reader));
  ASSERT_TRUE(is_ok(destroy(store_, "x", DeleteMode::kStoppedOnly, nullptr)));
  EXPECT_EQ(sleeper_.wait(), SIGKILL);
}

TEST_F(Control, StartSaysWhyNot) {
  EXPECT_TRUE(fails_with(start(store_, "x", nullptr), "x: container does not exist"));
  make_running(sleeper_);
  EXPECT_TRUE(
      fails_with(start(store_, "x", nullptr), "x: cannot start an already running container"));
}

TEST_F(Control, StartOfAStoppedContainerSaysSo) {
  make_stopped(sleeper_);
  EXPECT_TRUE(
      fails_with(start(store_, "x", nullptr), "x: cannot start a container that has stopped"));
}

TEST_F(Control, StartFailsWhenInitDiesAtTheFifo) {
  make_running(sleeper_);
  Entry entry = store_.find("x").value().value();
  ASSERT_TRUE(is_ok(entry.make_fifo(Fifo::kExec)));
  const auto reader = entry.open_fifo(Fifo::kExec, O_RDWR);  // holds it open, and never reads
  ASSERT_TRUE(is_ok(reader));
  const pid_t starter = ::fork();
  if (starter == 0) {
    const Status started = start(store_, "x", nullptr);
    ::_exit(!started && started.error().message().find("init ended before") != std::string::npos
                ? 0
                : 1);
  }
  // The byte in the fifo says that `start` is past every check and waits.
  ASSERT_TRUE(is_ok(sys::wait_readable({reader.value().get()}, std::chrono::seconds(10))));
  ASSERT_TRUE(is_ok(sys::kill(sleeper_.pid(), SIGKILL)));
  EXPECT_EQ(sys::wait_for(starter).value(), 0);
}

TEST_F(Control, StartEndsWhenInitHasExecuted) {
  make_running(sleeper_);
  Entry entry = store_.find("x").value().value();
  ASSERT_TRUE(is_ok(entry.make_fifo(Fifo::kExec)));
  auto reader = entry.open_fifo(Fifo::kExec, O_RDWR);
  ASSERT_TRUE(is_ok(reader));
  const pid_t starter = ::fork();
  if (starter == 0) {
    static_cast<void>(reader.value().release());
    ::close_range(3, ~0U, 0);
    const Store store = Store::open(root_).value();
    ::_exit(start(store, "x", nullptr).ok() ? 0 : 1);
  }
  char byte = 0;
  ASSERT_TRUE(is_ok(sys::read(reader.value().get(), &byte, 1)));
  reader.value().reset();  // as execve(2) does
  EXPECT_EQ(sys::wait_for(starter).value(), 0);
  EXPECT_FALSE(entry.open_fifo(Fifo::kExec, O_RDONLY | O_NONBLOCK).ok());
}

class BrokenRecord : public Control, public ::testing::WithParamInterface<const char*> {};

TEST_P(BrokenRecord, IsNamedAndCanBeDeletedByForce) {
  write_record(GetParam());
  const std::string file = cat(root_, "/x/record.json: ");
  EXPECT_TRUE(fails_with(inspect(store_, "x"), file));
  EXPECT_TRUE(fails_with(start(store_, "x", nullptr), file));
  EXPECT_TRUE(fails_with(kill(store_, "x", SIGKILL, KillTarget::kInit), file));
  EXPECT_TRUE(fails_with(destroy(store_, "x", DeleteMode::kStoppedOnly, nullptr), file));
  ASSERT_TRUE(is_ok(destroy(store_, "x", DeleteMode::kForce, nullptr)));
  EXPECT_TRUE(is_empty());
}

INSTANTIATE_TEST_SUITE_P(Control, BrokenRecord,
                         ::testing::Values("", "{", "garbage", "[]", "{}", "{\"version\":99}",
                                           "\xff\xfe"));

TEST_F(Control, ListShowsTheOthersBesideABrokenRecord) {
  write_record("garbage");
  const Entry entry = store_.reserve("y").value();
  Record record;
  record.id = "y";
  ASSERT_TRUE(is_ok(entry.save(record)));
  const auto listing = list(store_);
  ASSERT_TRUE(is_ok(listing));
  ASSERT_EQ(listing.value().containers.size(), 1U);
  EXPECT_EQ(listing.value().containers[0].record.id, "y");
  ASSERT_EQ(listing.value().warnings.size(), 1U);
  EXPECT_TRUE(listing.value().warnings[0].starts_with(cat(root_, "/x/record.json: ")));
}

}  // namespace
}  // namespace rt::container
