// config.md, "Root"; config-linux.md, "Rootfs Mount Propagation".
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

class Root : public Conformance {};

TEST_F(Root, IsTheDirectoryOfThePath) {
  write(rootfs() + "/mark", "the bundle's");
  EXPECT_EQ(path_at(look({"path=/mark"}), "/mark", "text"), "the bundle's");
}

TEST_F(Root, PathMayBeAbsolute) {
  config_.set_string("/root/path", rootfs());
  write(rootfs() + "/mark", "the bundle's");
  EXPECT_EQ(path_at(look({"path=/mark"}), "/mark", "text"), "the bundle's");
}

TEST_F(Root, CanBeWrittenTo) { EXPECT_EQ(path_at(look({"path=/"}), "/", "write"), ""); }

TEST_F(Root, ReadonlyCannotBeWrittenTo) {
  config_.set("/root/readonly", "true");
  EXPECT_EQ(path_at(look({"path=/"}), "/", "write"), "EROFS");
}

TEST_F(Root, ThatDoesNotExistIsAnError) {
  config_.set_string("/root/path", "nothing");
  EXPECT_TRUE(refuses());
}

TEST_F(Root, ThatIsNoDirectoryIsAnError) {
  config_.set_string("/root/path", "rootfs/probe");
  EXPECT_TRUE(refuses());
}

TEST_F(Root, IsRequired) {
  config_.erase("/root");
  EXPECT_TRUE(refuses());
}

class RootPropagation : public Conformance, public ::testing::WithParamInterface<const char*> {};

TEST_P(RootPropagation, IsTheDocuments) {
  config_.set_string("/linux/rootfsPropagation", GetParam());
  const std::string propagation = mount_at(look(), "/", "propagation");
  EXPECT_NE(propagation.find(GetParam()), std::string::npos) << propagation;
}

INSTANTIATE_TEST_SUITE_P(Root, RootPropagation,
                         ::testing::Values("shared", "slave", "private", "unbindable"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(Root, UnbindableHasReadOnlyPathsToo) {
  write(rootfs() + "/kept", "kept");
  config_.set_string("/linux/rootfsPropagation", "unbindable");
  config_.set("/linux/readonlyPaths", R"(["/kept"])");
  const Json report = look({"path=/kept"});
  EXPECT_EQ(mount_at(report, "/", "propagation"), "unbindable");
  EXPECT_EQ(path_at(report, "/kept", "write"), "EROFS");
}

}  // namespace
}  // namespace rt::conformance
