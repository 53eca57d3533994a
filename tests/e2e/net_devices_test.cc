// Network devices that the container gets. runtime-spec config-linux.md, "Network Devices".
#include <fcntl.h>
#include <sched.h>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "tests/support/container.h"

namespace rt::testing {
namespace {

/// What ip(8) prints of the network namespace we are in.
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

UniqueFd own_network() { return sys::open("/proc/self/ns/net", O_RDONLY).value(); }

/// The "host" is a network namespace of the test's own: the machine's devices stay where they are.
class NetDevices : public Container {
 protected:
  void SetUp() override {
    if (::geteuid() == 0) {
      ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    }
    Container::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ip("link add rtt-a type veth peer name rtt-peer");
    ip("addr add 192.0.2.7/24 dev rtt-a");
    ip("link set rtt-a mtu 1345");
    config_.set("/linux/netDevices", R"({"rtt-a": {"name": "eth0"}})");
  }
  void TearDown() override {
    // Unless the kernel destroys it first, with the container's namespace.
    if (is_here("rtt-peer")) ip("link del rtt-peer || true");
    Container::TearDown();
  }

  static bool is_here(const std::string& name) { return has(ip("-o link"), cat(": ", name, "@")); }
};

TEST_F(NetDevices, AreInTheContainerAndUp) {
  const Outcome outcome = run_shell("ip addr show dev eth0");
  ASSERT_TRUE(succeeds(outcome));
  EXPECT_TRUE(has(outcome.out, ",UP")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "mtu 1345")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "inet 192.0.2.7/24")) << outcome.out;
}

TEST_F(NetDevices, KeepTheirNameWithoutAnother) {
  config_.set("/linux/netDevices", R"({"rtt-a": {}})");
  EXPECT_TRUE(has(run_shell("ip addr show dev rtt-a").out, "inet 192.0.2.7/24"));
}

TEST_F(NetDevices, OfATemplateAreNumberedByTheKernel) {
  config_.set("/linux/netDevices", R"({"rtt-a": {"name": "eth%d"}})");
  EXPECT_TRUE(has(run_shell("ip addr show dev eth0").out, "inet 192.0.2.7/24"));
}

TEST_F(NetDevices, HaveTheSysctlsOfTheDocument) {
  config_.set("/linux/sysctl", R"({"net.ipv4.conf.eth0.rp_filter": "2"})");
  EXPECT_EQ(run_shell("cat /proc/sys/net/ipv4/conf/eth0/rp_filter").out, "2\n");
}

TEST_F(NetDevices, CanGoIntoAUserNamespace) {
  config_.user_namespace();
  EXPECT_TRUE(has(run_shell("ip addr show dev eth0").out, "inet 192.0.2.7/24"));
}

TEST_F(NetDevices, EndWithTheContainersNamespace) {
  start_sleeping();
  EXPECT_FALSE(is_here("rtt-a"));
  EXPECT_TRUE(is_here("rtt-peer"));
  ASSERT_TRUE(succeeds(remove_by_force()));
  // The kernel takes a namespace apart a little after its last process.
  EXPECT_TRUE(eventually([] { return !is_here("rtt-peer"); }));
  EXPECT_FALSE(is_here("rtt-a"));
}

TEST_F(NetDevices, StayInANamespaceThatOutlivesTheContainer) {
  const UniqueFd host = own_network();
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  const UniqueFd other = own_network();
  ASSERT_EQ(::setns(host.get(), CLONE_NEWNET), 0);
  config_.join_namespace("network", cat("/proc/", ::getpid(), "/fd/", other.get()));
  EXPECT_TRUE(succeeds(run()));
  EXPECT_FALSE(is_here("rtt-a"));
  ASSERT_EQ(::setns(other.get(), CLONE_NEWNET), 0);
  EXPECT_TRUE(has(ip("-o addr show dev eth0"), "inet 192.0.2.7/24"));
  // The name is taken now: another container's device cannot have it.
  ASSERT_EQ(::setns(host.get(), CLONE_NEWNET), 0);
  ip("link add rtt-a type veth peer name rtt-second");
  EXPECT_TRUE(fails_saying(create(), "has a device \"eth0\""));
  EXPECT_TRUE(is_here("rtt-a"));
  ip("link del rtt-a");
}

TEST_F(NetDevices, AreGivenBackWhenCreateFails) {
  ip("link set rtt-a up");
  config_.args({"/no/such/program"});
  EXPECT_NE(create().exit_code, 0);
  ASSERT_TRUE(is_here("rtt-a"));
  const std::string here = ip("-o addr show dev rtt-a");
  EXPECT_TRUE(has(here, "inet 192.0.2.7/24")) << here;
  EXPECT_TRUE(has(ip("-o link show dev rtt-a"), ",UP"));
}

TEST_F(NetDevices, ThatAreNotThereAreAnError) {
  config_.set("/linux/netDevices", R"({"rtt-a": {}, "rtt-absent": {}})");
  const Outcome outcome = create();
  EXPECT_TRUE(fails_saying(outcome, "rtt-absent"));
  EXPECT_TRUE(has(outcome.err, "no such device")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "/linux/netDevices/rtt-absent")) << outcome.err;
  EXPECT_TRUE(is_here("rtt-a"));
}

TEST_F(NetDevices, WhoseNameIsTakenAreAnError) {
  config_.set("/linux/netDevices", R"({"rtt-a": {"name": "lo"}})");
  EXPECT_TRUE(fails_saying(create(), "has a device \"lo\""));
  EXPECT_TRUE(is_here("rtt-a"));
}

TEST_F(NetDevices, NeedANetworkNamespace) {
  config_.without_namespace("network");
  EXPECT_TRUE(fails_saying(create(), "/linux/netDevices"));
  config_.join_namespace("network", cat("/proc/", ::getpid(), "/ns/net"));
  EXPECT_TRUE(fails_saying(create(), "the container's network namespace is the runtime's own"));
  EXPECT_TRUE(is_here("rtt-a"));
}

TEST_F(NetDevices, OfTheContainerAreNotMovedAgainForAnExec) {
  start_sleeping();
  const Outcome outcome = runtime({"exec", id(), "ip", "addr", "show", "dev", "eth0"});
  EXPECT_TRUE(succeeds(outcome));
  EXPECT_TRUE(has(outcome.out, "inet 192.0.2.7/24")) << outcome.out;
  ASSERT_TRUE(succeeds(remove_by_force()));
  EXPECT_TRUE(eventually([] { return !is_here("rtt-peer"); }));
}

}  // namespace
}  // namespace rt::testing
