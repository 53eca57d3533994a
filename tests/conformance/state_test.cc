// runtime.md, "State", "Query State".
#include <cctype>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class State : public Conformance {
 protected:
  void TearDown() override {
    if (!IsSkipped() && exists()) end();
    Conformance::TearDown();
  }
};

TEST_F(State, WithoutAnIdIsAnError) { EXPECT_NE(runtime({"state"}).exit_code, 0); }

TEST_F(State, OfAContainerThatDoesNotExistIsAnError) {
  const Outcome outcome = runtime({"state", id()});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "");
}

TEST_F(State, HasAVersionOfTheSpecification) {
  ASSERT_TRUE(succeeds(create()));
  const std::string version = state().at("/ociVersion");
  const std::vector<std::string_view> parts =
      split(std::string_view(version).substr(0, version.find_first_of("-+")), '.');
  ASSERT_EQ(parts.size(), 3U) << version;
  for (const std::string_view part : parts) EXPECT_TRUE(parse_uint(part)) << version;
  EXPECT_EQ(parts[0], "1");
}

TEST_F(State, HasTheId) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(state().at("/id"), id());
}

TEST_F(State, HasTheBundleAsAnAbsolutePath) {
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(state().at("/bundle"), bundle());
}

TEST_F(State, HasTheBundleAsAnAbsolutePathWhenCreateGotARelativeOne) {
  write_config();
  Call call;
  call.cwd = directory();
  ASSERT_TRUE(succeeds(
      runtime({"create", "--bundle", "bundle", "--pid-file", directory() + "/pid", id()}, call)));
  EXPECT_EQ(state().at("/bundle"), bundle());
}

TEST_F(State, OfACreatedContainerIsCreatedAndHasThePid) {
  ASSERT_TRUE(succeeds(create()));
  const Json document = state();
  EXPECT_EQ(document.at("/status"), "created");
  EXPECT_EQ(document.at("/pid"), cat(pid()));
}

TEST_F(State, OfARunningContainerIsRunningAndHasThePidOfTheProgram) {
  start_waiting();
  const Json document = state();
  EXPECT_EQ(document.at("/status"), "running");
  EXPECT_EQ(document.at("/pid"), cat(pid()));
  EXPECT_TRUE(read(cat("/proc/", document.at("/pid"), "/cmdline")).starts_with("/probe"));
}

TEST_F(State, OfAContainerWhoseProgramEndedIsStopped) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  wait_for_end();
  EXPECT_EQ(status(), "stopped");
}

TEST_F(State, IsStoppedBeforeAnybodyReapsTheProgram) {
  ASSERT_TRUE(succeeds(create()));
  ASSERT_TRUE(succeeds(start()));
  EXPECT_TRUE(eventually([&] { return status() == "stopped"; })) << status();
  wait_for_end();
}

TEST_F(State, HasTheAnnotations) {
  config_.set("/annotations", R"({"com.example.key": "value", "com.example.empty": ""})");
  ASSERT_TRUE(succeeds(create()));
  const Json document = state();
  EXPECT_EQ(document.at("/annotations/com.example.key"), "value");
  EXPECT_EQ(document.at("/annotations/com.example.empty"), "");
}

TEST_F(State, HasNoAnnotationsWhenThereAreNone) {
  ASSERT_TRUE(succeeds(create()));
  const Json document = state();
  EXPECT_TRUE(!document.has("/annotations") || document.size("/annotations") == 0)
      << document.text();
}

TEST_F(State, HasFieldsOfTheTypesOfTheSchema) {
  config_.set("/annotations", R"({"com.example.key": "value"})");
  ASSERT_TRUE(succeeds(create()));
  // A string as JSON text begins with a quote.
  const std::string text = state().text();
  for (const char* name : {"ociVersion", "id", "status", "bundle"}) {
    EXPECT_NE(text.find(cat('"', name, "\":\"")), std::string::npos) << name << " in " << text;
  }
  const size_t number = text.find(R"("pid":)");
  ASSERT_NE(number, std::string::npos);
  EXPECT_TRUE(std::isdigit(text[number + 6])) << text;
  EXPECT_NE(text.find(R"("annotations":{)"), std::string::npos);
}

}  // namespace
}  // namespace rt::conformance
