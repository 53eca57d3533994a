#include "runtime/container/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::container {
namespace {

using rt::testing::fails_with;
using rt::testing::is_ok;
using rt::testing::TemporaryDirectory;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Record record_of(const std::string& id) {
  Record record;
  record.id = id;
  return record;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : root_(directory_.path() + "/state") {}

  Store store() { return Store::make(root_).value(); }

  TemporaryDirectory directory_;
  std::string root_;
};

TEST_F(StoreTest, RootIsMadePrivateWithItsParents) {
  ASSERT_TRUE(is_ok(Store::make(root_ + "/a/b")));
  struct stat info{};
  ASSERT_EQ(::stat((root_ + "/a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST_F(StoreTest, RootThatDoesNotExistIsAnEmptyStore) {
  const auto store = Store::open(root_);
  ASSERT_TRUE(is_ok(store));
  EXPECT_TRUE(store.value().ids().value().empty());
  EXPECT_FALSE(store.value().find("x").value().has_value());
  EXPECT_FALSE(exists(root_));
}

TEST_F(StoreTest, RootThatOthersCanWriteIsRefused) {
  ASSERT_EQ(::mkdir(root_.c_str(), 0700), 0);
  for (const mode_t mode : {0770U, 0702U, 01777U}) {
    ASSERT_EQ(::chmod(root_.c_str(), mode), 0);
    EXPECT_TRUE(
        fails_with(Store::open(root_), cat("state root \"", root_, "\": others can write")));
    EXPECT_FALSE(Store::make(root_).ok());
  }
}

TEST_F(StoreTest, RootThatIsALinkIsRefused) {
  ASSERT_EQ(::mkdir((directory_.path() + "/real").c_str(), 0700), 0);
  ASSERT_EQ(::symlink((directory_.path() + "/real").c_str(), root_.c_str()), 0);
  EXPECT_FALSE(Store::open(root_).ok());
  EXPECT_FALSE(Store::open(root_ + "/").ok());
  EXPECT_FALSE(Store::make(root_).ok());
}

TEST_F(StoreTest, RootThatIsAFileIsRefused) {
  ASSERT_TRUE(is_ok(sys::open(root_, O_WRONLY | O_CREAT, 0600)));
  EXPECT_FALSE(Store::open(root_).ok());
}

TEST_F(StoreTest, ReservesANameOnce) {
  const Store store = this->store();
  const auto first = store.reserve("x");
  ASSERT_TRUE(is_ok(first));
  EXPECT_TRUE(fails_with(store.reserve("x"), "x: container with given ID already exists"));
  EXPECT_TRUE(exists(root_ + "/x"));
}

TEST_F(StoreTest, GivesBackTheRecordThatWasSaved) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  Record record = record_of("x");
  ASSERT_TRUE(is_ok(entry.save(record)));
  record.bundle = "/b";
  ASSERT_TRUE(is_ok(entry.save(record)));
  const auto loaded = store.find("x").value().value().load();
  ASSERT_TRUE(is_ok(loaded));
  EXPECT_EQ(loaded.value(), record);
}

TEST_F(StoreTest, SavingGetsPastWhatAKilledCommandLeft) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(sys::open(root_ + "/x/record.json.new", O_WRONLY | O_CREAT, 0600)));
  ASSERT_TRUE(is_ok(entry.save(record_of("x"))));
  EXPECT_FALSE(exists(root_ + "/x/record.json.new"));
}

TEST_F(StoreTest, KeepsTheResourcesOfTheLastUpdate) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  EXPECT_EQ(entry.load_resources().value(), std::nullopt) << "before the first";
  ASSERT_TRUE(is_ok(entry.save_resources("{}")));
  ASSERT_TRUE(is_ok(entry.save_resources("{\"pids\":{\"limit\":5}}")));
  EXPECT_EQ(entry.load_resources().value(), "{\"pids\":{\"limit\":5}}");
  EXPECT_FALSE(exists(root_ + "/x/resources.json.new"));
}

TEST_F(StoreTest, KeepsWhatAnUpdateIsChangingUntilItIsDropped) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  EXPECT_EQ(entry.load_intent().value(), std::nullopt);
  EXPECT_FALSE(entry.drop_intent().ok()) << "there is none";
  ASSERT_TRUE(is_ok(entry.save_intent("{}")));
  EXPECT_EQ(entry.load_intent().value(), "{}");
  EXPECT_EQ(entry.load_resources().value(), std::nullopt);
  ASSERT_TRUE(is_ok(entry.drop_intent()));
  EXPECT_EQ(entry.load_intent().value(), std::nullopt);
}

