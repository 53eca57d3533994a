#include "runtime/cgroup/control.h"

#include <fcntl.h>

#include "runtime/cgroup/control_value.h"
#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/limit_errors.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

constexpr size_t kMaxShown = size_t{16} << 10;

Result<UniqueFd> open_cgroup(const std::string& path) {
  UniqueFd opened = TRY(sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const Status v1 = check_filesystem(opened.get(), false);
  if (!v1 && !check_filesystem(opened.get(), true)) return Error("not in a cgroup file system");
  return opened;
}

/// Write-only files are for their owner to open.
Result<UniqueFd> open_file(int directory, const std::string& name) {
  Result<UniqueFd> both = sys::openat(directory, name, O_RDWR | O_NOFOLLOW);
  if (both || both.error().code() != EACCES) return both;
  return sys::openat(directory, name, O_WRONLY | O_NOFOLLOW);
}

std::optional<std::string> show(int file) {
  Result<std::string> text = sys::read_start(file, kMaxShown);
  if (!text) return std::nullopt;
  std::string shown = std::move(text).value();
  while (shown.ends_with('\n')) shown.pop_back();
  return shown;
}

/// v2 shows in another file which of the CPUs or memory nodes can be used.
std::optional<std::string> show_effective(const Control& control) {
  const plan::CgroupSetting::Form& form = *control.form;
  if (form.value.empty() || (form.file != "cpuset.cpus" && form.file != "cpuset.mems")) {
    return std::nullopt;
  }
  const Result<std::optional<std::string>> effective =
      read_control(control.directory, form.file + ".effective");
  return effective ? effective.value() : std::nullopt;
}

Status write_lines(int file, std::string_view value) {
  for (const std::string_view line : split(value, '\n')) {
    // A write(2) of nothing does not reach the kernel's file.
    TRY(sys::write_once(file, line.empty() ? "\n" : line), quoted(line));
  }
  return ok();
}

Error refused(const Control& control, std::string_view value, Error reason) {
  return explain_refusal(control.directory, control.form->file, value, std::move(reason))
      .within("cgroup ", quoted(control.setting->directory))
      .at(control.setting->origin);
}

}  // namespace

Result<int> OpenDirectories::open(const std::string& path) {
  const auto known = opened_.find(path);
  if (known != opened_.end()) return known->second.get();
  Result<UniqueFd> opened = open_cgroup(path);
  if (!opened && is_gone(opened.error())) return -1;
  if (!opened) return std::move(opened).error().within("cgroup ", quoted(path));
  return opened_.emplace(path, std::move(opened).value()).first->second.get();
}

Result<std::optional<Control>> find_control(OpenDirectories& directories,
                                            const plan::CgroupSetting& setting) {
  Control control;
  control.setting = &setting;
  control.directory = TRY(at(setting.origin, directories.open(setting.directory)));
  if (control.directory < 0) return std::optional<Control>();
  for (const plan::CgroupSetting::Form& form : setting.forms) {
    // The name is the document's, and openat(2) would find one in another directory.
    if (form.file.find('/') != std::string::npos) continue;
    Result<UniqueFd> file = open_file(control.directory, form.file);
    if (!file && is_gone(file.error())) continue;
    control.form = &form;
    if (!file) return refused(control, form.value, std::move(file).error());
    control.file = std::move(file).value();
    return std::optional<Control>(std::move(control));
  }
  return std::optional<Control>();
}

Result<std::optional<plan::Warning>> accept_missing(OpenDirectories& directories,
                                                    const plan::CgroupSetting& setting) {
  using Missing = plan::CgroupSetting::Missing;
  if (setting.missing == Missing::kNothing) return std::optional<plan::Warning>();
  const std::string& file = setting.forms.front().file;
  Error error(cat("no control file ", file));
  const int directory = TRY(at(setting.origin, directories.open(setting.directory)));
  const std::string hint = why_missing(directory, file);
  if (!hint.empty()) error = std::move(error).with_hint(hint);
  error = std::move(error).within("cgroup ", quoted(setting.directory)).at(setting.origin);
  if (setting.missing == Missing::kError) return error;
  return std::optional<plan::Warning>({.origin = setting.origin, .message = error.message()});
}

Status write_value(const Control& control, std::string_view value) {
  Status written = write_lines(control.file.get(), value);
  if (written) return ok();
  return refused(control, value, std::move(written).error());
}

std::optional<std::string> read_value(const Control& control) { return show(control.file.get()); }

std::optional<plan::Warning> check_value(const Control& control) {
  if (!control.setting->shows_value) return std::nullopt;
  const plan::CgroupSetting::Form& form = *control.form;
  std::optional<std::string> shown = show_effective(control);
  if (!shown) shown = show(control.file.get());
  if (!shown || is_same_value(form.file, form.value, *shown)) return std::nullopt;
  std::string message =
      cat(form.file, ": asked for ", plain(form.value), ", the kernel made it ", plain(*shown));
  return plan::Warning{.origin = control.setting->origin, .message = std::move(message)};
}

}  // namespace rt::cgroup
