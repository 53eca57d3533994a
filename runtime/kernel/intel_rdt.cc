#include "runtime/kernel/intel_rdt.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/kernel/mountinfo.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr int64_t kResctrlMagic = 0x7655821;  // linux/magic.h, RDTGROUP_SUPER_MAGIC
constexpr const char* kUsualPlace = "/sys/fs/resctrl";
constexpr size_t kMaxControl = size_t{1} << 20;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

constexpr const char* kTasks = "tasks";
constexpr const char* kSchemata = "schemata";
constexpr const char* kMonGroups = "mon_groups";

/// Where resctrl is: what the plan says, the usual place, or any other.
Result<std::string> find_root(const plan::IntelRdtStep& step) {
  if (!step.root.empty()) return step.root;
  const Result<int64_t> type = sys::filesystem_type(std::string(kUsualPlace));
  if (type && type.value() == kResctrlMagic) return std::string(kUsualPlace);
  const std::vector<MountInfo> mounts = TRY(read_mountinfo());
  const auto found = std::ranges::find(mounts, "resctrl", &MountInfo::type);
  if (found != mounts.end()) return found->point;
  return Error("no resctrl file system is mounted");
}

/// The groups of one plan, as paths.
struct Paths {
  std::string root;
  std::string control;     // the CTRL_MON group
  std::string monitoring;  // the MON group; empty: none
};

Result<Paths> paths_of(const plan::IntelRdtStep& step) {
  Paths paths;
  paths.root = TRY(find_root(step));
  paths.control = step.group == "/" ? paths.root : cat(paths.root, '/', step.group);
  if (!step.monitoring.empty()) {
    paths.monitoring = cat(paths.control, '/', kMonGroups, '/', step.monitoring);
  }
  return paths;
}

Result<bool> exists(const std::string& path) {
  const std::optional<UniqueFd> found = TRY(sys::open_if_exists(path, kOpenDirectory));
  return found.has_value();
}

/// The kernel's own words about the last request that it refused.
Error explained(Error error, const std::string& root) {
  const Result<std::string> text = sys::read_file(cat(root, "/info/last_cmd_status"), kMaxControl);
  if (!text) return error;
  std::string words = text.value();
  while (words.ends_with('\n')) words.pop_back();
  if (words.empty() || words == "ok") return error;
  return std::move(error).with_hint(quoted(words));
}

