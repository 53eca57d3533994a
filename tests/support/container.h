// The base of all end-to-end tests: one container, the runtime's commands, and a look at what is
// left behind.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/bundle.h"
#include "tests/support/command.h"
#include "tests/support/leaks.h"

namespace rt::testing {

/// The commands work on a state root and a bundle of the test's own. The test leaves its container
/// deleted: TearDown fails it otherwise, and for everything else that is still there then.
/// mode.h: whom the tests are run by, and with which options.
class Container : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Names that no other test uses.
  [[nodiscard]] std::string id() const { return token_; }
  [[nodiscard]] std::string id(int number) const;

  [[nodiscard]] const std::string& directory() const { return directory_->path(); }
  [[nodiscard]] std::string bundle() const { return directory() + "/bundle"; }
  [[nodiscard]] std::string rootfs() const { return bundle() + "/rootfs"; }
  [[nodiscard]] std::string state_root() const { return directory() + "/state"; }

  /// Edited by the test before the commands that use it.
  Config config_;
  void write_config() const { write_config(config_.text()); }
  void write_config(std::string_view text) const;

  /// `runtime --root STATE FLAGS... ARGS...`, with the rest of `call`.
  [[nodiscard]] Call call(const std::vector<std::string>& args, Call rest = {}) const;
  [[nodiscard]] Outcome runtime(const std::vector<std::string>& args, Call rest = {}) const;

  /// The same as another user, without groups. (Bazel keeps the binary where only root may go.)
  [[nodiscard]] Outcome runtime_as(uid_t user, const std::vector<std::string>& args,
                                   Call rest = {}) const;
  /// The same without any option but those of the call.
  [[nodiscard]] Outcome program_as(uid_t user, Call call) const;

  // The commands on the container id(). create and run write the config first.
  Outcome create() const;
  Outcome start() const { return runtime({"start", id()}); }
  Outcome kill(const std::string& signal) const { return runtime({"kill", id(), signal}); }
  Outcome remove() const { return runtime({"delete", id()}); }
  Outcome remove_by_force() const { return runtime({"delete", "--force", id()}); }
  Outcome run(Call rest = {}) const;
  /// A run of /bin/sh -c script.
  Outcome run_shell(std::string_view script);

  /// What `state` says: "created", ...; its error when it fails.
  [[nodiscard]] std::string status() const;
  /// Of init, from `state`.
  [[nodiscard]] pid_t pid() const;
  /// Waits until the container's status is this one.
  [[nodiscard]] bool becomes(std::string_view wanted) const;
  /// Creates and starts it, with a payload that sleeps until it is killed.
  void start_sleeping(std::string_view before = "");

  [[nodiscard]] std::string read(const std::string& path) const;
  void write(const std::string& path, std::string_view text) const;
  [[nodiscard]] static bool exists(const std::string& path);

  /// Fails when the host is not as it was before the test.
  void check_nothing_is_left() const;

 private:
  std::string token_;
  std::unique_ptr<PublicDirectory> directory_;
  Snapshot before_;
};

/// EXPECT_TRUE(succeeds(outcome)) shows what went wrong.
::testing::AssertionResult succeeds(const Outcome& outcome);
/// Exit code 1, and these words on standard error.
::testing::AssertionResult fails_saying(const Outcome& outcome, std::string_view words);

}  // namespace rt::testing
