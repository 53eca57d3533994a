// What a failure looks like: one line for people, one JSON object for programs.
#include <sys/stat.h>

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

TEST_F(Errors, ADeepConfigIsRefused) {
  write_config(cat("{\"annotations\": ", std::string(100000, '['), std::string(100000, ']'), '}'));
  const Outcome outcome = runtime({"create", id(), bundle()});
  EXPECT_EQ(outcome.exit_code, 1) << "signal " << outcome.signal;
}

}  // namespace
}  // namespace rt::testing
