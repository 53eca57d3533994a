#include "tools/benchmark/measure.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <ctime>

#include "tools/benchmark/spawn.h"

namespace bench {
namespace {

double now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double to_ms(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

}  // namespace

rt::Result<Cost> run_timed(const std::vector<std::string>& command) {
  const double begin = now_ms();
  const pid_t pid = TRY(spawn(command, Start::kAtOnce));
  int status = 0;
  rusage usage{};
  if (wait4(pid, &status, 0, &usage) < 0) return rt::Error::from_errno("wait4");
  const double end = now_ms();
  if (status != 0) return rt::Error(rt::cat(to_text(command), ": wait status ", status));
  return Cost{.wall_ms = end - begin, .cpu_ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime)};
}

rt::Result<long> private_memory(pid_t pid) {
  const std::string path = rt::cat("/proc/", pid, "/smaps_rollup");
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return rt::Error::from_errno("open").within(path);
  long total = 0;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    const std::string_view text = line;
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = text.substr(0, colon);
    if (key != "Private_Clean" && key != "Private_Dirty") continue;
    total += std::strtol(line + colon + 1, nullptr, 10);
  }
  std::fclose(file);
  return total;
}

}  // namespace bench
