// Device rules in force: what a process in the cgroup can open and make.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <random>

#include "tests/kernel/device_filters.h"

namespace rt::cgroup::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Kernel, DeviceFilter,
                         ::testing::Values(Version{"V1", false}, Version{"V2", true}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(DeviceFilter, LeavesTheDefaultDevices) {
  ASSERT_TRUE(is_ok(set({kDenyAll})));
  for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    EXPECT_EQ(open_inside(path), 0) << path;
  }
  EXPECT_EQ(open_inside("/dev/null", O_RDWR), 0);
}

TEST_P(DeviceFilter, ForbidsTheOthers) {
  const std::string character = node(S_IFCHR, 1, 11);
  const std::string block = node(S_IFBLK, kNoDriver, 0);
  EXPECT_EQ(open_inside(block), ENXIO);
  ASSERT_TRUE(is_ok(set({})));
  EXPECT_EQ(open_inside(character), EPERM);
  EXPECT_EQ(open_inside(block), EPERM);
}

TEST_P(DeviceFilter, LetsAnyNodeBeMadeByDefault) {
  ASSERT_TRUE(is_ok(set({kDenyAll})));
  EXPECT_EQ(mknod_inside(S_IFCHR, 1, 11), 0);
  EXPECT_EQ(mknod_inside(S_IFBLK, 8, 0), 0);
  ASSERT_TRUE(is_ok(set({{false, "b", {}, {}, "m"}})));
  EXPECT_EQ(mknod_inside(S_IFCHR, 1, 11), 0);
  EXPECT_EQ(mknod_inside(S_IFBLK, 8, 0), EPERM);
}

TEST_P(DeviceFilter, TellsReadingFromWriting) {
  const std::string path = node(S_IFCHR, kNoDriver, 7);
  ASSERT_TRUE(is_ok(set({{true, "c", kNoDriver, 7, "r"}})));
  EXPECT_EQ(open_inside(path, O_RDONLY), ENXIO);
  EXPECT_EQ(open_inside(path, O_WRONLY), EPERM);
  EXPECT_EQ(open_inside(path, O_RDWR), EPERM);
}

TEST_P(DeviceFilter, AddsUpWhatSeveralRulesAllow) {
  const std::string path = node(S_IFCHR, kNoDriver, 7);
  ASSERT_TRUE(is_ok(set({{true, "c", kNoDriver, {}, "r"}, {true, "c", {}, 7, "w"}})));
  EXPECT_EQ(open_inside(path, O_RDWR), ENXIO);
  EXPECT_EQ(open_inside(node(S_IFCHR, kNoDriver, 8), O_RDWR), EPERM);
}

TEST_P(DeviceFilter, TheLastRuleThatFitsDecides) {
  ASSERT_TRUE(is_ok(set({kDenyZero, {true, "c", 1, 5, "r"}})));
  EXPECT_EQ(open_inside("/dev/zero"), 0);
  EXPECT_EQ(open_inside("/dev/zero", O_WRONLY), EPERM);
  ASSERT_TRUE(is_ok(set({{true, "c", 1, 5, "r"}, kDenyZero})));
  EXPECT_EQ(open_inside("/dev/zero"), EPERM);
}

TEST_P(DeviceFilter, IsReplacedByTheNextOne) {
  ASSERT_TRUE(is_ok(set({kDenyZero})));
  EXPECT_EQ(open_inside("/dev/zero"), EPERM);
  ASSERT_TRUE(is_ok(set({{true, "c", 1, 11, "r"}})));
  EXPECT_EQ(open_inside("/dev/zero"), 0);
  EXPECT_NE(open_inside(node(S_IFCHR, 1, 11)), EPERM);
  ASSERT_TRUE(is_ok(set({})));
  EXPECT_EQ(open_inside(node(S_IFCHR, 1, 11)), EPERM);
}

TEST_P(DeviceFilter, CanAllowEverythingAndNotAnyMore) {
  const std::string path = node(S_IFCHR, kNoDriver, 0);
  ASSERT_TRUE(is_ok(set({kDenyAll})));
  ASSERT_TRUE(is_ok(set({kAllowAll})));
  EXPECT_EQ(open_inside(path), ENXIO);
  ASSERT_TRUE(is_ok(set({kAllowAll, {false, "c", kNoDriver, {}, "rwm"}})));
  EXPECT_EQ(open_inside(path), EPERM);
  EXPECT_EQ(mknod_inside(S_IFCHR, kNoDriver, 1), EPERM);
  EXPECT_EQ(open_inside(node(S_IFBLK, kNoDriver, 0)), ENXIO);
  ASSERT_TRUE(is_ok(set({kDenyAll})));
  EXPECT_EQ(open_inside(node(S_IFBLK, kNoDriver, 0)), EPERM);
}

/// Shared with a child that opens devices again and again.
struct Counters {
  std::atomic<bool> stop = false;
  std::atomic<unsigned> rounds = 0;
  std::atomic<unsigned> denied = 0;   // of opens that every filter allows
  std::atomic<unsigned> allowed = 0;  // of opens that none allows
};

/// The life of that child.
void keep_opening(const std::string& forbidden, Counters& counters) {
  while (!counters.stop) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd < 0) ++counters.denied;
    if (fd >= 0) ::close(fd);
    if (::open(forbidden.c_str(), O_RDONLY) >= 0 || errno != EPERM) ++counters.allowed;
    ++counters.rounds;
  }
}

