#include "runtime/kernel/labels.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>

#include "runtime/sys/attributes.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

using plan::LabelStep;

struct ModuleRow {
  LabelStep::Module module;
  sys::SecurityModule id;
  const char* name;
  const char* attribute;  // the file below /proc
  const char* hint;       // where it is not active
};

constexpr ModuleRow kModules[] = {
    {LabelStep::Module::kAppArmor, sys::SecurityModule::kAppArmor, "apparmor",
     "self/attr/apparmor/exec", "leave process.apparmorProfile out, or boot with apparmor=1"},
    {LabelStep::Module::kSelinux, sys::SecurityModule::kSelinux, "selinux", "self/attr/exec",
     "leave process.selinuxLabel out, or boot with security=selinux"},
};

const ModuleRow& row_of(LabelStep::Module module) {
  return kModules[module == LabelStep::Module::kAppArmor ? 0 : 1];
}

/// In backquotes: by these Podman knows an error about a security attribute.
std::string place_of(const ModuleRow& row) { return cat("`/proc/", row.attribute, "`"); }

constexpr size_t kLongest = 4096;  // a page: what the kernel takes and gives

/// Whether the module is active, from 6.8 on; nothing on an older kernel, or where a filter forbids
/// to ask.
Result<std::optional<bool>> is_active(const ModuleRow& row) {
  const Result<std::string> current = sys::lsm_get_self_attr(sys::LabelAttribute::kCurrent, row.id);
  const int code = current ? 0 : current.error().code();
  if (code == 0) return std::optional<bool>(true);
  if (code == EOPNOTSUPP) return std::optional<bool>(false);
  if (code == ENOSYS || code == EPERM) return std::optional<bool>();
  return current.error();
}

/// The same of an older kernel, which has the files of every module that is built in.
Result<bool> is_active_by_files(const ModuleRow& row, int proc) {
  if (row.module == LabelStep::Module::kSelinux) {
    const UniqueFd list =
        TRY(sys::open_beneath(proc, "filesystems", O_RDONLY), "/proc/filesystems");
    const std::string text = TRY(sys::read_all(list.get(), kLongest * 16), "/proc/filesystems");
    return text.find("\tselinuxfs\n") != std::string::npos;
  }
  const Result<UniqueFd> current = sys::open_beneath(proc, "self/attr/apparmor/current", O_RDONLY);
  if (!current && current.error().code() == ENOENT) return false;
  if (!current) return current.error();
  const Result<std::string> text = sys::read_start(current.value().get(), kLongest);
  if (!text && text.error().code() == EINVAL) return false;
  if (!text) return text.error();
  return true;
}

/// Whether what the label asks for is there without it.
bool is_nothing(const LabelStep& step) {
  return step.module == LabelStep::Module::kAppArmor && step.label == "unconfined";
}

/// Where one label is written.
struct Place {
  const LabelStep& step;
  const ModuleRow& row;
  UniqueFd file;  // none: lsm_set_self_attr(2)
};

/// Nothing: there is nothing to do.
Result<std::optional<Place>> open_place(const LabelStep& step, int proc) {
  Place place{.step = step, .row = row_of(step.module), .file = {}};
  std::optional<bool> active = TRY(is_active(place.row));
  const bool by_files = !active;
  if (by_files) active = TRY(is_active_by_files(place.row, proc));
  if (!*active && is_nothing(step)) return std::optional<Place>();
  if (!*active) {
    return Error(cat(place.row.name, " is not enabled on this host")).with_hint(place.row.hint);
  }
  if (by_files) {
    // Only who opened it may write it.
    place.file = TRY(sys::open_beneath(proc, place.row.attribute, O_RDWR | O_NOFOLLOW));
  }
  return std::optional<Place>(std::move(place));
}

Status write(const Place& place) {
  const std::string& label = place.step.label;
  const bool apparmor = place.step.module == LabelStep::Module::kAppArmor;
  const std::string text = apparmor ? cat("exec ", label) : label;
  if (place.file) return sys::write_once(place.file.get(), text);
  return sys::lsm_set_self_attr(sys::LabelAttribute::kExec, place.row.id, text);
}

