// The terminal: which devpts it comes from. config.md, "Process", fields terminal and consoleSize.
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// The last one there: it covers those before it.
std::optional<size_t> find_devpts(const std::vector<MountStep>& mounts) {
  std::optional<size_t> found;
  for (size_t i = 0; i < mounts.size(); ++i) {
    if (mounts[i].target != "/dev/pts" || std::holds_alternative<Remount>(mounts[i].what)) continue;
    const auto* fresh = std::get_if<NewFilesystem>(&mounts[i].what);
    found = fresh != nullptr && fresh->type == "devpts" ? std::optional<size_t>(i) : std::nullopt;
  }
  return found;
}

}  // namespace

ConsoleStep make_console(const spec::Process& process) {
  ConsoleStep console;
  console.origin = "/process/terminal";
  if (process.console_size) {
    console.height = process.console_size->height;
    console.width = process.console_size->width;
  }
  return console;
}

Result<std::optional<ConsoleStep>> plan_console(const Draft& draft) {
  const std::optional<spec::Process>& process = draft.config.process;
  if (!process || !process->terminal) return std::optional<ConsoleStep>();
  const std::optional<size_t> devpts = find_devpts(draft.plan.mounts);
  if (!devpts) {
    // A terminal of somebody else's devpts would be shared with its owner.
    return Error("process.terminal: needs a mount of type devpts at /dev/pts")
        .at("/process/terminal");
  }
  ConsoleStep console = make_console(*process);
  console.mount = *devpts;
  return std::optional<ConsoleStep>(console);
}

}  // namespace rt::plan
