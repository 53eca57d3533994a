// Every member that the specification marks REQUIRED in config.json, missing.
#include "tests/unit/spec/rejections.h"

namespace spec {
namespace {

using rt::cat;
using testing::in_document;
using testing::in_linux;
using testing::in_process;
using testing::in_resources;

/// A document that lacks one member, and the object that should have it.
struct Lacking {
  const char* name;  // of the test
  std::string text;
  std::string pointer;
  const char* member;
};

class Required : public ::testing::TestWithParam<Lacking> {};

TEST_P(Required, MembersThatAreMissingAreErrors) {
  const Loaded loaded = load_config(GetParam().text);
  ASSERT_EQ(loaded.diagnostics.size(), 1U) << render_text(loaded.diagnostics, GetParam().text, "c");
  EXPECT_EQ(loaded.diagnostics[0].pointer, GetParam().pointer);
  EXPECT_EQ(loaded.diagnostics[0].message, cat("missing \"", GetParam().member, '"'));
  EXPECT_FALSE(loaded.config.has_value());
}

std::string name_of_case(const ::testing::TestParamInfo<Lacking>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Config, Required,
    ::testing::Values(
        Lacking{"OciVersion", R"({"root": {"path": "/r"}})", "", "ociVersion"},
        Lacking{"Root", R"({"ociVersion": "1.3.0"})", "", "root"},
        Lacking{"RootPath", R"({"ociVersion": "1.3.0", "root": {}})", "/root", "path"},
        Lacking{"MountDestination", in_document(R"("mounts": [{"source": "/"}])"), "/mounts/0",
                "destination"},
        Lacking{"HookPath", in_document(R"("hooks": {"poststop": [{"args": ["a"]}]})"),
                "/hooks/poststop/0", "path"}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Process, Required,
    ::testing::Values(
        Lacking{"Cwd", in_document(R"("process": {"args": ["sh"]})"), "/process", "cwd"},
        Lacking{"Args", in_document(R"("process": {"cwd": "/"})"), "/process", "args"},
        Lacking{"ConsoleHeight", in_process(R"("terminal": true, "consoleSize": {"width": 80})"),
                "/process/consoleSize", "height"},
        Lacking{"ConsoleWidth", in_process(R"("terminal": true, "consoleSize": {"height": 25})"),
                "/process/consoleSize", "width"},
        Lacking{"RlimitType", in_process(R"("rlimits": [{"soft": 1, "hard": 1}])"),
                "/process/rlimits/0", "type"},
        Lacking{"RlimitSoft", in_process(R"("rlimits": [{"type": "RLIMIT_CPU", "hard": 1}])"),
                "/process/rlimits/0", "soft"},
        Lacking{"RlimitHard", in_process(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 1}])"),
                "/process/rlimits/0", "hard"},
        Lacking{"Uid", in_process(R"("user": {"gid": 0})"), "/process/user", "uid"},
        Lacking{"Gid", in_process(R"("user": {"uid": 0})"), "/process/user", "gid"},
        Lacking{"SchedulerPolicy", in_process(R"("scheduler": {"nice": 1})"), "/process/scheduler",
                "policy"},
        Lacking{"IoClass", in_process(R"("ioPriority": {"priority": 1})"), "/process/ioPriority",
                "class"},
        Lacking{"IoPriority", in_process(R"("ioPriority": {"class": "IOPRIO_CLASS_BE"})"),
                "/process/ioPriority", "priority"}),
    name_of_case);

std::string in_user_namespace(std::string_view uid_mapping) {
  return in_linux(cat(R"("namespaces": [{"type": "user"}],
      "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
      "uidMappings": [)",
                      uid_mapping, ']'));
}

INSTANTIATE_TEST_SUITE_P(
    Linux, Required,
    ::testing::Values(
        Lacking{"NamespaceType", in_linux(R"("namespaces": [{"path": "/proc/1/ns/net"}])"),
                "/linux/namespaces/0", "type"},
        Lacking{"MappingContainerId", in_user_namespace(R"({"hostID": 0, "size": 1})"),
                "/linux/uidMappings/0", "containerID"},
        Lacking{"MappingHostId", in_user_namespace(R"({"containerID": 0, "size": 1})"),
                "/linux/uidMappings/0", "hostID"},
        Lacking{"MappingSize", in_user_namespace(R"({"containerID": 0, "hostID": 0})"),
                "/linux/uidMappings/0", "size"},
        Lacking{"DeviceType", in_linux(R"("devices": [{"path": "/d", "major": 1, "minor": 1}])"),
                "/linux/devices/0", "type"},
        Lacking{"DevicePath", in_linux(R"("devices": [{"type": "c", "major": 1, "minor": 1}])"),
                "/linux/devices/0", "path"},
        Lacking{"DeviceMajor", in_linux(R"("devices": [{"type": "c", "path": "/d", "minor": 1}])"),
                "/linux/devices/0", "major"},
        Lacking{"DeviceMinor", in_linux(R"("devices": [{"type": "b", "path": "/d", "major": 1}])"),
                "/linux/devices/0", "minor"},
        Lacking{"PolicyMode", in_linux(R"("memoryPolicy": {"nodes": "0"})"), "/linux/memoryPolicy",
                "mode"},
        Lacking{"PersonalityDomain", in_linux(R"("personality": {"flags": []})"),
                "/linux/personality", "domain"}),
    name_of_case);

std::string with_seccomp_rule(std::string_view rule) {
  return in_linux(
      cat(R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [)", rule, "]}"));
}

std::string with_seccomp_argument(std::string_view argument) {
  return with_seccomp_rule(
      cat(R"({"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [)", argument, "]}"));
}

INSTANTIATE_TEST_SUITE_P(
    Seccomp, Required,
    ::testing::Values(
        Lacking{"SeccompDefaultAction", in_linux(R"("seccomp": {"syscalls": []})"),
                "/linux/seccomp", "defaultAction"},
        Lacking{"SeccompNames", with_seccomp_rule(R"({"action": "SCMP_ACT_ERRNO"})"),
                "/linux/seccomp/syscalls/0", "names"},
        Lacking{"SeccompAction", with_seccomp_rule(R"({"names": ["read"]})"),
                "/linux/seccomp/syscalls/0", "action"},
        Lacking{"SeccompIndex", with_seccomp_argument(R"({"value": 0, "op": "SCMP_CMP_EQ"})"),
                "/linux/seccomp/syscalls/0/args/0", "index"},
        Lacking{"SeccompValue", with_seccomp_argument(R"({"index": 0, "op": "SCMP_CMP_EQ"})"),
                "/linux/seccomp/syscalls/0/args/0", "value"},
        Lacking{"SeccompOperator", with_seccomp_argument(R"({"index": 0, "value": 0})"),
                "/linux/seccomp/syscalls/0/args/0", "op"}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Resources, Required,
    ::testing::Values(
        Lacking{"DeviceRuleAllow", in_resources(R"("devices": [{"access": "r"}])"),
                "/linux/resources/devices/0", "allow"},
        Lacking{"WeightMajor",
                in_resources(R"("blockIO": {"weightDevice": [{"minor": 0, "weight": 10}]})"),
                "/linux/resources/blockIO/weightDevice/0", "major"},
        Lacking{"WeightMinor",
                in_resources(R"("blockIO": {"weightDevice": [{"major": 8, "weight": 10}]})"),
                "/linux/resources/blockIO/weightDevice/0", "minor"},
        Lacking{"BytesMajor",
                in_resources(R"("blockIO": {"throttleReadBpsDevice": [{"minor": 0, "rate": 1}]})"),
                "/linux/resources/blockIO/throttleReadBpsDevice/0", "major"},
        Lacking{
            "BytesRate",
            in_resources(R"("blockIO": {"throttleWriteBpsDevice": [{"major": 8, "minor": 0}]})"),
            "/linux/resources/blockIO/throttleWriteBpsDevice/0", "rate"},
        Lacking{"OperationsMinor",
                in_resources(R"("blockIO": {"throttleReadIOPSDevice": [{"major": 8, "rate": 1}]})"),
                "/linux/resources/blockIO/throttleReadIOPSDevice/0", "minor"},
        Lacking{
            "OperationsRate",
            in_resources(R"("blockIO": {"throttleWriteIOPSDevice": [{"major": 8, "minor": 0}]})"),
            "/linux/resources/blockIO/throttleWriteIOPSDevice/0", "rate"},
        Lacking{"HugepageSize", in_resources(R"("hugepageLimits": [{"limit": 1}])"),
                "/linux/resources/hugepageLimits/0", "pageSize"},
        Lacking{"HugepageLimit", in_resources(R"("hugepageLimits": [{"pageSize": "2MB"}])"),
                "/linux/resources/hugepageLimits/0", "limit"},
        Lacking{"PriorityName", in_resources(R"("network": {"priorities": [{"priority": 1}]})"),
                "/linux/resources/network/priorities/0", "name"},
        Lacking{"PriorityOfInterface",
                in_resources(R"("network": {"priorities": [{"name": "a"}]})"),
                "/linux/resources/network/priorities/0", "priority"}),
    name_of_case);

}  // namespace
}  // namespace spec
