// validate, plan and spec: the commands that change nothing in the kernel.
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Commands : public Container {};

/// Ten errors, each on the line that its comment in kErrorLines names.
constexpr const char* kTenErrors = R"({
  "ociVersion": "9.0.0",
  "process": {
    "args": [],
    "cwd": "relative",
    "user": {"uid": 0, "gid": 0},
    "env": ["NOEQUALS"],
    "rlimits": [
      {"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1},
      {"type": "RLIMIT_CORE", "soft": 2, "hard": 1}
    ]
  },
  "root": {"path": "rootfs"},
  "mounts": [
    {"type": "tmpfs", "source": "tmpfs"}
  ],
  "linux": {
    "namespaces": [
      {"type": "pid"},
      {"type": "nonsense"},
      {"type": "pid"}
    ],
    "rootfsPropagation": "sideways"
  }
}
)";
const std::set<std::string> kErrorLines = {"2", "4", "5", "7", "9", "10", "15", "20", "21", "23"};

TEST_F(Commands, ValidateFindsTenErrorsAtOnceAndCreateMakesNothing) {
  write_config(kTenErrors);
  const Outcome validated = runtime({"validate", "--format", "json", bundle()});
  EXPECT_EQ(validated.exit_code, 1);
  const Json found(validated.out);
  ASSERT_TRUE(found.valid()) << validated.out;
  std::set<std::string> lines;
  for (size_t i = 0; i < found.size("/diagnostics"); ++i) {
    const std::string one = cat("/diagnostics/", i);
    if (found.at(one + "/severity") == "error") lines.insert(found.at(one + "/line"));
  }
  EXPECT_EQ(lines, kErrorLines) << runtime({"validate", bundle()}).out;
  const Outcome created = runtime({"create", id(), bundle()});
  EXPECT_EQ(created.exit_code, 1);
  for (const std::string& line : kErrorLines) {
    EXPECT_NE(created.err.find(cat("config.json:", line, ':')), std::string::npos) << line;
  }
}

TEST_F(Commands, ValidateShowsTheLineWithACaret) {
  write_config(kTenErrors);
  const Outcome outcome = runtime({"validate", bundle()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("config.json:23:"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\"rootfsPropagation\": \"sideways\"\n"), std::string::npos);
  EXPECT_NE(outcome.out.find('^'), std::string::npos);
}

TEST_F(Commands, ValidateAcceptsWhatRuns) {
  EXPECT_TRUE(succeeds(runtime({"validate", bundle()})));
  const Outcome outcome = runtime({"validate", "--format", "json", bundle()});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_TRUE(Json(outcome.out).valid());
}

TEST_F(Commands, AnUnknownMemberIsAWarningWithASuggestion) {
  config_.set("/linux/rootPropagation", "\"private\"");
  write_config();
  const Outcome outcome = runtime({"validate", bundle()});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_NE(outcome.out.find("rootfsPropagation"), std::string::npos) << outcome.out;
  EXPECT_TRUE(succeeds(run()));
}

TEST_F(Commands, PlanShowsWhatWouldBeDoneAndDoesNothing) {
  const Outcome text = runtime({"plan", bundle()});
  EXPECT_TRUE(succeeds(text));
  EXPECT_NE(text.out.find("/mounts/0"), std::string::npos) << text.out;
  const Outcome json = runtime({"plan", "--format", "json", bundle()});
  EXPECT_TRUE(succeeds(json));
  EXPECT_TRUE(Json(json.out).valid()) << json.out;
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
}

TEST_F(Commands, PlanNeedsNoPrivileges) {
  EXPECT_TRUE(succeeds(runtime_as(65534, {"plan", bundle()})));
  EXPECT_TRUE(succeeds(runtime_as(65534, {"validate", bundle()})));
}

TEST_F(Commands, SpecWritesAConfigThatIsValidAndRuns) {
  ASSERT_EQ(::unlink((bundle() + "/config.json").c_str()), 0);
  ASSERT_TRUE(succeeds(runtime({"spec", "--bundle", bundle()})));
  EXPECT_TRUE(succeeds(runtime({"validate", bundle()})));
  EXPECT_EQ(runtime({"spec", "--bundle", bundle()}).exit_code, 1) << "never over a file";
  Json config(read(bundle() + "/config.json"));
  config.set("/process/terminal", "false").set("/process/args", R"(["echo", "hi"])");
  write_config(config.text());
  const Outcome outcome = runtime({"run", id(), bundle()});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_EQ(outcome.out, "hi\n");
}

}  // namespace
}  // namespace rt::testing
