// Checkpoint and restore with a CRIU that the tests play (tests/criu/criu_actor.cc): what it is
// asked (checkpoint_orders_test.cc), and what becomes of its answers (checkpoint_answers_test.cc,
// restore_answers_test.cc).
#pragma once

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "tests/support/hooks.h"
#include "tests/support/mode.h"

namespace rt::testing {

inline std::string criu_actor() {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return cat(runfiles == nullptr ? "bazel-bin" : cat(runfiles, "/runtime"),
             "/tests/criu/criu_actor");
}

class PlayedCriu : public HookedContainer {
 protected:
  using Words = std::vector<std::string>;

  void SetUp() override {
    if (rootless()) GTEST_SKIP() << "CRIU wants root";
    if (with_systemd()) GTEST_SKIP() << "what CRIU is asked does not depend on who makes cgroups";
    HookedContainer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(exists(criu())) << criu();
    ASSERT_EQ(::mkdir(work().c_str(), 0700), 0);
  }

  [[nodiscard]] std::string image() const { return directory() + "/image"; }
  [[nodiscard]] std::string work() const { return directory() + "/work"; }
  [[nodiscard]] std::string pid_file() const { return directory() + "/pid"; }
  /// The path, which is below none that is hidden from CRIU.
  [[nodiscard]] static std::string criu() {
    char* path = ::realpath(criu_actor().c_str(), nullptr);
    const std::string copy = path == nullptr ? criu_actor() : path;
    ::free(path);
    return copy;
  }

  /// What CRIU does when it is called next.
  void play(std::string_view lines) const { write(work() + "/play", lines); }
  /// What it was asked, in the names of its protocol: "/opts/pid". Forgotten then.
  [[nodiscard]] Json request() const {
    const std::string path = work() + "/request.json";
    Json json(exists(path) ? read(path) : "null");
    std::remove(path.c_str());
    return json;
  }
  [[nodiscard]] bool was_asked() const { return exists(work() + "/request.json"); }

  /// `--criu CRIU COMMAND --image-path ... --work-path ... MORE...`
  [[nodiscard]] Words words(const std::string& command, const Words& more) const {
    Words words = {"--criu", criu(), command, "--image-path", image(), "--work-path", work()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] Words checkpoint_words(const Words& more = {}) const {
    Words all = words("checkpoint", more);
    all.push_back(id());
    return all;
  }
  [[nodiscard]] Outcome checkpoint(const Words& more = {}) const {
    return runtime(checkpoint_words(more));
  }
  [[nodiscard]] Words restore_words(const Words& more = {}) const {
    Words all = words("restore", {"--bundle", bundle(), "--pid-file", pid_file()});
    all.insert(all.end(), more.begin(), more.end());
    all.push_back(id());
    return all;
  }
  [[nodiscard]] Outcome restore(const Words& more = {}) const {
    write_config();
    Words all = {"--detach"};
    all.insert(all.end(), more.begin(), more.end());
    return runtime(restore_words(all));
  }

  /// An image as a checkpoint makes it, of a container whose streams are its own.
  void make_image(std::string_view streams = R"(["","",""])") const {
    ASSERT_EQ(::mkdir(image().c_str(), 0700), 0);
    write(image() + "/descriptors.json", streams);
  }

  /// It runs, is not frozen, and can be seen.
  void expect_running(pid_t init) const {
    EXPECT_EQ(status(), "running");
    EXPECT_EQ(pid(), init);
    EXPECT_EQ(runtime({"list", "--quiet"}).out, id() + '\n');
    EXPECT_EQ(runtime({"exec", id(), "echo", "there"}).out, "there\n");
  }
};

}  // namespace rt::testing
