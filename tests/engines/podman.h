// Podman on the machine.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/engines/engine.h"

namespace rt::testing {

/// Podman has no server: each command is a program that calls the runtime or conmon. Its
/// containers.conf names the runtime "tested"; its storage has the image "bb" (busybox). The same
/// commands can be those of a user without privileges.
class Podman : public Engine {
 protected:
  Podman() : Podman(0, {}) {}
  /// Which needs these programs too.
  Podman(uid_t user, const std::vector<std::string>& programs);
  void SetUp() override;
  void TearDown() override;

  /// A user of the machine that is not root, with subordinate ids.
  static constexpr uid_t kUser = 4242;
  /// Where the runtime that is tested is on the machine: Bazel keeps it where users cannot go.
  static constexpr const char* kRuntime = "/usr/local/bin/tested";

  /// `podman ARGS...`
  [[nodiscard]] Outcome podman(const std::vector<std::string>& args, Call rest = {}) const;
  /// The call of a program of the same user.
  [[nodiscard]] Call as_user(Call call) const;

  /// `podman run --rm --network none OPTIONS... bb COMMAND...`. The network is another one when the
  /// options say so.
  [[nodiscard]] Outcome run(const std::vector<std::string>& options,
                            const std::vector<std::string>& command) const;
  [[nodiscard]] Outcome run_shell(const std::vector<std::string>& options,
                                  const std::string& script) const;
  /// `podman run --detach --name name() --network none OPTIONS... bb COMMAND...`, or the test
  /// fails.
  void start(const std::vector<std::string>& options = {},
             const std::vector<std::string>& command = {"sleep", "1000"}) const;
  void start_shell(const std::vector<std::string>& options, const std::string& script) const;
  /// `podman exec OPTIONS... name() COMMAND...`
  [[nodiscard]] Outcome exec(const std::vector<std::string>& options,
                             const std::vector<std::string>& command) const;
  [[nodiscard]] Outcome exec_shell(const std::vector<std::string>& options,
                                   const std::string& script) const;
  /// A container stops where it is at `pause`, runs nothing more, and goes on at `unpause`.
  void check_pausing() const;
  /// `podman stats` counts one process of one that sleeps.
  void check_stats() const;
  /// `podman rm --force --volumes --time 0 name()`
  void remove() const;

  /// `podman inspect --format FORMAT name()`
  [[nodiscard]] std::string inspect(const std::string& format) const;
  /// Waits until podman says that the container is "running", "paused", "exited".
  [[nodiscard]] bool becomes(const std::string& status) const;
  [[nodiscard]] std::string logs() const;
  /// Waits until its log has this.
  [[nodiscard]] bool says(const std::string& text) const;
  /// Of its init.
  [[nodiscard]] pid_t pid() const;

  /// A directory of the test on the machine, which the user owns.
  [[nodiscard]] std::string directory() const;
  /// Writes a file there and says where.
  [[nodiscard]] std::string file(const std::string& file_name, const std::string& text,
                                 mode_t mode = 0644) const;
  static std::string read(const std::string& path);

 private:
  void prepare_user() const;

  uid_t user_;
};

}  // namespace rt::testing
