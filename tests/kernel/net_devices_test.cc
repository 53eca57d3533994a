// Network devices between two network namespaces of the test's own, looked at with ip(8).
#include "runtime/kernel/net_devices.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/command.h"
#include "tests/support/matchers.h"
#include "tests/support/namespaces.h"

namespace rt::kernel {
namespace {

using plan::NetDeviceStep;
using rt::testing::Call;
using rt::testing::fails_with;
using rt::testing::in_new_namespaces;
using rt::testing::is_ok;
using rt::testing::Outcome;
using rt::testing::run_program;

UniqueFd own_network() {
  Result<UniqueFd> fd = sys::open("/proc/self/ns/net", O_RDONLY);
  EXPECT_TRUE(is_ok(fd));
  return fd ? std::move(fd).value() : UniqueFd();
}

/// What ip(8) prints.
std::string ip(const std::string& args) {
  Call call;
  call.args = {"-c", "ip " + args};
  const Outcome outcome = run_program("/bin/sh", call);
  EXPECT_EQ(outcome.exit_code, 0) << "ip " << args << ": " << outcome.err;
  return outcome.out;
}

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

/// What makes a device, with a peer beside it: the kind that every kernel has.
std::string device(const std::string& name, const std::string& more = "") {
  return cat("link add ", name, ' ', more, " type veth peer name ", name, ".peer");
}

bool lists(const std::string& links, const std::string& name) {
  return has(links, cat(": ", name, ':')) || has(links, cat(": ", name, '@'));
}

/// Two network namespaces: the one we are in is the host's.
class Networks {
 public:
  Networks() {
    EXPECT_EQ(::unshare(CLONE_NEWNET), 0);
    container_ = own_network();
    EXPECT_EQ(::unshare(CLONE_NEWNET), 0);
    host_ = own_network();
  }

  [[nodiscard]] int container() const { return container_.get(); }
  [[nodiscard]] int host() const { return host_.get(); }

  /// What ip(8) prints there.
  [[nodiscard]] std::string ip_in_container(const std::string& args) const {
    EXPECT_EQ(::setns(container(), CLONE_NEWNET), 0);
    std::string text = ip(args);
    EXPECT_EQ(::setns(host(), CLONE_NEWNET), 0);
    return text;
  }
  void do_in_container(const std::string& args) const { static_cast<void>(ip_in_container(args)); }
  static void make(const std::string& name, const std::string& more = "") {
    ip(device(name, more));
  }
  static bool is_here(const std::string& name) { return lists(ip("-o link"), name); }
  [[nodiscard]] bool is_there(const std::string& name) const {
    return lists(ip_in_container("-o link"), name);
  }

 private:
  UniqueFd container_;
  UniqueFd host_;
};

NetDeviceStep step(const std::string& host_name, const std::string& name) {
  return {host_name, name, "/linux/netDevices/" + host_name};
}

/// Moves them for good.
Status move_for_good(const std::vector<NetDeviceStep>& steps, const Networks& networks) {
  MovedNetDevices moved = TRY(move_net_devices(steps, networks.container()));
  moved.keep();
  return ok();
}

TEST(NetDevices, AreMovedAndRenamedAndUpWithWhatTheyHad) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    ip("link set rtt-a mtu 1345 address 02:00:00:00:00:07 alias wire");
    ip("addr add 192.0.2.7/24 brd 192.0.2.255 dev rtt-a");
    ip("addr add 192.0.2.8/24 dev rtt-a label rtt-a:two");
    ip("addr add 2001:db8::7/64 dev rtt-a noprefixroute");
    ASSERT_TRUE(is_ok(move_for_good({step("rtt-a", "eth0")}, networks)));
    EXPECT_FALSE(Networks::is_here("rtt-a"));
    const std::string link = networks.ip_in_container("-o link show dev eth0");
    EXPECT_TRUE(has(link, "mtu 1345")) << link;
    EXPECT_TRUE(has(link, ",UP")) << link;
    EXPECT_TRUE(has(link, "02:00:00:00:00:07")) << link;
    EXPECT_TRUE(has(link, "alias wire")) << link;
    const std::string addresses = networks.ip_in_container("-o addr show dev eth0");
    EXPECT_TRUE(has(addresses, "inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0\\"));
    EXPECT_TRUE(has(addresses, "inet 192.0.2.8/24 scope global secondary eth0:two\\"));
    EXPECT_TRUE(has(addresses, "inet6 2001:db8::7/64 scope global")) << addresses;
    EXPECT_TRUE(has(addresses, "noprefixroute")) << addresses;
  });
}

