// tools/mkbundle: from each kind of source, a bundle that runs.
#include <cstdlib>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Mkbundle : public Container {
 protected:
  std::string made() const { return directory() + "/made"; }

  static std::string script() {
    const char* runfiles = std::getenv("TEST_SRCDIR");
    return cat(runfiles == nullptr ? "." : cat(runfiles, "/runtime"), "/tools/mkbundle");
  }

  Outcome program(const std::string& name, const std::vector<std::string>& args) const {
    Call call;
    call.args = args;
    call.env.push_back(cat("RUNTIME=", runtime_binary()));
    call.env.push_back("HOME=/root");
    return run_program(name, call);
  }
  Outcome mkbundle(const std::vector<std::string>& args) const { return program(script(), args); }

  /// What the bundle prints.
  std::string output() const { return runtime({"run", "--bundle", made(), id()}).out; }

  /// Another program, which must succeed.
  void must(const std::string& name, const std::vector<std::string>& args) const {
    const Outcome outcome = program(name, args);
    ASSERT_TRUE(succeeds(outcome)) << name;
  }
};

TEST_F(Mkbundle, MakesOneOfBusybox) {
  ASSERT_TRUE(succeeds(mkbundle({"--hostname", "box", made(), "sh", "-c", "hostname; ls /"})));
  EXPECT_EQ(output(), "box\nbin\ndev\netc\nhome\nproc\nroot\nrun\nsys\ntmp\nvar\n");
}

TEST_F(Mkbundle, MakesOneOfADirectory) {
  write(rootfs() + "/etc/mark", "of a directory\n");
  ASSERT_TRUE(succeeds(mkbundle({"--from", rootfs(), made(), "cat", "/etc/mark"})));
  EXPECT_EQ(output(), "of a directory\n");
}

TEST_F(Mkbundle, MakesOneOfATarball) {
  write(rootfs() + "/etc/mark", "of a tarball\n");
  const std::string tar = directory() + "/root.tar.gz";
  must("/usr/bin/tar", {"--create", "--gzip", "--file", tar, "--directory", rootfs(), "."});
  ASSERT_TRUE(succeeds(mkbundle({"--from", tar, made(), "cat", "/etc/mark"})));
  EXPECT_EQ(output(), "of a tarball\n");
}

TEST_F(Mkbundle, MakesOneOfAnImageAndRunsWhatTheImageSays) {
  write(rootfs() + "/etc/mark", "of an image\n");
  const std::string layout = directory() + "/layout";
  const std::string image = layout + ":v1";
  must("/usr/bin/umoci", {"init", "--layout", layout});
  must("/usr/bin/umoci", {"new", "--image", image});
  must("/usr/bin/umoci", {"insert", "--image", image, rootfs(), "/"});
  must("/usr/bin/umoci", {"config", "--image", image, "--config.cmd", "/bin/sh", "--config.cmd",
                          "-c", "--config.cmd", "cat mark; echo $WHO", "--config.workingdir",
                          "/etc", "--config.env", "WHO=me", "--config.env", "PATH=/bin"});
  ASSERT_TRUE(succeeds(mkbundle({"--from", cat("oci:", image), made()})));
  EXPECT_EQ(output(), "of an image\nme\n");
}

TEST_F(Mkbundle, LeavesNothingOfWhatItCannotMake) {
  EXPECT_TRUE(fails_saying(mkbundle({"--from", directory() + "/absent", made()}),
                           "no such file or directory"));
  EXPECT_FALSE(exists(made()));
  write(directory() + "/broken.tar", "no archive");
  EXPECT_NE(mkbundle({"--from", directory() + "/broken.tar", made()}).exit_code, 0);
  EXPECT_FALSE(exists(made()));
}

TEST_F(Mkbundle, DoesNotReplaceARoot) {
  ASSERT_TRUE(succeeds(mkbundle({made()})));
  EXPECT_TRUE(fails_saying(mkbundle({made()}), "file exists"));
}

}  // namespace
}  // namespace rt::testing
