// Compiled filters kept as files.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "tests/kernel/filters.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace rt::testing {
namespace {

using plan::SeccompStep;
using Program = std::vector<sock_filter>;

std::string bytes_of(const Program& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return names;
  for (const dirent* entry = ::readdir(directory); entry != nullptr; entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

/// Different for each number.
SeccompStep numbered(uint32_t number) {
  return filter_of(SECCOMP_RET_ALLOW, {rule(errno_action(number), {"getpid"})});
}

class SeccompCache : public ::testing::Test {
 protected:
  [[nodiscard]] const std::string& path() const { return path_; }

  /// The program of `step`, by way of the cache.
  [[nodiscard]] Program make(const SeccompStep& step) const {
    const Result<kernel::Filter> filter = kernel::make_filter(step, path_);
    EXPECT_TRUE(is_ok(filter));
    return filter ? filter.value().program : Program();
  }

  /// Makes the filter of `step`, the only one, and says where it is.
  [[nodiscard]] std::string make_entry(const SeccompStep& step) const {
    static_cast<void>(make(step));
    const std::vector<std::string> names = names_in(path_);
    EXPECT_EQ(names.size(), 1U);
    return names.empty() ? "" : path_ + "/" + names[0];
  }

  /// Whether the filter is right and its entry as if nothing had been wrong.
  [[nodiscard]] bool is_repaired(const SeccompStep& step, const std::string& entry,
                                 const std::string& good) const {
    const Result<Program> right = kernel::compile_filter(step);
    return bytes_of(make(step)) == bytes_of(right.value()) && read_text(entry) == good;
  }

 private:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/filters";
};

TEST_F(SeccompCache, TheSecondTimeNothingIsWritten) {
  const SeccompStep step = filter_of_config("docker-default");
  const std::string entry = make_entry(step);
  struct stat first{};
  ASSERT_EQ(::stat(entry.c_str(), &first), 0);
  EXPECT_EQ(first.st_mode & 07777, 0600U);
  const Result<Program> right = kernel::compile_filter(step);
  EXPECT_EQ(bytes_of(make(step)), bytes_of(right.value()));
  struct stat second{};
  ASSERT_EQ(::stat(entry.c_str(), &second), 0);
  EXPECT_EQ(first.st_ino, second.st_ino);
  EXPECT_EQ(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

TEST_F(SeccompCache, WhatItHoldsIsTaken) {
  const std::string entry = read_text(make_entry(numbered(1)));
  // A header of 32 bytes, the size of the key in the second word.
  uint64_t key_size = 0;
  std::memcpy(&key_size, entry.data() + 8, sizeof key_size);
  const Program other = make(numbered(2));
  kernel::FilterCache(path()).store(entry.substr(32, key_size), other);
  EXPECT_EQ(bytes_of(make(numbered(1))), bytes_of(other));
}

TEST_F(SeccompCache, IsPrivate) {
  static_cast<void>(make_entry(numbered(1)));
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST_F(SeccompCache, AnEntryThatIsCutOffIsReplaced) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const std::string good = read_text(entry);
  for (size_t size = 0; size < good.size(); size += 7) {
    write_text(entry, good.substr(0, size));
    ASSERT_TRUE(is_repaired(step, entry, good)) << size;
  }
}

TEST_F(SeccompCache, AnEntryWithAWrongByteIsReplaced) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const std::string good = read_text(entry);
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write_text(entry, bad);
    ASSERT_TRUE(is_repaired(step, entry, good)) << at;
  }
}

TEST_F(SeccompCache, GarbageIsReplaced) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const std::string good = read_text(entry);
  for (const std::string& bad : {std::string(), std::string(64, '\0'), std::string(5000, 'x'),
                                 good + "x", good + good, std::string(5000000, '\xff')}) {
    write_text(entry, bad);
    ASSERT_TRUE(is_repaired(step, entry, good)) << bad.size();
  }
}

TEST_F(SeccompCache, TheEntryOfAnotherFilterIsNotTaken) {
  const std::string first = make_entry(numbered(1));
  const std::string good = read_text(first);
  static_cast<void>(make(numbered(2)));
  for (const std::string& name : names_in(path())) {
    const std::string other = path() + "/" + name;
    if (other != first) write_text(first, read_text(other));
  }
  EXPECT_TRUE(is_repaired(numbered(1), first, good));
}

TEST_F(SeccompCache, LinksAreNotFollowed) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const std::string good = read_text(entry);
  const std::string moved = path() + "-moved";
  ASSERT_EQ(::rename(entry.c_str(), moved.c_str()), 0);
  ASSERT_EQ(::symlink(moved.c_str(), entry.c_str()), 0);
  EXPECT_TRUE(is_repaired(step, entry, good));
  struct stat info{};
  ASSERT_EQ(::lstat(entry.c_str(), &info), 0);
  EXPECT_TRUE(S_ISREG(info.st_mode));
}

TEST_F(SeccompCache, WhatOthersCanWriteIsReplaced) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const std::string good = read_text(entry);
  ASSERT_EQ(::chmod(entry.c_str(), 0602), 0);
  EXPECT_TRUE(is_repaired(step, entry, good));
  struct stat info{};
  ASSERT_EQ(::stat(entry.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(entry.c_str(), 1000, 1000), 0);
  EXPECT_TRUE(is_repaired(step, entry, good));
  ASSERT_EQ(::stat(entry.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
}

TEST_F(SeccompCache, AnEntryThatCannotBeReplacedDoesNotMatter) {
  const SeccompStep step = numbered(1);
  const std::string entry = make_entry(step);
  const Result<Program> right = kernel::compile_filter(step);
  ASSERT_EQ(::unlink(entry.c_str()), 0);
  ASSERT_EQ(::mkdir(entry.c_str(), 0700), 0);
  EXPECT_EQ(bytes_of(make(step)), bytes_of(right.value()));
  EXPECT_EQ(names_in(path()).size(), 1U);
  ASSERT_EQ(::rmdir(entry.c_str()), 0);
  ASSERT_EQ(::mkfifo(entry.c_str(), 0600), 0);
  EXPECT_EQ(bytes_of(make(step)), bytes_of(right.value()));
}

TEST_F(SeccompCache, ADirectoryThatIsNotOursIsNotUsed) {
  const Result<Program> right = kernel::compile_filter(numbered(1));
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  ASSERT_EQ(::chmod(path().c_str(), 0777), 0);
  EXPECT_EQ(bytes_of(make(numbered(1))), bytes_of(right.value()));
  EXPECT_TRUE(names_in(path()).empty());
  const std::string link = path() + "-link";
  ASSERT_EQ(::chmod(path().c_str(), 0700), 0);
  ASSERT_EQ(::symlink(path().c_str(), link.c_str()), 0);
  EXPECT_TRUE(is_ok(kernel::make_filter(numbered(1), link)));
  EXPECT_TRUE(names_in(path()).empty());
  EXPECT_TRUE(is_ok(kernel::make_filter(numbered(1), path() + "/no/such/place")));
}

TEST_F(SeccompCache, HoldsNoMoreThanItsBound) {
  constexpr uint32_t kMore = kernel::FilterCache::kEntries + 20;
  for (uint32_t number = 1; number <= kMore; ++number) static_cast<void>(make(numbered(number)));
  const std::vector<std::string> names = names_in(path());
  EXPECT_EQ(names.size(), kernel::FilterCache::kEntries);
  // The last one is still there: nothing changes.
  static_cast<void>(make(numbered(kMore)));
  EXPECT_EQ(names_in(path()), names);
  // The first one is not.
  static_cast<void>(make(numbered(1)));
  EXPECT_NE(names_in(path()), names);
}

TEST_F(SeccompCache, SeveralWritersDoNotDisturbEachOther) {
  static_cast<void>(make(numbered(1)));
  std::vector<std::string> right(5);
  for (uint32_t number = 1; number < 5; ++number) {
    right[number] = bytes_of(kernel::compile_filter(numbered(number)).value());
  }
  std::vector<pid_t> writers;
  for (int i = 0; i < 6; ++i) {
    const pid_t writer = ::fork();
    if (writer != 0) {
      writers.push_back(writer);
      continue;
    }
    bool good = true;
    for (int turn = 0; turn < 200; ++turn) {
      const uint32_t number = 1 + static_cast<uint32_t>(turn) % 4;
      good = good && bytes_of(make(numbered(number))) == right[number];
      // Gone again, so that there is always one to write.
      const std::vector<std::string> names = names_in(path());
      if (!names.empty()) ::unlink((path() + "/" + names[0]).c_str());
    }
    ::_exit(good ? 0 : 1);
  }
  for (const pid_t writer : writers) EXPECT_EQ(end_of(writer), 0);
  for (const std::string& name : names_in(path())) EXPECT_FALSE(name.starts_with("new-")) << name;
}

TEST_F(SeccompCache, WhatDoesNotChangeTheProgramDoesNotMatter) {
  SeccompStep step = numbered(1);
  static_cast<void>(make(step));
  step.flags = SECCOMP_FILTER_FLAG_LOG;
  step.origin = "/elsewhere";
  step.listener_path = "/run/agent.sock";
  const Result<kernel::Filter> filter = kernel::make_filter(step, path());
  ASSERT_TRUE(is_ok(filter));
  EXPECT_EQ(filter.value().flags, SECCOMP_FILTER_FLAG_LOG);
  EXPECT_EQ(names_in(path()).size(), 1U);
}

}  // namespace
}  // namespace rt::testing
