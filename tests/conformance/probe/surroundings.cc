// Namespaces and what is in them.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

constexpr const char* kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

int64_t nanoseconds(clockid_t clock) {
  constexpr int64_t kSecond = 1'000'000'000;
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

/// The lines of a uid_map: three numbers each.
void write_map(Writer& out, const char* name, const std::string& file) {
  constexpr const char* kFields[] = {"containerID", "hostID", "size"};
  out.key(name).open('[');
  for (const std::string& line : split(read_text(file), '\n')) {
    if (line.empty()) continue;
    const char* rest = line.c_str();
    out.open('{');
    for (const char* field : kFields) {
      char* end = nullptr;
      out.member(field, std::strtoul(rest, &end, 10));
      rest = end;
    }
    out.close('}');
  }
  out.close(']');
}

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  }
  return text;
}

struct Interface {
  bool up = false;
  std::set<std::string> addresses;
};

std::map<std::string, Interface> interfaces() {
  std::map<std::string, Interface> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) < 0) return found;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    Interface& interface = found[one->ifa_name];
    interface.up = (one->ifa_flags & IFF_UP) != 0;
    if (one->ifa_addr == nullptr) continue;
    const std::string address = address_text(one->ifa_addr);
    if (!address.empty()) interface.addresses.insert(address);
  }
  ::freeifaddrs(list);
  return found;
}

}  // namespace

void write_names(Writer& out) {
  utsname names{};
  ::uname(&names);
  out.member("hostname", names.nodename).member("domainname", names.domainname);
  out.member("machine", names.machine);
}

void write_namespaces(Writer& out) {
  out.key("namespaces").open('{');
  for (const char* name : kNamespaces) {
    out.member(name, link_target(std::string("/proc/self/ns/") + name));
  }
  out.close('}');
  write_map(out, "uidMappings", "/proc/self/uid_map");
  write_map(out, "gidMappings", "/proc/self/gid_map");
  out.member("setgroups", without_newline(read_text("/proc/self/setgroups")));
  out.member("cgroup", read_text("/proc/self/cgroup"));
}

void write_clocks(Writer& out) {
  out.key("clocks").open('{');
  out.member("monotonic", nanoseconds(CLOCK_MONOTONIC));
  out.member("boottime", nanoseconds(CLOCK_BOOTTIME)).close('}');
}

void write_network(Writer& out) {
  out.key("network").open('{');
  for (const auto& [name, interface] : interfaces()) {
    out.key(name).open('{').member("up", interface.up).key("addresses").open('[');
    for (const std::string& address : interface.addresses) out.string(address);
    out.close(']').close('}');
  }
  out.close('}');
}

void write_sysctls(Writer& out, const std::vector<std::string>& names) {
  out.key("sysctl").open('{');
  for (const std::string& name : names) {
    std::string path = "/proc/sys/" + name;
    std::ranges::replace(path, '.', '/');
    out.member(name, without_newline(read_text(path)));
  }
  out.close('}');
}

}  // namespace probe
