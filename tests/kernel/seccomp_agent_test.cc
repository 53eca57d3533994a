// The listener of a filter on its way to an agent: here, the test.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "spec/process_state.h"
#include "tests/kernel/filters.h"
#include "tests/support/listener.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::testing {
namespace {

ino_t inode_of(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

class SeccompAgent : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  /// Stands for a listener: a descriptor that can be told from others.
  UniqueFd listener_{::open(directory_.path().c_str(), O_RDONLY | O_CLOEXEC)};
};

TEST_F(SeccompAgent, GetsTheListenerWithTheState) {
  const Listener agent(directory_.path() + "/agent");
  ASSERT_TRUE(
      is_ok(kernel::send_listener(directory_.path() + "/agent", listener_.get(), "{\"state\":1}")));
  const Delivery letter = receive_all(agent.accept().get());
  EXPECT_EQ(letter.text, "{\"state\":1}");
  EXPECT_EQ(inode_of(letter.descriptor.get()), inode_of(listener_.get()));
}

TEST_F(SeccompAgent, MayHaveALongPath) {
  std::string path = directory_.path();
  for (int i = 0; i < 3; ++i) {
    path += "/" + std::string(100, 'd');
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  }
  const Listener agent(path + "/agent");
  ASSERT_TRUE(is_ok(kernel::send_listener(path + "/agent", listener_.get(), "{}")));
  EXPECT_EQ(receive_all(agent.accept().get()).text, "{}");
}

TEST_F(SeccompAgent, ThatIsNotThereIsAnError) {
  const std::string path = directory_.path() + "/nobody";
  const Status sent = kernel::send_listener(path, listener_.get(), "{}");
  EXPECT_TRUE(fails_with(
      sent, cat("seccomp agent ", rt::quoted(path), ": connect: no such file or directory")));
  EXPECT_EQ(sent.error().pointer(), "/linux/seccomp/listenerPath");
}

TEST_F(SeccompAgent, ThatDoesNotReadIsGivenUp) {
  const Listener agent(directory_.path() + "/agent");
  const std::string large(4 << 20, 'x');
  const std::string path = directory_.path() + "/agent";
  const Status sent = kernel::send_listener(path, listener_.get(), large, 1);
  ASSERT_TRUE(fails_with(sent, cat("seccomp agent ", rt::quoted(path), ": sendmsg: ")));
  EXPECT_TRUE(sent.error().message().ends_with("(the agent does not answer)"));
}

TEST(ProcessState, IsWhatTheSpecificationSays) {
  spec::ProcessState state;
  state.fds = {std::string(spec::kSeccompFd)};
  state.pid = 4422;
  state.metadata = "MKNOD=/dev/null";
  state.state.id = "demo";
  state.state.status = "creating";
  state.state.pid = 4422;
  state.state.bundle = "/bundle";
  EXPECT_EQ(spec::to_json(state),
            R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":4422,"metadata":"MKNOD=/dev/null",)"
            R"("state":{"ociVersion":"1.3.0","id":"demo","status":"creating","pid":4422,)"
            R"("bundle":"/bundle"}})");
  state.metadata.clear();
  EXPECT_EQ(spec::to_json(state).find("metadata"), std::string::npos);
}

}  // namespace
}  // namespace rt::testing
