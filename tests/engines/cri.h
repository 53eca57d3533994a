// containerd's CRI plugin: what a kubelet calls.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/engines/containerd.h"
#include "tests/support/json.h"

namespace rt::testing {

/// The calls go through cri.py, which runs as long as the program. A pod shares the network of the
/// machine, if the test does not say otherwise, and is removed after the test.
class Cri : public Containerd {
 protected:
  Cri() : Containerd(std::vector<std::string>{"python3", "protoc"}) {}
  void SetUp() override;
  void TearDown() override;

  struct Answer {
    Json response{"null"};
    std::string error;  // empty: it succeeded
  };
  /// A call of the RuntimeService. `request` is JSON.
  static Answer try_call(const std::string& method, const std::string& request);
  /// The same; an error fails the test.
  static Json call(const std::string& method, const std::string& request);

  // Edited by the test before the calls that use them.
  Json pod_{"{}"};        // PodSandboxConfig
  Json container_{"{}"};  // ContainerConfig; its command sleeps

  /// RunPodSandbox: the pod's id.
  std::string run_pod(const std::string& handler = "");
  /// CreateContainer, with the command `sh -c SCRIPT` if there is one: the container's id.
  std::string create(const std::string& pod, const std::string& script = "");
  /// CreateContainer and StartContainer.
  std::string start(const std::string& pod, const std::string& script = "");

  static void stop(const std::string& container, int seconds);
  static void remove_pod(const std::string& pod);
  /// ExecSync of `sh -c SCRIPT`; without an end in so many seconds it is an error.
  static Outcome exec(const std::string& container, const std::string& script, int seconds = 60);
  /// ContainerStatus; PodSandboxStatus.
  static Json status(const std::string& container);
  static Json pod_status(const std::string& pod);
  /// Waits for CONTAINER_EXITED.
  static bool exits(const std::string& container);
  /// Of its init, on the machine.
  static pid_t pid(const std::string& container);
  static pid_t pause_pid(const std::string& pod);
  /// What the container said, line by line: "2026-11-22T14:00:00Z stdout F text".
  [[nodiscard]] std::string log() const;
  [[nodiscard]] bool says(const std::string& text) const;

 private:
  std::vector<std::string> pods_;
};

}  // namespace rt::testing
