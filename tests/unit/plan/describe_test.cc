#include "runtime/plan/describe.h"

#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

/// The texts of one step.
std::vector<std::string> texts(const Plan& plan, Step step) {
  std::vector<std::string> out;
  for (const Action& action : actions(plan)) {
    if (action.step == step) out.push_back(action.text);
  }
  return out;
}

TEST(Describe, FollowsTheOrderOfTheSteps) {
  const std::vector<Action> all = actions(plan_of(user_namespace_config()));
  size_t row = 0;
  for (const Action& action : all) {
    while (row < std::size(kSteps) && kSteps[row].step != action.step) ++row;
    ASSERT_LT(row, std::size(kSteps)) << action.text;
    EXPECT_EQ(action.phase, kSteps[row].phase);
    EXPECT_EQ(action.actor, kSteps[row].actor);
  }
  EXPECT_EQ(all.front().step, Step::kRecord);
  EXPECT_EQ(all.back().step, Step::kRemoveRecord);
}

TEST(Describe, EveryActionHasAnOrigin) {
  for (const Action& action : actions(plan_of(user_namespace_config(), user_host()))) {
    EXPECT_FALSE(action.origin.empty()) << action.text;
    EXPECT_FALSE(action.text.empty()) << name_of(action.step);
  }
}

TEST(Describe, AStepWithNothingToDoIsLeftOut) {
  const Plan plan = plan_of(small_config());
  EXPECT_TRUE(texts(plan, Step::kSysctl).empty());
  EXPECT_TRUE(texts(plan, Step::kIdMaps).empty());
  EXPECT_TRUE(texts(plan, Step::kReadonlyRoot).empty());
}

TEST(Describe, AMountIsSaidInTheWordsOfTheDocument) {
  spec::Config config = small_config();
  config.mounts = {
      {"/proc", "proc", "proc", {"nosuid", "relatime"}, {}, {}},
      {"/data", "ext4", "/dev/vdb", {"ro", "data=journal"}, {}, {}},
      {"/src", "bind", "/host/src", {"rbind", "rro", "rw", "exec", "rslave"}, {}, {}},
      {"/data", "", "", {"remount", "noexec"}, {}, {}},
  };
  EXPECT_EQ(texts(plan_of(config), Step::kMounts),
            (std::vector<std::string>{
                "mount proc on /proc (nosuid,relatime; rprivate)",
                "mount ext4 /dev/vdb on /data (ro,data=journal; rprivate)",
                "rbind /host/src on /src (rw,exec,rro; rslave)",
                "remount /data (noexec)",
            }));
}

TEST(Describe, AMountSaysHowItsIdsAreMappedAndWhatFillsIt) {
  spec::Config config = small_config();
  config.linux_.mount_label = "a_t";
  const std::vector<spec::IdMapping> ids = {{0, 1000, 2}, {5, 7, 1}};
  config.mounts = {
      {"/src", "bind", "/host/src", {"ridmap"}, ids, {{0, 1, 1}}},
      {"/run", "tmpfs", "tmpfs", {"ro", "tmpcopyup"}, {{0, 1, 1}}, {{0, 1, 1}}},
      {"/dev/mqueue", "mqueue", "mqueue", {}, {}, {}},
  };
  const Plan plan = plan_of(config);
  EXPECT_EQ(texts(plan, Step::kMounts),
            (std::vector<std::string>{
                "bind /host/src on /src (rprivate; ids mapped recursively: uid 0 1000 2, uid 5 7 "
                "1, gid 0 1 1)",
                "mount tmpfs on /run (ro,context=a_t; rprivate; ids mapped: uid 0 1 1, gid 0 1 1; "
                "with the image's files)",
                "mount mqueue on /dev/mqueue (rprivate; label a_t)",
            }));
  const std::vector<std::string> host = texts(plan, Step::kHostObjects);
  EXPECT_EQ(host.back(), "make tmpfs for /run");
  const std::vector<std::string> inside = texts(plan, Step::kPrepareMounts);
  EXPECT_EQ(inside.back(), "make mqueue for /dev/mqueue");
}

