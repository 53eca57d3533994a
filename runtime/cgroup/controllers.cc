#include "runtime/cgroup/controllers.h"

#include <fcntl.h>

#include <algorithm>

#include "runtime/cgroup/directory.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

constexpr const char* kFile = "cgroup.subtree_control";

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Names words(std::string_view text) {
  Names out;
  for (const std::string_view line : split(text, '\n')) {
    for (const std::string_view word : split(line, ' ')) {
      if (!word.empty()) out.emplace_back(word);
    }
  }
  return out;
}

Result<Names> read_names(int directory, const char* file) {
  const std::optional<std::string> text = TRY(read_control(directory, file));
  return text ? words(*text) : Names();
}

Error is_missing(const std::string& path, const std::string& name) {
  Error error(
      cat(quoted(path), ": controller ", quoted(name), " is not in its cgroup.controllers"));
  return std::move(error).with_hint(
      delegation(path, name),
      "; at the top of the hierarchy it is missing when the kernel lacks it or a v1 hierarchy has "
      "it");
}

/// No errno: this is not to be mistaken for a directory that cannot be made.
Error is_refused(const std::string& path, const std::string& name, const Error& reason) {
  const int code = reason.code();
  // Of a cgroup that was removed meanwhile the file cannot be opened, or is none any more. (A write
  // says ENOENT for a controller that is not there.)
  if (code == ENODEV || (code == ENOENT && reason.call() != "write")) {
    return Error::from_errno(kFile, ENOENT).within(quoted(path));
  }
  Error error(cat(quoted(path), ": ", kFile, ": +", name, ": ", errno_text(code)));
  if (code == EBUSY) {
    return std::move(error).with_hint(
        "there are processes in that cgroup itself, so that its children get no controllers; name "
        "another linux.cgroupsPath, or start the runtime in a cgroup of its own: systemd's "
        "Delegate= with DelegateSubgroup=");
  }
  if (code == EACCES || code == EPERM) {
    return std::move(error).with_hint("not delegated to this user; ", delegation(path, name));
  }
  if (code == EROFS) {
    return std::move(error).with_hint("the cgroup file system is mounted read-only");
  }
  return error;
}

/// Writes one by one what the kernel did not take together. Those of `missing` that it took.
Result<Names> enable_each(int file, const std::string& path,
                          const std::vector<plan::ControllerNeed>& needs, const Names& missing) {
  Names enabled;
  for (const std::string& name : missing) {
    const Status written = sys::write_once(file, cat('+', name));
    if (written) {
      enabled.push_back(name);
      continue;
    }
    const auto need = std::ranges::find(needs, name, &plan::ControllerNeed::name);
    if (need == needs.end()) continue;
    return is_refused(path, name, written.error()).at(need->origin);
  }
  return enabled;
}

/// Whether processes are in the cgroup itself, where that matters: not at the top, which has no
/// type.
Result<bool> holds_processes(int directory) {
  const std::optional<std::string> type = TRY(read_control(directory, "cgroup.type"));
  if (!type) return false;
  const std::optional<std::string> pids = TRY(read_control(directory, "cgroup.procs"));
  return pids && !pids->empty();
}

/// Of `missing`, those that the kernel took.
Result<Names> enable(int directory, const std::string& path,
                     const std::vector<plan::ControllerNeed>& needs, const Names& missing) {
  // It would take the threaded ones, cpu and pids, and nobody could then enter what is below
  // ("domain invalid").
  if (TRY(holds_processes(directory), quoted(path))) {
    for (const plan::ControllerNeed& need : needs) {
      if (!contains(missing, need.name)) continue;
      return is_refused(path, need.name, Error::from_errno("write", EBUSY)).at(need.origin);
    }
    return Names();
  }
  const Result<UniqueFd> file = sys::openat(directory, kFile, O_WRONLY | O_NOFOLLOW);
  if (!file) {
    for (const plan::ControllerNeed& need : needs) {
      if (!contains(missing, need.name)) continue;
      return is_refused(path, need.name, file.error()).at(need.origin);
    }
    return Names();
  }
  std::string all;
  for (const std::string& name : missing) all += cat(all.empty() ? "+" : " +", name);
  if (sys::write_once(file.value().get(), all)) return missing;
  return enable_each(file.value().get(), path, needs, missing);
}

}  // namespace

std::string delegation(const std::string& path, const std::string& name) {
  if (path.find("/user@") != std::string::npos) {
    return cat(
        "for a user's session: \"Delegate=cpu cpuset io memory pids\" in a drop-in for "
        "user@.service; without ",
        name, " there, limits that need it cannot be had");
  }
  return "delegate it with systemd's Delegate=, or name another linux.cgroupsPath";
}

Result<Names> read_controllers(int directory) {
  return read_names(directory, "cgroup.controllers");
}

Result<Names> enable_controllers(int directory, const std::string& path,
                                 const std::vector<plan::ControllerNeed>& needs,
                                 const Names& available) {
  for (const plan::ControllerNeed& need : needs) {
    if (!contains(available, need.name)) return is_missing(path, need.name).at(need.origin);
  }
  if (available.empty()) return Names();
  Names enabled = TRY(read_names(directory, kFile), quoted(path));
  Names missing;
  for (const std::string& name : available) {
    if (!contains(enabled, name)) missing.push_back(name);
  }
  if (missing.empty()) return enabled;
  const Names added = TRY(enable(directory, path, needs, missing));
  enabled.insert(enabled.end(), added.begin(), added.end());
  return enabled;
}

}  // namespace rt::cgroup
