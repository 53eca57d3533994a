#include "runtime/cgroup/limits.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "tests/kernel/cgroup_fixture.h"

namespace rt::cgroup::testing {
namespace {

using plan::CgroupSetting;
using plan::LimitTime;
using std::chrono::milliseconds;
using Missing = CgroupSetting::Missing;
using Warnings = std::vector<plan::Warning>;

constexpr size_t kMiB = size_t{1} << 20;

/// The cgroups of a test, with every controller that there is.
class Limits : public CgroupTest {
 protected:
  void SetUp() override {
    CgroupTest::SetUp();
    if (IsSkipped()) return;
    Result<Made> made = make(plan_for());
    ASSERT_TRUE(is_ok(made));
    directories_ = std::move(made.value().directories);
  }
  void TearDown() override {
    EXPECT_TRUE(is_ok(kill_all(directories_, kPatience)));
    EXPECT_TRUE(is_ok(remove(directories_, kPatience)));
    CgroupTest::TearDown();
  }

  /// The directory whose controller it is; "" when no hierarchy has it.
  static std::string place_of(const std::string& controller) {
    std::string v1 = leaf_with(controller);
    if (!v1.empty()) return v1;
    std::string v2 = unified_leaf();
    if (v2.empty()) return v2;
    const std::string controllers = read_text(v2 + "/cgroup.controllers");
    if (controllers.find(controller) == std::string::npos) v2.clear();
    return v2;
  }
  static bool is_v2(const std::string& controller) { return leaf_with(controller).empty(); }