TEST_P(DeviceFilter, IsInForceWithoutAGapWhileItIsReplaced) {
  void* memory =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* counters = new (memory) Counters;
  const std::string forbidden = node(S_IFCHR, kNoDriver, 0);
  const Rules some = {{true, "c", 1, 11, "rwm"}, kDenyZero};
  ASSERT_TRUE(is_ok(set(some)));
  // More than one, so that one is likely to run at any moment.
  std::array<pid_t, 4> children{};
  for (pid_t& child : children) {
    child = ::fork();
    if (child != 0) continue;
    const Status entered = sys::write_file(cat(directory_, "/cgroup.procs"), "0");
    keep_opening(forbidden, *counters);
    ::_exit(entered ? 0 : 1);
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(is_ok(set(i % 2 == 0 ? Rules{} : some)));
    // So that there are opens between any two of them.
    const unsigned now = counters->rounds;
    while (counters->rounds == now) ::sched_yield();
  }
  counters->stop = true;
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(counters->denied, 0U);
  EXPECT_EQ(counters->allowed, 0U);
  ::munmap(memory, sizeof(Counters));
}

TEST_P(DeviceFilter, SaysWhereItCannotBe) {
  plan::DeviceFilter filter = plan_for({}).value();
  filter.directory += "/none";
  EXPECT_TRUE(fails_with(set_device_filter(filter),
                         cat("linux.resources.devices: cgroup \"", filter.directory,
                             "\": open: no such file or directory")));
  filter.directory = "/proc";
  EXPECT_TRUE(fails_with(set_device_filter(filter),
                         "linux.resources.devices: cgroup \"/proc\": not in a cgroup v"));
}

struct Device {
  mode_t type;
  unsigned major;
  unsigned minor;
};

/// What random_rule knows of, and more.
std::vector<Device> devices() {
  std::vector<Device> all;
  for (const unsigned major : {kNoDriver, kNoDriver - 1}) {
    for (const unsigned minor : {0U, 1U, 2U}) {
      all.push_back({S_IFCHR, major, minor});
      all.push_back({S_IFBLK, major, minor});
    }
  }
  return all;
}

/// For reading, writing and both: "+" what is allowed, "-" what is not. Not opened: for each device
/// without a driver the kernel would start modprobe(8).
std::string try_all(const std::vector<std::string>& nodes) {
  std::string answers;
  for (const std::string& path : nodes) {
    for (const int mode : {R_OK, W_OK, R_OK | W_OK}) {
      answers += ::access(path.c_str(), mode) == 0 ? '+' : '-';
    }
  }
  return answers;
}

/// What try_all should answer for one device: the last rule that fits decides.
std::string answers_for(const std::vector<plan::DeviceRule>& rules, const Device& device) {
  bool read = false;
  bool write = false;
  for (const plan::DeviceRule& rule : rules) {
    if (rule.type == (device.type == S_IFCHR ? 'b' : 'c')) continue;
    if (rule.major && *rule.major != device.major) continue;
    if (rule.minor && *rule.minor != device.minor) continue;
    if (rule.read) read = rule.allow;
    if (rule.write) write = rule.allow;
  }
  return {read ? '+' : '-', write ? '+' : '-', read && write ? '+' : '-'};
}

spec::DeviceRule random_rule(std::mt19937& engine) {
  const auto number = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine);
  };
  static constexpr std::array kWords = {"r", "w", "rw", "rwm"};
  spec::DeviceRule rule;
  rule.allow = number(0, 2) != 0;
  rule.type = std::string(1, "abc"[number(0, 2)]);
  if (number(0, 3) != 0) rule.major = kNoDriver - number(0, 1);
  if (number(0, 2) != 0) rule.minor = number(0, 1);
  rule.access = kWords[static_cast<size_t>(number(0, 3))];
  return rule;
}

// The kernel's word for it: random rules, one list after the other in the same cgroup.
TEST_P(DeviceFilter, DoesWhatItsRulesSay) {
  std::vector<std::string> nodes;
  for (const Device& device : devices()) {
    nodes.push_back(node(device.type, device.major, device.minor));
  }
  const std::string file = cat(nodes_.path(), "/answers");
  const UniqueFd answers = sys::open(file, O_WRONLY | O_CREAT | O_APPEND, 0600).value();
  std::mt19937 engine(7);
  std::string expected;
  for (size_t round = 0; round < 150; ++round) {
    Rules rules(1 + round % 5);
    for (spec::DeviceRule& rule : rules) rule = random_rule(engine);
    const Result<plan::DeviceFilter> filter = plan_for(rules);
    if (!filter) continue;  // not to be said to v1
    ASSERT_TRUE(is_ok(set_device_filter(filter.value()))) << "round " << round;
    EXPECT_EQ(inside([&] { return sys::write_all(answers.get(), try_all(nodes)) ? 0 : 1; }), 0);
    for (const Device& device : devices()) expected += answers_for(filter.value().rules, device);
    ASSERT_EQ(sys::read_file(file, 1 << 20).value(), expected) << "round " << round;
  }
  EXPECT_GT(expected.size(), 40 * 3 * nodes.size());
}

}  // namespace
}  // namespace rt::cgroup::testing
