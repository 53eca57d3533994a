// New limits for a container that runs: all of them or none.
#include <algorithm>
#include <ranges>

#include "runtime/base/rollback.h"
#include "runtime/cgroup/control.h"
#include "runtime/cgroup/control_value.h"
#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/limits.h"
#include "runtime/sys/process.h"

namespace rt::cgroup {
namespace {

using plan::CgroupSetting;
using std::chrono::milliseconds;
using Warnings = std::vector<plan::Warning>;

constexpr milliseconds kReclaimPause(20);
// So that the deadline is looked at now and then: the write returns when all is reclaimed.
constexpr uint64_t kReclaimAtOnce = uint64_t{64} << 20;

/// A control file, and what it said before.
struct Change {
  Control control;
  std::optional<std::string> before;  // nothing: it does not say
};

Result<std::vector<Change>> find_changes(OpenDirectories& directories,
                                         const std::vector<CgroupSetting>& settings,
                                         Warnings& warnings) {
  std::vector<Change> changes;
  for (const CgroupSetting& setting : settings) {
    std::optional<Control> control = TRY(find_control(directories, setting));
    if (control) {
      std::optional<std::string> before = read_value(*control);
      changes.push_back({.control = *std::move(control), .before = std::move(before)});
      continue;
    }
    std::optional<plan::Warning> warning = TRY(accept_missing(directories, setting));
    if (warning) warnings.push_back(*std::move(warning));
  }
  return changes;
}

/// Puts back what was written, the last first.
Status put_back(const std::vector<const Change*>& written) {
  std::vector<const Change*> order(written.rbegin(), written.rend());
  return in_turn(order, [](const Change* change) -> Status {
    if (!change->before) return ok();
    const CgroupSetting::Form& form = *change->control.form;
    return write_value(change->control, text_to_restore(form.file, form.value, *change->before));
  });
}

Result<uint64_t> read_number(int directory, const std::string& file) {
  const std::optional<std::string> text = TRY(read_control(directory, file));
  const std::optional<uint64_t> number = text ? parse_uint(*text) : std::nullopt;
  if (!number) return Error(cat(file, ": not a number"));
  return *number;
}

Error would_kill(const Change& change, uint64_t limit, uint64_t used) {
  return Error::from_wire(EBUSY, "",
                          cat(change.control.form->file, ": memory limit ", limit, " is below the ",
                              used, " bytes in use; the kernel would kill for it"))
      .within("cgroup ", quoted(change.control.setting->directory))
      .at(change.control.setting->origin);
}

/// Makes the kernel reclaim memory until no more than `limit` is in use.
Status reclaim(const Change& change, uint64_t limit, const Deadline& deadline) {
  const int directory = change.control.directory;
  while (true) {
    const uint64_t used = TRY(read_number(directory, "memory.current"));
    if (used <= limit) return ok();
    if (deadline.passed()) return would_kill(change, limit, used);
    // Linux 5.19. It fails when there is less to reclaim: only what is in use then counts.
    const std::string amount = cat(std::min(used - limit, kReclaimAtOnce));
    static_cast<void>(write_control(directory, "memory.reclaim", amount));
    TRY(sys::wait_readable({}, std::min(kReclaimPause, deadline.left())));
  }
}

/// memory.max below what is in use: v2 kills at once, where v1 refuses. Until it is written,
/// memory.high keeps the processes from taking again what was reclaimed, and reclaims itself.
Status lower_memory(const Change& change, uint64_t limit, const Deadline& deadline) {
  const int directory = change.control.directory;
  const std::optional<std::string> high = TRY(read_control(directory, "memory.high"));
  Rollback restore;
  if (high) {
    restore.add([&] { static_cast<void>(write_control(directory, "memory.high", *high)); });
    TRY(write_control(directory, "memory.high", cat(limit)));
  }
  TRY(reclaim(change, limit, deadline));
  return write_value(change.control, change.control.form->value);
}

Status write_change(const Change& change, const Deadline& deadline) {
  const CgroupSetting::Form& form = *change.control.form;
  const std::optional<uint64_t> limit = parse_uint(form.value);
  if (form.file == "memory.max" && limit) {
    const Result<uint64_t> used = read_number(change.control.directory, "memory.current");
    if (used && used.value() > *limit) return lower_memory(change, *limit, deadline);
  }
  return write_value(change.control, form.value);
}

Status write_again(const Change* change) {
  return write_value(change->control, change->control.form->value);
}

}  // namespace

Result<Warnings> update_limits(const std::vector<CgroupSetting>& settings, milliseconds patience,
                               const std::function<Status()>& agree) {
  const Deadline deadline(patience);
  OpenDirectories directories;
  Warnings warnings;
  const std::vector<Change> changes = TRY(find_changes(directories, settings, warnings));
  std::vector<const Change*> wanted;
  wanted.reserve(changes.size());
  for (const Change& change : changes) wanted.push_back(&change);
  std::vector<const Change*> touched;
  Status updated = in_turn(wanted, [&](const Change* change) -> Status {
    // Of several lines some may be written when one fails.
    const bool in_lines = change->control.form->value.find('\n') != std::string::npos;
    if (in_lines) touched.push_back(change);
    TRY(write_change(*change, deadline));
    if (!in_lines) touched.push_back(change);
    return ok();
  });
  if (updated && agree) {
    updated = agree();
    // What it has written is nearly the same: systemd rounds.
    if (updated) updated = in_turn(wanted, write_again);
  }
  if (!updated) {
    const Status restored = put_back(touched);
    if (restored) return std::move(updated).error();
    return std::move(updated).error().with_hint("and not everything could be put back as it was: ",
                                                restored.error().message());
  }
  for (const Change& change : changes) {
    std::optional<plan::Warning> warning = check_value(change.control);
    if (warning) warnings.push_back(*std::move(warning));
  }
  return warnings;
}

}  // namespace rt::cgroup
