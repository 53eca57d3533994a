#include "runtime/cgroup/scope_limits.h"

#include <algorithm>

#include "runtime/cgroup/directory.h"

namespace rt::cgroup {
namespace {

struct Row {
  std::string_view property;
  const char* file;
  const char* none;  // no limit, in the words of the file
};

/// In the order of writing. v1: a limit of memory may not be above that of memory and swap.
constexpr Row kRows[] = {
    {"TasksMax", "pids.max", "max"},
    {"MemoryMax", "memory.max", "max"},
    {"MemoryHigh", "memory.high", "max"},
    {"MemoryLimit", "memory.memsw.limit_in_bytes", "-1"},
    {"MemoryLimit", "memory.limit_in_bytes", "-1"},
};

/// What an annotation asks for is left to systemd: nobody else would set it again.
bool sets(const plan::ScopeStep& scope, std::string_view property) {
  const auto found = std::ranges::find(scope.properties, property, &plan::UnitProperty::name);
  return found != scope.properties.end() && !found->origin.starts_with("/annotations/");
}

}  // namespace

Status lift_limits(const plan::ScopeStep& scope, const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (!directory.leaf) continue;
    const std::optional<UniqueFd> opened = TRY(open_directory(directory));
    for (const Row& row : kRows) {
      if (!opened || !sets(scope, row.property)) continue;
      TRY(write_control(opened->get(), row.file, row.none), "cgroup ", quoted(directory.path));
    }
  }
  return ok();
}

}  // namespace rt::cgroup
