// Which kernel parameters a container may set: only those that belong to a namespace that it does
// not share with the host. A key is a path below /proc/sys, and is never allowed to leave it.
#include <algorithm>

#include "runtime/base/text.h"
#include "spec/validate_parts.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

/// sysctl(8) writes "net.ipv4.conf.eth0/1.x" or "net/ipv4/conf/eth0.1/x": the separator is
/// whichever comes first, and the other stands for a dot or slash within a name.
std::string normalised(std::string_view key) {
  std::string path(key);
  const size_t separator = path.find_first_of("./");
  if (separator == path.npos || path[separator] == '/') return path;
  for (char& c : path) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return path;
}

bool is_safe(std::string_view key) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  if (key.empty() || key.find_first_not_of(kAllowed) != key.npos) return false;
  const std::string path = normalised(key);
  for (const std::string_view part : rt::split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

/// The type of the namespace that holds the parameter; empty when the host has only one of it.
std::string_view owner_of(std::string_view path) {
  static constexpr std::string_view kIpc[] = {
      "kernel/msgmax",      "kernel/msgmnb",      "kernel/msgmni",     "kernel/sem",
      "kernel/shmall",      "kernel/shmmax",      "kernel/shmmni",     "kernel/shm_rmid_forced",
      "kernel/msg_next_id", "kernel/sem_next_id", "kernel/shm_next_id"};
  if (path.starts_with("net/")) return "network";
  if (path.starts_with("user/")) return "user";
  if (path.starts_with("fs/mqueue/") || is_one_of(path, kIpc)) return "ipc";
  if (path == "kernel/domainname" || path == "kernel/hostname") return "uts";
  return {};
}

void check_entry(const Path& at, std::string_view key, std::string_view value,
                 const Linux& linux_config, Findings findings) {
  if (!is_safe(key)) {
    return findings.error(at, cat("not the name of a kernel parameter: ", quoted(key)),
                          Place::kKey);
  }
  const std::string path = normalised(key);
  const std::string_view owner = owner_of(path);
  if (path == "kernel/hostname") {
    findings.error(at, "the host name is set by the property \"hostname\"", Place::kKey);
  } else if (owner.empty()) {
    findings.error(at, cat(key, " belongs to no namespace: setting it would change the host"),
                   Place::kKey);
  } else if (find_namespace(linux_config, owner) == nullptr) {
    findings.error(
        at,
        cat(key, " needs a namespace of type \"", owner, "\": without, it would change the host's"),
        Place::kKey);
  }
  if (value.find('\n') != value.npos) findings.error(at, "a line feed in the value");
}

}  // namespace

void check_sysctl(const Path& at, const Linux& linux_config, Findings findings) {
  for (const auto& [key, value] : linux_config.sysctl) {
    check_entry(at.member(key), key, value, linux_config, findings);
  }
}

}  // namespace spec