/// What a resctrl group has from its birth, where plain files stand in for resctrl.
Status furnish(const std::string& path, bool control) {
  TRY(sys::open(cat(path, '/', kTasks), O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (!control) return ok();
  TRY(sys::open(cat(path, '/', kSchemata), O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::mkdir(cat(path, '/', kMonGroups), 0700);
}

enum class GroupKind { kControl, kMonitoring };

Status make_directory(const plan::IntelRdtStep& step, const Paths& paths, GroupKind kind) {
  const bool control = kind == GroupKind::kControl;
  const std::string& path = control ? paths.control : paths.monitoring;
  Status made = sys::mkdir(path, 0755);
  if (!made && step.root.empty()) return explained(std::move(made).error(), paths.root);
  TRY(std::move(made));
  return step.root.empty() ? ok() : furnish(path, control);
}

/// One write(2) a line: the kernel takes it whole or not at all.
Status write_line(const std::string& path, std::string_view line) {
  // To the end of the file: for resctrl that means nothing, what stands in for it keeps all lines.
  const UniqueFd file = TRY(sys::open(path, O_WRONLY | O_APPEND));
  return sys::write_once(file.get(), cat(line, '\n'));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// A value without the zeros and spaces that the kernel pads it with: "0=00f" is "0=f".
std::string_view plain_value(std::string_view value) {
  value = trimmed(value);
  while (value.size() > 1 && value.starts_with('0')) value.remove_prefix(1);
  return value;
}

/// "L3:0=f;1=ff\nMB:0=50": the value of each domain of each resource, by "L3:0".
std::map<std::string, std::string> values_in(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const std::string_view line : split(text, '\n')) {
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    for (const std::string_view part : split(line.substr(colon + 1), ';')) {
      const size_t equals = part.find('=');
      if (equals == part.npos) continue;
      values[cat(trimmed(line.substr(0, colon)), ':', trimmed(part.substr(0, equals)))] =
          plain_value(part.substr(equals + 1));
    }
  }
  return values;
}

/// Whether the group has what `wanted` says. Of domains that it does not mention it says nothing.
bool has_all(std::string_view schemata, std::string_view wanted) {
  const std::map<std::string, std::string> present = values_in(schemata);
  const std::map<std::string, std::string> expected = values_in(wanted);
  return !expected.empty() && std::ranges::all_of(expected, [&](const auto& domain) {
    const auto found = present.find(domain.first);
    return found != present.end() && found->second == domain.second;
  });
}

Status compare(const plan::IntelRdtStep& step, const std::string& group) {
  const std::string path = cat(group, '/', kSchemata);
  for (const plan::SchemataLine& line : step.schemata) {
    if (!line.compared) continue;
    const std::string present = TRY(sys::read_file(path, kMaxControl), kSchemata);
    if (has_all(present, line.text)) continue;
    return Error(cat("the group is there and its schemata are others: ", quoted(present)))
        .within(quoted(line.text))
        .at(line.origin);
  }
  return ok();
}

Status write_schemata(const plan::IntelRdtStep& step, const Paths& paths) {
  for (const plan::SchemataLine& line : step.schemata) {
    Status written = write_line(cat(paths.control, '/', kSchemata), line.text);
    if (written) continue;
    return explained(std::move(written).error(), paths.root)
        .within("schemata ", quoted(line.text))
        .at(line.origin);
  }
  return ok();
}

/// Makes the control group if it may be made; whether it was.
Result<bool> make_control(const plan::IntelRdtStep& step, const Paths& paths) {
  bool is_there = TRY(exists(paths.control));
  if (!is_there && step.named && step.schemata.empty()) {
    return Error("no such resctrl group, and nothing to make it with")
        .with_hint("l3CacheSchema, memBwSchema or schemata");
  }
  if (!is_there) {
    Status made = make_directory(step, paths, GroupKind::kControl);
    // Another container of the same class may have been faster.
    is_there = !made && made.error().code() == EEXIST;
    if (!is_there) TRY(std::move(made));
  }
  if (is_there && step.named) TRY(compare(step, paths.control));
  return !is_there;
}

Status make_groups(const plan::IntelRdtStep& step, const Paths& paths, Rollback& undo,
                   RdtDirectories& going) {
  if (TRY(make_control(step, paths))) {
    undo.add([&] { static_cast<void>(remove_rdt_group({paths.control})); });
    if (!step.named) going.push_back(paths.control);
  }
  TRY(write_schemata(step, paths));
  if (paths.monitoring.empty()) return ok();
  TRY(at(cat(step.origin, "/enableMonitoring"),
         make_directory(step, paths, GroupKind::kMonitoring)),
      "monitoring group ", quoted(step.monitoring));
  going.insert(going.begin(), paths.monitoring);
  return ok();
}

/// Only what stands in for resctrl has entries that keep a directory from being removed.
Status remove_stand_in(const std::string& path) {
  for (const char* file : {kTasks, kSchemata}) sys::try_unlink(cat(path, '/', file));
  static_cast<void>(sys::rmdir(cat(path, '/', kMonGroups)));
  return sys::rmdir(path);
}

std::string place_of(const plan::IntelRdtStep& step) {
  return cat("resctrl group ", quoted(step.group));
}

}  // namespace

Result<RdtDirectories> announce_rdt_group(const plan::IntelRdtStep& step) {
  const Paths paths = TRY(at(step.origin, paths_of(step)), place_of(step));
  RdtDirectories going;
  if (!paths.monitoring.empty()) going.push_back(paths.monitoring);
  if (!step.named) going.push_back(paths.control);
  // What is there already is somebody else's.
  RdtDirectories announced;
  for (std::string& path : going) {
    const bool is_there = TRY(at(step.origin, exists(path)), place_of(step));
    if (!is_there) announced.push_back(std::move(path));
  }
  return announced;
}

Result<RdtDirectories> make_rdt_group(const plan::IntelRdtStep& step) {
  const Paths paths = TRY(at(step.origin, paths_of(step)), place_of(step));
  RdtDirectories going;
  Rollback undo;
  TRY(at(step.origin, make_groups(step, paths, undo, going)), place_of(step));
  undo.commit();
  return going;
}

Status enter_rdt_group(const plan::IntelRdtStep& step, pid_t pid) {
  const Paths paths = TRY(at(step.origin, paths_of(step)), place_of(step));
  // The control group first: a monitoring group takes only tasks of the group it belongs to.
  for (const std::string& group : {paths.control, paths.monitoring}) {
    if (group.empty()) continue;
    Status entered = write_line(cat(group, '/', kTasks), cat(pid));
    if (entered) continue;
    return explained(std::move(entered).error(), paths.root)
        .within(place_of(step), ": tasks")
        .at(step.origin);
  }
  return ok();
}

Result<std::string> update_rdt_group(const plan::IntelRdtStep& step) {
  const Paths paths = TRY(at(step.origin, paths_of(step)), place_of(step));
  std::string before = TRY(sys::read_file(cat(paths.control, '/', kSchemata), kMaxControl),
                           place_of(step), ": ", kSchemata);
  Status written = write_schemata(step, paths);
  if (written) return before;
  Error failed = std::move(written).error().within(place_of(step));
  const Status restored = restore_rdt_group(step, before);
  if (restored) return failed;
  return std::move(failed).with_hint("and to undo it: ", restored.error().message());
}

Status restore_rdt_group(const plan::IntelRdtStep& step, const std::string& schemata) {
  const Paths paths = TRY(paths_of(step), place_of(step));
  for (const std::string_view line : split(schemata, '\n')) {
    if (trimmed(line).empty()) continue;
    TRY(write_line(cat(paths.control, '/', kSchemata), trimmed(line)), place_of(step));
  }
  return ok();
}

Status remove_rdt_group(const RdtDirectories& directories) {
  Status first_failure;
  for (const std::string& path : directories) {
    Status removed = sys::rmdir(path);
    if (!removed && removed.error().code() == ENOTEMPTY) removed = remove_stand_in(path);
    if (removed || removed.error().code() == ENOENT) continue;
    // The others are removed all the same: less is left behind.
    Error failed = std::move(removed).error().within("resctrl group ", quoted(path));
    if (first_failure) first_failure = std::move(failed);
  }
  return first_failure;
}

}  // namespace rt::kernel
