// config-linux.md, "Masked Paths", "Readonly Paths", "Personality", "Memory policy".
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class MaskedPaths : public Conformance {};

TEST_F(MaskedPaths, OfFilesCannotBeRead) {
  write(rootfs() + "/secret", "secret");
  config_.set("/linux/maskedPaths", R"(["/secret", "/proc/kcore", "/proc/uptime"])");
  const Json report = look({"path=/secret", "path=/proc/kcore", "path=/proc/uptime"});
  for (const char* path : {"/secret", "/proc/kcore", "/proc/uptime"}) {
    const std::string text = path_at(report, path, "text");
    EXPECT_TRUE(text.empty() || text == "(absent)") << path << ": " << text;
  }
}

TEST_F(MaskedPaths, OfDirectoriesAreEmptyAndCannotBeWritten) {
  make_directory(rootfs() + "/secrets");
  write(rootfs() + "/secrets/one", "secret");
  config_.set("/linux/maskedPaths", R"(["/secrets", "/sys/firmware"])");
  const Json report = look({"path=/secrets", "path=/sys/firmware", "path=/secrets/one"});
  EXPECT_EQ(path_at(report, "/secrets", "entries"), "[]");
  EXPECT_EQ(path_at(report, "/secrets", "write"), "EROFS");
  EXPECT_EQ(path_at(report, "/secrets/one", "type"), "none");
  EXPECT_EQ(path_at(report, "/sys/firmware", "entries"), "[]");
}

TEST_F(MaskedPaths, ThatDoNotExistAreNoError) {
  config_.set("/linux/maskedPaths", R"(["/no/such/path"])");
  EXPECT_TRUE(look().valid());
}

TEST_F(MaskedPaths, HoldForRootWithCapabilities) {
  write(rootfs() + "/secret", "secret");
  for (const char* set : {"bounding", "permitted", "effective"}) {
    config_.set(cat("/process/capabilities/", set),
                R"(["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"])");
  }
  config_.set("/linux/maskedPaths", R"(["/secret"])");
  const std::string text = path_at(look({"path=/secret"}), "/secret", "text");
  EXPECT_TRUE(text.empty() || text == "(absent)") << text;
}

TEST_F(MaskedPaths, ThatAreRelativeAreAnError) {
  config_.set("/linux/maskedPaths", R"(["secret"])");
  EXPECT_TRUE(refuses());
}

class ReadonlyPaths : public Conformance {};

TEST_F(ReadonlyPaths, CannotBeWritten) {
  write(rootfs() + "/file", "kept");
  make_directory(rootfs() + "/kept");
  config_.set("/linux/readonlyPaths", R"(["/file", "/kept", "/proc/sys"])");
  const Json report = look({"path=/file", "path=/kept", "path=/proc/sys/kernel/hostname"});
  EXPECT_EQ(path_at(report, "/file", "write"), "EROFS");
  EXPECT_EQ(path_at(report, "/kept", "write"), "EROFS");
  EXPECT_EQ(path_at(report, "/proc/sys/kernel/hostname", "write"), "EROFS");
}

TEST_F(ReadonlyPaths, CanBeRead) {
  write(rootfs() + "/file", "kept");
  config_.set("/linux/readonlyPaths", R"(["/file"])");
  EXPECT_EQ(path_at(look({"path=/file"}), "/file", "text"), "kept");
}

TEST_F(ReadonlyPaths, LeaveTheOthersAlone) {
  config_.set("/linux/readonlyPaths", R"(["/proc/sys"])");
  EXPECT_EQ(path_at(look({"path=/tmp"}), "/tmp", "write"), "");
}

TEST_F(ReadonlyPaths, ThatDoNotExistAreNoError) {
  config_.set("/linux/readonlyPaths", R"(["/no/such/path"])");
  EXPECT_TRUE(look().valid());
}

TEST_F(ReadonlyPaths, ThatAreRelativeAreAnError) {
  config_.set("/linux/readonlyPaths", R"(["file"])");
  EXPECT_TRUE(refuses());
}

class Personality : public Conformance {};

