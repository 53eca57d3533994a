// docker run: networks of Docker's own making: its bridge, published ports, names, joined ones.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/text.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sys/file.h"
#include "tests/engines/docker.h"

namespace rt::testing {
namespace {

/// What a server on the loopback interface of this machine sends before it closes the connection.
std::string answer_of(uint16_t port, std::string_view question) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return "";
  if (!sys::write_all(socket.get(), question)) return "";
  const Result<std::string> answer = sys::read_all(socket.get(), 4096);
  return answer ? answer.value() : "";
}

/// With Docker's default bridge, and its rules for packets.
class DockerNetwork : public Docker {
 protected:
  DockerNetwork() : Docker({"--bridge=", "--iptables=true"}) {}
  void SetUp() override {
    if (find_program("iptables").empty()) GTEST_SKIP() << "iptables is not installed";
    Docker::SetUp();
  }
  [[nodiscard]] std::string address(const std::string& network) const {
    return inspect(cat("{{(index .NetworkSettings.Networks \"", network, "\").IPAddress}}"));
  }
  /// Of one packet to this host and back, from a container in this network.
  static Outcome ping(const std::string& network, const std::string& host) {
    return run({cat("--network=", network)}, {"busybox", "ping", "-c", "1", "-W", "5", host});
  }
};

TEST_F(DockerNetwork, OfTheBridgeReachesAnotherContainerByItsAddress) {
  start({"--network=bridge"});
  EXPECT_TRUE(succeeds(ping("bridge", address("bridge"))));
  remove();
}

TEST_F(DockerNetwork, GivesAnInterfaceWithAnAddressAndARoute) {
  const Outcome outcome = run_shell(
      {"--network=bridge"}, "ls /sys/class/net; ip -4 addr show eth0 | grep -c 172.17; ip route");
  EXPECT_TRUE(outcome.out.starts_with("eth0\nlo\n1\ndefault via 172.17.0.1 dev eth0"))
      << outcome.out;
}

TEST_F(DockerNetwork, PublishesAPortOnTheHostsLoopback) {
  start(
      {"--network=bridge", "--publish=127.0.0.1:8080:80"},
      {"sh", "-c", "mkdir /www; echo hello >/www/index.html; exec busybox httpd -f -p 80 -h /www"});
  std::string answer;
  EXPECT_TRUE(eventually([&] {
    answer = answer_of(8080, "GET / HTTP/1.0\r\n\r\n");
    return answer.ends_with("hello\n");
  })) << answer;
  EXPECT_EQ(stripped(docker({"port", name(), "80"}).out), "127.0.0.1:8080");
  remove();
}

TEST_F(DockerNetwork, OfAUsersOwnHasNames) {
  const std::string network = cat(name(), "-net");
  ASSERT_TRUE(succeeds(docker({"network", "create", network})));
  start({cat("--network=", network), "--network-alias=alias"});
  for (const std::string& host : {name(), std::string("alias")}) {
    const Outcome outcome = ping(network, host);
    EXPECT_TRUE(succeeds(outcome));
    EXPECT_NE(outcome.out.find(cat('(', address(network), ')')), std::string::npos) << outcome.out;
  }
  remove();
  EXPECT_TRUE(succeeds(docker({"network", "rm", network})));
}

TEST_F(DockerNetwork, IsConnectedAndDisconnectedWhileTheContainerRuns) {
  const std::string network = cat(name(), "-net");
  ASSERT_TRUE(succeeds(docker({"network", "create", network})));
  start({"--network=bridge"});
  EXPECT_TRUE(succeeds(docker({"network", "connect", network, name()})));
  EXPECT_EQ(exec({"ls", "/sys/class/net"}).out, "eth0\neth1\nlo\n");
  EXPECT_TRUE(succeeds(docker({"network", "disconnect", "bridge", name()})));
  EXPECT_EQ(exec({"ls", "/sys/class/net"}).out, "eth1\nlo\n");
  remove();
  EXPECT_TRUE(succeeds(docker({"network", "rm", network})));
}

TEST_F(DockerNetwork, OfAnotherContainerIsTheSame) {
  start({"--network=bridge"});
  const Outcome outcome = run({cat("--network=container:", name())}, {"ip", "-4", "address"});
  EXPECT_NE(outcome.out.find(cat("inet ", address("bridge"), "/16 ")), std::string::npos)
      << outcome.out;
  remove();
}

TEST_F(DockerNetwork, OfTheHostIsTheHosts) {
  const Outcome outcome = run({"--network=host"}, {"ls", "/sys/class/net"});
  EXPECT_NE(outcome.out.find("docker0\n"), std::string::npos) << outcome.out;
}

TEST_F(DockerNetwork, OfTheHostHasNoSettingsOfTheContainers) {
  const Outcome outcome = run({"--network=host", "--sysctl=net.ipv4.ip_forward=1"}, {"true"});
  EXPECT_EQ(outcome.exit_code, 125) << outcome.err;
}

}  // namespace
}  // namespace rt::testing
