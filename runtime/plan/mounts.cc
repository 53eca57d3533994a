// Each entry of `mounts` as one or more mount steps. runtime-spec config.md, "Mounts".
#include "runtime/plan/parts.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/plan/mount_options.h"

namespace rt::plan {
namespace {

/// What is being planned: the entry, its options, and where it is in the document.
struct Entry {
  const spec::Mount& mount;
  MountOptions options;
  Origin origin;
};

/// File systems without a disk, of which the kernel has one instance for many mounts: "ro" is for
/// the mount alone, or it would change the others too.
constexpr std::array<std::string_view, 17> kVirtual = {
    "bpf",      "cgroup",     "cgroup2", "configfs",  "debugfs", "devpts",
    "devtmpfs", "efivarfs",   "fusectl", "hugetlbfs", "mqueue",  "proc",
    "pstore",   "securityfs", "sysfs",   "tmpfs",     "tracefs",
};

/// What may stand in for a file of /proc: views of it that lxcfs(1) and CRIU provide. Anything else
/// there could answer in the kernel's name, or swallow a security label that is written to it.
constexpr std::array<std::string_view, 11> kProcFiles = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
};

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_proc(const MountStep& step) {
  if (const auto* fresh = std::get_if<NewFilesystem>(&step.what)) return fresh->type == "proc";
  if (const auto* bind = std::get_if<BindMount>(&step.what)) {
    return clean_path(bind->source) == "/proc";
  }
  return true;  // a remount brings nothing new
}

/// CVE-2019-16884, CVE-2019-19921: a /proc that is none. By name only: where a symbolic link of the
/// image leads is not known here.
Status check_target(const MountStep& step) {
  if (step.target == "/") return Error("would hide the container's root: see root.path");
  if (!is_within(step.target, "/proc")) return ok();
  if (step.target == "/proc") {
    return is_proc(step) ? ok() : Error("only a proc file system may be mounted there");
  }
  const bool remount = std::holds_alternative<Remount>(step.what);
  if (remount || contains(kProcFiles, step.target)) return ok();
  return Error("inside /proc: only files such as /proc/meminfo may be replaced");
}

Result<BindMount> plan_bind(Draft& draft, const Entry& entry) {
  if (!entry.options.own.empty()) {
    return Error(cat("unknown option ", quoted(entry.options.own.front().word)));
  }
  if (entry.mount.source.empty()) return Error("a bind mount needs a source");
  for (const FilesystemParameter& flag : superblock_parameters(entry.options.superblock, true)) {
    draft.warn(entry.origin, cat("option \"", flag.key, "\" has no effect on a bind mount"));
  }
  BindMount bind;
  bind.source = absolute_path(draft.request.bundle, entry.mount.source);
  bind.recursive = entry.options.recursive_bind || entry.mount.type == "rbind";
  return bind;
}

Result<NewFilesystem> plan_filesystem(const Entry& entry) {
  const MountOptions& options = entry.options;
  if (entry.mount.type.empty() || entry.mount.type == "none") {
    return Error("neither a file system type nor the option \"bind\"");
  }
  SuperblockFlags flags = options.superblock;
  const uint64_t asked = options.attributes.set | options.recursive_attributes.set;
  if ((asked & MOUNT_ATTR_RDONLY) != 0 && !contains(kVirtual, entry.mount.type)) {
    flags.set |= MS_RDONLY;
  }
  NewFilesystem fresh;
  fresh.type = entry.mount.type;
  fresh.source = entry.mount.source;
  fresh.parameters = superblock_parameters(flags, false);
  std::vector<FilesystemParameter> own = TRY(own_parameters(options.own));
  std::move(own.begin(), own.end(), std::back_inserter(fresh.parameters));
  return fresh;
}

/// "ro" and its like are for the mount alone: the file system may be the host's as well.
Result<Remount> plan_remount(const Entry& entry) {
  Remount remount;
  remount.parameters = superblock_parameters(entry.options.superblock, true);
  std::vector<FilesystemParameter> own = TRY(own_parameters(entry.options.own));
  std::move(own.begin(), own.end(), std::back_inserter(remount.parameters));
  if (entry.options.bind && !remount.parameters.empty()) {
    return Error(cat("option ", quoted(remount.parameters.front().key),
                     " changes the file system, and \"bind\" asks for the mount alone"));
  }
  remount.superblock = !remount.parameters.empty();
  return remount;
}

/// Nothing of a new mount is set that could be cleared.
void drop_clears(MountAttributes& attributes) { attributes.clear &= MOUNT_ATTR__ATIME; }

bool is_bind(const Entry& entry) {
  return entry.options.bind || entry.mount.type == "bind" || entry.mount.type == "rbind";
}

void note_options(Draft& draft, const Entry& entry) {
  for (const OptionWord& option : entry.options.ineffective) {
    draft.warn(cat(entry.origin, "/options/", option.index),
               cat("option ", quoted(option.word), " has no effect"));
  }
  for (const OptionWord& option : entry.options.later) {
    draft.not_supported(cat(entry.origin, "/options/", option.index),
                        cat("mount option ", quoted(option.word)));
  }
}

Result<std::vector<MountStep>> plan_mount(Draft& draft, const Entry& entry) {
  note_options(draft, entry);
  MountStep step;
  step.target = clean_path(entry.mount.destination);
  step.attributes = entry.options.attributes;
  step.recursive_attributes = entry.options.recursive_attributes;
  step.propagation = entry.options.propagation;
  step.origin = entry.origin;
  if (entry.options.remount) {
    step.what = TRY(plan_remount(entry));
    TRY(check_target(step));
    return std::vector<MountStep>{step};
  }
  if (step.propagation == 0) step.propagation = MS_PRIVATE | MS_REC;
  if (is_bind(entry)) {
    step.what = TRY(plan_bind(draft, entry));
  } else {
    const NewFilesystem fresh = TRY(plan_filesystem(entry));
    drop_clears(step.attributes);
    drop_clears(step.recursive_attributes);
    step.what = fresh;
  }
  TRY(check_target(step));
  const auto* fresh = std::get_if<NewFilesystem>(&step.what);
  if (fresh == nullptr || fresh->type != "cgroup") return std::vector<MountStep>{step};
  return plan_cgroup_mount(draft, step, fresh->parameters);
}

/// What is only possible in a mount namespace of the container's own.
Status check_namespace(const Draft& draft, const Origin& origin) {
  if (draft.plan.root.method == RootMethod::kJoined) {
    return Error("would change a mount namespace that belongs to another container").at(origin);
  }
  if (draft.plan.root.method == RootMethod::kChroot) {
    return Error("needs a mount namespace: it would be made on the host").at(origin);
  }
  return ok();
}

}  // namespace

Result<std::vector<MountStep>> plan_mounts(Draft& draft) {
  std::vector<MountStep> steps;
  const std::vector<spec::Mount>& mounts = draft.config.mounts;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const spec::Mount& mount = mounts[i];
    const Origin origin = cat("/mounts/", i);
    const std::string place = cat("mounts[", i, "] ", printable(mount.destination));
    TRY(check_namespace(draft, origin), place);
    MountOptions options = TRY(at(origin, read_mount_options(mount.options)), place);
    const Entry entry{mount, std::move(options), origin};
    std::vector<MountStep> planned = TRY(at(origin, plan_mount(draft, entry)), place);
    std::move(planned.begin(), planned.end(), std::back_inserter(steps));
  }
  return steps;
}

}  // namespace rt::plan
