#include <sys/mman.h>

#include <atomic>

#include "tests/kernel/cgroup_fixture.h"
#include "tests/support/stuck_file.h"
#include "tests/support/temporary_directory.h"

namespace rt::cgroup::testing {
namespace {

using rt::testing::StuckFile;
using std::chrono::milliseconds;

/// A process of the container that counts as long as it runs.
class Counter {
 public:
  explicit Counter(const std::vector<Directory>& directories)
      : count_(static_cast<std::atomic<uint64_t>*>(::mmap(nullptr, sizeof(std::atomic<uint64_t>),
                                                          PROT_READ | PROT_WRITE,
                                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    pid_ = start_in(directories, [this] {
             // Without a sleep: whoever sleeps stops there, and is not seen to.
             while (true) ++*count_;
           }).pid;
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  /// Does not wait for its end, which in v1 comes when it is thawed.
  ~Counter() {
    ::kill(pid_, SIGKILL);
    ::munmap(count_, sizeof *count_);
  }

  /// Whether it counts on within `patience`.
  [[nodiscard]] bool runs(milliseconds patience) const {
    const uint64_t before = *count_;
    const auto end = sys::monotonic_clock() + patience;
    while (*count_ == before && sys::monotonic_clock() < end) ::usleep(100);
    return *count_ != before;
  }

 private:
  std::atomic<uint64_t>* count_ = nullptr;
  pid_t pid_ = 0;
};

class Pause : public CgroupTest {
 protected:
  void SetUp() override {
    CgroupTest::SetUp();
    if (IsSkipped()) return;
    if (leaf_with("freezer").empty() && unified_leaf().empty()) GTEST_SKIP() << "no freezer";
    directories_ = make(plan_for()).value().directories;
  }
  void TearDown() override {
    EXPECT_TRUE(is_ok(kill_all(directories_, kPatience)));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    EXPECT_TRUE(is_ok(remove(directories_, kPatience)));
    CgroupTest::TearDown();
  }
  /// The test's directories, or those of one version.
  [[nodiscard]] const std::vector<Directory>& directories() const { return directories_; }
  [[nodiscard]] std::vector<Directory> of_version_two() const {
    std::vector<Directory> some = directories_;
    std::erase_if(some, [](const Directory& directory) { return !directory.unified; });
    return some;
  }
  static std::string freezer_file(const std::string& below = name()) {
    const std::string v1 = leaf_with("freezer", below);
    return v1.empty() ? unified_leaf(below) + "/cgroup.freeze" : v1 + "/freezer.state";
  }
  static void set_frozen(const std::string& file, bool frozen) {
    const bool v1 = file.ends_with("freezer.state");
    const char* text = v1 ? (frozen ? "FROZEN" : "THAWED") : (frozen ? "1" : "0");
    EXPECT_TRUE(is_ok(sys::write_file(file, text)));
  }

 private:
  std::vector<Directory> directories_;
};

TEST_F(Pause, StopsEveryProcessUntilTheyAreLetGoOn) {
  const Counter one(directories());
  const Counter two(directories());
  ASSERT_TRUE(one.runs(kPatience) && two.runs(kPatience));
  ASSERT_TRUE(is_ok(pause(directories(), kPatience)));
  EXPECT_TRUE(frozen(directories()).value());
  EXPECT_FALSE(one.runs(milliseconds(50)));
  EXPECT_FALSE(two.runs(milliseconds(50)));
  ASSERT_TRUE(is_ok(resume(directories(), kPatience)));
  EXPECT_FALSE(frozen(directories()).value());
  EXPECT_TRUE(one.runs(kPatience) && two.runs(kPatience));
}

TEST_F(Pause, WorksInVersionTwoAlone) {
  const std::vector<Directory> unified = of_version_two();
  if (unified.empty()) GTEST_SKIP() << "no cgroup v2";
  const Counter counter(directories());
  ASSERT_TRUE(is_ok(pause(unified, kPatience)));
  EXPECT_EQ(read_text(unified_leaf() + "/cgroup.freeze"), "1\n");
  EXPECT_FALSE(counter.runs(milliseconds(50)));
  ASSERT_TRUE(is_ok(resume(unified, kPatience)));
  EXPECT_TRUE(counter.runs(kPatience));
}

TEST_F(Pause, OfAnEmptyCgroupIsDoneAtOnce) {
  EXPECT_TRUE(is_ok(pause(directories(), kPatience)));
  EXPECT_TRUE(is_ok(resume(directories(), kPatience)));
  EXPECT_TRUE(is_ok(resume(directories(), kPatience))) << "again";
}

TEST_F(Pause, StopsWhatThePayloadPutBelow) {
  const std::vector<Directory> below = make(plan_for(name() + "/below")).value().directories;
  const Counter counter(below);
  set_frozen(freezer_file(name() + "/below"), false);
  ASSERT_TRUE(is_ok(pause(directories(), kPatience)));
  EXPECT_FALSE(counter.runs(milliseconds(50)));
  EXPECT_TRUE(frozen(below).value());
}

TEST_F(Pause, IsNotUndoneBelowAFrozenCgroup) {
  const std::string inner = name() + "/inner";
  const std::vector<Directory> below = make(plan_for(inner)).value().directories;
  const Counter counter(below);
  ASSERT_TRUE(is_ok(pause(below, kPatience)));
  set_frozen(freezer_file(), true);
  const std::string file = freezer_file(inner);
  const std::string leaf = file.substr(0, file.rfind('/'));
  EXPECT_TRUE(
      fails_with(resume(below, kPatience),
                 cat("cgroup ", rt::quoted(leaf), ": is kept frozen by the cgroup above it, ",
                     rt::quoted(leaf.substr(0, leaf.rfind('/'))))));
  set_frozen(freezer_file(), false);
  EXPECT_FALSE(counter.runs(milliseconds(50))) << "paused on its own account";
  EXPECT_TRUE(is_ok(resume(below, kPatience)));
  EXPECT_TRUE(counter.runs(kPatience));
}

TEST_F(Pause, GivesUpOnAProcessThatCannotStop) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const rt::testing::TemporaryDirectory place;
  StuckFile stuck(place.path());
  if (!stuck.works()) GTEST_SKIP() << "no fuse";
  const std::string file = place.path() + "/file";
  const sys::Child child =
      start_in(directories(), [&] { ::close(::open(file.c_str(), O_RDONLY)); });
  ASSERT_TRUE(stuck.has_caught());
  const Counter counter(directories());
  const Status paused = pause(directories(), milliseconds(300));
  ASSERT_FALSE(paused.ok());
  EXPECT_EQ(paused.error().code(), ETIMEDOUT);
  EXPECT_TRUE(paused.error().message().ends_with(
      cat(": not all processes stop (not seen to stop: ", child.pid, ')')))
      << paused.error().message();
  EXPECT_FALSE(frozen(directories()).value());
  EXPECT_TRUE(counter.runs(kPatience));
  stuck.let_go();
  ::waitpid(child.pid, nullptr, 0);
}

TEST_F(Pause, OfAVanishedCgroupIsAnError) {
  for (const Directory& directory : directories()) ::rmdir(directory.path.c_str());
  const std::string message =
      cat("cgroup ", rt::quoted(directories().front().path), ": open: no such file or directory");
  EXPECT_TRUE(fails_with(pause(directories(), kPatience), message));
  EXPECT_TRUE(fails_with(resume(directories(), kPatience), message));
  EXPECT_FALSE(frozen(directories()).value());
  EXPECT_FALSE(was_out_of_memory(directories()).value());
}

TEST_F(Pause, WithoutAFreezerIsAnError) {
  EXPECT_TRUE(fails_with(pause({}, kPatience), "the container has no cgroup with a freezer ("));
  EXPECT_TRUE(fails_with(resume({}, kPatience), "the container has no cgroup with a freezer ("));
}

}  // namespace
}  // namespace rt::cgroup::testing
