// Groups of resctrl, in a tree of plain files that stands in for it: few machines have the real
// one.
#include "runtime/kernel/intel_rdt.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::kernel {
namespace {

using plan::IntelRdtStep;
using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

constexpr pid_t kPid = 4711;

class IntelRdt : public ::testing::Test {
 protected:
  void SetUp() override {
    write("/schemata", "    L3:0=fff;1=fff\n    MB:0= 100;1= 100\n");
    write("/tasks", "1\n");
    make("/mon_groups");
    make("/info");
    write("/info/last_cmd_status", "ok\n");
  }

  const std::string& root() const { return root_.path(); }
  void make(const std::string& path) const { ASSERT_EQ(::mkdir((root() + path).c_str(), 0755), 0); }
  void write(const std::string& path, std::string_view text) const {
    std::ofstream(root() + path) << text;
  }
  std::string read(const std::string& path) const {
    std::ifstream file(root() + path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const std::string& path) const {
    return ::access((root() + path).c_str(), F_OK) == 0;
  }
  /// A group that is there before the container.
  void make_group(const std::string& name, std::string_view schemata) const {
    make("/" + name);
    make("/" + name + "/mon_groups");
    write("/" + name + "/tasks", "");
    write("/" + name + "/schemata", schemata);
  }

  IntelRdtStep own() const {
    IntelRdtStep step;
    step.root = root();
    step.group = "demo";
    step.origin = "/linux/intelRdt";
    return step;
  }
  IntelRdtStep of_class(const std::string& name) const {
    IntelRdtStep step = own();
    step.group = name;
    step.named = true;
    return step;
  }

 private:
  TemporaryDirectory root_;
};

plan::SchemataLine line(const std::string& text, bool compared) {
  return {text, compared, "/linux/intelRdt/" + text.substr(0, 2)};
}

TEST_F(IntelRdt, AGroupOfTheContainersOwnIsMadeEnteredAndRemoved) {
  const IntelRdtStep step = own();
  const RdtDirectories expected = {root() + "/demo"};
  const Result<RdtDirectories> announced = announce_rdt_group(step);
  ASSERT_TRUE(is_ok(announced));
  EXPECT_EQ(announced.value(), expected);
  EXPECT_FALSE(exists("/demo"));
  const Result<RdtDirectories> made = make_rdt_group(step);
  ASSERT_TRUE(is_ok(made));
  EXPECT_EQ(made.value(), expected);
  ASSERT_TRUE(is_ok(enter_rdt_group(step, kPid)));
  EXPECT_EQ(read("/demo/tasks"), "4711\n");
  EXPECT_EQ(read("/demo/schemata"), "");  // nothing said, nothing written
  ASSERT_TRUE(is_ok(remove_rdt_group(made.value())));
  EXPECT_FALSE(exists("/demo"));
  EXPECT_TRUE(is_ok(remove_rdt_group(made.value())));  // again: it is gone already
}

TEST_F(IntelRdt, AGroupOfTheContainersNameThatIsThereIsUsedAndStays) {
  make_group("demo", "L3:0=f\n");
  const Result<RdtDirectories> made = make_rdt_group(own());
  ASSERT_TRUE(is_ok(made));
  EXPECT_TRUE(made.value().empty());
}

TEST_F(IntelRdt, SchemataAreWrittenLineByLineInOrder) {
  IntelRdtStep step = own();
  step.schemata = {line("L3:0=7f0", true), line("MB:0=20", true), line("L3:0=f", false),
                   line("L2:0=f", false)};
  ASSERT_TRUE(is_ok(make_rdt_group(step)));
  EXPECT_EQ(read("/demo/schemata"), "L3:0=7f0\nMB:0=20\nL3:0=f\nL2:0=f\n");
}

TEST_F(IntelRdt, AClassIsMadeWithItsSchemataAndOutlivesTheContainer) {
  IntelRdtStep step = of_class("gold");
  step.schemata = {line("MB:0=20", true)};
  const Result<RdtDirectories> announced = announce_rdt_group(step);
  ASSERT_TRUE(is_ok(announced));
  EXPECT_TRUE(announced.value().empty());
  const Result<RdtDirectories> made = make_rdt_group(step);
  ASSERT_TRUE(is_ok(made));
  EXPECT_TRUE(made.value().empty());
  EXPECT_EQ(read("/gold/schemata"), "MB:0=20\n");
}

TEST_F(IntelRdt, AClassWithoutSchemataMustBeThere) {
  const Result<RdtDirectories> refused = make_rdt_group(of_class("gold"));
  EXPECT_TRUE(fails_with(refused, "resctrl group \"gold\": no such resctrl group"));
  EXPECT_EQ(refused.error().pointer(), "/linux/intelRdt");
  EXPECT_FALSE(exists("/gold"));
  make_group("gold", "L3:0=f\n");
  ASSERT_TRUE(is_ok(make_rdt_group(of_class("gold"))));
  ASSERT_TRUE(is_ok(enter_rdt_group(of_class("gold"), kPid)));
  EXPECT_EQ(read("/gold/tasks"), "4711\n");
  EXPECT_EQ(read("/gold/schemata"), "L3:0=f\n");
}

TEST_F(IntelRdt, TheDefaultClassIsTheRoot) {
  ASSERT_TRUE(is_ok(make_rdt_group(of_class("/"))));
  ASSERT_TRUE(is_ok(enter_rdt_group(of_class("/"), kPid)));
  EXPECT_EQ(read("/tasks"), "1\n4711\n");
}

TEST_F(IntelRdt, AClassThatSaysTheSameIsUsed) {
  make_group("gold", "    L3:0=00f;1=7ff\n    MB:0=  20;1= 100\n");
  IntelRdtStep step = of_class("gold");
  step.schemata = {line("L3:0=f;1=7ff", true), line("MB:0=20", true), line("MB:1=30", false)};
  ASSERT_TRUE(is_ok(make_rdt_group(step)));
  EXPECT_TRUE(read("/gold/schemata").ends_with("L3:0=f;1=7ff\nMB:0=20\nMB:1=30\n"));
}

TEST_F(IntelRdt, AClassThatSaysSomethingElseIsAnErrorAndStaysAsItIs) {
  const std::string before = "    L3:0=f;1=f\n    MB:0= 20\n";
  make_group("gold", before);
  for (const char* text :
       {"L3:0=ff", "L3:2=f", "L3:0=f;1=ff", "MB:0=200", "MB:0=2", "L2:0=f", "nonsense", "L3:"}) {
    IntelRdtStep step = of_class("gold");
    step.schemata = {line("L3:0=f", true), line(text, true)};
    const Result<RdtDirectories> refused = make_rdt_group(step);
    EXPECT_TRUE(fails_with(refused, cat("resctrl group \"gold\": \"", text,
                                        "\": the group is there and its schemata are others")));
    EXPECT_EQ(refused.error().pointer(), step.schemata[1].origin);
  }
  EXPECT_EQ(read("/gold/schemata"), before);
}

TEST_F(IntelRdt, MonitoringHasAGroupThatGoesWithTheContainer) {
  for (const std::string group : {"demo", "gold", "/"}) {
    const std::string below = group == "/" ? "" : "/" + group;
    if (group == "gold") make_group("gold", "");
    IntelRdtStep step = group == "demo" ? own() : of_class(group);
    step.monitoring = "demo";
    const Result<RdtDirectories> made = make_rdt_group(step);
    ASSERT_TRUE(is_ok(made));
    EXPECT_EQ(made.value().front(), root() + below + "/mon_groups/demo");
    EXPECT_EQ(made.value().size(), group == "demo" ? 2U : 1U);
    ASSERT_TRUE(is_ok(enter_rdt_group(step, kPid)));
    EXPECT_EQ(read(below + "/mon_groups/demo/tasks"), "4711\n");
    EXPECT_TRUE(read(below + "/tasks").ends_with("4711\n"));
    ASSERT_TRUE(is_ok(remove_rdt_group(made.value())));
    EXPECT_FALSE(exists(below + "/mon_groups/demo"));
    EXPECT_EQ(exists(below + "/tasks"), group != "demo");
  }
}

TEST_F(IntelRdt, AMonitoringGroupThatCannotBeMadeIsAnErrorAndLeavesNothing) {
  make("/mon_groups/demo");
  IntelRdtStep step = of_class("/");
  step.monitoring = "demo";
  const Result<RdtDirectories> announced = announce_rdt_group(step);
  ASSERT_TRUE(is_ok(announced));
  EXPECT_TRUE(announced.value().empty());  // not ours to remove
  const Result<RdtDirectories> refused = make_rdt_group(step);
  EXPECT_TRUE(
      fails_with(refused, "resctrl group \"/\": monitoring group \"demo\": mkdir: file exists"));
  EXPECT_EQ(refused.error().pointer(), "/linux/intelRdt/enableMonitoring");
  IntelRdtStep other = own();
  other.monitoring = "no/such";
  EXPECT_FALSE(make_rdt_group(other).ok());
  EXPECT_FALSE(exists("/demo"));
}

TEST_F(IntelRdt, AnErrorHasTheKernelsExplanation) {
  write("/info/last_cmd_status", "Non-consecutive bits in mask 5\n");
  make("/gold");  // without a file to write to
  IntelRdtStep step = of_class("gold");
  step.schemata = {line("L3:0=5", false)};
  EXPECT_TRUE(fails_with(make_rdt_group(step),
                         "resctrl group \"gold\": schemata \"L3:0=5\": open: no such file or "
                         "directory (\"Non-consecutive bits in mask 5\")"));
}

TEST_F(IntelRdt, WithoutResctrlIsAnError) {
  if (::access("/sys/fs/resctrl/tasks", F_OK) == 0) GTEST_SKIP() << "this machine has one";
  IntelRdtStep step = own();
  step.root.clear();
  const std::string message = "resctrl group \"demo\": no resctrl file system is mounted";
  EXPECT_TRUE(fails_with(announce_rdt_group(step), message));
  EXPECT_TRUE(fails_with(make_rdt_group(step), message));
  EXPECT_TRUE(fails_with(enter_rdt_group(step, kPid), message));
}

}  // namespace
}  // namespace rt::kernel
