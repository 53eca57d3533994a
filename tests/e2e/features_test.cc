// The features document, taken at its word: what it lists is accepted, what it does not list is
// refused. features.md, features-linux.md.
#include <sched.h>
#include <sys/mount.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Features : public Container {
 protected:
  [[nodiscard]] Json features() const {
    const Outcome outcome = runtime({"features"});
    EXPECT_TRUE(succeeds(outcome));
    return Json(outcome.out);
  }

  /// What is said against the config: nothing, or the first complaint.
  [[nodiscard]] std::string complaint(const Config& config) const {
    write_config(config.text());
    const Json found(runtime({"validate", "--format", "json", bundle()}).out);
    if (found.size("/diagnostics") != 0) return found.at("/diagnostics/0/message");
    const Outcome planned = runtime({"plan", "--format", "json", bundle()});
    return planned.exit_code == 0 ? "" : planned.err;
  }
};

TEST_F(Features, AreJsonAndNothingElse) {
  const Outcome outcome = runtime({"features"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.err, "");
  const Json features(outcome.out);
  ASSERT_TRUE(features.valid()) << outcome.out;
  EXPECT_EQ(features.at("/ociVersionMin"), "1.0.0");
  EXPECT_EQ(features.at("/ociVersionMax"), "1.3.0");
  EXPECT_EQ(features.at("/linux/mountExtensions/idmap/enabled"), "true");
  EXPECT_EQ(features.at("/linux/netDevices/enabled"), "true");
  EXPECT_EQ(features.at("/potentiallyUnsafeConfigAnnotations/0"), "org.systemd.property.");
  const std::string version = runtime({"--version"}).out;
  EXPECT_NE(version.find(cat("\ncommit: ", features.at("/annotations/runtime.commit"), '\n')),
            std::string::npos);
}

TEST_F(Features, NeedNoPrivilegesAndNoProc) {
  const std::string all = runtime({"features"}).out;
  EXPECT_EQ(runtime_as(65534, {"features"}).out, all);
  Call call;
  call.before_exec = [] {
    const bool hidden = ::unshare(CLONE_NEWNS) == 0 &&
                        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        ::mount("none", "/proc", "tmpfs", 0, nullptr) == 0;
    if (!hidden) ::_exit(99);
  };
  const Outcome outcome = runtime({"features"}, call);
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, all);
}

TEST_F(Features, HaveVersionsThatAConfigMayHave) {
  const Json all = features();
  for (const char* pointer : {"/ociVersionMin", "/ociVersionMax"}) {
    Config config;
    EXPECT_EQ(complaint(config.set_string("/ociVersion", all.at(pointer))), "");
  }
}

/// A list of the features document, and a place of a config for one of its words.
struct List {
  const char* name;
  const char* pointer;
  void (*ask)(Config& config, const std::string& word);
  const char* unlisted;  // what is said of a word that the list does not have
};

class Lists : public Features, public ::testing::WithParamInterface<List> {};

TEST_P(Lists, AreWhatAConfigMayAskFor) {
  const Json all = features();
  const std::string pointer = GetParam().pointer;
  EXPECT_GT(all.size(pointer), 0U);
  for (size_t i = 0; i < all.size(pointer); ++i) {
    const std::string word = all.at(cat(pointer, '/', i));
    Config config;
    GetParam().ask(config, word);
    EXPECT_EQ(complaint(config), "") << word;
  }
  Config config;
  GetParam().ask(config, "nonsense");
  EXPECT_NE(complaint(config).find(GetParam().unlisted), std::string::npos) << complaint(config);
}

void ask_for_hook(Config& config, const std::string& word) {
  config.set(cat("/hooks/", word), R"([{"path": "/bin/true"}])");
}