TEST(NetDevices, LoseAddressesThatAreNotPermanentOrNotGlobal) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    ip("link set rtt-a up");
    ip("addr add 192.0.2.1/24 dev rtt-a valid_lft 1000 preferred_lft 1000");
    ip("addr add 198.51.100.2/24 dev rtt-a scope link");
    ip("addr add 203.0.113.3/24 dev rtt-a scope host");
    ip("addr add 2001:db8::1/64 dev rtt-a valid_lft 1000 preferred_lft 1000");
    ip("addr add fe80::77/64 dev rtt-a");
    ip("addr add 2001:db8::2/64 dev rtt-a preferred_lft 0 metric 77");
    ASSERT_TRUE(is_ok(move_for_good({step("rtt-a", "rtt-a")}, networks)));
    const std::string addresses = networks.ip_in_container("-o addr show dev rtt-a");
    EXPECT_FALSE(has(addresses, "inet ")) << addresses;
    EXPECT_FALSE(has(addresses, "2001:db8::1/64")) << addresses;
    EXPECT_FALSE(has(addresses, "fe80::77")) << addresses;
    EXPECT_TRUE(has(addresses, "inet6 2001:db8::2/64 metric 77 scope global deprecated"))
        << addresses;
  });
}

TEST(NetDevices, OfATemplateGetTheFirstFreeNumber) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    ip("addr add 192.0.2.7/24 dev rtt-a");
    Networks::make("rtt-b");
    networks.do_in_container(device("eth0"));
    ASSERT_TRUE(is_ok(move_for_good({step("rtt-a", "eth%d"), step("rtt-b", "eth%d")}, networks)));
    EXPECT_TRUE(has(networks.ip_in_container("-o addr show dev eth1"), "192.0.2.7/24"));
    EXPECT_TRUE(has(networks.ip_in_container("-o link show dev eth2"), ",UP"));
  });
}

TEST(NetDevices, WhoseNumberIsTakenGetAnother) {
  in_new_namespaces([] {
    const Networks networks;
    networks.do_in_container(device("other", "index 4711"));
    Networks::make("rtt-a", "index 4711");
    ip("addr add 192.0.2.7/24 dev rtt-a");
    ASSERT_TRUE(is_ok(move_for_good({step("rtt-a", "eth0")}, networks)));
    EXPECT_TRUE(has(networks.ip_in_container("-o addr show dev eth0"), "192.0.2.7/24"));
    EXPECT_FALSE(has(networks.ip_in_container("-o addr show dev other"), "192.0.2.7/24"));
  });
}

TEST(NetDevices, OfAPairKeepTheirPeer) {
  in_new_namespaces([] {
    const Networks networks;
    ip("link add rtt-a type veth peer name rtt-b");
    ip("addr add 192.0.2.1/24 dev rtt-a");
    ip("link set rtt-a up");
    ip("addr add 192.0.2.2/24 dev rtt-b");
    ASSERT_TRUE(is_ok(move_for_good({step("rtt-b", "eth0")}, networks)));
    EXPECT_TRUE(has(ip("-o link show dev rtt-a"), ",LOWER_UP"));
    EXPECT_TRUE(has(networks.ip_in_container("-o addr show dev eth0"), "192.0.2.2/24"));
  });
}

TEST(NetDevices, ThatAreNotThereAreAnErrorBeforeAnythingIsMoved) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    const Status moved = move_for_good({step("rtt-a", "eth0"), step("rtt-b", "eth1")}, networks);
    EXPECT_TRUE(fails_with(moved, "network device \"rtt-b\": RTM_GETLINK: no such device"));
    EXPECT_EQ(moved.error().pointer(), "/linux/netDevices/rtt-b");
    EXPECT_TRUE(Networks::is_here("rtt-a"));
  });
}

TEST(NetDevices, WhoseNameIsTakenAreAnErrorBeforeAnythingIsMoved) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    Networks::make("rtt-b");
    networks.do_in_container(device("eth1"));
    EXPECT_TRUE(fails_with(
        move_for_good({step("rtt-a", "eth0"), step("rtt-b", "eth1")}, networks),
        "network device \"rtt-b\": the container's network namespace has a device \"eth1\""));
    EXPECT_TRUE(Networks::is_here("rtt-a"));
    EXPECT_TRUE(Networks::is_here("rtt-b"));
  });
}

