#include "runtime/container/bundle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/container/output.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::container {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

TEST(LoadBundle, NamesTheBundleThatIsNotThere) {
  EXPECT_TRUE(fails_with(load_bundle("/nonexistent"),
                         "bundle \"/nonexistent\": realpath: no such file or directory"));
}

TEST(LoadBundle, NamesTheFileThatIsNotThere) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(fails_with(load_bundle(directory.path()),
                         cat(directory.path(), "/config.json: open: no such file or directory")));
}

TEST(LoadBundle, DoesNotHangOnAFifo) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() + "/config.json").c_str(), 0600), 0);
  const auto bundle = load_bundle(directory.path());
  ASSERT_TRUE(is_ok(bundle));
  EXPECT_FALSE(check_bundle(bundle.value()).ok());
}

TEST(LoadBundle, ResolvesThePath) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(is_ok(write_new_file(directory.path() + "/config.json", "{}")));
  const auto bundle = load_bundle(directory.path() + "/../" +
                                  directory.path().substr(directory.path().rfind('/') + 1) + "/.");
  ASSERT_TRUE(is_ok(bundle));
  EXPECT_EQ(bundle.value().path, directory.path());
}

TEST(CheckBundle, GivesTheFirstErrorAndCountsTheOthers) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(is_ok(write_new_file(
      directory.path() + "/config.json",
      "{\n  \"ociVersion\": 7,\n  \"root\": {\"path\": \"r\"},\n  \"mounts\": 8\n}\n")));
  const auto bundle = load_bundle(directory.path());
  ASSERT_TRUE(is_ok(bundle));
  const Status checked = check_bundle(bundle.value());
  EXPECT_TRUE(fails_with(checked, "invalid configuration: config.json:2:17 /ociVersion: "));
  EXPECT_EQ(checked.error().pointer(), "/ociVersion");
  EXPECT_NE(checked.error().message().find("(the first of "), std::string::npos);
}

TEST(Located, SaysLineAndStep) {
  const std::string text = "{\n  \"mounts\": [\n    {}\n  ]\n}";
  const Error error = Error("mount: permission denied").at("/mounts/0").in_step("mounts");
  EXPECT_EQ(located(error, text).message(),
            "mount: permission denied (config.json:3:5 /mounts/0, step \"mounts\")");
}

TEST(Located, SaysTheSectionOfARuleThatIsBroken) {
  const std::string text = "{\n  \"mounts\": [\n    {}\n  ]\n}";
  const Error rule = Error("a bind mount needs a source").at("/mounts/0");
  EXPECT_EQ(located(rule, text).message(),
            "a bind mount needs a source (config.json:3:5 /mounts/0, config.md, \"Mounts\")");
  const Error call = Error::from_errno("open", ENOENT).at("/mounts/0");
  EXPECT_EQ(located(call, text).message(),
            "open: no such file or directory (config.json:3:5 /mounts/0)");
}

TEST(Located, SaysWhatElseAskedForIt) {
  const Error error = Error("mknod: operation not permitted").at("default: devices");
  EXPECT_EQ(located(error, "{}").message(), "mknod: operation not permitted (default: devices)");
  EXPECT_EQ(located(Error("it broke"), "{}").message(), "it broke");
}

TEST(WarningsOf, SayOnceWhatIsWrongInOnePlace) {
  Bundle bundle;
  bundle.text = "{}";
  spec::Diagnostic unknown;
  unknown.severity = spec::Severity::kWarning;
  unknown.pointer = "/process/capabilities/bounding/0";
  unknown.message = "unknown capability \"CAP_X\" is not granted";
  bundle.diagnostics = {unknown};
  plan::Plan plan;
  plan.warnings = {{"/process/capabilities/bounding/0", "not granted: \"CAP_X\""},
                   {"/process/capabilities", "not granted: CAP_BPF"}};
  EXPECT_EQ(warnings_of(bundle, plan),
            (std::vector<std::string>{
                "config.json:1:1 /process/capabilities/bounding/0: unknown capability \"CAP_X\" is "
                "not granted",
                "config.json:1:1 /process/capabilities: not granted: CAP_BPF"}));
}

}  // namespace
}  // namespace rt::container
