// What the program is asked for, on its command line:
//
//   runtime-systemd start --unit U --slice S --cgroup PATH [--user] --timeout N -- PROPERTY...
//   runtime-systemd attach --unit U --cgroup PATH --pid PID [--user] --timeout N
//   runtime-systemd set --unit U [--user] --timeout N -- PROPERTY...
//
// A property is NAME SIGNATURE WORD..., in the words of busctl(1): "MemoryMax t 1073741824". Behind
// its name "@242" may say which version of systemd has it first.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace rt::systemd {

struct Property {
  std::string name;
  std::string signature;
  std::vector<std::string> words;
  unsigned since = 0;
  bool operator==(const Property&) const = default;
};

struct Order {
  std::string command;  // "start", "attach" or "set"
  std::string unit;     // "docker-4f53.scope"
  std::string slice;
  std::string cgroup;  // where the unit's is: "/system.slice/docker-4f53.scope"
  bool user = false;   // the user's own manager
  unsigned timeout_s = 0;
  unsigned pid = 0;
  std::vector<Property> properties;
};

/// The command line, without the program's name.
Result<Order> parse_order(std::span<const std::string> words);

/// The first complete type of a signature that is not empty: "a(ss)" of "a(ss)t".
std::string_view first_type(std::string_view signature);

}  // namespace rt::systemd
