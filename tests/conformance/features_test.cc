// features.md, features-linux.md: what the command `features` says is so.
#include <linux/capability.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Features : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const Outcome outcome = runtime({"features"});
    ASSERT_TRUE(succeeds(outcome)) << "no command `features`";
    features_ = std::make_unique<Json>(outcome.out);
    ASSERT_TRUE(features_->valid()) << outcome.out;
  }
  [[nodiscard]] const Json& features() const { return *features_; }

  /// Every word of the list is there.
  void expect_words(const std::string& pointer, const std::vector<std::string>& words) {
    const std::set<std::string> all = words_at(features(), pointer);
    for (const std::string& word : words) EXPECT_TRUE(all.contains(word)) << pointer << ' ' << word;
  }

  static std::vector<uint64_t> numbers(const std::string& version) {
    std::vector<uint64_t> all;
    const std::string_view plain = std::string_view(version).substr(0, version.find_first_of("-+"));
    for (const std::string_view part : split(plain, '.')) {
      all.push_back(parse_uint(part).value_or(0));
    }
    return all;
  }

 private:
  std::unique_ptr<Json> features_;
};

TEST_F(Features, HaveTheVersionsOfTheSpecification) {
  const std::vector<uint64_t> lowest = numbers(features().at("/ociVersionMin"));
  const std::vector<uint64_t> highest = numbers(features().at("/ociVersionMax"));
  ASSERT_EQ(lowest.size(), 3U) << features().at("/ociVersionMin");
  ASSERT_EQ(highest.size(), 3U) << features().at("/ociVersionMax");
  EXPECT_LE(lowest, highest);
}

TEST_F(Features, AcceptDocumentsOfTheirVersions) {
  for (const char* which : {"/ociVersionMin", "/ociVersionMax"}) {
    config_.set_string("/ociVersion", features().at(which));
    EXPECT_TRUE(look().valid()) << which;
  }
}

TEST_F(Features, HaveTheSixKindsOfHooks) {
  expect_words("/hooks", {"prestart", "createRuntime", "createContainer", "startContainer",
                          "poststart", "poststop"});
}

TEST_F(Features, HaveTheMountOptionsOfTheSpecification) {
  expect_words("/mountOptions",
               {"async",      "atime",      "bind",       "defaults",      "dev",
                "diratime",   "dirsync",    "exec",       "iversion",      "lazytime",
                "loud",       "noatime",    "nodev",      "nodiratime",    "noexec",
                "noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid",
                "private",    "rbind",      "relatime",   "remount",       "ro",
                "rprivate",   "rshared",    "rslave",     "runbindable",   "rw",
                "shared",     "silent",     "slave",      "strictatime",   "suid",
                "sync",       "unbindable"});
}

TEST_F(Features, EachMountOptionIsUnderstood) {
  for (const std::string& word : words_at(features(), "/mountOptions")) {
    // These are not for a tmpfs alone.
    static const std::set<std::string> kOther = {"bind", "rbind", "remount", "idmap", "ridmap"};
    if (kOther.contains(word)) continue;
    Config before = config_;
    config_.mount("/tmp", "tmpfs", "tmpfs", {word});
    config_.args({"/probe"});
    const Outcome outcome = run();
    EXPECT_TRUE(succeeds(outcome)) << word;
    config_ = before;
  }
}

TEST_F(Features, HaveTheNamespaces) {
  expect_words("/linux/namespaces",
               {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"});
}

TEST_F(Features, EachNamespaceIsUnderstood) {
  for (const std::string& type : words_at(features(), "/linux/namespaces")) {
    config_.without_namespace(type);
    config_.add("/linux/namespaces", cat(R"({"type": ")", type, "\"}"));
  }
  constexpr const char* kMap = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])";
  config_.set("/linux/uidMappings", kMap).set("/linux/gidMappings", kMap);
  EXPECT_TRUE(look().valid());
}

TEST_F(Features, HaveTheCapabilities) {
  expect_words("/linux/capabilities", {"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_AUDIT_READ",
                                       "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"});
}

