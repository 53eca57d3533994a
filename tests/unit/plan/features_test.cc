// What `features` says is what documents are planned by.
#include "runtime/plan/features.h"

#include "spec/words.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

spec::Features all_features() { return features({}); }

spec::LinuxFeatures linux_features() { return all_features().linux_.value(); }

/// A bind mount: there is no file system that could take an option that nobody else knows.
spec::Config with_mount_option(const std::string& word) {
  spec::Config config = small_config();
  spec::Mount mount{"/data", "none", "/data", {"bind", word}, {}, {}};
  if (word == "tmpcopyup") mount = {"/data", "tmpfs", "tmpfs", {word}, {}, {}};
  if (word == "idmap" || word == "ridmap") {
    mount.uid_mappings = {{0, 1000, 1}};
    mount.gid_mappings = {{0, 1000, 1}};
  }
  config.mounts = {mount};
  return config;
}

TEST(Features, ListMountOptionsThatArePlanned) {
  for (const std::string& word : all_features().mount_options) {
    const Result<Plan> plan = try_plan(with_mount_option(word));
    ASSERT_TRUE(is_ok(plan)) << word;
  }
  EXPECT_FALSE(try_plan(with_mount_option("nonsense")).ok());
}

TEST(Features, ListEachMountOptionOnceInOrder) {
  const std::vector<std::string> words = all_features().mount_options;
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
}

/// config.md, "Linux mount options": the words of its table, and rnodev, which the table forgot.
constexpr const char* kSpecifiedOptions[] = {"async",         "atime",        "bind",
                                             "defaults",      "dev",          "diratime",
                                             "dirsync",       "exec",         "idmap",
                                             "iversion",      "lazytime",     "loud",
                                             "mand",          "noatime",      "nodev",
                                             "nodiratime",    "noexec",       "noiversion",
                                             "nolazytime",    "nomand",       "norelatime",
                                             "nostrictatime", "nosuid",       "nosymfollow",
                                             "private",       "ratime",       "rbind",
                                             "rdev",          "rdiratime",    "relatime",
                                             "remount",       "rexec",        "ridmap",
                                             "rnoatime",      "rnodev",       "rnodiratime",
                                             "rnoexec",       "rnorelatime",  "rnostrictatime",
                                             "rnosuid",       "rnosymfollow", "ro",
                                             "rprivate",      "rrelatime",    "rro",
                                             "rrw",           "rshared",      "rslave",
                                             "rstrictatime",  "rsuid",        "rsymfollow",
                                             "runbindable",   "rw",           "shared",
                                             "silent",        "slave",        "strictatime",
                                             "suid",          "symfollow",    "sync",
                                             "tmpcopyup",     "unbindable"};

TEST(Features, ListEveryMountOptionOfTheSpecification) {
  const std::vector<std::string> words = all_features().mount_options;
  for (const char* word : kSpecifiedOptions) {
    EXPECT_TRUE(std::binary_search(words.begin(), words.end(), word)) << word;
  }
}

/// A part of the document that `features` speaks of.
struct Ability {
  const char* name;
  bool (*said)(const spec::LinuxFeatures&);
  void (*ask)(spec::Config&);
};

class Abilities : public ::testing::TestWithParam<Ability> {};

TEST_P(Abilities, AreSaidToBeThereWhereTheyArePlanned) {
  spec::Config config = small_config();
  GetParam().ask(config);
  const Plan plan = plan_of(config);
  const bool done = !warns(plan, "/linux/resources", "");
  EXPECT_EQ(GetParam().said(linux_features()), done);
}

void ask_for_idmap(spec::Config& config) { config = with_mount_option("idmap"); }

void ask_for_rdma(spec::Config& config) {
  config.linux_.resources.emplace().rdma["mlx5_1"].hca_handles = 3;
}

