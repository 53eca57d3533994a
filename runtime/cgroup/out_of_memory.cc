#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/directory.h"

namespace rt::cgroup {
namespace {

/// A line "oom_kill 1": Linux 4.13.
bool counts_a_kill(std::string_view text) {
  constexpr std::string_view kKills = "oom_kill ";
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(kKills)) return line.substr(kKills.size()) != "0";
  }
  return false;
}

}  // namespace

Result<bool> was_out_of_memory(const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    const std::optional<UniqueFd> opened = TRY(open_directory(directory));
    if (!opened) continue;
    // Of all hierarchies only that of the memory controller has the file.
    const char* file = directory.unified ? "memory.events" : "memory.oom_control";
    const std::optional<std::string> text = TRY(read_control(opened->get(), file));
    if (text && counts_a_kill(*text)) return true;
  }
  return false;
}

}  // namespace rt::cgroup
