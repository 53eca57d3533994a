// The sync channel: what one process says is what the other hears, and nothing else is taken for
// it.
#include "runtime/stage/protocol.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/sys/socket.h"
#include "tests/support/matchers.h"

namespace rt::stage {
namespace {

using rt::testing::is_ok;

class Protocol : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<sys::SocketPair> pair = sys::socket_pair();
    ASSERT_TRUE(is_ok(pair));
    pair_ = std::move(pair).value();
  }
  int runtime() const { return pair_.ours.get(); }
  int child() const { return pair_.theirs.get(); }

  sys::SocketPair pair_;
};

TEST_F(Protocol, AMessageArrivesWithTheSenderThatTheKernelNames) {
  ASSERT_TRUE(is_ok(send_message(child(), Message::kInitHere)));
  const Result<Heard> heard = expect(runtime(), {Message::kInitHere});
  ASSERT_TRUE(is_ok(heard));
  EXPECT_EQ(heard.value().sender, ::getpid());
}

TEST_F(Protocol, AnErrorArrivesWithAllItsParts) {
  const Error error = Error::from_errno("move_mount", EACCES)
                          .within("mounts[3] /proc")
                          .at("/mounts/3")
                          .in_step("mounts");
  ASSERT_TRUE(is_ok(send_failure(child(), error)));
  const Result<Heard> heard = expect(runtime(), {Message::kReady});
  ASSERT_FALSE(heard.ok());
  EXPECT_EQ(heard.error().message(), "mounts[3] /proc: move_mount: permission denied");
  EXPECT_EQ(heard.error().code(), EACCES);
  EXPECT_EQ(heard.error().call(), "move_mount");
  EXPECT_EQ(heard.error().pointer(), "/mounts/3");
  EXPECT_EQ(heard.error().step(), "mounts");
}

TEST_F(Protocol, ALongErrorIsCutAndNotMore) {
  const std::string middle(100000, 'x');
  const Error error = Error(cat("place: ", middle, ": reason")).at(std::string(1000, '/'));
  ASSERT_TRUE(is_ok(send_failure(child(), error)));
  const Result<Heard> heard = expect(runtime(), {Message::kReady});
  ASSERT_FALSE(heard.ok());
  EXPECT_GT(heard.error().message().size(), 3000U);
  EXPECT_LT(heard.error().message().size(), 4096U);
  EXPECT_TRUE(heard.error().message().starts_with("place: xxx")) << heard.error().message();
  EXPECT_TRUE(heard.error().message().ends_with("xxx: reason")) << heard.error().message();
  EXPECT_NE(heard.error().message().find("x [...] x"), std::string::npos);
  EXPECT_EQ(heard.error().pointer(), std::string(255, '/'));
}

TEST_F(Protocol, AMessageOutOfTurnIsAnError) {
  ASSERT_TRUE(is_ok(send_message(child(), Message::kReady)));
  EXPECT_FALSE(expect(runtime(), {Message::kInitHere}).ok());
}

TEST_F(Protocol, AClosedChannelIsTold) {
  pair_.theirs.reset();
  const Result<Heard> heard = expect(runtime(), {Message::kReady});
  ASSERT_FALSE(heard.ok());
  EXPECT_EQ(heard.error().code(), ECONNRESET);
}

/// A hostile child: every length, and bytes that are no message.
TEST_F(Protocol, BytesOfAnyLengthAreNeverTakenForAMessage) {
  for (size_t length = 1; length <= 5000; length += length < 16 ? 1 : 97) {
    const std::vector<unsigned char> bytes(length, 0xff);
    ASSERT_TRUE(is_ok(sys::send(child(), bytes.data(), bytes.size())));
    EXPECT_FALSE(expect(runtime(), {Message::kReady}).ok()) << length;
  }
}

TEST_F(Protocol, AnErrorWithoutAnEndIsReadToItsEndAndNoFurther) {
  std::vector<unsigned char> bytes(4096, 'y');
  std::fill_n(bytes.begin(), sizeof(Message), static_cast<unsigned char>(Message::kFailed));
  ASSERT_TRUE(is_ok(sys::send(child(), bytes.data(), bytes.size())));
  const Result<Heard> heard = expect(runtime(), {Message::kReady});
  ASSERT_FALSE(heard.ok());
  EXPECT_LE(heard.error().message().size(), 4096U);
}

}  // namespace
}  // namespace rt::stage