TEST_F(StoreTest, AMissingRecordSaysHowToCleanUp) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  const auto loaded = entry.load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message().find("container does not exist"), std::string::npos);
  EXPECT_NE(loaded.error().message().find("delete --force"), std::string::npos);
}

TEST_F(StoreTest, AnEmptyRecordIsNone) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(sys::open(root_ + "/x/record.json", O_WRONLY | O_CREAT, 0600)));
  EXPECT_TRUE(fails_with(entry.load(), cat(root_, "/x/record.json: container does not exist: ")));
}

TEST_F(StoreTest, ARecordOfAnotherContainerIsAnError) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(entry.save(record_of("y"))));
  EXPECT_TRUE(fails_with(entry.load(), cat(root_, "/x/record.json: describes another container")));
}

TEST_F(StoreTest, ARecordThatIsALinkIsAnError) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  ASSERT_EQ(::symlink("/etc/passwd", (root_ + "/x/record.json").c_str()), 0);
  EXPECT_TRUE(fails_with(entry.load(), cat(root_, "/x/record.json: ")));
}

TEST_F(StoreTest, ARecordThatIsAFifoDoesNotHang) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  ASSERT_EQ(::mkfifo((root_ + "/x/record.json").c_str(), 0600), 0);
  EXPECT_FALSE(entry.load().ok());
}

TEST_F(StoreTest, RemovesTheDirectoryAndFreesTheName) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(entry.save(record_of("x"))));
  ASSERT_TRUE(is_ok(entry.make_fifo(Fifo::kExec)));
  ASSERT_TRUE(is_ok(entry.remove()));
  EXPECT_TRUE(sys::list_directory(root_).value().empty());
  EXPECT_TRUE(is_ok(store.reserve("x")));
}

TEST_F(StoreTest, RemovesWhatAContainerHasPutInItsNotifyDirectory) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(entry.make_notify_directory()));
  const std::string notify = notify_directory(root_, "x").value();
  ASSERT_TRUE(is_ok(sys::mkdir(notify + "/a", 0700)));
  ASSERT_TRUE(is_ok(sys::mkdir(notify + "/a/b", 0700)));
  ASSERT_TRUE(is_ok(sys::mkfifo(notify + "/a/b/c", 0600)));
  ASSERT_TRUE(is_ok(sys::mkdir(directory_.path() + "/elsewhere", 0700)));
  ASSERT_TRUE(is_ok(sys::mkfifo(directory_.path() + "/elsewhere/file", 0600)));
  ASSERT_EQ(::symlink((directory_.path() + "/elsewhere").c_str(), (notify + "/a/link").c_str()), 0);
  ASSERT_TRUE(is_ok(entry.remove()));
  EXPECT_TRUE(sys::list_directory(root_).value().empty());
  EXPECT_TRUE(exists(directory_.path() + "/elsewhere/file"));
}

TEST_F(StoreTest, ADirectoryWithoutAnEndIsAnErrorAndNotTheEndOfUs) {
  const Store store = this->store();
  Entry entry = store.reserve("x").value();
  std::string path = root_ + "/x/notify";
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(is_ok(sys::mkdir(path, 0700)));
    path += "/d";
  }
  EXPECT_EQ(entry.remove().error().code(), EISDIR);
}

TEST_F(StoreTest, TheNotifyDirectoryIsWhereThePlanHasIt) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  const mode_t before = ::umask(077);
  ASSERT_TRUE(is_ok(entry.make_notify_directory()));
  ::umask(before);
  struct stat info{};
  ASSERT_EQ(::stat(notify_directory(root_, "x").value().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0711U);
  EXPECT_TRUE(is_ok(entry.open_notify_directory()));
  EXPECT_TRUE(notify_directory("relative", "x").value().starts_with('/'));
}

TEST_F(StoreTest, SweepFinishesAnInterruptedRemoval) {
  const Store store = this->store();
  {
    const Entry entry = store.reserve("x").value();
  }
  ASSERT_EQ(::rename((root_ + "/x").c_str(), (root_ + "/~x").c_str()), 0);
  EXPECT_TRUE(store.ids().value().empty());
  ASSERT_TRUE(is_ok(store.sweep("x")));
  EXPECT_TRUE(sys::list_directory(root_).value().empty());
}

