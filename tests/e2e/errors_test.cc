// What a failure looks like: one line for people, one JSON object for programs.
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Errors : public Container {
 protected:
  [[nodiscard]] std::string log_file() const { return directory() + "/log"; }

  /// A create with a log of its own.
  Outcome create_logged(const char* format = "json") const {
    write_config();
    Call call;
    call.args = {"--root", state_root(), "--log",    log_file(), "--log-format",
                 format,   "create",     "--bundle", bundle(),   id()};
    return run_program(runtime_binary(), call);
  }
};

TEST_F(Errors, AreOneJsonObjectInTheLog) {
  config_.mount("/tmp/x", "bind", "/no/such/source", {"bind"});
  const Outcome outcome = create_logged();
  EXPECT_EQ(outcome.exit_code, 1);
  const std::string log = read(log_file());
  // Podman decodes the whole file as one object.
  const Json error(log);
  ASSERT_TRUE(error.valid()) << log;
  EXPECT_EQ(error.at("/level"), "error");
  EXPECT_EQ(error.at("/step"), "host objects");
  EXPECT_EQ(error.at("/pointer"), "/mounts/6");
  EXPECT_EQ(error.at("/errno"), "2");
  EXPECT_NE(error.at("/syscall"), "(absent)");
  EXPECT_NE(error.at("/msg").find("no such file or directory"), std::string::npos);
  // 2006-01-02T15:04:05Z at the least
  EXPECT_GE(error.at("/time").size(), 20U);
  EXPECT_EQ(error.at("/time")[10], 'T');
  EXPECT_TRUE(log.ends_with("}\n"));
}

