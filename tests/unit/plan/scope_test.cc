// The unit of a container whose cgroup systemd makes.
#include "runtime/plan/describe.h"
#include "tests/unit/plan/planning.h"

namespace rt::plan::testing {
namespace {

Request systemd_request() {
  Request request = small_request();
  request.cgroup_manager = CgroupManager::kSystemd;
  request.systemd_helper = "/usr/libexec/runtime/runtime-systemd";
  return request;
}

spec::Config config_with(const std::string& path) {
  spec::Config config = small_config();
  config.linux_.cgroups_path = path;
  return config;
}

Result<Plan> try_scope(const spec::Config& config, const HostFacts& host = root_host()) {
  return make_plan(config, systemd_request(), host);
}

ScopeStep scope_of(const spec::Config& config, const HostFacts& host = root_host()) {
  Result<Plan> plan = try_scope(config, host);
  EXPECT_TRUE(is_ok(plan));
  if (!plan) return {};
  EXPECT_TRUE(plan.value().cgroup.scope.has_value());
  return plan.value().cgroup.scope.value_or(ScopeStep());
}

/// "t 5": signature and words; "absent".
std::string property(const ScopeStep& scope, std::string_view name) {
  const auto found = std::ranges::find(scope.properties, name, &UnitProperty::name);
  if (found == scope.properties.end()) return "absent";
  std::string text = found->signature;
  for (const std::string& word : found->words) text += cat(' ', word);
  return text;
}

struct NameRow {
  const char* name;
  const char* path;
  const char* unit;
  const char* slice;
  const char* cgroup;
};

class Scopes : public ::testing::TestWithParam<NameRow> {};

TEST_P(Scopes, HaveAUnitASliceAndACgroup) {
  const Plan plan = try_scope(config_with(GetParam().path)).value();
  ASSERT_TRUE(plan.cgroup.scope);
  EXPECT_EQ(plan.cgroup.scope->unit, GetParam().unit);
  EXPECT_EQ(plan.cgroup.scope->slice, GetParam().slice);
  EXPECT_EQ(plan.cgroup.scope->cgroup, GetParam().cgroup);
  EXPECT_FALSE(plan.cgroup.scope->user);
  ASSERT_EQ(plan.cgroup.directories.size(), 1U);
  EXPECT_EQ(plan.cgroup.directories[0].path, cat("/sys/fs/cgroup", GetParam().cgroup));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Scopes,
    ::testing::Values(NameRow{"Docker", "system.slice:docker:4f53", "docker-4f53.scope",
                              "system.slice", "/system.slice/docker-4f53.scope"},
                      NameRow{"Nobody", "", "runtime-demo.scope", "system.slice",
                              "/system.slice/runtime-demo.scope"},
                      NameRow{"NoSlice", ":libpod:x", "libpod-x.scope", "system.slice",
                              "/system.slice/libpod-x.scope"},
                      NameRow{"NoPrefix", "machine.slice::x", "x.scope", "machine.slice",
                              "/machine.slice/x.scope"},
                      NameRow{
                          "NestedSlice", "kubepods-burstable-pod1.slice:cri:x", "cri-x.scope",
                          "kubepods-burstable-pod1.slice",
                          "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
                          "cri-x.scope"},
                      NameRow{"RootSlice", "-.slice:a:b", "a-b.scope", "-.slice", "/a-b.scope"},
                      NameRow{"NameOfAControlFile", "memory.slice::cpu.x", "cpu.x.scope",
                              "memory.slice", "/_memory.slice/_cpu.x.scope"}),
    row_name<NameRow>);

struct RefusedRow {
  const char* name;
  std::string path;
  const char* message;
};

class RefusedScopes : public ::testing::TestWithParam<RefusedRow> {};

TEST_P(RefusedScopes, SayWhy) {
  EXPECT_TRUE(fails_at(try_scope(config_with(GetParam().path)), "/linux/cgroupsPath",
                       cat("linux.cgroupsPath: ", GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedScopes,
    ::testing::Values(
        RefusedRow{"Path", "/pod/box",
                   "\"/pod/box\": systemd is to make it: expected slice:prefix:name (--cgroup"},
        RefusedRow{"TwoParts", "a.slice:b", "\"a.slice:b\": systemd is to make it: expected"},
        RefusedRow{"FourParts", "a.slice:b:c:d", "\"a.slice:b:c:d\": systemd is to make it"},
        RefusedRow{"NoName", "a.slice:b:", "\"a.slice:b:\": the name behind the second \":\""},
        RefusedRow{"NoSliceSuffix", "system:a:b",
                   "\"system:a:b\": slice \"system\": the name of a slice ends with"},
        RefusedRow{"SuffixAlone", ".slice:a:b",
                   "\".slice:a:b\": slice \".slice\": a unit without a name"},
        RefusedRow{"EmptyPartOfSlice", "a--b.slice:a:b",
                   "\"a--b.slice:a:b\": slice \"a--b.slice\": a slice without a name is on"},
        RefusedRow{"DashAtTheEnd", "a-.slice:a:b", "\"a-.slice:a:b\": slice \"a-.slice\": a slice"},
        RefusedRow{"SliceIsAPath", "../x.slice:a:b",
                   "\"../x.slice:a:b\": slice \"../x.slice\": \"/\" cannot be in the name"},
        RefusedRow{"NameIsAPath", "a.slice:b:../c",
                   "\"a.slice:b:../c\": unit \"b-../c.scope\": \"/\" cannot be in the name"},
        RefusedRow{"LineFeed", "a.slice:b:c\nd",
                   "\"a.slice:b:c\\x0ad\": unit \"b-c\\x0ad.scope\": \"\\x0a\" cannot be"},
        RefusedRow{"Template", "a.slice:b:c@d", "\"a.slice:b:c@d\": unit \"b-c@d.scope\": \"@\""},
        RefusedRow{"SliceAsName", "a.slice:b:c.slice",
                   "\"a.slice:b:c.slice\": \"c.slice\": a slice holds other units"},
        RefusedRow{"TooLong", "a.slice::" + std::string(250, 'x'), "\"a.slice::xxx"}),
    [](const auto& row) { return row.param.name; });

TEST(Scope, IsTheUsersOwnForAUser) {
  HostFacts host = user_host();
  const ScopeStep scope = scope_of(config_with("user.slice:libpod:x"), host);
  EXPECT_TRUE(scope.user);
  EXPECT_EQ(scope.cgroup,
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-x.scope");
  EXPECT_EQ(scope_of(small_config(), host).slice, "user.slice");
  host.cgroups[0].own_path = "/user.slice/user-7.slice/user@7.service/app.slice/x.scope";
  EXPECT_EQ(scope_of(config_with("a.slice::x"), host).cgroup,
            "/user.slice/user-7.slice/user@7.service/a.slice/x.scope");
  host.cgroups[0].own_path = "/system.slice/cron.service";
  EXPECT_EQ(scope_of(config_with("a.slice::x"), host).cgroup,
            "/user.slice/user-1000.slice/user@1000.service/a.slice/x.scope");
}

TEST(Scope, IsTheUsersOwnAlsoForTheRootOfHisUserNamespace) {
  HostFacts host = user_host();
  host.euid = 0;
  host.initial_user_namespace = false;
  EXPECT_EQ(scope_of(config_with("a.slice::x"), host).cgroup,
            "/user.slice/user-1000.slice/user@1000.service/a.slice/x.scope");
  // A container that runs systemd itself: its root asks that one.
  host.cgroups[0].own_path = "/init.scope";
  EXPECT_FALSE(scope_of(config_with("a.slice::x"), host).user);
  EXPECT_EQ(scope_of(config_with("a.slice::x"), host).cgroup, "/a.slice/x.scope");
}

TEST(Scope, IsInEveryHierarchyForRootAndWhereSystemdLooksForAUser) {
  EXPECT_EQ(try_scope(config_with("a.slice::x"), v1_host()).value().cgroup.directories.size(),
            v1_host().cgroups.size());
  HostFacts host = v1_host();
  host.euid = 1000;
  const Plan plan = try_scope(config_with("a.slice::x"), host).value();
  ASSERT_EQ(plan.cgroup.directories.size(), 2U);
  EXPECT_EQ(plan.cgroup.directories[0].hierarchy, "/sys/fs/cgroup/systemd");
  EXPECT_EQ(plan.cgroup.directories[1].hierarchy, "/sys/fs/cgroup/unified");
}

TEST(Scope, IsDelegatedAndForgottenWhenItIsEmpty) {
  const ScopeStep scope = scope_of(small_config());
  EXPECT_EQ(property(scope, "Delegate"), "b true");
  EXPECT_EQ(property(scope, "DefaultDependencies"), "b false");
  EXPECT_EQ(property(scope, "CollectMode"), "s inactive-or-failed");
  EXPECT_EQ(property(scope, "Description"), "s container demo");
  EXPECT_EQ(scope.helper, "/usr/libexec/runtime/runtime-systemd");
  EXPECT_EQ(scope.timeout_s, 30U);
}

spec::Config limited_config() {
  spec::Config config = small_config();
  spec::Resources& resources = config.linux_.resources.emplace();
  resources.memory.emplace();
  resources.memory->limit = 1 << 30;
  resources.memory->reservation = 1 << 29;
  resources.memory->swap = 3 << 29;
  resources.cpu.emplace();
  resources.cpu->shares = 1024;
  resources.cpu->quota = 12345;
  resources.cpu->period = 50000;
  resources.cpu->cpus = "0-1,15";
  resources.cpu->mems = "0";
  resources.pids_limit = 100;
  return config;
}

TEST(ScopeProperties, TellOfTheLimitsOfV2) {
  const ScopeStep scope = scope_of(limited_config());
  EXPECT_EQ(property(scope, "MemoryMax"), "t 1073741824");
  EXPECT_EQ(property(scope, "MemoryLow"), "t 536870912");
  EXPECT_EQ(property(scope, "MemorySwapMax"), "t 536870912");
  EXPECT_EQ(property(scope, "CPUWeight"), "t 100");
  EXPECT_EQ(property(scope, "CPUQuotaPerSecUSec"), "t 250000") << "246900, rounded up to 10 ms";
  EXPECT_EQ(property(scope, "CPUQuotaPeriodUSec"), "t 50000");
  EXPECT_EQ(property(scope, "AllowedCPUs"), "ay 2 3 128");
  EXPECT_EQ(property(scope, "AllowedMemoryNodes"), "ay 1 1");
  EXPECT_EQ(property(scope, "TasksMax"), "t 100");
  EXPECT_EQ(property(scope, "IOWeight"), "absent");
  const auto quota = std::ranges::find(scope.properties, "CPUQuotaPeriodUSec", &UnitProperty::name);
  EXPECT_EQ(quota->since, 242U);
  EXPECT_EQ(quota->origin, "/linux/resources/cpu/quota");
}

TEST(ScopeProperties, TellThatThereIsNoLimit) {
  spec::Config config = small_config();
  spec::Resources& resources = config.linux_.resources.emplace();
  resources.memory.emplace();
  resources.memory->limit = -1;
  resources.cpu.emplace();
  resources.cpu->quota = -1;
  resources.pids_limit = -1;
  const ScopeStep scope = scope_of(config);
  EXPECT_EQ(property(scope, "MemoryMax"), "t 18446744073709551615");
  EXPECT_EQ(property(scope, "CPUQuotaPerSecUSec"), "t 18446744073709551615");
  EXPECT_EQ(property(scope, "TasksMax"), "t 18446744073709551615");
}

TEST(ScopeProperties, HaveTheirOldNamesForV1) {
  const ScopeStep scope = scope_of(
      [] {
        spec::Config config = limited_config();
        config.linux_.resources->memory->swap.reset();
        config.linux_.resources->pids_limit.reset();
        return config;
      }(),
      v1_host());
  EXPECT_EQ(property(scope, "MemoryLimit"), "t 1073741824");
  EXPECT_EQ(property(scope, "CPUShares"), "t 1024");
  EXPECT_EQ(property(scope, "CPUQuotaPerSecUSec"), "t 250000");
  EXPECT_EQ(property(scope, "MemoryMax"), "absent");
  EXPECT_EQ(property(scope, "AllowedCPUs"), "absent") << "of cgroup v2 alone";
}

TEST(ScopeProperties, TellOfUnifiedValuesToo) {
  spec::Config config = small_config();
  config.linux_.resources.emplace().unified = {{"memory.high", "1048576"},   {"cpu.weight", "7"},
                                               {"io.weight", "default 500"}, {"cpu.idle", "0"},
                                               {"pids.max", "max"},          {"cpu.max", "20000"}};
  const ScopeStep scope = scope_of(config);
  EXPECT_EQ(property(scope, "MemoryHigh"), "t 1048576");
  EXPECT_EQ(property(scope, "CPUWeight"), "t 7");
  EXPECT_EQ(property(scope, "IOWeight"), "t 500");
  EXPECT_EQ(property(scope, "TasksMax"), "t 18446744073709551615");
  EXPECT_EQ(property(scope, "CPUQuotaPerSecUSec"), "t 200000");
  config.linux_.resources->unified = {{"cpu.idle", "1"}};
  EXPECT_EQ(property(scope_of(config), "CPUWeight"), "t 0");
}

/// v1_host, with the controller that it lacks.
HostFacts devices_host() {
  HostFacts host = v1_host();
  host.cgroups.push_back({"/sys/fs/cgroup/devices", {"devices"}, false, "/"});
  return host;
}

ScopeStep scope_with_rules(const std::vector<spec::DeviceRule>& rules, const HostFacts& host) {
  spec::Config config = small_config();
  config.linux_.resources.emplace().devices = rules;
  return scope_of(config, host);
}

constexpr std::string_view kBaseDevices =
    "char-* m /dev/char/1:3 rwm /dev/char/1:5 rwm /dev/char/1:7 rwm /dev/char/1:8 rwm "
    "/dev/char/1:9 rwm /dev/char/5:0 rwm /dev/char/5:1 rwm /dev/char/5:2 rwm char-pts rwm";

TEST(ScopeDevices, AreToldOfWhereSystemdHasTheSameFiles) {
  const ScopeStep scope = scope_with_rules({}, devices_host());
  EXPECT_EQ(property(scope, "DevicePolicy"), "s strict");
  EXPECT_EQ(property(scope, "DeviceAllow"), cat("a(ss) 11 ", kBaseDevices, " block-* m"));
  const ScopeStep v2 = scope_with_rules({}, root_host());
  EXPECT_EQ(property(v2, "DevicePolicy"), "absent") << "a program of ours, beside systemd's";
  EXPECT_EQ(property(v2, "DeviceAllow"), "absent");
}

TEST(ScopeDevices, AreThoseOfTheDocumentThatSystemdHasWordsFor) {
  const ScopeStep scope = scope_with_rules({{true, "b", 8, 1, "rwm"},
                                            {true, "c", 10, {}, "rwm"},
                                            {true, "c", {}, 229, "rwm"},
                                            {true, "b", 8, {}, "rm"}},
                                           devices_host());
  EXPECT_EQ(property(scope, "DeviceAllow"),
            cat("a(ss) 12 ", kBaseDevices, " block-* m /dev/block/8:1 rwm"));
}

TEST(ScopeDevices, AreAllOrNoneWhereAllButSomeAreAllowed) {
  const spec::DeviceRule all = {true, "a", {}, {}, "rwm"};
  const ScopeStep everything = scope_with_rules({all}, devices_host());
  EXPECT_EQ(property(everything, "DevicePolicy"), "s auto");
  EXPECT_EQ(property(everything, "DeviceAllow"), "a(ss) 0");
  const ScopeStep most = scope_with_rules({all, {false, "c", 1, 3, "rwm"}}, devices_host());
  EXPECT_EQ(property(most, "DevicePolicy"), "s strict");
  EXPECT_EQ(property(most, "DeviceAllow"), "a(ss) 1 block-* rwm");
}

std::vector<CgroupDirectory> directories_of(const spec::Config& config, const HostFacts& host) {
  return try_scope(config, host).value().cgroup.directories;
}

TEST(ScopeUpdate, TellsOfWhatChangesAlone) {
  const spec::Config config = config_with("a.slice:b:c");
  ResourcesStep resources;
  resources.settings.push_back({.directory = "/sys/fs/cgroup/a.slice/b-c.scope",
                                .forms = {{"pids.max", "70"}},
                                .origin = "/pids/limit"});
  const auto scope = plan_scope_update(config, systemd_request(), root_host(), resources,
                                       directories_of(config, root_host()));
  ASSERT_TRUE(scope);
  EXPECT_EQ(scope->unit, "b-c.scope");
  EXPECT_EQ(scope->helper, "/usr/libexec/runtime/runtime-systemd");
  ASSERT_EQ(scope->properties.size(), 1U);
  EXPECT_EQ(property(*scope, "TasksMax"), "t 70");
}

TEST(ScopeUpdate, TellsTheQuotaOfThePeriodThatItHasInV1) {
  spec::Config config = config_with("a.slice:b:c");
  spec::Cpu& cpu = config.linux_.resources.emplace().cpu.emplace();
  cpu.quota = 20000;
  cpu.period = 50000;
  ResourcesStep resources;
  resources.settings.push_back({.directory = "/sys/fs/cgroup/cpu,cpuacct/a.slice/b-c.scope",
                                .forms = {{"cpu.cfs_quota_us", "20000"}},
                                .origin = "/cpu/quota"});
  const std::vector<CgroupDirectory> directories = directories_of(config, v1_host());
  const auto update = [&] {
    return plan_scope_update(config, systemd_request(), v1_host(), resources, directories).value();
  };
  EXPECT_EQ(property(update(), "CPUQuotaPerSecUSec"), "t 400000");
  EXPECT_EQ(property(update(), "CPUQuotaPeriodUSec"), "t 50000");
  resources.settings[0].forms = {{"cpu.cfs_period_us", "50000"}};
  EXPECT_EQ(property(update(), "CPUQuotaPerSecUSec"), "t 400000");
}

TEST(ScopeUpdate, ReplacesTheDevicesOfV1) {
  const spec::Config config = config_with("a.slice:b:c");
  ResourcesStep resources;
  resources.devices.emplace();
  resources.devices->rules = {
      {.allow = true, .type = 'c', .major = 1, .minor = 3, .read = true, .origin = "/devices/0"}};
  const auto scope = plan_scope_update(config, systemd_request(), devices_host(), resources,
                                       directories_of(config, devices_host()));
  ASSERT_TRUE(scope);
  ASSERT_EQ(scope->properties.size(), 3U);
  EXPECT_EQ(property(*scope, "DevicePolicy"), "s strict");
  EXPECT_EQ(property(*scope, "DeviceAllow"), "a(ss) 0") << "which takes the old list away, first";
  EXPECT_EQ(scope->properties[2].words, (std::vector<std::string>{"1", "/dev/char/1:3", "r"}));
}

TEST(ScopeUpdate, TellsNobodyWhereSystemdDidNotMakeTheCgroup) {
  const spec::Config config = config_with("/pod/box");
  const std::vector<CgroupDirectory> directories = plan_of(config).cgroup.directories;
  ASSERT_FALSE(directories.empty());
  EXPECT_FALSE(plan_scope_update(config, systemd_request(), root_host(), {}, directories));
  // Made by the runtime, though its path looks like a scope's.
  const spec::Config other = config_with("a.slice:b:c");
  CgroupDirectory directory;
  directory.path = "/sys/fs/cgroup/a.slice:b:c";
  directory.unified = true;
  EXPECT_FALSE(plan_scope_update(other, systemd_request(), root_host(), {}, {directory}));
  EXPECT_FALSE(plan_scope_update(other, small_request(), root_host(), {},
                                 directories_of(other, root_host())));
}

struct AnnotationRow {
  const char* name;
  const char* key;  // behind "org.systemd.property."
  const char* value;
  const char* property;
  const char* words;
};

class UnitAnnotations : public ::testing::TestWithParam<AnnotationRow> {};

TEST_P(UnitAnnotations, AreProperties) {
  spec::Config config = small_config();
  config.annotations[cat("org.systemd.property.", GetParam().key)] = GetParam().value;
  EXPECT_EQ(property(scope_of(config), GetParam().property), GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnitAnnotations,
    ::testing::Values(
        AnnotationRow{"Text", "CollectMode", "'inactive'", "CollectMode", "s inactive"},
        AnnotationRow{"OtherQuotes", "Description", "\"a \\\"b\\\" 'c'\"", "Description",
                      "s a \"b\" 'c'"},
        AnnotationRow{"Backslash", "Description", R"('a\\x2db')", "Description", R"(s a\x2db)"},
        AnnotationRow{"Truth", "DefaultDependencies", "true", "DefaultDependencies", "b true"},
        AnnotationRow{"TypedTruth", "SendSIGHUP", "boolean false", "SendSIGHUP", "b false"},
        AnnotationRow{"Number", "KillSignal", "37", "KillSignal", "i 37"},
        AnnotationRow{"TypedNumber", "TimeoutStopUSec", " uint64  5 ", "TimeoutStopUSec", "t 5"},
        AnnotationRow{"List", "After", "['crio.service', 'b.service']", "After",
                      "as 2 crio.service b.service"},
        AnnotationRow{"EmptyList", "After", "@as []", "After", "as 0"},
        AnnotationRow{"Seconds", "TimeoutStopSec", "uint64 5", "TimeoutStopUSec", "t 5000000"},
        AnnotationRow{"Fraction", "RuntimeMaxSec", "1.5", "RuntimeMaxUSec", "t 1500000"}),
    row_name<AnnotationRow>);

struct WrongAnnotationRow {
  const char* name;
  const char* key;
  const char* value;
  const char* message;
};

class WrongUnitAnnotations : public ::testing::TestWithParam<WrongAnnotationRow> {};

TEST_P(WrongUnitAnnotations, AreRefused) {
  spec::Config config = small_config();
  const std::string key = cat("org.systemd.property.", GetParam().key);
  config.annotations[key] = GetParam().value;
  EXPECT_TRUE(fails_at(try_scope(config), cat("/annotations/", key),
                       cat("annotations[\"", key, "\"]: ", GetParam().message)));
  EXPECT_TRUE(is_ok(try_plan(config))) << "without systemd they mean nothing";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongUnitAnnotations,
    ::testing::Values(
        WrongAnnotationRow{"Command", "ExecStopPost", "'/bin/sh'",
                           "\"ExecStopPost\" is no property of a unit that an annotation may set"},
        WrongAnnotationRow{"OtherUnits", "OnFailure", "['reboot.target']", "\"OnFailure\" is no"},
        WrongAnnotationRow{"OtherProcesses", "PIDs", "[1]", "\"PIDs\" is no property"},
        WrongAnnotationRow{"OtherSlice", "Slice", "'-.slice'", "\"Slice\" is no property"},
        WrongAnnotationRow{"Machine", "FailureAction", "'reboot'", "\"FailureAction\" is no"},
        WrongAnnotationRow{"NoName", "", "1", "\"\" is no property"},
        WrongAnnotationRow{"NoQuotes", "Description", "text", "\"text\": expected a text in quo"},
        WrongAnnotationRow{"OpenQuote", "Description", "'text", "\"'text\": expected a text"},
        WrongAnnotationRow{"TwoTexts", "Description", "'a' 'b'", "\"'a' 'b'\": expected a text"},
        WrongAnnotationRow{"LineFeed", "Description", "'a\nb'", "\"'a\\x0ab'\": expected a text"},
        WrongAnnotationRow{"Escape", "Description", R"('a\n')", R"("'a\\n'": expected a text)"},
        WrongAnnotationRow{"OtherType", "TimeoutStopUSec", "int32 5", "\"int32 5\": expected a wh"},
        WrongAnnotationRow{"Negative", "TimeoutStopUSec", "-5", "\"-5\": expected a whole number"},
        WrongAnnotationRow{"TooMuch", "KillSignal", "4294967296", "\"4294967296\": expected a"},
        WrongAnnotationRow{"Empty", "KillSignal", "", "\"\": expected a whole number"},
        WrongAnnotationRow{"NotTrue", "SendSIGHUP", "1", "\"1\": expected true or false"},
        WrongAnnotationRow{"OpenList", "After", "['a'", "\"['a'\": expected texts in quotes"},
        WrongAnnotationRow{"NoComma", "After", "['a' 'b']", "\"['a' 'b']\": expected texts"},
        WrongAnnotationRow{"NegativeTime", "TimeoutStopSec", "-1", "\"-1\": expected a number of"},
        WrongAnnotationRow{"NoTime", "TimeoutStopSec", "nan", "\"nan\": expected a number of"}),
    row_name<WrongAnnotationRow>);

TEST(ScopeProperties, OfTheDocumentsLimitsWinOverAnnotations) {
  spec::Config config = limited_config();
  config.annotations["org.systemd.property.MemoryMax"] = "uint64 1";
  config.annotations["org.systemd.property.DefaultDependencies"] = "true";
  const ScopeStep scope = scope_of(config);
  EXPECT_EQ(property(scope, "MemoryMax"), "t 1073741824");
  EXPECT_EQ(property(scope, "DefaultDependencies"), "b true");
  EXPECT_EQ(std::ranges::count(scope.properties, "MemoryMax", &UnitProperty::name), 1);
}

TEST(Scope, OfAUserMayBeEnteredThroughSystemdAlone) {
  const std::string root = describe_text(try_scope(small_config()).value());
  EXPECT_EQ(root.find("have systemd"), std::string::npos) << root;
  const std::string user = describe_text(try_scope(small_config(), user_host()).value());
  EXPECT_NE(user.find("  have systemd put it into cgroup /sys/fs/cgroup/user.slice/"),
            std::string::npos)
      << user;
}

TEST(Scope, IsShownWithThePlan) {
  const std::string text = describe_text(try_scope(limited_config()).value());
  for (const char* line : {"start unit runtime-demo.scope in system.slice",
                           "unit property AllowedCPUs ay 2 3 128 (from systemd 244 on)",
                           "unit property Delegate b true"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " is not in\n" << text;
  }
}

}  // namespace
}  // namespace rt::plan::testing
