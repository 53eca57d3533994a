// Three Docker hosts on the machine, with networks of their own, that are one swarm.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/engines/swarm_host.h"

namespace rt::testing {

/// eventually, within a minute, and not so often that the questions keep the swarm from its work.
bool in_time(const std::function<bool()>& condition);

/// Every test has the same swarm: host-1 manages it, host-2 and host-3 work for it. A node that
/// does not answer for six seconds is down. Nothing may be left on any host when the services are
/// gone.
class Swarm : public Engine {
 protected:
  Swarm() : Engine({"docker", "dockerd", "containerd", "ip", "nsenter"}) {}
  void SetUp() override;
  void TearDown() override;

  static SwarmHost& host(int number);
  /// `docker ARGS...` of the manager.
  static Outcome docker(const std::vector<std::string>& args, Call rest = {}) {
    return host(1).docker(args, std::move(rest));
  }

  /// `docker service create --name name() --network NETWORK --replicas N OPTIONS... bb COMMAND`
  std::string network_ = "host";
  void create(int replicas, std::vector<std::string> options = {},
              const std::vector<std::string>& command = kUntilItIsStopped) const;
  /// How many of its tasks run, on each host that has any.
  [[nodiscard]] std::map<std::string, int> running() const;
  /// Waits until that many do.
  [[nodiscard]] bool runs(int replicas) const;
  /// Waits until that many do on these hosts, and none elsewhere.
  [[nodiscard]] bool runs(int replicas, const std::vector<std::string>& hosts) const;
  /// A field of `docker service inspect`.
  [[nodiscard]] std::string inspect(const std::string& format) const;
  /// Of `docker service ps`: a field of every task, one a line.
  [[nodiscard]] std::string tasks(const std::string& format) const;
  /// What `docker exec` of a shell script says in the only container of a host.
  static std::string shell(const SwarmHost& host, const std::string& script);

  /// Ends at once when it is told to.
  static const std::vector<std::string> kUntilItIsStopped;
};

}  // namespace rt::testing
