// Control files of cgroup v2, as the document names them. runtime-spec config-linux.md, "Unified".
#include <algorithm>

#include "runtime/plan/parts.h"
#include "runtime/plan/resources_parts.h"
#include "spec/diagnostic.h"

namespace rt::plan {
namespace {

/// Files that are no limits, but what the runtime itself does with a cgroup: a container that is
/// created frozen would hang, and a number is a process of the host.
constexpr std::string_view kRuntimesOwn[] = {
    "cgroup.freeze", "cgroup.kill", "cgroup.procs", "cgroup.threads", "cgroup.type",
};

/// "memory" of "memory.swap.max". Every cgroup has the files of "cgroup", which is no controller.
std::string_view controller_of(std::string_view file) {
  const std::string_view name = file.substr(0, file.find('.'));
  return name == "cgroup" ? "" : name;
}

/// Whether the file shows a value such as this one, but for what the kernel makes of it. That of
/// "io" has a line for each device; words may mean something in one direction alone.
bool is_shown(std::string_view controller, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789";
  const bool amount = value == "max" || (!value.empty() && kDigits.find(value[0]) != kDigits.npos);
  return amount && controller != "io";
}

/// A file that takes several lines takes one with each write.
std::vector<std::string_view> lines_of(std::string_view value) {
  std::vector<std::string_view> lines = split(value, '\n');
  std::erase(lines, "");
  // The empty value is one: it takes a list of CPUs back.
  if (lines.empty()) lines.emplace_back();
  return lines;
}

Status add(Limits& limits, const std::string& file, const std::string& value) {
  Limit limit;
  limit.property = cat("/unified/", spec::escape_pointer(file));
  limit.controller = {"", controller_of(file)};
  if (std::ranges::find(kRuntimesOwn, file) != std::end(kRuntimesOwn)) {
    return limits.error(limit.property, "not a limit: only the runtime writes this file");
  }
  // As their like of other sections: what setting a container up could exceed.
  const bool tight = limit.controller.v2 == "memory" || file == "pids.max";
  limit.time = tight ? LimitTime::kLast : LimitTime::kFirst;
  for (const std::string_view line : lines_of(value)) {
    limit.v2 = {{file, std::string(line)}};
    limit.shows_value = is_shown(limit.controller.v2, line);
    TRY(limits.add(limit));
  }
  return ok();
}

}  // namespace

Status plan_unified(Limits& limits) {
  for (const auto& [file, value] : limits.wanted().unified) TRY(add(limits, file, value));
  return ok();
}

}  // namespace rt::plan
