// What is in /dev. runtime-spec config-linux.md, "Devices", "Default Devices".
#include <sys/stat.h>

#include "runtime/base/text.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

class Devices : public Container {};

TEST_F(Devices, DefaultOnesAreThereForEverybody) {
  const Outcome outcome =
      run_shell("cd /dev; stat -c '%n %F %t:%T %a %u:%g' null zero full random urandom tty");
  EXPECT_EQ(outcome.out,
            "null character special file 1:3 666 0:0\n"
            "zero character special file 1:5 666 0:0\n"
            "full character special file 1:7 666 0:0\n"
            "random character special file 1:8 666 0:0\n"
            "urandom character special file 1:9 666 0:0\n"
            "tty character special file 5:0 666 0:0\n");
}

TEST_F(Devices, Work) {
  const Outcome outcome = run_shell(
      "echo x > /dev/null && head -c 5 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; "
      "echo x > /dev/full || echo full");
  EXPECT_EQ(outcome.out, "5\n4\nfull\n");
}

TEST_F(Devices, LinksAreThere) {
  const Outcome outcome = run_shell(
      "cd /dev; readlink fd; readlink stdin; readlink stdout; readlink stderr; "
      "readlink ptmx");
  EXPECT_EQ(outcome.out,
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n");
}

TEST_F(Devices, AskedForOnesAreMade) {
  config_.set("/linux/devices", R"([
    {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 432, "uid": 5, "gid": 6},
    {"path": "/dev/disk/x", "type": "b", "major": 7, "minor": 0, "fileMode": 384},
    {"path": "/dev/fifo", "type": "p", "fileMode": 420},
    {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 8630}])");
  const Outcome outcome =
      run_shell("cd /dev; stat -c '%n %F %t:%T %a %u:%g' fuse disk/x fifo null");
  EXPECT_EQ(outcome.out,
            "fuse character special file a:e5 660 5:6\n"
            "disk/x block special file 7:0 600 0:0\n"
            "fifo fifo 0:0 644 0:0\n"
            "null character special file 1:3 666 0:0\n");
}

TEST_F(Devices, ThatAreSomethingElseInTheImageAreRefused) {
  config_.set("/mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  write(rootfs() + "/dev/null", "not a device");
  const Outcome outcome = create();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("/dev/null"), std::string::npos) << outcome.err;
  EXPECT_EQ(read(rootfs() + "/dev/null"), "not a device");
}

TEST_F(Devices, PseudoTerminalsWork) {
  EXPECT_EQ(run_shell("test -c /dev/ptmx && test -d /dev/pts && echo fine").out, "fine\n");
}

}  // namespace
}  // namespace rt::testing
