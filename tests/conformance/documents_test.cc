// config.md, "Specification version", "Annotations", "Extensibility", "Valid values"; bundle.md;
// glossary.md, "JSON".
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Documents : public Conformance {
 protected:
  /// create of the document as it is in the bundle.
  [[nodiscard]] bool accepts_text(const std::string& text) {
    write(bundle() + "/config.json", text);
    return runtime({"create", "--bundle", bundle(), id()}).exit_code == 0;
  }
};

TEST_F(Documents, UnknownMembersAreIgnored) {
  config_.set("/futureProperty", R"({"nested": [1, 2]})");
  config_.set("/process/futureProperty", "true");
  config_.set("/linux/futureProperty", "[]");
  EXPECT_TRUE(look().valid());
}

TEST_F(Documents, UnknownAnnotationsAreNoError) {
  config_.set("/annotations", R"({"org.example.unknown": "x", "no-domain": "", "a.b": "{}"})");
  EXPECT_TRUE(look().valid());
}

TEST_F(Documents, AnnotationsReachTheState) {
  config_.set("/annotations", R"({"org.example.unknown": "x"})");
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(state().at("/annotations/org.example.unknown"), "x");
  end();
}

TEST_F(Documents, AreFoundInTheWorkingDirectory) {
  config_.args({"/probe"});
  write_config();
  Call call;
  call.cwd = bundle();
  EXPECT_TRUE(succeeds(runtime({"run", id()}, call)));
}

TEST_F(Documents, ThatAreNoJsonAreAnError) {
  EXPECT_FALSE(accepts_text("{\"ociVersion\": "));
  EXPECT_FALSE(accepts_text(""));
  EXPECT_FALSE(exists());
}

TEST_F(Documents, WithTheSameNameTwiceAreAnError) {
  std::string text = config_.text();
  text.insert(1, R"("hostname": "first", )");
  EXPECT_FALSE(accepts_text(text));
}

TEST_F(Documents, ThatAreNoUtf8AreAnError) {
  config_.set_string("/hostname", "NAME");
  std::string text = config_.text();
  text.replace(text.find("NAME"), 4, "\xff\xfe");
  EXPECT_FALSE(accepts_text(text));
}

class Version : public Documents, public ::testing::WithParamInterface<const char*> {};

TEST_P(Version, OfTheSameMajorIsAccepted) {
  config_.set_string("/ociVersion", GetParam());
  EXPECT_TRUE(look().valid());
}

INSTANTIATE_TEST_SUITE_P(Documents, Version,
                         ::testing::Values("1.0.0", "1.0.2", "1.1.0", "1.2.0", "1.2.1", "1.3.0",
                                           "1.99.0", "1.0.2-dev", "1.0.1+meta"),
                         [](const auto& info) {
                           std::string name;
                           for (const char c : std::string_view(info.param)) {
                             name += std::isalnum(c) ? c : '_';
                           }
                           return name;
                         });

struct Wrong {
  const char* name;
  const char* pointer;
  const char* value;  // null: the member is taken out
};

class WrongValue : public Documents, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongValue, IsAnError) {
  const Wrong& wrong = GetParam();
  if (wrong.value == nullptr) {
    config_.erase(wrong.pointer);
  } else {
    config_.set(wrong.pointer, wrong.value);
  }
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(
    Documents, WrongValue,
    ::testing::Values(
        Wrong{"NoVersion", "/ociVersion", nullptr},
        Wrong{"VersionIsNone", "/ociVersion", "\"new\""},
        Wrong{"VersionOfAnotherMajor", "/ociVersion", "\"2.0.0\""},
        Wrong{"VersionIsANumber", "/ociVersion", "1"},
        Wrong{"RootIsAString", "/root", "\"rootfs\""}, Wrong{"NoRootPath", "/root/path", nullptr},
        Wrong{"RootPathIsANumber", "/root/path", "7"},
        Wrong{"ReadonlyIsAString", "/root/readonly", "\"yes\""},
        Wrong{"MountsIsAnObject", "/mounts", "{}"},
        Wrong{"MountOptionsIsAString", "/mounts/0/options", "\"ro\""},
        Wrong{"ArgsIsAString", "/process/args", "\"/probe\""},
        Wrong{"ArgsHasANumber", "/process/args", "[\"/probe\", 1]"},
        Wrong{"EnvIsAnObject", "/process/env", "{\"A\": \"b\"}"},
        Wrong{"TerminalIsAString", "/process/terminal", "\"no\""},
        Wrong{"UidIsNegative", "/process/user/uid", "-1"},
        Wrong{"UidIsAString", "/process/user/uid", "\"root\""},
        Wrong{"UidIsTooBig", "/process/user/uid", "4294967296"},
        Wrong{"RlimitWithoutASoftValue", "/process/rlimits",
              R"([{"type": "RLIMIT_CORE", "hard": 1}])"},
        Wrong{"RlimitWithoutAType", "/process/rlimits", R"([{"soft": 1, "hard": 1}])"},
        Wrong{"OomScoreIsTooBig", "/process/oomScoreAdj", "1001"},
        Wrong{"CapabilitiesIsAnArray", "/process/capabilities", "[\"CAP_KILL\"]"},
        Wrong{"NoNewPrivilegesIsANumber", "/process/noNewPrivileges", "1"},
        Wrong{"SchedulerWithoutAPolicy", "/process/scheduler", R"({"nice": 1})"},
        Wrong{"IoPriorityOutOfRange", "/process/ioPriority",
              R"({"class": "IOPRIO_CLASS_BE", "priority": 8})"},
        Wrong{"ConsoleSizeWithoutHeight", "/process",
              R"({"terminal": true, "cwd": "/", "args": ["/probe"], "user": {"uid": 0, "gid": 0},
                  "consoleSize": {"width": 80}})"},
        Wrong{"HostnameIsANumber", "/hostname", "7"},
        Wrong{"AnnotationIsANumber", "/annotations", R"({"key": 7})"},
        Wrong{"AnnotationHasNoKey", "/annotations", R"({"": "value"})"},
        Wrong{"NamespacesIsAnObject", "/linux/namespaces", "{}"},
        Wrong{"MappingWithoutASize", "/linux",
              R"({"namespaces": [{"type": "mount"}, {"type": "user"}],
                  "uidMappings": [{"containerID": 0, "hostID": 1}],
                  "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]})"},
        Wrong{"RootPropagationIsNone", "/linux/rootfsPropagation", "\"everywhere\""},
        Wrong{"SysctlIsANumber", "/linux/sysctl", R"({"net.ipv4.ip_forward": 1})"},
        Wrong{"HooksOfOneKindAreAnObject", "/hooks", R"({"poststop": {"path": "/bin/true"}})"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace rt::conformance