TEST_F(StoreTest, RemovalGetsPastAnInterruptedOne) {
  const Store store = this->store();
  {
    const Entry entry = store.reserve("x").value();
  }
  ASSERT_EQ(::rename((root_ + "/x").c_str(), (root_ + "/~x").c_str()), 0);
  Entry entry = store.reserve("x").value();
  ASSERT_TRUE(is_ok(entry.remove()));
  EXPECT_TRUE(sys::list_directory(root_).value().empty());
}

TEST_F(StoreTest, ListsNamesInOrderAndNothingElse) {
  const Store store = this->store();
  for (const char* id : {"b", "a", "c"}) ASSERT_TRUE(is_ok(store.reserve(id)));
  ASSERT_EQ(::mkdir((root_ + "/not a name").c_str(), 0700), 0);
  EXPECT_EQ(store.ids().value(), (std::vector<std::string>{"a", "b", "c"}));
}

/// Runs `body` in a child process; its exit code.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  const int status = sys::wait_for(child).value();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(StoreTest, ALockKeepsOtherProcessesOut) {
  const Store store = this->store();
  const Entry entry = store.reserve("x").value();
  EXPECT_FALSE(entry.locked_by_other().value());
  EXPECT_EQ(in_child([&] {
              Entry again = store.find("x").value().value();
              if (!again.locked_by_other().value()) return 1;
              return again.lock(std::chrono::milliseconds(0)).ok() ? 2 : 0;
            }),
            0);
}

TEST_F(StoreTest, ALockIsWaitedFor) {
  const Store store = this->store();
  {
    const Entry entry = store.reserve("x").value();
  }
  const sys::SocketPair pair = sys::socket_pair().value();
  const pid_t child = ::fork();
  if (child == 0) {
    Entry entry = store.find_locked("x").value().value();
    char byte = 0;
    static_cast<void>(sys::send(pair.theirs.get(), &byte, 1));
    // Until the other side has begun to wait, or a little later: either way it must get the lock.
    static_cast<void>(sys::receive(pair.theirs.get(), &byte, 1));
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_TRUE(is_ok(sys::receive(pair.ours.get(), &byte, 1)));
  Entry entry = store.find("x").value().value();
  EXPECT_TRUE(entry.locked_by_other().value());
  ASSERT_TRUE(is_ok(sys::send(pair.ours.get(), &byte, 1)));
  EXPECT_TRUE(entry.lock(kLockPatience).value());
  ASSERT_TRUE(is_ok(sys::wait_for(child)));
}

TEST_F(StoreTest, LockingADeletedContainerSaysSo) {
  const Store store = this->store();
  {
    const Entry entry = store.reserve("x").value();
  }
  Entry stale = store.find("x").value().value();
  ASSERT_EQ(in_child([&] { return store.find_locked("x").value()->remove().ok() ? 0 : 1; }), 0);
  EXPECT_FALSE(stale.lock(kLockPatience).value());
  // Nor is a new container of that name taken for it.
  {
    const Entry entry = store.reserve("x").value();
  }
  EXPECT_FALSE(stale.lock(kLockPatience).value());
}

struct Id {
  const char* name;
  std::string id;
};

class BadId : public ::testing::TestWithParam<Id> {};

TEST_P(BadId, IsRefused) {
  EXPECT_TRUE(fails_with(check_id(GetParam().id), "invalid container ID format"));
}

INSTANTIATE_TEST_SUITE_P(CheckId, BadId,
                         ::testing::Values(Id{"Empty", ""}, Id{"Dot", "."}, Id{"DotDot", ".."},
                                           Id{"Slash", "a/b"}, Id{"Up", "../a"}, Id{"Dash", "-a"},
                                           Id{"Space", "a b"}, Id{"Newline", "a\n"},
                                           Id{"Nul", std::string("a\0b", 3)}, Id{"Grave", "~a"},
                                           Id{"Utf8", "\u00e4"}, Id{"Long", std::string(255, 'a')},
                                           Id{"Kibibyte", std::string(1024, 'a')}),
                         [](const auto& info) { return info.param.name; });

TEST(CheckId, TakesWhatOrchestratorsUse) {
  for (const char* id : {"a", "buildah-buildah123", "A_b+c.d-e", ".hidden", "0", "..."}) {
    EXPECT_TRUE(is_ok(check_id(id))) << id;
  }
  EXPECT_TRUE(is_ok(check_id(std::string(254, 'a'))));
}

TEST(DefaultRoot, OfTheMachinesRootIsBelowRun) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(default_root().value(), "/run/runtime");
}

}  // namespace
}  // namespace rt::container
