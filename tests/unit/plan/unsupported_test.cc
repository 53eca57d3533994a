#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

struct Row {
  const char* name;
  void (*change)(spec::Config&);
  const char* pointer;
  const char* what;
};

class NotSupported : public ::testing::TestWithParam<Row> {};

TEST_P(NotSupported, IsSaid) {
  spec::Config config = small_config();
  GetParam().change(config);
  const std::vector<Unsupported> expected = {{GetParam().pointer, GetParam().what}};
  EXPECT_EQ(plan_of(config).unsupported, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NotSupported,
    ::testing::Values(
        Row{"Seccomp", [](auto& config) { config.linux_.seccomp.emplace(); }, "/linux/seccomp",
            "seccomp filters"},
        Row{"AppArmor", [](auto& config) { config.process->apparmor_profile = "x"; },
            "/process/apparmorProfile", "AppArmor profiles"},
        Row{"SELinux", [](auto& config) { config.process->selinux_label = "x"; },
            "/process/selinuxLabel", "SELinux labels"},
        Row{"MountLabel", [](auto& config) { config.linux_.mount_label = "x"; },
            "/linux/mountLabel", "SELinux labels"},
        Row{"Scheduler", [](auto& config) { config.process->scheduler.emplace(); },
            "/process/scheduler", "scheduling attributes"},
        Row{"IoPriority", [](auto& config) { config.process->io_priority.emplace(); },
            "/process/ioPriority", "I/O priorities"},
        Row{"Prestart", [](auto& config) { config.hooks.prestart.emplace_back(); },
            "/hooks/prestart", "prestart hooks"},
        Row{"CreateRuntime", [](auto& config) { config.hooks.create_runtime.emplace_back(); },
            "/hooks/createRuntime", "createRuntime hooks"},
        Row{"CreateContainer", [](auto& config) { config.hooks.create_container.emplace_back(); },
            "/hooks/createContainer", "createContainer hooks"},
        Row{"StartContainer", [](auto& config) { config.hooks.start_container.emplace_back(); },
            "/hooks/startContainer", "startContainer hooks"},
        Row{"Poststart", [](auto& config) { config.hooks.poststart.emplace_back(); },
            "/hooks/poststart", "poststart hooks"},
        Row{"Poststop", [](auto& config) { config.hooks.poststop.emplace_back(); },
            "/hooks/poststop", "poststop hooks"},
        Row{"NetDevices", [](auto& config) { config.linux_.net_devices = {{"eth1", {}}}; },
            "/linux/netDevices", "moving network devices"},
        Row{"IntelRdt", [](auto& config) { config.linux_.intel_rdt.emplace(); }, "/linux/intelRdt",
            "Intel RDT"},
        Row{"MemoryPolicy", [](auto& config) { config.linux_.memory_policy.emplace(); },
            "/linux/memoryPolicy", "memory policies"},
        Row{"Personality",
            [](auto& config) { config.linux_.personality = spec::Personality{"LINUX32", {}}; },
            "/linux/personality", "execution domains"},
        Row{"IdMappedMount",
            [](auto& config) { config.mounts = {{"/a", "bind", "/b", {}, {{0, 1, 1}}, {}}}; },
            "/mounts/0/uidMappings", "id-mapped mounts"}),
    row_name<Row>);

TEST(Unsupported, WhatChangesNothingIsSupported) {
  spec::Config config = small_config();
  config.linux_.personality = spec::Personality{"LINUX", {}};
  config.linux_.resources.emplace();
  config.process->console_size = spec::ConsoleSize{25, 80};
  const Plan plan = plan_of(config);
  EXPECT_TRUE(plan.unsupported.empty());
  EXPECT_TRUE(plan.warnings.empty());
}

TEST(Unsupported, ResourcesAreAWarning) {
  spec::Config config = small_config();
  config.linux_.resources.emplace().pids_limit = 5;
  const Plan plan = plan_of(config);
  EXPECT_TRUE(plan.unsupported.empty());
  EXPECT_EQ(plan.warnings,
            (std::vector<Warning>{
                {"/linux/resources", "resource limits are not applied by this version"}}));
}

TEST(Unsupported, AffinityOfExecIsAWarning) {
  spec::Config config = small_config();
  config.process->exec_cpu_affinity.emplace();
  EXPECT_TRUE(warns(plan_of(config), "/process/execCPUAffinity", "is for exec"));
}

TEST(Keyring, IsNewUnlessTheOptionSaysNo) {
  EXPECT_TRUE(plan_of(small_config()).new_keyring);
  Request request = small_request();
  request.no_new_keyring = true;
  const Plan plan = make_plan(small_config(), request, root_host()).value();
  EXPECT_FALSE(plan.new_keyring);
  EXPECT_EQ(plan.keyring_origin, "option: --no-new-keyring");
}

}  // namespace
}  // namespace rt::plan::testing