/// On a bind mount: there is no file system that could take what nobody else knows.
void ask_for_mount_option(Config& config, const std::string& word) {
  if (word == "tmpcopyup") {
    config.mount("/data", "tmpfs", "tmpfs", {word});
    return;
  }
  config.mount("/data", "none", "/tmp", {"bind", word});
  if (word != "idmap" && word != "ridmap") return;
  constexpr const char* kMapping = R"([{"containerID": 0, "hostID": 1000, "size": 1}])";
  config.set("/mounts/6/uidMappings", kMapping).set("/mounts/6/gidMappings", kMapping);
}

void ask_for_namespace(Config& config, const std::string& word) {
  config.without_namespace(word);
  if (word == "user") {
    config.user_namespace();
  } else {
    config.add("/linux/namespaces", cat("{\"type\": ", json_string(word), '}'));
  }
}

void ask_for_capability(Config& config, const std::string& word) {
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    config.set(cat("/process/capabilities/", set), json_strings({word}));
  }
}

void ask_for_seccomp(Config& config, std::string_view pointer, std::string_view value) {
  config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/listener",
      "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
                    "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]})");
  config.set(cat("/linux/seccomp/", pointer), value);
}

void ask_for_memory_policy(Config& config, const std::string& word) {
  const bool no_nodes = word == "MPOL_DEFAULT" || word == "MPOL_LOCAL";
  config.set_string("/linux/memoryPolicy/mode", word);
  if (!no_nodes) config.set_string("/linux/memoryPolicy/nodes", "0");
}

void ask_for_memory_policy_flag(Config& config, const std::string& word) {
  ask_for_memory_policy(config, "MPOL_BIND");
  config.set("/linux/memoryPolicy/flags", json_strings({word}));
}

INSTANTIATE_TEST_SUITE_P(
    Of, Lists,
    ::testing::Values(
        List{"Hooks", "/hooks", ask_for_hook, "unknown member"},
        List{"MountOptions", "/mountOptions", ask_for_mount_option, "unknown option"},
        List{"Namespaces", "/linux/namespaces", ask_for_namespace, "unknown namespace type"},
        List{"Capabilities", "/linux/capabilities", ask_for_capability, "unknown capability"},
        List{"SeccompActions", "/linux/seccomp/actions",
             [](auto& config, auto& word) {
               ask_for_seccomp(config, "syscalls/0/action", json_string(word));
             },
             "unknown seccomp action"},
        List{"SeccompOperators", "/linux/seccomp/operators",
             [](auto& config, auto& word) {
               ask_for_seccomp(config, "syscalls/0/args/0/op", json_string(word));
             },
             "unknown operator"},
        List{"SeccompArchitectures", "/linux/seccomp/archs",
             [](auto& config, auto& word) {
               ask_for_seccomp(config, "architectures", json_strings({word}));
             },
             "unknown seccomp architecture"},
        List{"SeccompKnownFlags", "/linux/seccomp/knownFlags",
             [](auto& config, auto& word) {
               ask_for_seccomp(config, "flags", json_strings({word}));
             },
             "unknown seccomp flag"},
        List{"SeccompSupportedFlags", "/linux/seccomp/supportedFlags",
             [](auto& config, auto& word) {
               ask_for_seccomp(config, "flags", json_strings({word}));
             },
             "unknown seccomp flag"},
        List{"MemoryPolicyModes", "/linux/memoryPolicy/modes", ask_for_memory_policy,
             "unknown memory policy"},
        List{"MemoryPolicyFlags", "/linux/memoryPolicy/flags", ask_for_memory_policy_flag,
             "unknown memory policy flag"}),
    [](const auto& info) { return std::string(info.param.name); });

/// supportedFlags: not only understood.
TEST_F(Features, OfSeccompFlagsThatAreSupportedWork) {
  const Json all = features();
  for (size_t i = 0; i < all.size("/linux/seccomp/supportedFlags"); ++i) {
    const std::string flag = all.at(cat("/linux/seccomp/supportedFlags/", i));
    config_.set("/linux/seccomp", cat(R"({"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}], "flags": )",
                                      json_strings({flag}), '}'));
    EXPECT_TRUE(succeeds(run())) << flag;
  }
}

}  // namespace
}  // namespace rt::testing
