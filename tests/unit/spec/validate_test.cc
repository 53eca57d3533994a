// The rules of config.json, except of its "linux" section.
#include "spec/validate.h"

#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using testing::expect_rejected;
using testing::in_document;
using testing::in_process;
using testing::Rejection;
using testing::Rejects;

std::string with_version(std::string_view version) {
  return rt::cat("{\n\"root\": {\"path\": \"rootfs\"},\n\"ociVersion\": \"", version, "\"}");
}

using Versions = Rejects;
TEST_P(Versions, AreRefused) { expect_rejected(GetParam()); }

/// A mount whose uids are mapped by these entries, which begin on line 4.
std::string in_mapped(std::string_view entries) {
  return in_document(rt::cat(R"("mounts": [{"destination": "/a", "gidMappings":
            [{"containerID": 0, "hostID": 0, "size": 1}], "uidMappings": [)",
                             entries, "]}]"));
}

INSTANTIATE_TEST_SUITE_P(
    Validate, Versions,
    ::testing::Values(
        Rejection{"NotThreeNumbers", with_version("1.0"), "/ociVersion", 3, "not a version"},
        Rejection{"Empty", with_version(""), "/ociVersion", 3, "not a version"},
        Rejection{"LeadingZero", with_version("1.02.0"), "/ociVersion", 3, "not a version"},
        Rejection{"Letter", with_version("1.0.x"), "/ociVersion", 3, "not a version"},
        Rejection{"EmptyPrerelease", with_version("1.0.0-"), "/ociVersion", 3, "not a version"},
        Rejection{"BadPrerelease", with_version("1.0.0-a..b"), "/ociVersion", 3, "not a version"},
        Rejection{"ZeroInPrerelease", with_version("1.0.0-01"), "/ociVersion", 3, "not a version"},
        Rejection{"EmptyBuild", with_version("1.0.0+"), "/ociVersion", 3, "not a version"},
        Rejection{"Huge", with_version("99999999999999999999999.0.0"), "/ociVersion", 3,
                  "not a version"},
        Rejection{"NextMajor", with_version("2.0.0"), "/ociVersion", 3,
                  "version 2.0.0 is not compatible with 1.3.0"},
        Rejection{"BeforeTheFirst", with_version("0.5.0-dev"), "/ociVersion", 3,
                  "version 0.5.0-dev was never released", Severity::kWarning}),
    testing::name_of);

TEST(Versions, OfTheFirstMajorAreAccepted) {
  for (const char* version : {"1.0.0", "1.3.0", "1.99.7", "1.0.2-dev", "1.0.0-rc.1+build.5"}) {
    EXPECT_TRUE(load_config(with_version(version)).diagnostics.empty()) << version;
  }
}

