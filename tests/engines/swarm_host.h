// A Docker host on the machine, with a network of its own.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/text.h"
#include "tests/engines/engine.h"

namespace rt::testing {

/// The lines that are not empty.
std::vector<std::string> lines_of(const std::string& text);

/// A dockerd in network and UTS namespaces of its own, plugged into the machine's bridge "swarm".
/// It has the image "bb", and the runtime that is tested is its default.
class SwarmHost {
 public:
  /// 1, 2, ...: "host-1" at 10.9.0.1.
  explicit SwarmHost(int number);

  void start();
  /// In order, by TERM.
  void stop() { daemon_.reset(); }
  /// KILL to dockerd and containerd. The shims and the containers go on.
  void crash();
  /// KILL to all that runs here. For containers in the host's network: the others are not found.
  void lose_power();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  /// `docker ARGS...`, of this host.
  [[nodiscard]] Outcome docker(std::vector<std::string> args, Call rest = {}) const;
  /// Process ids of the containers that run here, as they are on the machine.
  [[nodiscard]] std::vector<std::string> containers() const;
  /// A line for everything that there is of a container: process, shim, cgroup, record, mount. Of
  /// those that ended well Docker itself keeps some; they do not count.
  [[nodiscard]] std::string remains() const;

 private:
  /// Process ids of those in its network, by the names of their programs.
  [[nodiscard]] std::multimap<std::string, pid_t> processes() const;
  [[nodiscard]] std::string data_root() const { return "/var/lib/docker/" + name_; }
  [[nodiscard]] std::string exec_root() const { return "/run/" + name_; }
  [[nodiscard]] std::string socket() const { return cat("unix:///run/", name_, ".sock"); }

  std::string name_;
  std::string address_;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace rt::testing