  static CgroupSetting setting(const std::string& file, const std::string& value) {
    CgroupSetting setting;
    setting.directory = place_of(file.substr(0, file.find('.')));
    setting.forms = {{file, value}};
    setting.origin = "/linux/resources/test";
    return setting;
  }
  static std::string memory_file() {
    return is_v2("memory") ? "memory.max" : "memory.limit_in_bytes";
  }
  static std::string shown(const CgroupSetting& setting) {
    std::string text = read_text(cat(setting.directory, '/', setting.forms[0].file));
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  [[nodiscard]] const std::vector<Directory>& directories() const { return directories_; }

 private:
  std::vector<Directory> directories_;
};

/// A process of the container that holds memory which cannot be reclaimed.
class Holder {
 public:
  /// `release`: it gives the memory back when this file no longer says "max".
  Holder(const std::vector<Directory>& directories, size_t size, const std::string& release = "") {
    const sys::Pipe ready = sys::pipe().value();
    sys::Child child = start_in(directories, [&] { hold(ready.write.get(), size, release); });
    pid_ = child.pid;
    EXPECT_TRUE(sys::wait_readable({ready.read.get(), child.pidfd.get()}, kPatience).value());
    pidfd_ = std::move(child.pidfd);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  /// Whether it ends by itself.
  [[nodiscard]] bool ends() const {
    return sys::wait_readable({pidfd_.get()}, kPatience).value().has_value();
  }
  [[nodiscard]] bool ended() const {
    return sys::wait_readable({pidfd_.get()}, milliseconds(0)).value().has_value();
  }

 private:
  [[noreturn]] static void hold(int ready, size_t size, const std::string& release) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
    static_cast<void>(sys::write_all(ready, "r"));
    if (memory == MAP_FAILED) ::_exit(1);
    while (release.empty()) ::pause();
    while (sys::read_file(release, 100).value() == "max\n") ::usleep(1000);
    ::munmap(memory, size);
    while (true) ::pause();
  }

  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

/// Runs `body` as a child that sees every cgroup file system read-only.
void with_readonly_cgroups(const std::function<void()>& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    EXPECT_EQ(::unshare(CLONE_NEWNS), 0);
    EXPECT_EQ(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), 0);
    for (const Hierarchy& hierarchy : hierarchies()) {
      constexpr unsigned long kFlags = MS_REMOUNT | MS_BIND | MS_RDONLY;
      EXPECT_EQ(::mount(nullptr, hierarchy.mount.c_str(), nullptr, kFlags, nullptr), 0);
    }
    if (!::testing::Test::HasFailure()) body();
    ::_exit(::testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "see above";
}

TEST_F(Limits, AreWrittenAtTheirTime) {
  CgroupSetting first = setting("pids.max", "17");
  if (first.directory.empty()) GTEST_SKIP() << "no pids controller";
  CgroupSetting last = setting("pids.max", "18");
  last.time = LimitTime::kLast;
  const Result<Warnings> warnings = write_limits({first, last}, LimitTime::kFirst);
  ASSERT_TRUE(is_ok(warnings));
  EXPECT_TRUE(warnings.value().empty());
  EXPECT_EQ(shown(first), "17");
  ASSERT_TRUE(is_ok(write_limits({first, last}, LimitTime::kLast)));
  EXPECT_EQ(shown(first), "18");
}

TEST_F(Limits, GoIntoTheFirstFileThatIsThere) {
  CgroupSetting one = setting("pids.max", "19");
  if (one.directory.empty()) GTEST_SKIP() << "no pids controller";
  one.forms.insert(one.forms.begin(), {"pids.none", "1"});
  one.forms.push_back({"pids.current", "2"});
  ASSERT_TRUE(is_ok(write_limits({one}, LimitTime::kFirst)));
  EXPECT_EQ(read_text(one.directory + "/pids.max"), "19\n");
}

TEST_F(Limits, AreWrittenAgainWhereTheKernelWantedAnotherOneFirst) {
  const CgroupSetting memory = setting("memory.limit_in_bytes", cat(64 * kMiB));
  const CgroupSetting both = setting("memory.memsw.limit_in_bytes", cat(64 * kMiB));
  if (memory.directory.empty() || !exists(memory.directory + "/memory.memsw.limit_in_bytes")) {
    GTEST_SKIP() << "no limit of memory and swap together";
  }
  ASSERT_TRUE(is_ok(write_limits({memory, both}, LimitTime::kFirst)));
  const CgroupSetting more = setting("memory.limit_in_bytes", cat(96 * kMiB));
  const CgroupSetting more_of_both = setting("memory.memsw.limit_in_bytes", cat(96 * kMiB));
  ASSERT_TRUE(is_ok(write_limits({more, more_of_both}, LimitTime::kFirst)));
  EXPECT_EQ(shown(more), cat(96 * kMiB));
  EXPECT_EQ(shown(more_of_both), cat(96 * kMiB));
}

TEST_F(Limits, ThatTheKernelRoundsAreAWarning) {
  const CgroupSetting one = setting(memory_file(), cat(16 * kMiB + 1));
  if (one.directory.empty()) GTEST_SKIP() << "no memory controller";
  const Result<Warnings> warnings = write_limits({one}, LimitTime::kFirst);
  ASSERT_TRUE(is_ok(warnings));
  ASSERT_EQ(warnings.value().size(), 1U);
  EXPECT_EQ(warnings.value()[0].message,
            cat(memory_file(), ": asked for 16777217, the kernel made it 16777216"));
  EXPECT_EQ(warnings.value()[0].origin, one.origin);
}

TEST_F(Limits, WithoutAFileAreWhatTheSettingMakesOfIt) {
  CgroupSetting one = setting("pids.none", "1");
  if (one.directory.empty()) GTEST_SKIP() << "no pids controller";
  const std::string message =
      cat("cgroup ", rt::quoted(one.directory), ": no control file pids.none");
  const Result<Warnings> refused = write_limits({one}, LimitTime::kFirst);
  EXPECT_TRUE(fails_with(refused, message));
  EXPECT_EQ(refused.error().pointer(), one.origin);
  one.missing = Missing::kWarning;
  const Result<Warnings> warned = write_limits({one}, LimitTime::kFirst);
  ASSERT_TRUE(is_ok(warned));
  ASSERT_EQ(warned.value().size(), 1U);
  EXPECT_EQ(warned.value()[0].message, message);
  one.missing = Missing::kNothing;
  EXPECT_TRUE(write_limits({one}, LimitTime::kFirst).value().empty());
}

TEST_F(Limits, OfAControllerThatIsNotThereSaySo) {
  CgroupSetting one = setting("pids.max", "1");
  one.directory = unified_leaf();
  if (one.directory.empty()) GTEST_SKIP() << "no cgroup v2";
  one.forms = {{"nonesuch.max", "1"}};
  EXPECT_TRUE(fails_with(write_limits({one}, LimitTime::kFirst),
                         cat("cgroup ", rt::quoted(one.directory),
                             ": no control file nonesuch.max (the controller \"nonesuch\" is not "
                             "at work in this cgroup)")));
}

TEST_F(Limits, OfAPageSizeThatIsNotThereNameThoseThatAre) {
  const CgroupSetting one = setting("hugetlb.3MB.max", "1");
  if (one.directory.empty()) GTEST_SKIP() << "no hugetlb controller";
  const Result<Warnings> refused = write_limits({one}, LimitTime::kFirst);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("(the kernel has "), std::string::npos)
      << refused.error().message();
  EXPECT_NE(refused.error().message().find("2MB"), std::string::npos);
}

TEST_F(Limits, OfAVanishedCgroupAreAnError) {
  CgroupSetting one = setting("pids.max", "1");
  one.directory = cat(directories().front().path, "-gone");
  EXPECT_TRUE(fails_with(write_limits({one}, LimitTime::kFirst),
                         cat("cgroup ", rt::quoted(one.directory),
                             ": no control file pids.max (there is no such cgroup")));
  EXPECT_FALSE(update_limits({one}, kPatience).ok());
}

TEST_F(Limits, AreWrittenNowhereElse) {
  CgroupSetting one = setting("pids.max", "1");
  one.directory = ::testing::TempDir();
  EXPECT_FALSE(write_limits({one}, LimitTime::kFirst).ok()) << "not a cgroup";
  one = setting("pids.max", "1");
  if (one.directory.empty()) GTEST_SKIP() << "no pids controller";
  ASSERT_EQ(::mkdir((one.directory + "/below").c_str(), 0755), 0);
  const std::string file = is_v2("pids") ? "below/cgroup.max.depth" : "below/pids.max";
  one.forms = {{file, "1"}};
  EXPECT_FALSE(write_limits({one}, LimitTime::kFirst).ok());
  EXPECT_EQ(read_text(cat(one.directory, '/', file)), "max\n");
}

TEST_F(Limits, ThatTheKernelRefusesSayWhy) {
  const CgroupSetting number = setting("pids.max", "a few");
  if (number.directory.empty()) GTEST_SKIP() << "no pids controller";
  const Result<Warnings> refused = write_limits({number}, LimitTime::kFirst);
  EXPECT_TRUE(fails_with(refused, cat("cgroup ", rt::quoted(number.directory),
                                      ": pids.max: \"a few\": write: invalid argument (the kernel "
                                      "does not take this value)")));
  EXPECT_EQ(refused.error().pointer(), number.origin);
  const CgroupSetting cpus = setting("cpuset.cpus", "4000");
  if (cpus.directory.empty()) GTEST_SKIP() << "no cpuset controller";
  const Result<Warnings> none = write_limits({cpus}, LimitTime::kFirst);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message().find(": cpuset.cpus: \"4000\": write: "), std::string::npos);
}

TEST_F(Limits, OnAReadOnlyFileSystemAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const CgroupSetting one = setting("pids.max", "1");
  if (one.directory.empty()) GTEST_SKIP() << "no pids controller";
  with_readonly_cgroups([&] {
    EXPECT_TRUE(fails_with(write_limits({one}, LimitTime::kFirst),
                           cat("cgroup ", rt::quoted(one.directory),
                               ": pids.max: openat: read-only file system (the cgroup file system "
                               "is mounted read-only)")));
    EXPECT_TRUE(
        fails_with(make(plan_for(name() + "-other")),
                   cat("cgroup ", rt::quoted(plan_for(name() + "-other").directories[0].path),
                       ": mkdirat: read-only file system (the cgroup file system is "
                       "mounted read-only; with --cgroup-manager=disabled")));
  });
}

TEST_F(Limits, OfMemoryThatIsInUseAreTooLow) {
  const CgroupSetting one = setting(memory_file(), cat(kMiB));
  if (one.directory.empty() || is_v2("memory")) GTEST_SKIP() << "no memory controller of v1";
  const Holder holder(directories(), 16 * kMiB);
  const Result<Warnings> refused = write_limits({one}, LimitTime::kLast);
  EXPECT_TRUE(is_ok(refused)) << "not at this time";
  CgroupSetting last = one;
  last.time = LimitTime::kLast;
  EXPECT_TRUE(fails_with(write_limits({last}, LimitTime::kLast),
                         cat("cgroup ", rt::quoted(one.directory),
                             ": memory.limit_in_bytes: memory limit 1048576 is too low: ")));
  EXPECT_FALSE(holder.ended());
}

TEST_F(Limits, ThatKilledAreNoticed) {
  const std::string place = place_of("memory");
  if (place.empty()) GTEST_SKIP() << "no memory controller";
  ASSERT_TRUE(is_ok(write_limits({setting(memory_file(), cat(16 * kMiB))}, LimitTime::kFirst)));
  EXPECT_FALSE(was_out_of_memory(directories()).value());
  const Holder holder(directories(), 64 * kMiB);
  EXPECT_TRUE(holder.ends());
  EXPECT_TRUE(was_out_of_memory(directories()).value());
}

TEST_F(Limits, AreUpdatedTogether) {
  const CgroupSetting pids = setting("pids.max", "20");
  if (pids.directory.empty()) GTEST_SKIP() << "no pids controller";
  const CgroupSetting memory = setting(memory_file(), cat(64 * kMiB));
  if (memory.directory.empty()) GTEST_SKIP() << "no memory controller";
  const Result<Warnings> updated = update_limits({pids, memory}, kPatience);
  ASSERT_TRUE(is_ok(updated));
  EXPECT_TRUE(updated.value().empty());
  EXPECT_EQ(shown(pids), "20");
  EXPECT_EQ(shown(memory), cat(64 * kMiB));
}

TEST_F(Limits, AreAsBeforeWhenOneCannotBeUpdated) {
  const CgroupSetting pids = setting("pids.max", "20");
  if (pids.directory.empty()) GTEST_SKIP() << "no pids controller";
  ASSERT_TRUE(is_ok(update_limits({pids}, kPatience)));
  const CgroupSetting more = setting("pids.max", "30");
  const CgroupSetting memory = setting(memory_file(), cat(64 * kMiB));
  std::vector<CgroupSetting> settings = {more};
  std::string before;
  if (!memory.directory.empty()) {
    settings.push_back(memory);
    before = shown(memory);
  }
  settings.push_back(setting("pids.max", "none at all"));
  const Result<Warnings> refused = update_limits(settings, kPatience);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("\"none at all\": write: invalid argument"),
            std::string::npos);
  EXPECT_EQ(refused.error().message().find("put back"), std::string::npos);
  EXPECT_EQ(shown(pids), "20");
  if (!before.empty()) {
    EXPECT_EQ(shown(memory), before);
  }
}

TEST_F(Limits, AreNotTouchedWhenOneHasNoFile) {
  const CgroupSetting pids = setting("pids.max", "20");
  if (pids.directory.empty()) GTEST_SKIP() << "no pids controller";
  EXPECT_FALSE(update_limits({pids, setting("pids.none", "1")}, kPatience).ok());
  EXPECT_EQ(shown(pids), "max");
}

TEST_F(Limits, OfMemoryBelowWhatIsInUseAreNotUpdated) {
  const CgroupSetting one = setting(memory_file(), cat(8 * kMiB));
  if (one.directory.empty()) GTEST_SKIP() << "no memory controller";
  const CgroupSetting pids = setting("pids.max", "20");
  const std::string before = shown(one);
  const Holder holder(directories(), 32 * kMiB);
  const Result<Warnings> refused = update_limits({pids, one}, milliseconds(200));
  ASSERT_FALSE(refused.ok());
  const std::string& message = refused.error().message();
  EXPECT_NE(message.find(is_v2("memory") ? "memory.max: memory limit 8388608 is below the "
                                         : "memory limit 8388608 is too low: "),
            std::string::npos)
      << message;
  EXPECT_EQ(refused.error().pointer(), one.origin);
  EXPECT_EQ(shown(one), before);
  EXPECT_EQ(shown(pids), "max");
  if (is_v2("memory")) {
    EXPECT_EQ(read_text(one.directory + "/memory.high"), "max\n");
  }
  EXPECT_FALSE(holder.ended());
}

TEST_F(Limits, OfMemoryWaitUntilTheContainerHasGivenItBack) {
  const CgroupSetting one = setting(memory_file(), cat(16 * kMiB));
  if (one.directory.empty() || !is_v2("memory")) GTEST_SKIP() << "no memory controller of v2";
  const std::string high = one.directory + "/memory.high";
  const Holder holder(directories(), 32 * kMiB, high);
  ASSERT_TRUE(is_ok(update_limits({one}, kPatience)));
  EXPECT_EQ(shown(one), cat(16 * kMiB));
  EXPECT_EQ(read_text(high), "max\n");
  EXPECT_FALSE(holder.ended());
}

}  // namespace
}  // namespace rt::cgroup::testing