using Top = Rejects;
TEST_P(Top, AreRefused) { expect_rejected(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Validate, Top,
    ::testing::Values(
        Rejection{"NoRoot", "{\"ociVersion\": \"1.3.0\"}", "", 1, "missing \"root\""},
        Rejection{"NoVersion", "{\"root\": {\"path\": \"/r\"}}", "", 1, "missing \"ociVersion\""},
        Rejection{"NoRootPath", "{\"ociVersion\": \"1.3.0\",\n\"root\": {}}", "/root", 2,
                  "missing \"path\""},
        Rejection{"EmptyRootPath", "{\"ociVersion\": \"1.3.0\",\n\"root\": {\"path\": \"\"}}",
                  "/root/path", 2, "the path is empty"},
        Rejection{"MountWithoutDestination", in_document(R"("mounts": [
            {"source": "/"}])"),
                  "/mounts/0", 4, "missing \"destination\""},
        Rejection{"MountEmptyDestination", in_document(R"("mounts": [{"destination": "/a"},
            {"destination": ""}])"),
                  "/mounts/1/destination", 4, "the destination is empty"},
        Rejection{"MountRelativeDestination", in_document(R"("mounts": [{"destination": "a"}])"),
                  "/mounts/0/destination", 3, "relative destinations are deprecated",
                  Severity::kWarning},
        Rejection{"MountEmptyOption", in_document(R"("mounts": [{"destination": "/a",
            "options": ["ro", ""]}])"),
                  "/mounts/0/options/1", 4, "the option is empty"},
        Rejection{"MountBindWithoutSource", in_document(R"("mounts": [{"destination": "/a",
            "options": ["rbind", "ro"]}])"),
                  "/mounts/0/source", 3, "a bind mount needs a source"},
        Rejection{"MountOfTypeBindWithoutSource", in_document(R"("mounts": [{"destination": "/a",
            "type": "bind", "source": ""}])"),
                  "/mounts/0/source", 4, "a bind mount needs a source"},
        Rejection{"MountUidsOnly", in_document(R"("mounts": [{"destination": "/a", "uidMappings":
            [{"containerID": 0, "hostID": 0, "size": 1}]}])"),
                  "/mounts/0/uidMappings", 4, "uidMappings without gidMappings"},
        Rejection{"MountGidsOnly", in_document(R"("mounts": [{"destination": "/a", "gidMappings":
            [{"containerID": 0, "hostID": 0, "size": 1}]}])"),
                  "/mounts/0/gidMappings", 4, "gidMappings without uidMappings"},
        Rejection{"MountMapsNothing", in_mapped(R"({"containerID": 0, "hostID": 0, "size": 0})"),
                  "/mounts/0/uidMappings/0/size", 4, "maps no id"},
        Rejection{"MountMapsOneIdTwice", in_mapped(R"({"containerID": 0, "hostID": 0, "size": 2},
                                {"containerID": 1, "hostID": 5, "size": 1})"),
                  "/mounts/0/uidMappings/1/containerID", 5, "the range overlaps"},
        Rejection{"MountMapsTwoIdsToOne", in_mapped(R"({"containerID": 0, "hostID": 5, "size": 1},
                                {"containerID": 1, "hostID": 0, "size": 6})"),
                  "/mounts/0/uidMappings/1/hostID", 5, "the range overlaps"},
        Rejection{"MountMapsBeyondTheLastId",
                  in_mapped(R"({"containerID": 0, "hostID": 4294967295, "size": 1})"),
                  "/mounts/0/uidMappings/0", 4, "the range goes beyond the last id"},
        Rejection{"MountIdmapFromNowhere", in_document(R"("mounts": [{"destination": "/a",
            "source": "/s", "options": ["bind", "idmap"]}])"),
                  "/mounts/0/options/1", 4, "\"idmap\" needs uidMappings and gidMappings, or"},
        Rejection{"MountRidmapFromNowhere", in_document(R"("mounts": [{"destination": "/a",
            "options": ["ridmap"]}], "linux": {"namespaces": [{"type": "mount"}]})"),
                  "/mounts/0/options/0", 4, "\"ridmap\" needs uidMappings and gidMappings, or"},
        Rejection{"HostnameOfTheHost", in_document(R"("hostname": "a")"), "/hostname", 3,
                  "needs a namespace of type \"uts\""},
        Rejection{"DomainnameOfTheHost", in_document(R"("domainname": "a")"), "/domainname", 3,
                  "needs a namespace of type \"uts\""},
        Rejection{"LongHostname",
                  in_document(rt::cat(R"("hostname": ")", std::string(65, 'a'),
                                      R"(", "linux": {"namespaces": [
            {"type": "uts"}]})")),
                  "/hostname", 3, "longer than 64 bytes: 65"},
        Rejection{"AnnotationWithoutName", in_document(R"("annotations": {"a": "b", "": "c"})"),
                  "/annotations/", 3, "the name of an annotation is empty"},
        Rejection{"HookRelative", in_document(R"("hooks": {"poststop": [{"path": "bin/x"}]})"),
                  "/hooks/poststop/0/path", 3, "expected an absolute path, found \"bin/x\""},
        Rejection{"HookTimeout",
                  in_document(R"("hooks": {"prestart": [{"path": "/x", "timeout": 0}]})"),
                  "/hooks/prestart/0/timeout", 3, "expected seconds greater than 0, found 0"},
        Rejection{"HookTimeoutNegative",
                  in_document(R"("hooks": {"poststop": [{"path": "/x", "timeout": -1}]})"),
                  "/hooks/poststop/0/timeout", 3, "expected seconds greater than 0, found -1"},
        Rejection{"HookTimeoutTooLong",
                  in_document(R"("hooks": {"poststart": [{"path": "/x", "timeout": 4294967296}]})"),
                  "/hooks/poststart/0/timeout", 3,
                  "expected at most 4294967295 seconds, found 4294967296"},
        Rejection{"HookTimeoutNoNumber",
                  in_document(R"("hooks": {"poststart": [{"path": "/x", "timeout": "5"}]})"),
                  "/hooks/poststart/0/timeout", 3, "expected "},
        Rejection{"HookPathEmpty", in_document(R"("hooks": {"createContainer": [{"path": ""}]})"),
                  "/hooks/createContainer/0/path", 3, "expected an absolute path, found \"\""},
        Rejection{"HookRelativeInTheContainer",
                  in_document(R"("hooks": {"startContainer": [{"path": "/x"}, {"path": "x"}]})"),
                  "/hooks/startContainer/1/path", 3, "expected an absolute path, found \"x\""},
        Rejection{"HookEnvironmentWithoutName",
                  in_document(R"("hooks": {"prestart": [{"path": "/x", "env": ["A=", "=b"]}]})"),
                  "/hooks/prestart/0/env/1", 3, "the name before = is empty: \"=b\""},
        Rejection{"HookWithoutPath", in_document(R"("hooks": {"createRuntime": [{}]})"),
                  "/hooks/createRuntime/0", 3, "missing \"path\""},
        Rejection{"HookEnvironment",
                  in_document(R"("hooks": {"poststart": [{"path": "/x", "env": ["A"]}]})"),
                  "/hooks/poststart/0/env/0", 3, "expected NAME=value, found \"A\""}),
    testing::name_of);

using ProcessRules = Rejects;
TEST_P(ProcessRules, AreKept) { expect_rejected(GetParam()); }

constexpr const char* kOtherProcess = "\"process\": ";

