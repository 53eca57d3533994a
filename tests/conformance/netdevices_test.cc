// config-linux.md, "Network Devices".
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cstring>

#include "runtime/base/text.h"
#include "tests/conformance/conformance.h"

namespace rt::conformance {
namespace {

ifreq request_for(const char* name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  return request;
}

/// Devices are made in a network namespace of this program's own, which is the runtime's: what
/// happens to them there is nobody else's business.
class NetworkDevices : public Conformance {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(::geteuid() != 0 || ::unshare(CLONE_NEWNET) == 0); }
  void SetUp() override {
    Conformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
    make_device("row0");
  }
  void TearDown() override {
    devices_.clear();
    Conformance::TearDown();
  }

  /// A tap device: it lives as long as its descriptor.
  void make_device(const char* name) {
    UniqueFd device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request = request_for(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    ASSERT_EQ(::ioctl(device.get(), TUNSETIFF, &request), 0) << std::strerror(errno);
    devices_.push_back(std::move(device));
  }
  static void set_address(const char* name, const char* address) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = request_for(name);
    auto* inet = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
    inet->sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &inet->sin_addr);
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFADDR, &request), 0) << std::strerror(errno);
  }
  static void set_address_of_version_six(const char* name, const char* address) {
    const UniqueFd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    // struct in6_ifreq, which only <linux/ipv6.h> has.
    struct {
      in6_addr address;
      uint32_t prefix = 64;
      int index = 0;
    } request{};
    ::inet_pton(AF_INET6, address, &request.address);
    request.prefix = 64;
    request.index = static_cast<int>(::if_nametoindex(name));
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFADDR, &request), 0) << std::strerror(errno);
  }
  static void set_mtu(const char* name, int mtu) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = request_for(name);
    request.ifr_mtu = mtu;
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFMTU, &request), 0) << std::strerror(errno);
  }
  Config& move(const char* document) { return config_.set("/linux/netDevices", document); }

 private:
  std::vector<UniqueFd> devices_;
};

TEST_F(NetworkDevices, AreInTheContainer) {
  move(R"({"row0": {}})");
  EXPECT_TRUE(look().has("/network/row0"));
}

TEST_F(NetworkDevices, AreUp) {
  move(R"({"row0": {}})");
  EXPECT_EQ(look().at("/network/row0/up"), "true");
}

TEST_F(NetworkDevices, HaveTheNameOfTheDocument) {
  move(R"({"row0": {"name": "inside0"}})");
  const Json report = look();
  EXPECT_TRUE(report.has("/network/inside0"));
  EXPECT_FALSE(report.has("/network/row0"));
}

TEST_F(NetworkDevices, MayLeaveTheNumberToTheKernel) {
  move(R"({"row0": {"name": "inside%d"}})");
  EXPECT_TRUE(look().has("/network/inside0"));
}

TEST_F(NetworkDevices, KeepTheirAddresses) {
  set_address("row0", "192.0.2.77");
  move(R"({"row0": {"name": "inside0"}})");
  EXPECT_TRUE(has_word(look(), "/network/inside0/addresses", "192.0.2.77"));
}

TEST_F(NetworkDevices, KeepTheirAddressesOfVersionSix) {
  set_address_of_version_six("row0", "2001:db8::77");
  move(R"({"row0": {"name": "inside0"}})");
  EXPECT_TRUE(has_word(look(), "/network/inside0/addresses", "2001:db8::77"));
}

TEST_F(NetworkDevices, KeepTheirAttributes) {
  set_mtu("row0", 1234);
  move(R"({"row0": {}})");
  EXPECT_EQ(path_at(look({"path=/sys/class/net/row0/mtu"}), "/sys/class/net/row0/mtu", "text"),
            "1234\n");
}

TEST_F(NetworkDevices, ThatDoNotExistAreAnError) {
  move(R"({"nothing0": {}})");
  EXPECT_TRUE(refuses());
}

TEST_F(NetworkDevices, OfANameThatIsTakenAreAnError) {
  move(R"({"row0": {"name": "lo"}})");
  EXPECT_TRUE(refuses());
}

TEST_F(NetworkDevices, WithoutANetworkNamespaceAreAnError) {
  config_.without_namespace("network").erase("/mounts/5");
  move(R"({"row0": {"name": "inside0"}})");
  EXPECT_TRUE(refuses());
}

}  // namespace
}  // namespace rt::conformance
