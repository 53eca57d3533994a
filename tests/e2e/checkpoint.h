// Containers that CRIU can save: for what is as before (checkpoint_test.cc), and for what goes
// wrong (checkpoint_failures_test.cc). CRIU does not work with every kernel; it does in tools/vm.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "tests/support/hooks.h"
#include "tests/support/mode.h"

namespace rt::testing {

/// Why nothing can be saved on this machine; empty when it can.
inline const std::string& why_not_saved() {
  static const std::string kWhy = [] {
    if (rootless()) return std::string("CRIU wants root");
    Call call;
    call.args = {"check"};
    const Outcome check = run_program("/usr/sbin/criu", call);
    if (check.exit_code == 0) return std::string();
    if (check.exit_code == 126) return std::string("there is no criu");
    return cat("criu check: ", std::string_view(check.err).substr(0, check.err.find('\n')));
  }();
  return kWhy;
}

class SavedContainer : public HookedContainer {
 protected:
  void SetUp() override {
    HookedContainer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!why_not_saved().empty()) GTEST_SKIP() << why_not_saved();
    ASSERT_EQ(::mkdir(work().c_str(), 0700), 0);
  }

  [[nodiscard]] std::string image() const { return directory() + "/image"; }
  [[nodiscard]] std::string work() const { return directory() + "/work"; }
  [[nodiscard]] std::string pid_file() const { return directory() + "/pid"; }

  using Words = std::vector<std::string>;
  [[nodiscard]] Outcome checkpoint(const Words& more = {}) const {
    Words words = {"checkpoint", "--image-path", image(), "--work-path", work()};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(id());
    return runtime(words);
  }
  /// The options that containerd sends, and `more`.
  [[nodiscard]] Words restore_words(const std::string& id, const Words& more = {}) const {
    Words words = {"restore",     "--bundle", bundle(),     "--image-path", image(),
                   "--work-path", work(),     "--pid-file", pid_file(),     "-no-subreaper"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(id);
    return words;
  }
  [[nodiscard]] Outcome restore(const Words& more = {}) const {
    Words words = {"--detach"};
    words.insert(words.end(), more.begin(), more.end());
    return runtime(restore_words(id(), words));
  }

  /// A payload that counts in its memory, and shows in a tmpfs how far it is.
  void start_counting(std::string_view before = "") {
    config_.shell(
        cat(before, "\ni=0; while :; do i=$((i+1)); echo $i >/dev/shm/n; sleep 0.02; done"));
    ASSERT_TRUE(succeeds(create()));
    ASSERT_TRUE(succeeds(start()));
    constexpr int64_t kSome = 5;
    ASSERT_TRUE(eventually([&] { return count(pid()) >= kSome; }));
  }
  [[nodiscard]] int64_t count(pid_t init) const {
    const std::string text = read(cat("/proc/", init, "/root/dev/shm/n"));
    return parse_int(text.substr(0, text.find('\n'))).value_or(0);
  }
  /// Whether it is not at its beginning again, and goes on.
  [[nodiscard]] bool counts_on_from(int64_t from) const {
    const pid_t init = pid();
    return eventually([&] { return count(init) > from; });
  }
};

}  // namespace rt::testing