TEST_F(Errors, AreOneLineOnStandardErrorToo) {
  config_.args({"nope"});
  const Outcome outcome = create_logged();
  const Json error(read(log_file()));
  EXPECT_NE(outcome.err.find(error.at("/msg")), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Errors, NameTheStepAndThePlaceInTheDocument) {
  config_.mount("/tmp/x", "tmpfs", "tmpfs", {"size=nonsense"});
  const Outcome outcome = create_logged();
  const Json error(read(log_file()));
  EXPECT_EQ(error.at("/pointer"), "/mounts/6") << error.text();
  EXPECT_EQ(error.at("/step"), "prepare mounts") << error.text();
  EXPECT_NE(outcome.err.find("/mounts/6"), std::string::npos) << outcome.err;
}

TEST_F(Errors, AreAppended) {
  config_.args({"nope"});
  create_logged();
  create_logged();
  const std::string log = read(log_file());
  const size_t end = log.find('\n');
  ASSERT_NE(end, std::string::npos);
  EXPECT_TRUE(Json(std::string_view(log).substr(0, end)).valid());
  EXPECT_TRUE(Json(std::string_view(log).substr(end + 1)).valid());
}

TEST_F(Errors, CanBeText) {
  config_.args({"nope"});
  create_logged("text");
  const std::string log = read(log_file());
  EXPECT_TRUE(log.starts_with("time=\"")) << log;
  EXPECT_NE(log.find(" level=error msg=\""), std::string::npos) << log;
}

TEST_F(Errors, LeaveNoErrorInTheLogWhenThereIsNone) {
  EXPECT_TRUE(succeeds(create_logged()));
  if (exists(log_file())) {
    EXPECT_EQ(read(log_file()).find("error"), std::string::npos);
  }
  EXPECT_TRUE(succeeds(remove()));
}

TEST_F(Errors, InNamesFromTheDocumentCannotForgeALine) {
  config_.args({"no\nruntime: forged\x1b[31m"});
  const Outcome outcome = create_logged();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
  EXPECT_TRUE(Json(read(log_file())).valid());
}

TEST_F(Errors, OfALogThatCannotBeWrittenAreStillOnStandardError) {
  config_.args({"nope"});
  write_config();
  Call call;
  call.args = {"--root", state_root(), "--log", "/no/such/directory/log", "create", id(), bundle()};
  const Outcome outcome = run_program(runtime_binary(), call);
  EXPECT_TRUE(fails_saying(outcome, "executable file not found in $PATH"));
}

struct Usage {
  const char* what;
  std::vector<std::string> args;
  const char* says;
};

class UsageErrors : public Container, public ::testing::WithParamInterface<Usage> {};

TEST_P(UsageErrors, AreSaid) {
  EXPECT_TRUE(fails_saying(runtime(GetParam().args), GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, UsageErrors,
    ::testing::Values(
        Usage{"Nothing", {}, "command"}, Usage{"Unknown", {"craete"}, "create"},
        Usage{"NoId", {"create"}, "create"}, Usage{"Option", {"state", "--nope"}, "--nope"},
        Usage{"TooMany", {"state", "a", "b"}, "\"b\""},
        Usage{"NoValue", {"create", "--bundle"}, "flag needs an argument"},
        Usage{"Format", {"list", "--format", "xml"}, "xml"},
        Usage{"NoBundle", {"create", "x", "/no/such/bundle"}, "no such file or directory"}),
    [](const auto& info) { return std::string(info.param.what); });

TEST_F(Errors, OfTheVersionAndHelpThereAreNone) {
  const Outcome version = runtime({"--version"});
  EXPECT_TRUE(succeeds(version));
  EXPECT_TRUE(version.out.starts_with("runtime version ")) << version.out;
  EXPECT_NE(version.out.find("\nspec: 1."), std::string::npos) << version.out;
  for (const char* command :
       {"create", "start", "state", "kill", "delete", "run", "list", "spec", "validate", "plan"}) {
    const Outcome help = runtime({command, "--help"});
    EXPECT_TRUE(succeeds(help));
    EXPECT_NE(help.out.find(command), std::string::npos);
    EXPECT_NE(runtime({"--help"}).out.find(command), std::string::npos);
  }
}

/// What a program can find in a place, and where the error must point.
struct BadConfig {
  const char* what;
  const char* text;
};

class BadConfigs : public Container, public ::testing::WithParamInterface<BadConfig> {};

TEST_P(BadConfigs, AreRefusedAndNothingIsMade) {
  write_config(GetParam().text);
  const Outcome outcome = runtime({"create", id(), bundle()});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_NE(outcome.err, "");
  EXPECT_EQ(runtime({"validate", bundle()}).exit_code, 1);
  EXPECT_EQ(runtime({"plan", bundle()}).exit_code, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Config, BadConfigs,
    ::testing::Values(BadConfig{"Empty", ""}, BadConfig{"Truncated", "{\"ociVersion\": \"1.0"},
                      BadConfig{"Null", "null"}, BadConfig{"Array", "[]"},
                      BadConfig{"Trailing", "{\"ociVersion\":\"1.0.0\"} x"},
                      BadConfig{"WrongType", R"({"ociVersion": 1})"},
                      BadConfig{"NoVersion", R"({"root": {"path": "rootfs"}})"},
                      BadConfig{"Duplicate", R"({"ociVersion":"1.0.0","ociVersion":"1.0.0"})"},
                      BadConfig{"BadUtf8", "{\"ociVersion\":\"1.0.\xff\"}"},
                      BadConfig{"Nul", R"({"ociVersion":"1.0.0","root":{"path":"root\u0000fs"}})"},
                      BadConfig{"Overflow", R"({"ociVersion":"1.0.0","process":{"cwd":"/",
                                "args":["x"],"user":{"uid":4294967296,"gid":0}}})"}),
    [](const auto& info) { return std::string(info.param.what); });

/// One property that cannot be as it is, or not beside the others.
struct Fault {
  const char* what;
  void (*change)(Config&);
  const char* pointer;
  const char* section;
};

class Faults : public Container, public ::testing::WithParamInterface<Fault> {};

TEST_P(Faults, AreFoundBeforeAnythingIsMade) {
  ASSERT_EQ(::rmdir(state_root().c_str()), 0);
  // The first thing of a container that anybody outside would see.
  const std::string trace = directory() + "/trace";
  config_.set("/hooks/prestart",
              cat(R"([{"path": "/bin/touch", "args": ["touch", ")", trace, R"("]}])"));
  config_.set("/hooks/poststop",
              cat(R"([{"path": "/bin/touch", "args": ["touch", ")", trace, R"("]}])"));
  GetParam().change(config_);
  const Outcome outcome = create();
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
  EXPECT_NE(outcome.err.find(cat("config.json:1:")), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().pointer), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(GetParam().section), std::string::npos) << outcome.err;
  EXPECT_FALSE(exists(state_root()));
  EXPECT_FALSE(exists(trace));
}

constexpr const char* kOneId = R"([{"containerID": 0, "hostID": 0, "size": 1}])";

INSTANTIATE_TEST_SUITE_P(
    Config, Faults,
    ::testing::Values(
        Fault{"Type", [](auto& config) { config.set("/process/user/uid", "\"root\""); },
              "/process/user/uid", "config.md, \"POSIX-platform User\""},
        Fault{"Word", [](auto& config) { config.set("/linux/rootfsPropagation", "\"up\""); },
              "/linux/rootfsPropagation", "config-linux.md, \"Rootfs Mount Propagation\""},
        Fault{"Range", [](auto& config) { config.set("/process/oomScoreAdj", "1001"); },
              "/process/oomScoreAdj", "config.md, \"Linux Process\""},
        Fault{"Required", [](auto& config) { config.erase("/process/cwd"); }, "/process",
              "config.md, \"Process\""},
        Fault{"HostnameOfTheHost", [](auto& config) { config.without_namespace("uts"); },
              "/hostname", "config.md, \"Hostname\""},
        Fault{"SysctlOfTheHost",
              [](auto& config) {
                config.without_namespace("network").set("/linux/sysctl/net.core.somaxconn",
                                                        "\"5\"");
              },
              "/linux/sysctl/net.core.somaxconn", "config-linux.md, \"Sysctl\""},
        Fault{"MappingWithoutUserNamespace",
              [](auto& config) {
                config.set("/linux/uidMappings", kOneId).set("/linux/gidMappings", kOneId);
              },
              "/linux/uidMappings", "config-linux.md, \"User namespace mappings\""},
        Fault{"UserNamespaceWithoutMapping",
              [](auto& config) { config.add("/linux/namespaces", R"({"type": "user"})"); },
              "/linux/uidMappings", "config-linux.md, \"User namespace mappings\""},
        Fault{"IdmapWithoutMapping",
              [](auto& config) { config.mount("/data", "none", "/tmp", {"bind", "idmap"}); },
              "/mounts/6/options/1", "config.md, \"Linux mount options\""},
        Fault{"BindWithoutSource",
              [](auto& config) { config.mount("/data", "none", "", {"bind"}); }, "/mounts/6/source",
              "config.md, \"Linux mount options\""},
        Fault{"ClockWithoutTimeNamespace",
              [](auto& config) { config.set("/linux/timeOffsets/boottime/secs", "1"); },
              "/linux/timeOffsets", "config-linux.md, \"Offset for Time Namespace\""},
        Fault{"NetDeviceWithoutNetworkNamespace",
              [](auto& config) {
                config.without_namespace("network").set("/linux/netDevices/eth0", "{}");
              },
              "/linux/netDevices", "config-linux.md, \"Network Devices\""},
        Fault{"NotifyWithoutListener",
              [](auto& config) {
                config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]})");
              },
              "/linux/seccomp/syscalls/0/action", "config-linux.md, \"Seccomp\""},
        Fault{"TerminalWithoutDevpts",
              [](auto& config) { config.set("/process/terminal", "true").erase("/mounts/2"); },
              "/process/terminal", "config.md, \"Process\""}),
    [](const auto& info) { return std::string(info.param.what); });

TEST_F(Errors, ADeepConfigIsRefused) {
  write_config(cat("{\"annotations\": ", std::string(100000, '['), std::string(100000, ']'), '}'));
  const Outcome outcome = runtime({"create", id(), bundle()});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
}

}  // namespace
}  // namespace rt::testing