Result<std::string> read_back(const Place& place) {
  if (!place.file) return sys::lsm_get_self_attr(sys::LabelAttribute::kExec, place.row.id);
  const std::string text = TRY(sys::read_start(place.file.get(), kLongest));
  return text.substr(0, text.find_last_not_of(std::string_view("\0\n", 2)) + 1);
}

/// The profiles of a stack ("A//&B"), in order.
std::vector<std::string_view> profiles_of(std::string_view label) {
  std::vector<std::string_view> profiles;
  for (size_t next = 0; next != label.npos;) {
    const size_t start = next;
    next = label.find("//&", start);
    profiles.push_back(label.substr(start, next - start));
    if (next != label.npos) next += 3;
  }
  std::sort(profiles.begin(), profiles.end());
  return profiles;
}

/// The kernel shows an AppArmor label with its mode ("docker-default (enforce)"), and sorts stacks.
bool is_profile(std::string_view wanted, std::string_view found) {
  if (found.ends_with(')')) found = found.substr(0, found.rfind(" ("));
  return profiles_of(wanted) == profiles_of(found);
}

/// user:role:type of an SELinux context. The level behind may be spelt in several ways.
std::string_view type_of(std::string_view context) {
  size_t end = 0;
  for (int colons = 0; colons < 3 && end != context.npos; ++colons) {
    end = context.find(':', end == 0 ? 0 : end + 1);
  }
  return context.substr(0, end);
}

bool is_set(const LabelStep& step, std::string_view found) {
  if (step.module == LabelStep::Module::kAppArmor) return is_profile(step.label, found);
  return type_of(step.label) == type_of(found);
}

/// In our own words where the kernel's would be taken for a missing program ("no such file or
/// directory": exit code 127), or say nothing.
Error explain(const LabelStep& step, const Error& error) {
  const bool apparmor = step.module == LabelStep::Module::kAppArmor;
  if (apparmor && error.code() == ENOENT) {
    return Error::from_wire(ENOENT, error.call(),
                            cat("the profile ", quoted(step.label), " is not loaded"))
        .with_hint("see /sys/kernel/security/apparmor/profiles; apparmor_parser(8) loads it");
  }
  Error out = Error(error).within(quoted(step.label));
  if (error.code() == EINVAL) {
    return std::move(out).with_hint(apparmor ? "not the name of a profile"
                                             : "not a context of the policy that is loaded");
  }
  if (error.code() == EACCES || error.code() == EPERM) {
    return std::move(out).with_hint(apparmor
                                        ? "the runtime is confined itself, and may not change to "
                                          "that profile"
                                        : "the policy does not let the runtime set it");
  }
  return out;
}

Status set_label(const LabelStep& step, int proc) {
  const std::optional<Place> place = TRY(open_place(step, proc));
  if (!place) return ok();
  const Status written = write(*place);
  if (!written) return explain(step, written.error());
  const std::string now = TRY(read_back(*place), "reading it back");
  if (is_set(step, now)) return ok();
  return Error(cat("asked for ", quoted(step.label), ", got ", quoted(now)));
}

}  // namespace

Result<UniqueFd> open_proc_for_labels(const std::vector<LabelStep>& steps) {
  if (steps.empty()) return UniqueFd();
  UniqueFd proc = TRY(sys::open("/proc", O_PATH | O_DIRECTORY), "/proc");
  const int64_t type = TRY(sys::filesystem_type(proc.get()), "/proc");
  if (type != PROC_SUPER_MAGIC) return Error("/proc is not a proc file system");
  return proc;
}

Status set_labels(const std::vector<LabelStep>& steps, int proc) {
  for (const LabelStep& step : steps) {
    TRY(at(step.origin, set_label(step, proc)), place_of(row_of(step.module)));
  }
  return ok();
}

}  // namespace rt::kernel
