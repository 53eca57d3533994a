// ps: the processes of a container, as the host numbers them.
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/container.h"
#include "runtime/container/process.h"
#include "runtime/sys/file.h"

namespace rt::container {
namespace {

constexpr size_t kStatusLimit = 64UL * 1024;
/// More than that is not shown of a command. Its end would be hidden anyway.
constexpr size_t kCommandLimit = 4096;

/// "Uid:\t0\t1000\t0\t0": the second is the effective one. proc(5), /proc/PID/status.
std::optional<uid_t> user_in(std::string_view status) {
  for (const std::string_view line : split(status, '\n')) {
    if (!line.starts_with("Uid:")) continue;
    const auto fields = split(line, '\t');
    const auto uid = fields.size() > 2 ? parse_uint(fields[2]) : std::nullopt;
    if (uid) return static_cast<uid_t>(*uid);
  }
  return std::nullopt;
}

/// /proc/PID/cmdline: each word ends with a NUL. The payload can write anything there, and the
/// memory that it is read from may be gone.
Result<std::string> command_of(pid_t pid, const ProcessStat& stat) {
  const std::string path = cat("/proc/", pid, "/cmdline");
  const UniqueFd file = TRY(sys::open(path, O_RDONLY), path);
  std::string words = TRY(sys::read_start(file.get(), kCommandLimit), path);
  while (words.ends_with('\0')) words.pop_back();
  std::ranges::replace(words, '\0', ' ');
  return words.empty() ? cat('[', stat.name, ']') : words;
}

Result<ProcessInfo> describe(pid_t pid) {
  const ProcessStat stat = TRY(read_stat(pid));
  const std::string path = cat("/proc/", pid, "/status");
  const std::string status = TRY(sys::read_file(path, kStatusLimit), path);
  ProcessInfo info;
  info.pid = pid;
  info.parent = stat.parent;
  info.user = user_in(status).value_or(0);
  info.state = stat.state;
  info.cpu_time = std::chrono::seconds(stat.cpu_time / kTicksPerSecond);
  info.command = TRY(command_of(pid, stat));
  return info;
}

}  // namespace

Result<std::vector<pid_t>> processes(const Store& store, const std::string& id) {
  const Entry entry = TRY(store.require(id));
  const Observed seen = TRY(observe(entry));
  // What has its cgroup's name now is somebody else's.
  if (seen.earlier_boot) return std::vector<pid_t>();
  const bool has_cgroup = std::ranges::any_of(seen.record.cgroups, &cgroup::Directory::leaf);
  if (seen.init && !has_cgroup) {
    return Error(cat(id, ": cannot tell the processes of a container without a cgroup"));
  }
  return cgroup::processes(seen.record.cgroups);
}

Result<std::vector<ProcessInfo>> describe_processes(const std::vector<pid_t>& pids) {
  std::vector<ProcessInfo> described;
  for (const pid_t pid : pids) {
    Result<ProcessInfo> info = describe(pid);
    const int code = info ? 0 : info.error().code();
    // It has ended since it was listed.
    if (code == ENOENT || code == ESRCH) continue;
    if (!info) return std::move(info).error();
    described.push_back(std::move(info).value());
  }
  return described;
}

}  // namespace rt::container
