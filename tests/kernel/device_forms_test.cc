// Device rules in the forms that the kernel has for them: v1's lists, and v2's programs.
#include <set>

#include "runtime/cgroup/device_program.h"
#include "tests/kernel/device_filters.h"

namespace rt::cgroup::testing {
namespace {

class DeviceFilterV1 : public DeviceFilter {};
INSTANTIATE_TEST_SUITE_P(Kernel, DeviceFilterV1, ::testing::Values(Version{"V1", false}),
                         [](const auto& info) { return std::string(info.param.name); });

std::set<std::string> lines(const std::string& text) {
  std::set<std::string> found;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) found.emplace(line);
  }
  return found;
}

TEST_P(DeviceFilterV1, IsTheListOfTheController) {
  EXPECT_EQ(list(), "a *:* rwm\n");
  ASSERT_TRUE(is_ok(set({kDenyAll, {true, "c", 10, 229, "rw"}})));
  EXPECT_EQ(lines(list()),
            (std::set<std::string>{"c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",
                                   "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm",
                                   "c 136:* rwm", "c 10:229 rwm"}));
  ASSERT_TRUE(is_ok(set({kDenyAll, {false, "c", {}, {}, "m"}, {true, "c", 10, 200, "r"}})));
  EXPECT_EQ(lines(list()), (std::set<std::string>{"b *:* m", "c 1:3 rw", "c 1:5 rw", "c 1:7 rw",
                                                  "c 1:8 rw", "c 1:9 rw", "c 5:0 rw", "c 5:1 rw",
                                                  "c 5:2 rw", "c 136:* rw", "c 10:200 r"}));
}

TEST_P(DeviceFilterV1, DoesNotOpenEverythingForAMoment) {
  const plan::DeviceFilter all_but_one =
      plan_for({kAllowAll, {false, "c", kNoDriver, {}, "rwm"}}).value();
  ASSERT_TRUE(is_ok(set({})));
  const std::string before = list();
  // In the cgroup itself: the child is the process that runs.
  EXPECT_EQ(inside([&] {
              return fails_with(set_device_filter(all_but_one),
                                cat("linux.resources.devices: cgroup \"", directory_,
                                    "\": rules that allow everything but some devices can only be "
                                    "set before a process runs"))
                         ? 0
                         : 1;
            }),
            0);
  EXPECT_EQ(list(), before);
  // A process that only holds the place of the container's first.
  EXPECT_EQ(
      inside([&] { return set_device_filter(all_but_one, cgroup::Payload::kNotYet).ok() ? 0 : 1; }),
      0);
  EXPECT_NE(list(), before);
}

TEST_P(DeviceFilterV1, CannotAllowMoreThanTheCgroupAboveIt) {
  ASSERT_TRUE(is_ok(set({})));
  const std::string below = cat(directory_, "/below");
  ASSERT_TRUE(is_ok(sys::mkdir(below, 0755)));
  const auto list_below = [&] {
    return lines(sys::read_file(cat(below, "/devices.list"), 4096).value());
  };
  plan::DeviceFilter filter = plan_for({kDenyZero}).value();
  filter.directory = below;
  ASSERT_TRUE(is_ok(set_device_filter(filter)));
  EXPECT_EQ(list_below().count("c 1:5 m"), 0U);
  const std::set<std::string> before = list_below();
  // The first of the two is new, and allowed above.
  filter.rules = plan_for({{true, "c", 1, 5, "rwm"}, {true, "c", 9, 9, "r"}}).value().rules;
  EXPECT_TRUE(fails_with(
      set_device_filter(filter),
      cat("linux.resources.devices: cgroup \"", below,
          "\": \"c 9:9 rm\": devices.allow: write: "
          "operation not permitted (a cgroup cannot allow what the one above it does not)")));
  // What was allowed before the error is taken back.
  EXPECT_EQ(list_below(), before);
  EXPECT_EQ(::rmdir(below.c_str()), 0);
}

