#include "tests/engines/swarm.h"

#include <poll.h>

#include <algorithm>
#include <memory>

namespace rt::testing {
namespace {

constexpr int kHosts = 3;
constexpr int kPauseMs = 50;

std::vector<std::unique_ptr<SwarmHost>> all_hosts;

void make_bridge() {
  EXPECT_TRUE(succeeds(call_program("ip", {"link", "add", "swarm", "type", "bridge"})));
  EXPECT_TRUE(succeeds(call_program("ip", {"link", "set", "swarm", "up"})));
}

void make_swarm() {
  make_bridge();
  for (int number = 1; number <= kHosts; ++number) {
    all_hosts.push_back(std::make_unique<SwarmHost>(number));
    all_hosts.back()->start();
  }
  const SwarmHost& manager = *all_hosts.front();
  EXPECT_TRUE(succeeds(manager.docker({"swarm", "init", "--advertise-addr", manager.address()})));
  EXPECT_TRUE(succeeds(manager.docker({"swarm", "update", "--dispatcher-heartbeat", "2s"})));
  const std::string token =
      stripped(manager.docker({"swarm", "join-token", "--quiet", "worker"}).out);
  for (int number = 2; number <= kHosts; ++number) {
    const SwarmHost& worker = *all_hosts[static_cast<size_t>(number) - 1];
    EXPECT_TRUE(succeeds(worker.docker({"swarm", "join", "--token", token, "--advertise-addr",
                                        worker.address(), manager.address() + ":2377"})));
  }
}

std::string remains_of_all() {
  std::string found;
  for (const auto& host : all_hosts) found += host->remains();
  return found;
}

}  // namespace

bool in_time(const std::function<bool()>& condition) {
  const auto asked = [&] {
    if (condition()) return true;
    ::poll(nullptr, 0, kPauseMs);
    return false;
  };
  return eventually(asked, std::chrono::minutes(1));
}

const std::vector<std::string> Swarm::kUntilItIsStopped = {"sh", "-c",
                                                           "trap 'exit 0' TERM; sleep 1000 & wait"};

void Swarm::SetUp() {
  Engine::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  if (all_hosts.empty()) make_swarm();
}

void Swarm::TearDown() {
  if (all_hosts.empty()) return;
  const std::vector<std::string> services = lines_of(docker({"service", "ls", "--quiet"}).out);
  for (const std::string& service : services) docker({"service", "rm", service});
  std::string left;
  const bool clean = in_time([&] { return (left = remains_of_all()).empty(); });
  EXPECT_TRUE(clean) << "left behind:\n" << left;
  Engine::TearDown();
}

SwarmHost& Swarm::host(int number) { return *all_hosts.at(static_cast<size_t>(number) - 1); }

void Swarm::create(int replicas, std::vector<std::string> options,
                   const std::vector<std::string>& command) const {
  std::vector<std::string> args = {"service",   "create", "--detach",   "--no-resolve-image",
                                   "--name",    name(),   "--replicas", std::to_string(replicas),
                                   "--network", network_};
  args.insert(args.end(), options.begin(), options.end());
  args.emplace_back("bb");
  args.insert(args.end(), command.begin(), command.end());
  ASSERT_TRUE(succeeds(docker(args)));
}

std::string Swarm::tasks(const std::string& format) const {
  return docker({"service", "ps", "--no-trunc", "--format", format, name()}).out;
}

std::map<std::string, int> Swarm::running() const {
  std::map<std::string, int> counts;
  for (const std::string& line : lines_of(tasks("{{.Node}} {{.DesiredState}} {{.CurrentState}}"))) {
    const std::vector<std::string_view> words = split(line, ' ');
    if (words.size() < 3 || words[1] != "Running" || words[2] != "Running") continue;
    ++counts[std::string(words[0])];
  }
  return counts;
}

bool Swarm::runs(int replicas) const { return runs(replicas, {"host-1", "host-2", "host-3"}); }

bool Swarm::runs(int replicas, const std::vector<std::string>& hosts) const {
  return in_time([&] {
    int expected = 0;
    int all = 0;
    for (const auto& [host, count] : running()) {
      all += count;
      if (std::find(hosts.begin(), hosts.end(), host) != hosts.end()) expected += count;
    }
    return expected == replicas && all == replicas;
  });
}

std::string Swarm::inspect(const std::string& format) const {
  return stripped(docker({"service", "inspect", "--format", format, name()}).out);
}

std::string Swarm::shell(const SwarmHost& host, const std::string& script) {
  const std::string id = stripped(host.docker({"ps", "--quiet"}).out);
  return host.docker({"exec", id, "sh", "-c", script}).out;
}

}  // namespace rt::testing
