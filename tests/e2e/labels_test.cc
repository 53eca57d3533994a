// The labels of security modules on the payload, where the modules are: tools/vm/labels runs this
// in a machine with AppArmor, and in one with SELinux. Everywhere else it skips, and
// tests/kernel/labels_test.cc says what happens then.
#include <fcntl.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Labels : public Container {
 protected:
  /// The label of a process, as its own /proc file says it.
  std::string label_of(pid_t pid) const {
    const std::string text = read(cat("/proc/", pid, "/attr/current"));
    return text.substr(0, text.find_last_not_of(std::string_view("\0\n", 2)) + 1);
  }
  /// The label that the payload sees.
  std::string label_inside() {
    const Outcome outcome = run_shell("cat /proc/self/attr/current");
    EXPECT_TRUE(succeeds(outcome));
    return outcome.out.substr(0, outcome.out.find_last_not_of(std::string_view("\0\n", 2)) + 1);
  }
};

/// A profile that is loaded while the test runs. It forbids /tmp/forbidden, and nothing else.
class AppArmor : public Labels {
 protected:
  static constexpr const char* kProfile = "runtime-labels-test";

  void SetUp() override {
    Labels::SetUp();
    if (!exists("/sys/kernel/security/apparmor/profiles")) GTEST_SKIP() << "no AppArmor here";
    write(profile_file(), cat("profile ", kProfile,
                              " flags=(attach_disconnected,mediate_deleted) {\n"
                              "  capability,\n  network,\n  mount,\n  umount,\n  pivot_root,\n"
                              "  ptrace,\n  signal,\n  unix,\n  file,\n"
                              "  deny /tmp/forbidden w,\n}\n"));
    ASSERT_TRUE(succeeds(parser("--replace")));
    loaded_ = true;
    config_.set_string("/process/apparmorProfile", kProfile);
  }
  void TearDown() override {
    if (loaded_) {
      EXPECT_TRUE(succeeds(parser("--remove")));
    }
    Labels::TearDown();
  }

  [[nodiscard]] static std::string enforced() { return cat(kProfile, " (enforce)"); }

 private:
  [[nodiscard]] std::string profile_file() const { return directory() + "/profile"; }
  [[nodiscard]] Outcome parser(const char* action) const {
    Call call;
    call.args = {action, "--skip-cache", profile_file()};
    return run_program("/sbin/apparmor_parser", call);
  }
  bool loaded_ = false;
};

TEST_F(AppArmor, ProfileIsOnThePayload) { EXPECT_EQ(label_inside(), enforced()); }

TEST_F(AppArmor, ProfileForbidsWhatItForbids) {
  const char* script =
      "mkdir -p /tmp; touch /tmp/allowed && echo allowed; touch /tmp/forbidden || echo forbidden";
  EXPECT_EQ(run_shell(script).out, "allowed\nforbidden\n");
  config_.erase("/process/apparmorProfile");
  EXPECT_EQ(run_shell(script).out, "allowed\n");
}

TEST_F(AppArmor, ProfileIsOnAnUnprivilegedPayload) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})").erase("/process/capabilities");
  config_.set("/process/noNewPrivileges", "true");
  EXPECT_EQ(label_inside(), enforced());
  config_.set("/process/noNewPrivileges", "false");
  EXPECT_EQ(label_inside(), enforced());
}

TEST_F(AppArmor, ProfileIsOnThePayloadOfAUserNamespace) {
  config_.user_namespace();
  EXPECT_EQ(label_inside(), enforced());
}

TEST_F(AppArmor, ProfileThatIsNotLoadedKeepsTheContainerFromBeingMade) {
  config_.set_string("/process/apparmorProfile", "no-such-profile");
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "`/proc/self/attr/apparmor/exec`: the profile "));
  EXPECT_TRUE(fails_saying(outcome, "no-such-profile"));
  EXPECT_TRUE(fails_saying(outcome, "is not loaded"));
  // Callers would take these words for a missing program.
  EXPECT_EQ(outcome.err.find("no such file or directory"), std::string::npos) << outcome.err;
}

TEST_F(AppArmor, UnconfinedIsAProfileToo) {
  config_.set_string("/process/apparmorProfile", "unconfined");
  EXPECT_EQ(label_inside(), "unconfined");
}