TEST(NetDevices, ThatWereMovedAreGivenBackWhenALaterOneFails) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    ip("addr add 192.0.2.7/24 dev rtt-a label rtt-a:two");
    ip("link set rtt-a up");
    Networks::make("rtt-b");
    // Alternative names are not in the list of names: only the kernel sees this conflict.
    networks.do_in_container(device("other"));
    networks.do_in_container("link property add dev other altname eth1");
    const Status moved = move_for_good({step("rtt-a", "eth0"), step("rtt-b", "eth1")}, networks);
    EXPECT_TRUE(fails_with(moved,
                           "network device \"rtt-b\": move to the container: RTM_NEWLINK: "
                           "file exists"));
    const std::string here = ip("-o addr show dev rtt-a");
    EXPECT_TRUE(has(here, "192.0.2.7/24 scope global rtt-a:two")) << here;
    EXPECT_TRUE(has(ip("-o link show dev rtt-a"), ",UP"));
    EXPECT_TRUE(Networks::is_here("rtt-b"));
    EXPECT_FALSE(has(ip("-o link show dev rtt-b"), ",UP"));
    EXPECT_FALSE(networks.is_there("eth0"));
  });
}

TEST(NetDevices, GoBackUnlessTheyAreKept) {
  in_new_namespaces([] {
    Networks networks;
    Networks::make("rtt-a", "index 4711");
    ip("addr add 2001:db8::7/64 dev rtt-a");
    {
      const Result<MovedNetDevices> moved =
          move_net_devices({step("rtt-a", "eth%d")}, networks.container());
      ASSERT_TRUE(is_ok(moved));
      EXPECT_TRUE(networks.is_there("eth0"));
    }
    EXPECT_FALSE(networks.is_there("eth0"));
    const std::string here = ip("-o addr show dev rtt-a");
    EXPECT_TRUE(has(here, "2001:db8::7/64")) << here;
    EXPECT_TRUE(here.starts_with("4711: ")) << here;
  });
}

TEST(NetDevices, GoBackAlsoWhenTheContainersProcessesAreGone) {
  in_new_namespaces([] {
    ip("link");  // ip(8) is there
    auto networks = std::make_unique<Networks>();
    Networks::make("rtt-a");
    Result<MovedNetDevices> moved =
        move_net_devices({step("rtt-a", "eth0")}, networks->container());
    ASSERT_TRUE(is_ok(moved));
    networks.reset();  // nothing else holds the container's namespace
    EXPECT_FALSE(Networks::is_here("rtt-a"));
    moved = MovedNetDevices();
    EXPECT_TRUE(Networks::is_here("rtt-a"));
  });
}

TEST(NetDevices, ThatBelongToTheirNamespaceAreRefused) {
  in_new_namespaces([] {
    const Networks networks;
    EXPECT_TRUE(
        fails_with(move_for_good({step("lo", "eth0")}, networks),
                   "network device \"lo\": a loopback device belongs to its network namespace"));
  });
}

TEST(NetDevices, CannotGoToTheRuntimesOwnNamespace) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    EXPECT_TRUE(
        fails_with(move_net_devices({step("rtt-a", "eth0")}, networks.host()),
                   "network devices: the container's network namespace is the runtime's own"));
    EXPECT_TRUE(Networks::is_here("rtt-a"));
  });
}

TEST(NetDevices, NeedTheRightToMoveThem) {
  in_new_namespaces([] {
    const Networks networks;
    Networks::make("rtt-a");
    // In a user namespace below, root has no rights over these two.
    ASSERT_EQ(::unshare(CLONE_NEWUSER), 0);
    const Result<MovedNetDevices> moved =
        move_net_devices({step("rtt-a", "eth0")}, networks.container());
    EXPECT_TRUE(fails_with(moved,
                           "network devices: setns: operation not permitted (this takes "
                           "CAP_NET_ADMIN over the host's network namespace"));
  });
}

TEST(NetDevices, NoneAreNoWork) { EXPECT_TRUE(is_ok(move_net_devices({}, -1))); }

}  // namespace
}  // namespace rt::kernel
