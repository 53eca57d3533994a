#include "tests/support/leaks.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/support/cgroups.h"

namespace rt::testing {
namespace {

constexpr size_t kLimit = size_t{64} << 20;

std::string text_of(const std::string& path) {
  Result<std::string> text = sys::read_file(path, kLimit);
  return text ? std::move(text).value() : "";
}

std::set<std::string> names_in(const std::string& directory) {
  const Result<std::vector<std::string>> names = sys::list_directory(directory);
  if (!names) return {};
  return {names.value().begin(), names.value().end()};
}

std::set<std::string> lines_with(const std::string& path, std::string_view word) {
  std::set<std::string> found;
  const std::string text = text_of(path);
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty() && line.find(word) != std::string_view::npos) found.emplace(line);
  }
  return found;
}

struct Process {
  pid_t parent = 0;
  std::string description;
};

std::map<pid_t, Process> all_processes() {
  std::map<pid_t, Process> all;
  for (const std::string& name : names_in("/proc")) {
    const auto pid = parse_int(name);
    if (!pid) continue;
    const std::string stat = text_of(cat("/proc/", name, "/stat"));
    // The name may contain anything, also parentheses: what follows is behind the last one.
    const size_t end = stat.rfind(')');
    if (end == std::string::npos) continue;
    const std::vector<std::string_view> fields = split(std::string_view(stat).substr(end + 2), ' ');
    Process process;
    process.parent = static_cast<pid_t>(parse_int(fields[1]).value_or(0));
    process.description = cat(stat.substr(0, end + 1), " state ", fields[0]);
    all[static_cast<pid_t>(*pid)] = process;
  }
  return all;
}

std::map<pid_t, std::string> descendants() {
  std::map<pid_t, std::string> found;
  const std::map<pid_t, Process> all = all_processes();
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [pid, process] : all) {
      const bool below = process.parent == ::getpid() || found.contains(process.parent);
      if (below && found.emplace(pid, process.description).second) grown = true;
    }
  }
  return found;
}

std::set<std::string> own_descriptors() {
  std::set<std::string> found;
  for (const std::string& name : names_in("/proc/self/fd")) {
    const Result<std::string> target = sys::readlinkat(-1, cat("/proc/self/fd/", name));
    if (target) found.insert(cat(name, " -> ", target.value()));
  }
  return found;
}

std::set<std::string> own_interfaces() {
  std::set<std::string> found;
  struct if_nameindex* const all = ::if_nameindex();
  if (all == nullptr) return found;
  for (struct if_nameindex* one = all; one->if_index != 0; ++one) found.emplace(one->if_name);
  ::if_freenameindex(all);
  return found;
}

void add_new(std::string& text, const char* what, const std::set<std::string>& before,
             const std::set<std::string>& after) {
  for (const std::string& one : after) {
    if (!before.contains(one)) text += cat("  ", what, ": ", one, '\n');
  }
  for (const std::string& one : before) {
    if (!after.contains(one)) text += cat("  ", what, " is gone: ", one, '\n');
  }
}

/// Mounts of other tests, which vanish here when their mount points are removed.
void forget_mounts_of_others() {
  const std::string mounts = text_of("/proc/self/mountinfo");
  for (const std::string_view line : split(mounts, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    if (fields.size() < 5 || !fields[4].starts_with("/tmp/")) continue;
    ::umount2(std::string(fields[4]).c_str(), MNT_DETACH);
  }
}

}  // namespace

void enter_shared_mount_namespace() {
  static bool entered = false;
  if (entered) return;
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), 0);
  forget_mounts_of_others();
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_SHARED | MS_REC, nullptr), 0);
  entered = true;
}

Snapshot take_snapshot(const Watched& watched) {
  Snapshot snapshot;
  const std::string mounts = text_of("/proc/self/mountinfo");
  for (const std::string_view line : split(mounts, '\n')) snapshot.mounts.emplace_back(line);
  for (const std::string& path : all_cgroups()) {
    if (path.find(watched.token) != std::string::npos) snapshot.cgroups.insert(path);
  }
  snapshot.state = names_in(watched.state_root);
  snapshot.state.erase("~~filters");  // a cache, kept on purpose
  snapshot.bundle = names_in(watched.bundle);
  for (const auto& [pid, description] : descendants()) snapshot.processes.insert(description);
  snapshot.keyrings = lines_with("/proc/keys", watched.token);
  snapshot.descriptors = own_descriptors();
  for (const std::string& name : names_in("/dev/shm")) snapshot.shared_memory.insert(name);
  snapshot.interfaces = own_interfaces();
  return snapshot;
}

std::string difference(const Snapshot& before, const Snapshot& after) {
  std::string text;
  add_new(text, "mount", {before.mounts.begin(), before.mounts.end()},
          {after.mounts.begin(), after.mounts.end()});
  add_new(text, "cgroup", before.cgroups, after.cgroups);
  add_new(text, "state", before.state, after.state);
  add_new(text, "process", before.processes, after.processes);
  add_new(text, "keyring", before.keyrings, after.keyrings);
  add_new(text, "descriptor", before.descriptors, after.descriptors);
  add_new(text, "network interface", before.interfaces, after.interfaces);
  add_new(text, "shared memory", before.shared_memory, after.shared_memory);
  add_new(text, "file in the bundle", before.bundle, after.bundle);
  return text;
}

void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

void kill_descendants() {
  for (const auto& [pid, description] : descendants()) ::kill(pid, SIGKILL);
}

}  // namespace rt::testing