TEST_F(Personality, IsLinuxByDefault) {
  const Json report = look();
  EXPECT_EQ(report.at("/personality"), "0");
  EXPECT_EQ(report.at("/machine"), "x86_64");
}

TEST_F(Personality, IsTheDocuments) {
  config_.set("/linux/personality", R"({"domain": "LINUX32"})");
  const Json report = look();
  EXPECT_EQ(report.at("/personality"), "8");
  EXPECT_EQ(report.at("/machine"), "i686");
}

TEST_F(Personality, OfAnUnknownDomainIsAnError) {
  config_.set("/linux/personality", R"({"domain": "XENIX"})");
  EXPECT_TRUE(refuses());
}

TEST_F(Personality, WithoutADomainIsAnError) {
  config_.set("/linux/personality", "{}");
  EXPECT_TRUE(refuses());
}

TEST_F(Personality, WithAFlagIsAnError) {
  config_.set("/linux/personality", R"({"domain": "LINUX", "flags": ["NO_SUCH_FLAG"]})");
  EXPECT_TRUE(refuses());
}

struct Policy {
  const char* name;
  const char* document;
  const char* mode;
  const char* flags;
  const char* nodes;
};

class MemoryPolicy : public Conformance {
 protected:
  void SetUp() override {
    Conformance::SetUp();
    if (::access("/proc/self/numa_maps", F_OK) != 0) GTEST_SKIP() << "a kernel without NUMA";
  }
};
class MemoryMode : public MemoryPolicy, public ::testing::WithParamInterface<Policy> {};

TEST_P(MemoryMode, IsTheDocuments) {
  config_.set("/linux/memoryPolicy", GetParam().document);
  const Json report = look();
  EXPECT_EQ(report.at("/memoryPolicy/mode"), GetParam().mode);
  EXPECT_EQ(report.at("/memoryPolicy/flags"), GetParam().flags);
  EXPECT_EQ(report.at("/memoryPolicy/nodes"), GetParam().nodes);
}

INSTANTIATE_TEST_SUITE_P(
    MemoryPolicy, MemoryMode,
    ::testing::Values(
        Policy{"Default", R"({"mode": "MPOL_DEFAULT"})", "MPOL_DEFAULT", "[]", "[]"},
        Policy{"Bind", R"({"mode": "MPOL_BIND", "nodes": "0"})", "MPOL_BIND", "[]", "[0]"},
        Policy{"Interleave", R"({"mode": "MPOL_INTERLEAVE", "nodes": "0"})", "MPOL_INTERLEAVE",
               "[]", "[0]"},
        Policy{"WeightedInterleave", R"({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"})",
               "MPOL_WEIGHTED_INTERLEAVE", "[]", "[0]"},
        Policy{"Preferred", R"({"mode": "MPOL_PREFERRED", "nodes": "0"})", "MPOL_PREFERRED", "[]",
               "[0]"},
        Policy{"PreferredMany", R"({"mode": "MPOL_PREFERRED_MANY", "nodes": "0-0"})",
               "MPOL_PREFERRED_MANY", "[]", "[0]"},
        Policy{"Local", R"({"mode": "MPOL_LOCAL"})", "MPOL_LOCAL", "[]", "[]"},
        Policy{"StaticNodes",
               R"({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]})",
               "MPOL_BIND", R"(["MPOL_F_STATIC_NODES"])", "[0]"},
        Policy{"RelativeNodes",
               R"({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]})",
               "MPOL_INTERLEAVE", R"(["MPOL_F_RELATIVE_NODES"])", "[0]"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(MemoryPolicy, OfAnUnknownModeIsAnError) {
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_NOTHING"})");
  EXPECT_TRUE(refuses());
}

TEST_F(MemoryPolicy, WithoutAModeIsAnError) {
  config_.set("/linux/memoryPolicy", R"({"nodes": "0"})");
  EXPECT_TRUE(refuses());
}

TEST_F(MemoryPolicy, WithNodesThatAreNoListIsAnError) {
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "zero"})");
  EXPECT_TRUE(refuses());
}

TEST_F(MemoryPolicy, ThatTheKernelRefusesIsAnError) {
  config_.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": ""})");
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
