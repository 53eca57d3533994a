#include "tests/support/mode.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {
namespace {

constexpr size_t kLimit = size_t{1} << 20;

}  // namespace

std::vector<std::string> runtime_flags() {
  std::vector<std::string> flags;
  const char* text = std::getenv("RUNTIME_FLAGS");
  for (const std::string_view word : split(text == nullptr ? "" : text, ' ')) {
    if (!word.empty()) flags.emplace_back(word);
  }
  return flags;
}

bool with_systemd() {
  return std::ranges::any_of(runtime_flags(), [](const std::string& flag) {
    return flag == "--systemd-cgroup" || flag == "--cgroup-manager=systemd";
  });
}

bool rootless() { return ::geteuid() != 0 && std::getenv("RUNTIME_ROOTLESS") != nullptr; }

std::vector<std::string> session_variables() {
  std::vector<std::string> variables;
  for (const char* name : {"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) variables.push_back(cat(name, '=', value));
  }
  return variables;
}

std::string one_id(uid_t id) {
  return cat(R"([{"containerID": 0, "size": 1, "hostID": )", id, "}]");
}

std::string with_range(const char* file, uid_t id) {
  const struct passwd* user = ::getpwuid(::geteuid());
  const std::string name = user == nullptr ? "" : user->pw_name;
  const Result<std::string> text = sys::read_file(file, kLimit);
  if (!text || name.empty()) return one_id(id);
  for (const std::string_view line : split(text.value(), '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() != 3 || fields[0] != name) continue;
    return cat(R"([{"containerID": 0, "size": 1, "hostID": )", id,
               R"(}, {"containerID": 1, "hostID": )", fields[1], R"(, "size": )", fields[2], "}]");
  }
  return one_id(id);
}

}  // namespace rt::testing
