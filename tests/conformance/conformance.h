// The base of the conformance tests: a container of the runtime under test ($RUNTIME; ours when not
// set), driven through its command line alone, with the probe as its program.
//
// Each test is a row: one sentence of the specification, checked by what the probe sees. Nothing
// here may depend on which runtime it is.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/bundle.h"
#include "tests/support/command.h"
#include "tests/support/json.h"

namespace rt::conformance {

using testing::Call;
using testing::Config;
using testing::eventually;
using testing::Json;
using testing::Outcome;
using testing::Program;

/// The probe as Bazel built it; a program of the host.
std::string probe_binary();

class Conformance : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Names that no other test uses.
  [[nodiscard]] std::string id() const { return token_; }
  [[nodiscard]] const std::string& directory() const { return directory_->path(); }
  [[nodiscard]] std::string bundle() const { return directory() + "/bundle"; }
  /// Holds /probe and empty directories.
  [[nodiscard]] std::string rootfs() const { return bundle() + "/rootfs"; }

  /// Edited by the test before the commands that use it.
  Config config_;
  void write_config() const;

  /// `RUNTIME --root STATE ARGS...`
  [[nodiscard]] Outcome runtime(const std::vector<std::string>& args, Call rest = {}) const;

  // The operations of runtime.md on the container id(). create and run write the config first.
  Outcome create(Call rest = {}) { return begin_create(std::move(rest)).wait(); }
  /// create, going on.
  Program& begin_create(Call rest = {});
  Outcome start() const { return runtime({"start", id()}); }
  Outcome kill(const std::string& signal) const { return runtime({"kill", id(), signal}); }
  Outcome remove() const { return runtime({"delete", id()}); }
  [[nodiscard]] Json state() const;
  [[nodiscard]] std::string status() const { return state().at("/status"); }
  [[nodiscard]] bool exists() const { return runtime({"state", id()}).exit_code == 0; }

  /// Of the process that create left waiting; 0 when there is none.
  [[nodiscard]] pid_t pid() const;
  /// Waits until the container's process has ended: its wait status.
  int wait_for_end();
  /// What the container has written up to now.
  [[nodiscard]] std::string output() const;
  /// Waits until the probe in the container has printed its report.
  [[nodiscard]] Json report() const;
  /// Creates and starts a container that waits for a signal.
  void start_waiting();
  /// Ends the container's process and deletes it.
  void end();

  /// create, start, wait and delete in one: a command that every runtime has beside the
  /// specification's.
  Outcome run(Call rest = {});
  /// Runs the probe with these questions; its report. A run that fails is a failure of the test.
  Json look(const std::vector<std::string>& questions = {}, Call rest = {});
  /// EXPECT_TRUE(refuses()): an error, and no container made. runtime.md, "Create".
  ::testing::AssertionResult refuses();

  [[nodiscard]] static std::string read(const std::string& path);
  static void write(const std::string& path, std::string_view text);
  static void make_directory(const std::string& path);

 private:
  std::string token_;
  std::unique_ptr<testing::PublicDirectory> directory_;
  std::unique_ptr<Program> creation_;
};

::testing::AssertionResult succeeds(const Outcome& outcome);

/// A name as a part of a JSON pointer: RFC 6901.
std::string as_key(std::string_view name);
/// What the probe says of a path that it was asked for (or of one in /dev): "type", "read", ...
std::string path_at(const Json& report, std::string_view path, std::string_view field);
/// Of the mount at `destination`, the last one when there are several: "type", "propagation", ...
std::string mount_at(const Json& report, std::string_view destination, std::string_view field);
/// The strings of an array.
std::set<std::string> words_at(const Json& report, const std::string& pointer);
/// Whether an array of strings has this one.
bool has_word(const Json& report, const std::string& pointer, std::string_view word);
/// The options of a mount: of the mount itself ("ro", "nosuid", "relatime", ...).
std::set<std::string> mount_options(const Json& report, std::string_view destination);

/// Whether this process has the capability.
bool may(int capability);

}  // namespace rt::conformance
