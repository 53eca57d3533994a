// What a pod's specification allows its containers, seen from inside.
#include <sys/mount.h>

#include <filesystem>

#include "runtime/base/text.h"
#include "tests/engines/cri.h"

namespace rt::testing {
namespace {

struct SettingCase {
  const char* name;
  const char* place;  // in ContainerConfig
  const char* value;
  const char* script;
  const char* out;
};

std::ostream& operator<<(std::ostream& stream, const SettingCase& row) {
  return stream << row.value;
}

class CriSetting : public Cri, public ::testing::WithParamInterface<SettingCase> {};

TEST_P(CriSetting, IsSeenInside) {
  const SettingCase& row = GetParam();
  write_text_file("/tmp/seccomp.json", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]})");
  container_.set(row.place, row.value);
  const std::string container = start(run_pod());
  const Outcome outcome = exec(container, row.script);
  EXPECT_EQ(outcome.out, row.out) << outcome.err;
}

/// A pod that is privileged itself: its containers may be.
class CriPrivileged : public Cri {
 protected:
  void SetUp() override {
    Cri::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    pod_.set("/linux/security_context/privileged", "true");
    container_.set("/linux/security_context/privileged", "true");
  }
};

constexpr const char* kUser = "/linux/security_context/run_as_user";
constexpr const char* kContext = "/linux/security_context/";

const SettingCase kSettings[] = {
    {"User", kUser, R"({"value": 1234})", "id -u; id -g", "1234\n0\n"},
    {"Env", "/envs", R"([{"key": "WHO", "value": "me"}])", "echo $WHO", "me\n"},
    {"WorkingDirectory", "/working_dir", "\"/tmp\"", "pwd", "/tmp\n"},
    {"ReadOnlyRoot", "/linux/security_context/readonly_rootfs", "true",
     "touch /new 2>/dev/null || echo refused", "refused\n"},
    {"SupplementalGroups", "/linux/security_context/supplemental_groups", "[2222, 3333]",
     "grep Groups: /proc/self/status | tr '\\t' ' '", "Groups: 0 2222 3333 \n"},
    {"DroppedCapabilities", "/linux/security_context/capabilities",
     R"({"drop_capabilities": ["ALL"]})", "grep CapEff: /proc/self/status",
     "CapEff:\t0000000000000000\n"},
    {"AddedCapability", "/linux/security_context/capabilities",
     R"({"drop_capabilities": ["ALL"], "add_capabilities": ["SYS_ADMIN"]})",
     "mount -t tmpfs none /tmp && echo mounted; grep CapEff: /proc/self/status",
     "mounted\nCapEff:\t0000000000200000\n"},
    {"NoNewPrivileges", "/linux/security_context/no_new_privs", "true",
     "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"},
    {"SeccompOfTheRuntime", "/linux/security_context/seccomp",
     R"({"profile_type": "RuntimeDefault"})", "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"},
    {"SeccompUnconfined", "/linux/security_context/seccomp", R"({"profile_type": "Unconfined"})",
     "grep Seccomp: /proc/self/status", "Seccomp:\t0\n"},
    {"SeccompOfTheUser", "/linux/security_context/seccomp",
     R"({"profile_type": "Localhost", "localhost_ref": "/tmp/seccomp.json"})",
     "mkdir /tmp/x 2>/dev/null || echo refused", "refused\n"},
    {"MaskedPath", "/linux/security_context/masked_paths", R"(["/proc/version"])",
     "wc -c </proc/version", "0\n"},
    {"ReadOnlyPath", "/linux/security_context/readonly_paths", R"(["/proc/sys"])",
     "echo x 2>/dev/null >/proc/sys/kernel/hostname || echo refused", "refused\n"},
    {"ReadOnlyMount", "/mounts",
     R"([{"container_path": "/mnt", "host_path": "/usr/share", "readonly": true}])",
     "touch /mnt/new 2>/dev/null || echo refused", "refused\n"},
    {"Device", "/devices",
     R"([{"container_path": "/dev/mine", "host_path": "/dev/fuse", "permissions": "rw"}])",
     "exec 3<>/dev/mine && echo opened", "opened\n"},
    {"DeviceOnlyToRead", "/devices",
     R"([{"container_path": "/dev/mine", "host_path": "/dev/fuse", "permissions": "r"}])",
     "exec 3</dev/mine; (exec 4>/dev/mine) 2>/dev/null || echo refused", "refused\n"},
};