TEST(Describe, StageOneIsClonedIntoTheCgroupOfV2AndEntersTheOthers) {
  const Plan plan = plan_of(small_config(), v1_host());
  EXPECT_EQ(texts(plan, Step::kClone),
            (std::vector<std::string>{
                "clone stage 1",
                "in cgroup /sys/fs/cgroup/unified/runtime-demo (v2; CLONE_INTO_CGROUP)",
            }));
  EXPECT_EQ(texts(plan, Step::kEnterCgroup),
            (std::vector<std::string>{
                "enter cgroup /sys/fs/cgroup/cpuset/runtime-demo (v1; by its tasks file)",
                "enter cgroup /sys/fs/cgroup/cpu,cpuacct/runtime-demo (v1; by its tasks file)",
                "enter cgroup /sys/fs/cgroup/memory/session/runtime-demo (v1; by its tasks file)",
                "enter cgroup /sys/fs/cgroup/systemd/runtime-demo (v1; by its tasks file)",
            }));
  EXPECT_TRUE(texts(plan_of(small_config()), Step::kEnterCgroup).empty());
}

TEST(Describe, CapabilitiesAreShort) {
  spec::Config config = small_config();
  spec::Capabilities& sets = config.process->capabilities.emplace();
  sets.bounding = {"CAP_CHOWN", "CAP_SYS_ADMIN"};
  const std::vector<std::string> lines = texts(plan_of(config), Step::kUser);
  EXPECT_EQ(lines.at(2), "bounding capabilities: chown sys_admin");
  EXPECT_EQ(lines.at(5), "permitted capabilities: none");
}

TEST(Describe, ValuesOfTheEnvironmentAreNotShown) {
  spec::Config config = small_config();
  config.process->env = {"PATH=/bin", "TOKEN=hunter2", "EMPTY"};
  const std::string text = describe_text(plan_of(config));
  EXPECT_NE(text.find("with 3 variables: PATH, TOKEN, EMPTY"), std::string::npos);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
}

/// `bad` in everything of the document that ends up in a line.
spec::Config hostile_config(const std::string& bad) {
  spec::Config config = small_config();
  config.hostname = bad;
  config.root->path = bad;
  config.process->args = {bad};
  config.process->env = {cat(bad, "=1")};
  config.process->cwd = cat('/', bad);
  config.process->capabilities.emplace().bounding = {bad};
  config.mounts = {{cat('/', bad), bad, bad, {cat(bad, '=', bad)}, {}, {}},
                   {cat('/', bad), "bind", bad, {}, {}, {}}};
  config.linux_.sysctl = {{cat("net.", bad), bad}};
  config.linux_.masked_paths = {bad};
  config.linux_.readonly_paths = {bad};
  config.linux_.cgroups_path = bad;
  config.linux_.devices = {{"c", cat('/', bad), 1, 1, {}, {}, {}}};
  config.linux_.namespaces[1].path = bad;
  return config;
}

TEST(Describe, ControlCharactersAreEscaped) {
  for (const char* bad : {"x\ny", "x\x1b[2Jy", "x\x7fy"}) {
    const std::string text = describe_text(plan_of(hostile_config(bad)));
    EXPECT_EQ(text.find_first_of("\x1b\x7f"), std::string::npos) << bad;
    for (const std::string_view line : split(text, '\n')) {
      const bool begins_well = line.empty() || line.starts_with("create") ||
                               line.starts_with("start") || line.starts_with("delete") ||
                               line.starts_with("warning: ");
      EXPECT_TRUE(begins_well) << line;
    }
  }
}

TEST(Describe, RemarksComeLast) {
  spec::Config config = small_config();
  config.linux_.resources.emplace().cpu.emplace().shares = 1024;
  HostFacts host = root_host();
  host.cgroups[0].controllers = {"memory"};
  const std::string text = describe_text(plan_of(config, host));
  EXPECT_TRUE(
      text.ends_with("warning: /linux/resources/cpu/shares: cpu.shares is not applied: "
                     "controller cpu is not available on this machine (mounted are memory "
                     "(v2))\n"))
      << text;
}

TEST(Describe, JsonHasTheSameActions) {
  const std::string json = describe_json(plan_of(small_config()));
  for (const char* part : {"\"id\": \"demo\"", "\"bundle\": \"/bundle\"", "\"phase\": \"create\"",
                           "\"process\": \"stage 1\"", "\"step\": \"enter root\"",
                           "\"text\": \"pivot_root to /bundle/rootfs\"",
                           "\"origin\": \"/root/path\"", "\"warnings\": []"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\nin\n" << json;
  }
}

}  // namespace
}  // namespace rt::plan::testing
