#include "runtime/container/process.h"

#include <signal.h>

#include <charconv>
#include <string>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

bool is_gone(const Error& error) { return error.code() == ESRCH || error.code() == ENOENT; }

}  // namespace

Result<ProcessStat> parse_stat(std::string_view text) {
  // The name stands in brackets, unescaped: the last ')' ends it.
  const size_t name_begin = text.find('(');
  const size_t name_end = text.rfind(')');
  if (name_begin == text.npos || name_end < name_begin || name_end + 2 > text.size()) {
    return Error("process status: malformed");
  }
  const auto fields = split(text.substr(name_end + 2), ' ');
  constexpr size_t kStateField = 0;  // field 3 of the file
  constexpr size_t kParentField = 1;
  constexpr size_t kUserTimeField = 11;
  constexpr size_t kSystemTimeField = 12;
  constexpr size_t kStartTimeField = 19;
  if (fields.size() <= kStartTimeField || fields[kStateField].size() != 1) {
    return Error("process status: malformed");
  }
  const auto start_time = parse_uint(fields[kStartTimeField]);
  if (!start_time) return Error("process status: malformed start time");
  ProcessStat stat;
  stat.name = text.substr(name_begin + 1, name_end - name_begin - 1);
  stat.state = fields[kStateField][0];
  stat.parent = static_cast<pid_t>(parse_int(fields[kParentField]).value_or(0));
  stat.cpu_time = parse_uint(fields[kUserTimeField]).value_or(0) +
                  parse_uint(fields[kSystemTimeField]).value_or(0);
  stat.start_time = *start_time;
  return stat;
}

Result<ProcessStat> read_stat(pid_t pid) {
  const std::string path = cat("/proc/", pid, "/stat");
  const std::string text = TRY(sys::read_file(path, 4096), path);
  return parse_stat(text);
}

Result<bool> has_pending_kill(pid_t pid) {
  const std::string path = cat("/proc/", pid, "/status");
  const std::string text = TRY(sys::read_file(path, 64UL * 1024), path);
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("SigPnd:") && !line.starts_with("ShdPnd:")) continue;
    // A mask in hexadecimal digits; signal 1 is bit 0.
    const std::string_view digits = line.substr(line.find_last_of("\t ") + 1);
    uint64_t mask = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), mask, 16);
    if ((mask >> (SIGKILL - 1) & 1) != 0) return true;
  }
  return false;
}

Result<uint64_t> start_time_of(pid_t pid) {
  const ProcessStat stat = TRY(read_stat(pid));
  return stat.start_time;
}

Result<std::optional<UniqueFd>> open_process(pid_t pid, uint64_t start_time) {
  Result<UniqueFd> pidfd = sys::pidfd_open(pid);
  // EINVAL: before Linux 6.9, a number that is nobody's but of a thread, or of a session whose
  // leader has ended.
  const bool gone = !pidfd && (is_gone(pidfd.error()) || pidfd.error().code() == EINVAL);
  if (gone) return std::optional<UniqueFd>();
  UniqueFd held = TRY(std::move(pidfd), "process ", pid);
  // Only now: the number cannot change hands any more without the pidfd's process being gone.
  const Result<ProcessStat> stat = read_stat(pid);
  if (!stat && is_gone(stat.error())) return std::optional<UniqueFd>();
  if (!stat) return stat.error();
  const char state = stat.value().state;
  const bool dead = state == 'Z' || state == 'X' || state == 'x';
  if (dead || stat.value().start_time != start_time) return std::optional<UniqueFd>();
  return std::optional<UniqueFd>(std::move(held));
}

Result<std::string> boot_id() {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  std::string text = TRY(sys::read_file(path, 64), path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace rt::container