TEST_F(AppArmor, ProcOfTheImageIsNotWrittenInPlaceOfTheKernels) {
  // CVE-2019-16884: an image that brings a /proc of its own, and a document that mounts none.
  for (const char* name : {"/proc/self", "/proc/self/attr", "/proc/self/attr/apparmor"}) {
    sys::mkdir(rootfs() + name, 0755).value();
  }
  const char* files[] = {"/proc/self/attr/exec", "/proc/self/attr/apparmor/exec"};
  for (const char* name : files) write(rootfs() + name, "");
  config_.set("/mounts", "[]").set("/linux/maskedPaths", "[]").set("/linux/readonlyPaths", "[]");
  start_sleeping();
  EXPECT_EQ(label_of(pid()), enforced());
  for (const char* name : files) EXPECT_EQ(read(rootfs() + name), "") << name;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(AppArmor, ProfileIsOnWhatJoinsTheContainer) {
  start_sleeping();
  const auto joined = [&](std::vector<std::string> options) {
    options.insert(options.begin(), "exec");
    options.insert(options.end(), {id(), "/bin/cat", "/proc/self/attr/current"});
    return runtime(options);
  };
  EXPECT_EQ(joined({}).out, enforced() + '\n');
  EXPECT_EQ(joined({"--user", "1000:1000"}).out, enforced() + '\n');
  EXPECT_EQ(joined({"--apparmor", "unconfined"}).out, "unconfined\n");
  const Outcome refused = joined({"--apparmor", "no-such-profile"});
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("is not loaded"), std::string::npos) << refused.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(AppArmor, WhatTheContainerMountsOnItsProcIsNotWrittenInPlaceOfTheKernels) {
  // CVE-2025-52881: the files of the label are covered while something joins.
  for (const char* set : {"bounding", "effective", "permitted"}) {
    config_.add(cat("/process/capabilities/", set), R"("CAP_SYS_ADMIN")");
  }
  config_.erase("/process/apparmorProfile");
  start_sleeping(
      "mount -t tmpfs tmpfs /proc && mkdir -p /proc/self/attr/apparmor && "
      "touch /proc/self/attr/exec /proc/self/attr/apparmor/exec");
  const Outcome joined =
      runtime({"exec", "--apparmor", kProfile, id(), "/bin/sh", "-c",
               "cat /proc/self/attr/exec /proc/self/attr/apparmor/exec; touch /tmp/forbidden"});
  EXPECT_EQ(joined.out, "");
  EXPECT_NE(joined.err.find("/tmp/forbidden: Permission denied"), std::string::npos) << joined.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(AppArmor, ProfileIsNotYetOnACreatedContainersInit) {
  // It is asked for at create, and is there from the execution on.
  config_.args({"/bin/sleep", "100"});
  ASSERT_TRUE(succeeds(create()));
  EXPECT_EQ(label_of(pid()), "unconfined");
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(label_of(pid()), enforced());
  EXPECT_TRUE(succeeds(remove_by_force()));
}

/// With Debian's policy, which knows initrc_t and no container.
class Selinux : public Labels {
 protected:
  static constexpr const char* kContext = "system_u:system_r:initrc_t:s0";

  void SetUp() override {
    Labels::SetUp();
    if (!exists("/sys/fs/selinux/enforce")) GTEST_SKIP() << "no SELinux here";
  }
};

TEST_F(Selinux, ContextIsOnThePayload) {
  config_.set_string("/process/selinuxLabel", kContext);
  EXPECT_EQ(label_inside(), kContext);
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})").erase("/process/capabilities");
  EXPECT_EQ(label_inside(), kContext);
}

TEST_F(Selinux, LevelMayBeSpeltAsThePolicyAllows) {
  config_.set_string("/process/selinuxLabel", cat(kContext, ":c7,c3,c4"));
  EXPECT_EQ(label_inside(), cat(kContext, ":c3,c4,c7"));
}

TEST_F(Selinux, ContextIsOnWhatJoinsTheContainer) {
  config_.set_string("/process/selinuxLabel", kContext);
  start_sleeping();
  const Outcome joined = runtime({"exec", id(), "/bin/cat", "/proc/self/attr/current"});
  EXPECT_EQ(joined.out.substr(0, std::string_view(kContext).size()), kContext) << joined.err;
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Selinux, ContextThatThePolicyDoesNotKnowKeepsTheContainerFromBeingMade) {
  config_.set_string("/process/selinuxLabel", "system_u:system_r:no_such_t:s0");
  EXPECT_TRUE(fails_saying(create(), "`/proc/self/attr/exec`: "));
  EXPECT_TRUE(fails_saying(create(), "not a context of the policy that is loaded"));
}

TEST_F(Selinux, AppArmorsWordIsNoContext) {
  config_.set_string("/process/selinuxLabel", "unconfined");
  EXPECT_TRUE(fails_saying(create(), "`/proc/self/attr/exec`: "));
}

}  // namespace
}  // namespace rt::testing
