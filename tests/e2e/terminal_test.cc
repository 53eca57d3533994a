// The payload's terminal: shown in the foreground, or sent to a socket.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "runtime/base/unique_fd.h"
#include "runtime/sys/socket.h"
#include "tests/support/container.h"
#include "tests/support/listener.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

class Terminal : public Container {
 protected:
  void SetUp() override {
    Container::SetUp();
    config_.set("/process/terminal", "true");
  }

  std::string socket_path() const { return directory() + "/console.sock"; }

  Outcome create_with_socket() const {
    write_config();
    return runtime({"create", "--console-socket", socket_path(), id(), bundle()});
  }
};

TEST_F(Terminal, IsShownInTheForeground) {
  const Outcome outcome = run_shell("echo hi; exit 7");
  EXPECT_EQ(outcome.out, "hi\n");
  EXPECT_EQ(outcome.exit_code, 7);
}

TEST_F(Terminal, IsTheContainersOwn) {
  config_.set("/process/consoleSize", R"({"height": 33, "width": 77})");
  const Outcome outcome = run_shell(
      "for fd in 0 1 2; do test -t $fd || echo \"$fd is no terminal\"; done; "
      "readlink /proc/self/fd/0; stat -c '%t' /dev/console; stty size; "
      "cut -d' ' -f7 /proc/self/stat");
  EXPECT_EQ(outcome.out, "/dev/pts/0\n88\n33 77\n34816\n") << outcome.err;  // 0x88 is 136
}

TEST_F(Terminal, BelongsToTheContainersUser) {
  config_.set("/process/user", R"({"uid": 1000, "gid": 1000})");
  EXPECT_EQ(run_shell("stat -c %u /dev/pts/0; echo again >/dev/console").out, "1000\nagain\n");
}

TEST_F(Terminal, TakesInputAndItsEnd) {
  config_.shell("stty -echo; echo ready; cat; echo done");
  Call call;
  call.input = "typed\n";
  const Outcome outcome = run(call);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // The input may be echoed before the payload turns that off.
  EXPECT_NE(outcome.out.find("ready\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("typed\ndone\n"), std::string::npos) << outcome.out;
}

TEST_F(Terminal, ShowsAllThatIsWrittenBeforeTheEnd) {
  const Outcome outcome = run_shell("seq 1 20000");
  EXPECT_EQ(outcome.out.size(), 108894U);
  EXPECT_TRUE(outcome.out.ends_with("\n19999\n20000\n"));
}

TEST_F(Terminal, IsSentToTheConsoleSocket) {
  const Listener listener(socket_path());
  config_.shell("echo from inside");
  ASSERT_TRUE(succeeds(create_with_socket()));
  const Delivery delivery = receive_all(listener.accept().get());
  EXPECT_FALSE(delivery.text.empty());
  ASSERT_TRUE(::isatty(delivery.descriptor.get()) == 1);
  ASSERT_TRUE(succeeds(start()));
  EXPECT_EQ(read_terminal(delivery.descriptor.get()), "from inside\r\n");
  EXPECT_TRUE(succeeds(remove_by_force()));
}

TEST_F(Terminal, NeedsSomebodyToShowIt) {
  EXPECT_TRUE(fails_saying(
      create(), "cannot allocate tty if runtime will detach without setting console socket"));
  config_.set("/process/terminal", "false");
  EXPECT_TRUE(fails_saying(create_with_socket(),
                           "cannot use console socket if runtime will not detach or allocate tty"));
}

TEST_F(Terminal, ASocketThatIsNotThereFailsCreateAndLeavesNothing) {
  EXPECT_TRUE(fails_saying(create_with_socket(), "connect: no such file or directory"));
  EXPECT_TRUE(fails_saying(runtime({"state", id()}), "does not exist"));
}

TEST_F(Terminal, NeedsADevptsOfTheContainer) {
  config_.set("/mounts", R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  EXPECT_TRUE(fails_saying(run(), "needs a mount of type devpts at /dev/pts"));
}

TEST_F(Terminal, WorksInAUserNamespace) {
  config_.user_namespace();
  EXPECT_EQ(run_shell("tty; stat -c %u /dev/console").out, "/dev/pts/0\n0\n");
}

}  // namespace
}  // namespace rt::testing
