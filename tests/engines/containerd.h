// containerd on the machine, and ctr, its client.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/engines/engine.h"

namespace rt::testing {

/// One containerd serves all tests of a program, at its own places, which the machine forgets. The
/// runtime that is tested is its "runc", and that of its pods: "tested", and "other", which keeps
/// its records in a place of its own. ctr and pods have the image kImage (busybox).
class Containerd : public Engine {
 protected:
  Containerd() : Containerd(std::vector<std::string>()) {}
  /// Which needs these programs too.
  explicit Containerd(const std::vector<std::string>& programs);
  void SetUp() override;

  static constexpr const char* kImage = "docker.io/library/bb:latest";
  static constexpr const char* kSocket = "/run/containerd/containerd.sock";
  /// Where the records of the runtime "other" are.
  static constexpr const char* kOtherRecords = "/run/containerd/other";

  /// `ctr ARGS...`
  static Outcome ctr(const std::vector<std::string>& args, Call rest = {});
  /// Of `ctr run`: the runtime that is tested, and who makes the cgroup of this container.
  static std::vector<std::string> runtime_options(const std::string& container);
  /// `ctr run --rm OPTIONS... IMAGE name() COMMAND...`, with the runtime that is tested. Both
  /// outputs of the container are in the outcome's `out`; `err` is ctr's own.
  [[nodiscard]] Outcome run(const std::vector<std::string>& options,
                            const std::vector<std::string>& command) const;
  [[nodiscard]] Outcome run_shell(const std::vector<std::string>& options,
                                  const std::string& script) const;
  /// `ctr run --detach OPTIONS... IMAGE name() COMMAND...`, or the test fails. What it says goes to
  /// the file log().
  void start(const std::vector<std::string>& options = {},
             const std::vector<std::string>& command = {"sleep", "1000"}) const;
  void start_shell(const std::vector<std::string>& options, const std::string& script) const {
    start(options, {"sh", "-c", script});
  }
  /// `ctr task exec OPTIONS... name() COMMAND...`, with the outputs as above.
  [[nodiscard]] Outcome exec(const std::vector<std::string>& options,
                             const std::vector<std::string>& command) const;
  /// `ctr task VERB OPTIONS... name()`
  [[nodiscard]] Outcome task(const std::string& verb,
                             const std::vector<std::string>& options = {}) const;
  /// `ctr task delete OPTIONS... name()`: the exit code of its init.
  [[nodiscard]] int delete_task(const std::vector<std::string>& options = {}) const;
  /// Kills the container's task, if there is one, and deletes both.
  static void remove(const std::string& container);
  void remove() const { remove(name()); }

  /// What `ctr task ls` says: "RUNNING", "PAUSED", "STOPPED"; empty without a task.
  static std::string status(const std::string& container);
  [[nodiscard]] std::string status() const { return status(name()); }
  [[nodiscard]] bool becomes(const std::string& wanted) const;
  /// Of its init.
  static pid_t pid(const std::string& container);
  [[nodiscard]] pid_t pid() const { return pid(name()); }
  [[nodiscard]] std::string log() const;
  [[nodiscard]] bool says(const std::string& text) const;

  /// The server, for tests that restart it or end it with another signal.
  static void start_server();
  static void stop_server(int signal);
  static const Daemon& server();

 private:
  static Outcome ctr_with_log(const std::vector<std::string>& verbs,
                              const std::vector<std::string>& rest);
  [[nodiscard]] std::string log_path() const { return "/tmp/" + name() + ".log"; }
};

/// The whole path of the runtime that is tested.
std::string tested_runtime();

/// Shell: how many processes `sleep` there are. Those that have ended have no arguments.
inline constexpr const char* kCountSleeping =
    "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c '^sleep$'";

/// What /proc/PID/ns/KIND points to: "net:[4026531840]".
std::string namespace_of(pid_t process, const std::string& kind);

/// Makes a file with this text, or replaces it.
void write_text_file(const std::string& path, const std::string& text);

/// What a file says in the cgroup of a process, without the line's end: the hierarchy's own of
/// `controller` (cpu) has it under the name `v1` (cpu.shares), the unified one under `v2`.
std::string cgroup_value(pid_t process, const std::string& controller, const std::string& v1,
                         const std::string& v2);

/// The mount point of its hierarchy is that of cgroup v2.
bool is_unified(const std::string& controller);

}  // namespace rt::testing
