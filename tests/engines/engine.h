// What the tests of all engines share: programs by their names, images, and what may not be left.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/bundle.h"
#include "tests/support/command.h"
#include "tests/support/container.h"

namespace rt::testing {

/// Where a program is, by the PATH of Call; empty when it is not installed.
std::string find_program(const std::string& name);

/// Runs it, with the usual PATH; two minutes at most, for an engine on a busy machine.
Outcome call_program(const std::string& name, const std::vector<std::string>& args, Call rest = {});

/// What a directory, or a file, holds; nothing when it is not there.
std::vector<std::string> names_in(const std::string& directory);
std::string text_of(const std::string& path);

/// Without the white space at its end.
std::string stripped(std::string text);

/// Who makes the containers' cgroups: "systemd", which is asked to, or "cgroupfs", the runtime
/// itself. $ENGINE_CGROUPS, else the latter: the machine out of namespaces has no service manager.
std::string cgroup_driver();

/// A tar archive of a root file system with busybox: what `docker import` takes. Made once.
const std::string& root_archive();

/// A tar archive of an OCI image layout with the image "bb:latest" of the same root: what
/// `ctr image import` and `podman pull oci-archive:` take. Its command is sh. Made once.
const std::string& image_archive();

/// A server of an engine, from the moment when it answers.
class Daemon {
 public:
  /// Fails the test, with what it said, when `answers` is not true within a minute.
  Daemon(const std::string& name, const std::vector<std::string>& args,
         const std::function<bool()>& answers);
  /// TERM; KILL when that takes more than half a minute, which fails the test.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] pid_t pid() const { return program_.pid(); }
  [[nodiscard]] std::string log() const { return program_.err(); }
  void signal(int number) const { program_.signal(number); }

 private:
  Program program_;
};

/// The base of all: skips where the engine is missing, and fails a test that leaves anything.
class Engine : public ::testing::Test {
 protected:
  /// The programs without which there is nothing to test; "docker", "dockerd".
  explicit Engine(std::vector<std::string> programs) : programs_(std::move(programs)) {}
  void SetUp() override;
  /// Waits until the processes, the containers' cgroups, the runtime's records and the mounts are
  /// those that there were before the test.
  void TearDown() override;
  /// For the kinds of engines: begins to watch. After their servers have been started.
  void watch();

  /// A name that no other container of the machine has.
  [[nodiscard]] std::string name() const { return name_; }

 private:
  std::vector<std::string> programs_;
  std::string name_;
  std::set<std::string> before_;
  bool watching_ = false;
};

}  // namespace rt::testing