INSTANTIATE_TEST_SUITE_P(
    Basic, ProcessRules,
    ::testing::Values(
        Rejection{"NoCwd", in_document(rt::cat(kOtherProcess, R"({"args": ["sh"]})")), "/process",
                  3, "missing \"cwd\""},
        Rejection{"RelativeCwd",
                  in_document(rt::cat(kOtherProcess, R"({"args": ["sh"], "cwd": "tmp"})")),
                  "/process/cwd", 3, "expected an absolute path, found \"tmp\""},
        Rejection{"NoArgs", in_document(rt::cat(kOtherProcess, R"({"cwd": "/"})")), "/process", 3,
                  "missing \"args\""},
        Rejection{"EmptyArgs", in_document(rt::cat(kOtherProcess, R"({"cwd": "/", "args": []})")),
                  "/process/args", 3, "at least one entry is required"},
        Rejection{"EmptyProgram",
                  in_document(rt::cat(kOtherProcess, R"({"cwd": "/", "args": [""]})")),
                  "/process/args/0", 3, "the program to run is empty"},
        Rejection{"EnvWithoutEquals", in_process(R"("env": ["A=b",
            "PATH"])"),
                  "/process/env/1", 5, "expected NAME=value, found \"PATH\""},
        Rejection{"EnvWithoutName", in_process(R"("env": ["=b"])"), "/process/env/0", 4,
                  "the name before = is empty"},
        Rejection{"RlimitUnknown",
                  in_process(R"("rlimits": [{"type": "RLIMIT_NOFILES", "soft": 1, "hard": 1}])"),
                  "/process/rlimits/0/type", 4,
                  "unknown resource limit \"RLIMIT_NOFILES\"; did you mean \"RLIMIT_NOFILE\"?"},
        Rejection{"RlimitTwice",
                  in_process(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1},
            {"type": "RLIMIT_CPU", "soft": 1, "hard": 1}])"),
                  "/process/rlimits/1/type", 5, "RLIMIT_CPU is there twice"},
        Rejection{"RlimitSoftAboveHard",
                  in_process(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}])"),
                  "/process/rlimits/0", 4, "the soft limit 2 is above the hard limit 1"},
        Rejection{"RlimitWithoutHard",
                  in_process(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 2}])"),
                  "/process/rlimits/0", 4, "missing \"hard\""},
        Rejection{"Uid", in_process(R"("user": {"uid": 4294967295, "gid": 0})"),
                  "/process/user/uid", 4, "4294967295 is no id"},
        Rejection{"Gid", in_process(R"("user": {"uid": 0, "gid": 4294967295})"),
                  "/process/user/gid", 4, "4294967295 is no id"},
        Rejection{"AdditionalGid",
                  in_process(R"("user": {"uid": 0, "gid": 0, "additionalGids": [5, 4294967295]})"),
                  "/process/user/additionalGids/1", 4, "4294967295 is no id"},
        Rejection{"Umask", in_process(R"("user": {"uid": 0, "gid": 0, "umask": 512})"),
                  "/process/user/umask", 4, "expected 0 to 511 (octal 777), found 512"},
        Rejection{"UserWithoutGid", in_process(R"("user": {"uid": 0})"), "/process/user", 4,
                  "missing \"gid\""}),
    testing::name_of);

INSTANTIATE_TEST_SUITE_P(
    OfLinux, ProcessRules,
    ::testing::Values(
        Rejection{"UnknownCapability", in_process(R"("capabilities": {"bounding": ["CHOWN"]})"),
                  "/process/capabilities/bounding/0", 4,
                  "unknown capability \"CHOWN\" is not granted; did you mean \"CAP_CHOWN\"?",
                  Severity::kWarning},
        Rejection{"UnknownAmbient",
                  in_process(R"("capabilities": {"ambient": ["CAP_KILL", "CAP_ZZZZZZZZ"]})"),
                  "/process/capabilities/ambient/1", 4, "unknown capability", Severity::kWarning},
        Rejection{"OomScoreHigh", in_process(R"("oomScoreAdj": 1001)"), "/process/oomScoreAdj", 4,
                  "expected -1000 to 1000, found 1001"},
        Rejection{"OomScoreLow", in_process(R"("oomScoreAdj": -1001)"), "/process/oomScoreAdj", 4,
                  "expected -1000 to 1000, found -1001"}),
    testing::name_of);

TEST(Process, ConsoleSizeIsIgnoredWithoutATerminal) {
  const std::string text = in_process(R"("consoleSize": {"height": 70000})");
  const Loaded loaded = load_config(text);
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_TRUE(loaded.diagnostics.empty());
  EXPECT_FALSE(loaded.config->process->console_size.has_value());
}

TEST(Process, AloneIsValidatedWithPointersOfItsOwn) {
  const LoadedProcess loaded = load_process(R"({"cwd": "x", "args": ["sh"]})");
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].pointer, "/cwd");
  EXPECT_FALSE(loaded.process.has_value());
  EXPECT_TRUE(load_process(R"({"cwd": "/", "args": ["sh"]})").process.has_value());
}

}  // namespace
}  // namespace spec