TEST_F(Features, EachCapabilityIsUnderstood) {
  std::set<std::string> all = words_at(features(), "/linux/capabilities");
  // Whether one that this machine lacks is an error is another row.
  if (!may(CAP_SYS_RESOURCE)) all.erase("CAP_SYS_RESOURCE");
  const std::vector<std::string> list(all.begin(), all.end());
  for (const char* set : {"bounding", "permitted", "effective"}) {
    config_.set(cat("/process/capabilities/", set), testing::json_strings(list));
  }
  EXPECT_EQ(words_at(look(), "/capabilities/bounding"), all);
}

TEST_F(Features, SayWhatIsThereOfCgroups) {
  for (const char* version : {"v1", "v2"}) {
    EXPECT_EQ(features().at(cat("/linux/cgroup/", version)), "true") << version;
  }
  // Optional: a runtime need not tell.
  for (const char* name : {"systemd", "systemdUser", "rdma"}) {
    const std::string had = features().at(cat("/linux/cgroup/", name));
    EXPECT_TRUE(had == "true" || had == "false" || had == "(absent)") << name << ": " << had;
  }
}

TEST_F(Features, HaveTheWordsOfSeccomp) {
  EXPECT_EQ(features().at("/linux/seccomp/enabled"), "true");
  expect_words("/linux/seccomp/actions",
               {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE",
                "SCMP_ACT_TRAP"});
  expect_words("/linux/seccomp/operators",
               {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
                "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"});
  expect_words("/linux/seccomp/archs", {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",
                                        "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"});
}

TEST_F(Features, EachWordOfSeccompIsUnderstood) {
  const auto accepts = [&](const std::string& section) {
    config_.set("/linux/seccomp", cat(R"({"defaultAction": "SCMP_ACT_ALLOW", )", section, '}'));
    config_.args({"/probe"});
    return succeeds(run());
  };
  const auto rule = [](const std::string& more) {
    return cat(R"("syscalls": [{"names": ["getpriority"], )", more, "}]");
  };
  for (const std::string& action : words_at(features(), "/linux/seccomp/actions")) {
    if (action == "SCMP_ACT_NOTIFY") continue;  // needs somebody to notify
    EXPECT_TRUE(accepts(rule(cat(R"("action": ")", action, '"')))) << action;
  }
  for (const std::string& name : words_at(features(), "/linux/seccomp/operators")) {
    EXPECT_TRUE(accepts(rule(cat(R"("action": "SCMP_ACT_ERRNO", "args": [{"index": 0, )",
                                 R"("value": 9, "op": ")", name, R"("}])"))))
        << name;
  }
}

TEST_F(Features, EachSeccompFlagThatIsSupportedWorks) {
  ASSERT_TRUE(features().has("/linux/seccomp/supportedFlags"));
  for (const std::string& flag : words_at(features(), "/linux/seccomp/supportedFlags")) {
    config_.set("/linux/seccomp", cat(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": [")", flag,
                                      R"("], "syscalls": [{"names": ["getpriority"],
                                          "action": "SCMP_ACT_ERRNO", "errnoRet": 76}]})"));
    EXPECT_EQ(look({"call=140:0:0"}).at("/calls/140:0:0/error"), "ENOTUNIQ") << flag;
  }
}

TEST_F(Features, SayThatIdMappedMountsWork) {
  EXPECT_EQ(features().at("/linux/mountExtensions/idmap/enabled"), "true");
}

TEST_F(Features, SayThatNetworkDevicesWork) {
  EXPECT_EQ(features().at("/linux/netDevices/enabled"), "true");
}

TEST_F(Features, HaveTheWordsOfMemoryPolicy) {
  expect_words("/linux/memoryPolicy/modes",
               {"MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
                "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL"});
  expect_words("/linux/memoryPolicy/flags",
               {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"});
}

TEST_F(Features, SayWhatIsThereOfSecurityModules) {
  for (const char* module : {"apparmor", "selinux"}) {
    const std::string enabled = features().at(cat("/linux/", module, "/enabled"));
    EXPECT_TRUE(enabled == "true" || enabled == "false") << module << ": " << enabled;
  }
}

TEST_F(Features, AnnotationsAreStringsWithNames) {
  const std::string text = features().at("/annotations");
  EXPECT_EQ(text.find("\"\":"), std::string::npos) << text;
}

}  // namespace
}  // namespace rt::conformance