class DeviceFilterV2 : public DeviceFilter {
 protected:
  /// A program of somebody else's on the directory.
  [[nodiscard]] Status attach(const Rules& rules, uint32_t flags, const std::string& name) const {
    sys::BpfProgram program;
    program.type = BPF_PROG_TYPE_CGROUP_DEVICE;
    program.instructions = device_program(TRY(plan_for(rules)).rules);
    program.name = name;
    program.license = "GPL";
    const UniqueFd loaded = TRY(sys::bpf_prog_load(program));
    const UniqueFd fd = TRY(sys::open(directory_, O_RDONLY | O_DIRECTORY));
    return sys::bpf_prog_attach(fd.get(), loaded.get(), BPF_CGROUP_DEVICE, flags);
  }
};
INSTANTIATE_TEST_SUITE_P(Kernel, DeviceFilterV2, ::testing::Values(Version{"V2", true}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(DeviceFilterV2, IsOneProgramAfterAHundredUpdates) {
  std::set<uint32_t> ids;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(is_ok(set({{true, "c", 1, i, "r"}})));
    ASSERT_EQ(programs().size(), 1U);
    ids.insert(programs().front());
  }
  // Each of them was a new one.
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_EQ(open_inside(node(S_IFCHR, 1, 98)), EPERM);
  EXPECT_NE(open_inside(node(S_IFCHR, 1, 99)), EPERM);
}

TEST_P(DeviceFilterV2, NeedsNoProgramToAllowEverything) {
  ASSERT_TRUE(is_ok(set({kAllowAll})));
  EXPECT_TRUE(programs().empty());
  ASSERT_TRUE(is_ok(set({})));
  EXPECT_EQ(programs().size(), 1U);
  ASSERT_TRUE(is_ok(set({kAllowAll})));
  EXPECT_TRUE(programs().empty());
}

TEST_P(DeviceFilterV2, LeavesTheProgramsOfOthers) {
  ASSERT_TRUE(is_ok(attach({kAllowAll, kDenyZero}, BPF_F_ALLOW_MULTI, "somebody_else")));
  const uint32_t theirs = programs().at(0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(is_ok(set({kDenyAll})));
  ASSERT_EQ(programs().size(), 2U);
  EXPECT_TRUE(programs()[0] == theirs || programs()[1] == theirs);
  // Both must allow it.
  EXPECT_EQ(open_inside("/dev/zero"), EPERM);
  EXPECT_EQ(open_inside("/dev/null"), 0);
  ASSERT_TRUE(is_ok(set({kAllowAll})));
  EXPECT_EQ(programs(), std::vector<uint32_t>{theirs});
}

TEST_P(DeviceFilterV2, TakesAwayAllThatIsOurs) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(is_ok(attach({kDenyZero}, BPF_F_ALLOW_MULTI, "runtime_devices")));
  }
  ASSERT_EQ(programs().size(), 3U);
  ASSERT_TRUE(is_ok(set({})));
  EXPECT_EQ(programs().size(), 1U);
  EXPECT_EQ(open_inside("/dev/zero"), 0);
}

TEST_P(DeviceFilterV2, SaysThatAnotherKindOfProgramIsInTheWay) {
  ASSERT_TRUE(is_ok(attach({kAllowAll, kDenyZero}, 0, "exclusive")));
  EXPECT_TRUE(fails_with(set({}), cat("linux.resources.devices: cgroup \"", directory_,
                                      "\": bpf(BPF_PROG_ATTACH): operation not permitted (")));
}

TEST_P(DeviceFilterV2, IsTakenByTheVerifierWithTwoThousandRules) {
  Rules rules;
  for (int64_t i = 0; i < 2000; ++i) {
    rules.push_back({i % 3 != 0, i % 2 == 0 ? "c" : "b", 300 + i, i, i % 5 == 0 ? "r" : "wm"});
  }
  ASSERT_TRUE(is_ok(set(rules)));
  EXPECT_EQ(open_inside("/dev/null"), 0);
  EXPECT_EQ(open_inside(node(S_IFCHR, 310, 10), O_WRONLY), EPERM);
}

TEST(BpfProgram, ThatIsRefusedSaysWhy) {
  sys::BpfProgram program;
  program.type = BPF_PROG_TYPE_CGROUP_DEVICE;
  program.instructions = device_program({});
  program.instructions.pop_back();
  program.name = "broken";
  program.license = "GPL";
  const Result<UniqueFd> loaded = sys::bpf_prog_load(program);
  ASSERT_FALSE(loaded.ok());
  if (loaded.error().code() == EPERM) GTEST_SKIP() << "no privilege";
  EXPECT_EQ(loaded.error().code(), EINVAL);
  EXPECT_NE(sys::bpf_verifier_log(program).find("last insn is not an exit or jmp"),
            std::string::npos);
  program.instructions = device_program({});
  EXPECT_EQ(sys::bpf_verifier_log(program), "");
}

}  // namespace
}  // namespace rt::cgroup::testing
