// config-linux.md, "Devices", "Default Devices"; runtime-linux.md, "Dev symbolic links".
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

struct Standard {
  const char* path;
  unsigned major_number;
  unsigned minor_number;
};

class StandardDevice : public Conformance, public ::testing::WithParamInterface<Standard> {};

TEST_P(StandardDevice, IsThereForEverybody) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  const Json report = look();
  const Standard& device = GetParam();
  EXPECT_EQ(path_at(report, device.path, "type"), "c");
  EXPECT_EQ(path_at(report, device.path, "major"), cat(device.major_number));
  EXPECT_EQ(path_at(report, device.path, "minor"), cat(device.minor_number));
  EXPECT_EQ(path_at(report, device.path, "mode"), cat(0666));
  if (device.major_number == 5) return;  // no controlling terminal
  EXPECT_EQ(path_at(report, device.path, "read"), "");
  EXPECT_EQ(path_at(report, device.path, "write"), "");
}

INSTANTIATE_TEST_SUITE_P(DefaultDevices, StandardDevice,
                         ::testing::Values(Standard{"/dev/null", 1, 3}, Standard{"/dev/zero", 1, 5},
                                           Standard{"/dev/full", 1, 7},
                                           Standard{"/dev/random", 1, 8},
                                           Standard{"/dev/urandom", 1, 9},
                                           Standard{"/dev/tty", 5, 0}),
                         [](const auto& info) { return std::string(info.param.path).substr(5); });

class DefaultDevices : public Conformance {};

TEST_F(DefaultDevices, PtmxIsTheContainersOwn) {
  const Json report = look({"path=/dev/pts/ptmx"});
  const std::string type = path_at(report, "/dev/ptmx", "type");
  // A link into the container's devpts, or that file bound.
  if (type == "link") {
    const std::string target = path_at(report, "/dev/ptmx", "target");
    EXPECT_TRUE(target == "pts/ptmx" || target == "/dev/pts/ptmx") << target;
  } else {
    EXPECT_EQ(path_at(report, "/dev/ptmx", "major"), "5");
    EXPECT_EQ(path_at(report, "/dev/ptmx", "minor"), "2");
  }
  EXPECT_EQ(path_at(report, "/dev/ptmx", "write"), "");
}

struct Link {
  const char* path;
  const char* target;
};

class DevLink : public Conformance, public ::testing::WithParamInterface<Link> {};

TEST_P(DevLink, IsThere) {
  EXPECT_EQ(path_at(look(), GetParam().path, "target"), GetParam().target);
}

INSTANTIATE_TEST_SUITE_P(DevSymbolicLinks, DevLink,
                         ::testing::Values(Link{"/dev/fd", "/proc/self/fd"},
                                           Link{"/dev/stdin", "/proc/self/fd/0"},
                                           Link{"/dev/stdout", "/proc/self/fd/1"},
                                           Link{"/dev/stderr", "/proc/self/fd/2"}),
                         [](const auto& info) { return std::string(info.param.path).substr(5); });

class Devices : public Conformance {
 protected:
  Config& add(const char* document) { return config_.add("/linux/devices", document); }
};

TEST_F(Devices, AreThereAsTheDocumentSays) {
  add(R"({"path": "/dev/own", "type": "c", "major": 1, "minor": 5, "fileMode": 416,
          "uid": 12, "gid": 34})");
  const Json report = look();
  EXPECT_EQ(path_at(report, "/dev/own", "type"), "c");
  EXPECT_EQ(path_at(report, "/dev/own", "major"), "1");
  EXPECT_EQ(path_at(report, "/dev/own", "minor"), "5");
  EXPECT_EQ(path_at(report, "/dev/own", "mode"), "416");
  EXPECT_EQ(path_at(report, "/dev/own", "uid"), "12");
  EXPECT_EQ(path_at(report, "/dev/own", "gid"), "34");
}

TEST_F(Devices, CanBeUsed) {
  add(R"({"path": "/dev/own", "type": "c", "major": 1, "minor": 5, "fileMode": 438})");
  EXPECT_EQ(path_at(look(), "/dev/own", "read"), "");
}

TEST_F(Devices, MayBeAnywhere) {
  add(R"({"path": "/deep/down/own", "type": "c", "major": 1, "minor": 5, "fileMode": 438})");
  EXPECT_EQ(path_at(look({"path=/deep/down/own"}), "/deep/down/own", "major"), "1");
}

TEST_F(Devices, OfBlocksAreThere) {
  add(R"({"path": "/dev/block", "type": "b", "major": 7, "minor": 200, "fileMode": 384})");
  const Json report = look();
  EXPECT_EQ(path_at(report, "/dev/block", "type"), "b");
  EXPECT_EQ(path_at(report, "/dev/block", "minor"), "200");
}

TEST_F(Devices, UnbufferedOnesAreCharacterDevices) {
  add(R"({"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 5})");
  EXPECT_EQ(path_at(look(), "/dev/unbuffered", "type"), "c");
}

TEST_F(Devices, FifosNeedNoNumbers) {
  add(R"({"path": "/dev/fifo", "type": "p", "fileMode": 384})");
  EXPECT_EQ(path_at(look(), "/dev/fifo", "type"), "p");
}

TEST_F(Devices, ThatAreSomethingElseAlreadyAreAnError) {
  ASSERT_EQ(::mknod((rootfs() + "/own").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  add(R"({"path": "/own", "type": "c", "major": 1, "minor": 5})");
  EXPECT_TRUE(refuses());
}

TEST_F(Devices, ThatAreThereAlreadyAreNoError) {
  ASSERT_EQ(::mknod((rootfs() + "/own").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  add(R"({"path": "/own", "type": "c", "major": 1, "minor": 5})");
  EXPECT_EQ(path_at(look({"path=/own"}), "/own", "minor"), "5");
}

struct Wrong {
  const char* name;
  const char* document;
};

class WrongDevice : public Devices, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongDevice, IsAnError) {
  add(GetParam().document);
  EXPECT_TRUE(refuses());
}

INSTANTIATE_TEST_SUITE_P(
    Devices, WrongDevice,
    ::testing::Values(Wrong{"WithoutAType", R"({"path": "/dev/x", "major": 1, "minor": 5})"},
                      Wrong{"WithoutAPath", R"({"type": "c", "major": 1, "minor": 5})"},
                      Wrong{"WithoutNumbers", R"({"path": "/dev/x", "type": "c"})"},
                      Wrong{"OfAnUnknownType",
                            R"({"path": "/dev/x", "type": "x", "major": 1, "minor": 5})"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace rt::conformance
