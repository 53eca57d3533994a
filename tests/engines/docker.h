// dockerd on the machine, with the runtime that is tested as its default.
#pragma once

#include <string>
#include <vector>

#include "tests/engines/engine.h"
#include "tests/engines/rows.h"

namespace rt::testing {

/// One dockerd serves all tests of a program. It has the image "bb" (busybox) and calls the runtime
/// "tested", and where it asks for "runc" by that name, the same. Its places are Docker's own; the
/// machine forgets them.
class Docker : public Engine {
 protected:
  Docker() : Engine({"docker", "dockerd", "containerd"}) {}
  /// With these options beside the usual ones. Another list restarts the daemon.
  explicit Docker(std::vector<std::string> options) : Docker() { options_ = std::move(options); }
  void SetUp() override;

  /// `docker ARGS...`
  static Outcome docker(const std::vector<std::string>& args, Call rest = {});
  /// `docker run --rm OPTIONS... bb COMMAND...`, with --network=none where they name no other.
  static Outcome run(std::vector<std::string> options, const std::vector<std::string>& command);
  static Outcome run_shell(std::vector<std::string> options, const std::string& script);
  /// `docker run --detach --name name() --network none OPTIONS... bb COMMAND...`, or the test
  /// fails.
  void start(std::vector<std::string> options = {},
             const std::vector<std::string>& command = {"sleep", "1000"}) const;
  /// `docker exec OPTIONS... name() COMMAND...`
  [[nodiscard]] Outcome exec(const std::vector<std::string>& command,
                             std::vector<std::string> options = {}, Call rest = {}) const;
  /// The output of `docker exec name() sh -c SCRIPT`.
  [[nodiscard]] std::string said_inside(const std::string& script) const;
  /// `docker ARGS...`, without waiting for its end.
  static Program begin(const std::vector<std::string>& args);
  /// `docker rm --force --volumes name()`
  void remove() const;
  /// `docker inspect --format FORMAT name()`
  [[nodiscard]] std::string inspect(const std::string& format) const;
  /// Waits until that is `wanted`: whether it has come so far.
  [[nodiscard]] bool becomes(const std::string& format, const std::string& wanted) const;
  /// Of the container's first process, as the host counts; 0 when it does not run.
  [[nodiscard]] pid_t pid() const;
  /// Whether it has this status: "running", "paused", "exited".
  [[nodiscard]] bool is(const std::string& status) const;

  /// Whether the runtime is this project's: the controls explain less.
  static bool tests_ours();

  /// The server, for tests that restart or kill it.
  static void start_server(const std::vector<std::string>& options);
  static void stop_server();
  static const Daemon& server();

 private:
  std::vector<std::string> options_;
};

/// Rows of containers that run a script.
class DockerScript : public Docker, public ::testing::WithParamInterface<ScriptRow> {
 protected:
  using Docker::Docker;
  static void check() {
    expect_as_in(GetParam(), run_shell(GetParam().options, GetParam().script));
  }
};

}  // namespace rt::testing