INSTANTIATE_TEST_SUITE_P(All, CriSetting, ::testing::ValuesIn(kSettings),
                         [](const auto& about) { return std::string(about.param.name); });

class CriSecurity : public Cri {};

TEST_F(CriSecurity, UserAndGroupsAreThoseOfThePayloadItself) {
  container_.set(kUser, R"({"value": 1234})");
  container_.set(cat(kContext, "run_as_group"), R"({"value": 5678})");
  container_.set(cat(kContext, "supplemental_groups"), "[2222]");
  const std::string container = start(run_pod(), "id -u; id -g; id -G; exec sleep 1000");
  EXPECT_TRUE(says("stdout F 1234\n"));
  EXPECT_TRUE(says("stdout F 5678\n"));
  EXPECT_TRUE(says("stdout F 5678 2222\n"));
}

TEST_F(CriPrivileged, ContainerHasAllCapabilitiesAndDevices) {
  const std::string container = start(run_pod());
  const Outcome outcome =
      exec(container,
           "mount -t tmpfs none /tmp && test -c /dev/fuse && echo mounted; "
           "grep Seccomp: /proc/self/status; touch /proc/sys/kernel/hostname && echo rw");
  EXPECT_EQ(outcome.out, "mounted\nSeccomp:\t0\nrw\n") << outcome.err;
}

/// Mounts appear on the other side of a shared directory, or do not.
class CriPropagation : public CriPrivileged {
 protected:
  void SetUp() override {
    CriPrivileged::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::filesystem::create_directories(directory() + "/sub");
  }
  void TearDown() override {
    ::umount2((directory() + "/sub").c_str(), MNT_DETACH);
    CriPrivileged::TearDown();
  }
  [[nodiscard]] std::string directory() const { return "/srv/" + name(); }
  std::string start_with(const std::string& propagation) {
    container_.set("/mounts", cat(R"([{"container_path": "/mnt", "host_path": ")", directory(),
                                  R"(", "propagation": ")", propagation, "\"}]"));
    return start(run_pod());
  }
  void mount_outside() const {
    ASSERT_EQ(::mount("none", (directory() + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
  }
  [[nodiscard]] bool is_mounted_outside() const {
    const std::string mounts = text_of("/proc/self/mountinfo");
    return mounts.find(cat(' ', directory(), "/sub ")) != std::string::npos;
  }
  static bool is_mounted_inside(const std::string& container) {
    return exec(container, "grep -q ' /mnt/sub ' /proc/mounts").exit_code == 0;
  }
};

TEST_F(CriPropagation, PrivateMountSeesNothing) {
  const std::string container = start_with("PROPAGATION_PRIVATE");
  mount_outside();
  EXPECT_FALSE(is_mounted_inside(container));
}

TEST_F(CriPropagation, HostToContainerMountSeesTheMountsOfTheHost) {
  const std::string container = start_with("PROPAGATION_HOST_TO_CONTAINER");
  mount_outside();
  EXPECT_TRUE(is_mounted_inside(container));
}

TEST_F(CriPropagation, HostToContainerMountKeepsItsOwn) {
  const std::string container = start_with("PROPAGATION_HOST_TO_CONTAINER");
  EXPECT_EQ(exec(container, "mount -t tmpfs none /mnt/sub").exit_code, 0);
  EXPECT_FALSE(is_mounted_outside());
}

TEST_F(CriPropagation, BidirectionalMountIsSeenByTheHost) {
  const std::string container = start_with("PROPAGATION_BIDIRECTIONAL");
  EXPECT_EQ(exec(container, "mount -t tmpfs none /mnt/sub").exit_code, 0);
  EXPECT_TRUE(is_mounted_outside());
  EXPECT_EQ(exec(container, "umount /mnt/sub").exit_code, 0);
  EXPECT_FALSE(is_mounted_outside());
}

}  // namespace
}  // namespace rt::testing