INSTANTIATE_TEST_SUITE_P(
    Linux, Abilities,
    ::testing::Values(
        Ability{"Seccomp", [](auto& linux_part) { return linux_part.seccomp->enabled; },
                [](auto& config) {
                  config.linux_.seccomp.emplace().default_action = "SCMP_ACT_ALLOW";
                }},
        Ability{"AppArmor", [](auto& linux_part) { return linux_part.apparmor.value(); },
                [](auto& config) { config.process->apparmor_profile = "profile"; }},
        Ability{"SELinux", [](auto& linux_part) { return linux_part.selinux.value(); },
                [](auto& config) { config.process->selinux_label = "a:b:c:s0"; }},
        Ability{"MountLabel", [](auto& linux_part) { return linux_part.selinux.value(); },
                [](auto& config) { config.linux_.mount_label = "a:b:c:s0"; }},
        Ability{"IntelRdt", [](auto& linux_part) { return linux_part.intel_rdt->enabled; },
                [](auto& config) { config.linux_.intel_rdt.emplace().clos_id = "class"; }},
        Ability{"IntelRdtSchemata", [](auto& linux_part) { return linux_part.intel_rdt->schemata; },
                [](auto& config) { config.linux_.intel_rdt.emplace().schemata = {"L3:0=f"}; }},
        Ability{"IntelRdtMonitoring",
                [](auto& linux_part) { return linux_part.intel_rdt->monitoring; },
                [](auto& config) { config.linux_.intel_rdt.emplace().enable_monitoring = true; }},
        Ability{"MemoryPolicy",
                [](auto& linux_part) { return !linux_part.memory_policy->modes.empty(); },
                [](auto& config) { config.linux_.memory_policy.emplace().mode = "MPOL_LOCAL"; }},
        Ability{"IdmapMounts", [](auto& linux_part) { return linux_part.idmap_mounts.value(); },
                ask_for_idmap},
        Ability{"NetDevices", [](auto& linux_part) { return linux_part.net_devices.value(); },
                [](auto& config) { config.linux_.net_devices["eth0"].name = "lan0"; }},
        Ability{"Rdma", [](auto& linux_part) { return linux_part.cgroup->rdma; }, ask_for_rdma}),
    row_name<Ability>);

TEST(Features, SayWhereCgroupsAreMade) {
  spec::Config config = small_config();
  config.linux_.cgroups_path = "/a";
  const auto cgroup = linux_features().cgroup.value();
  EXPECT_EQ(cgroup.v1, is_ok(try_plan(config, v1_host())));
  EXPECT_EQ(cgroup.v2, is_ok(try_plan(config, root_host())));
  config.linux_.cgroups_path = "a.slice:b:c";
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kSystemd;
  EXPECT_EQ(cgroup.systemd, is_ok(make_plan(config, request, root_host())));
  EXPECT_EQ(cgroup.systemd_user, is_ok(make_plan(config, request, user_host())));
}

TEST(Features, NameTheAnnotationsThatChangeThePlan) {
  EXPECT_EQ(all_features().potentially_unsafe_config_annotations,
            std::vector<std::string>{"org.systemd.property."});
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kSystemd;
  const auto plan_with = [&](const char* key) {
    spec::Config config = small_config();
    config.annotations[key] = "true";
    Plan plan = make_plan(config, request, root_host()).value();
    plan.annotations.clear();
    return plan;
  };
  EXPECT_EQ(plan_with("run.oci.hooks.stdout"), plan_with("org.opencontainers.image.os"));
  EXPECT_NE(plan_with("org.systemd.property.SendSIGHUP"), plan_with("run.oci.hooks.stdout"));
}

TEST(Features, HaveTheFlagsOfTheKernelAmongThoseThatAreKnown) {
  const spec::Features here = features({"SECCOMP_FILTER_FLAG_LOG"});
  EXPECT_EQ(here.linux_->seccomp->supported_flags,
            (std::vector<std::string>{"SECCOMP_FILTER_FLAG_LOG"}));
  EXPECT_EQ(here.linux_->seccomp->known_flags.size(), std::size(spec::kSeccompFlags));
}

}  // namespace
}  // namespace rt::plan::testing
