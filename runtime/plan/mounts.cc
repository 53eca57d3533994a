// Each entry of `mounts` as one or more mount steps. runtime-spec config.md, "Mounts".
#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/plan/mount_options.h"
#include "runtime/plan/mount_parts.h"
#include "runtime/plan/parts.h"

namespace rt::plan {
namespace {

/// File systems without a disk, of which the kernel has one instance for many mounts: "ro" is for
/// the mount alone, or it would change the others too.
constexpr std::array<std::string_view, 17> kVirtual = {
    "bpf",      "cgroup",     "cgroup2", "configfs",  "debugfs", "devpts",
    "devtmpfs", "efivarfs",   "fusectl", "hugetlbfs", "mqueue",  "proc",
    "pstore",   "securityfs", "sysfs",   "tmpfs",     "tracefs",
};

/// Of these one instance is there before anybody mounts it: its own flags are what they are.
constexpr std::array<std::string_view, 10> kShared = {
    "cgroup",  "cgroup2", "configfs",   "debugfs", "devtmpfs",
    "fusectl", "mqueue",  "securityfs", "sysfs",   "tracefs",
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

/// A bind mount has no file system that could know what we do not.
Error unknown_option(const MountEntry& entry, const OptionWord& option) {
  std::string message = cat("unknown option ", quoted(option.word));
  if (const auto meant = meant_option(option.word))
    message += cat("; did you mean \"", *meant, "\"?");
  return Error(std::move(message)).at(cat(entry.origin, "/options/", option.index));
}

Result<BindMount> plan_bind(Draft& draft, const MountEntry& entry) {
  if (!entry.options.own.empty()) return unknown_option(entry, entry.options.own.front());
  if (entry.mount.source.empty()) return Error("a bind mount needs a source");
  BindMount bind;
  bind.source = absolute_path(draft.request.bundle, entry.mount.source);
  bind.recursive = entry.options.recursive_bind || entry.mount.type == "rbind";
  return bind;
}

Result<NewFilesystem> plan_filesystem(const MountEntry& entry) {
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
Result<Remount> plan_remount(const MountEntry& entry) {
  Remount remount;
  SuperblockFlags flags = entry.options.superblock;
  flags.set &= ~uint64_t{MS_DIRSYNC};  // has no effect: warn_of_options
  remount.parameters = superblock_parameters(flags, true);
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

bool is_bind(const MountEntry& entry) {
  return entry.options.bind || entry.mount.type == "bind" || entry.mount.type == "rbind";
}

void warn_ineffective(Draft& draft, const MountEntry& entry, const OptionWord& option,
                      std::string_view why) {
  draft.warn(cat(entry.origin, "/options/", option.index),
             cat("option ", quoted(option.word), " has no effect", why));
}

/// Why a flag of the file system itself changes nothing here; empty where it does.
std::string superblock_obstacle(const MountEntry& entry, std::string_view word) {
  if (entry.options.remount) {
    return word == "dirsync" ? " on a remount: the file system keeps what it was made with" : "";
  }
  if (is_bind(entry)) return " on a bind mount: it is the file system's, not the mount's";
  if (contains(kShared, entry.mount.type)) {
    return cat(": the kernel has one instance of ", entry.mount.type, " for all its mounts");
  }
  return word == "mand" ? " since Linux 5.15: there are no mandatory locks any more" : "";
}

void warn_of_options(Draft& draft, const MountEntry& entry) {
  for (const IneffectiveOption& word : entry.options.ineffective) {
    warn_ineffective(draft, entry, word.option, cat(": ", word.why));
  }
  for (const OptionWord& option : entry.options.of_the_superblock) {
    const std::string obstacle = superblock_obstacle(entry, option.word);
    if (!obstacle.empty()) warn_ineffective(draft, entry, option, obstacle);
  }
  for (const OptionWord& option : entry.options.own) {
    const auto meant = is_bind(entry) ? std::nullopt : meant_option(option.word);
    if (!meant) continue;
    draft.warn(cat(entry.origin, "/options/", option.index),
               cat("option ", quoted(option.word), " is left to the file system to understand; ",
                   "did you mean \"", *meant, "\"?"));
  }
}

/// tmpcopyup: is for what covers the image, and begins empty.
Status check_copy_up(const MountEntry& entry) {
  const auto& word = entry.options.copy_up;
  if (!word) return ok();
  const bool fits = entry.mount.type == "tmpfs" && !is_bind(entry) && !entry.options.remount;
  if (fits) return ok();
  return Error("option \"tmpcopyup\" is for a new file system of type \"tmpfs\" only")
      .at(cat(entry.origin, "/options/", word->index));
}

/// A mount of type "cgroup" is several where the host has several hierarchies.
Result<std::vector<MountStep>> expand(const Draft& draft, MountStep step) {
  const auto* fresh = std::get_if<NewFilesystem>(&step.what);
  if (fresh == nullptr || fresh->type != "cgroup") return std::vector<MountStep>{std::move(step)};
  if (step.id_map) return Error("a cgroup file system cannot be id-mapped").at(step.id_map->origin);
  return plan_cgroup_mount(draft, step, fresh->parameters);
}

Result<std::vector<MountStep>> plan_mount(Draft& draft, const MountEntry& entry) {
  warn_of_options(draft, entry);
  TRY(check_copy_up(entry));
  MountStep step;
  step.id_map = TRY(plan_mount_id_map(draft, entry));
  step.copy_up = entry.options.copy_up.has_value();
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
  std::vector<MountStep> steps = TRY(expand(draft, std::move(step)));
  for (MountStep& one : steps) label_mount(draft, one);
  return steps;
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
    const MountEntry entry{mount, std::move(options), origin};
    std::vector<MountStep> planned = TRY(at(origin, plan_mount(draft, entry)), place);
    std::move(planned.begin(), planned.end(), std::back_inserter(steps));
  }
  return steps;
}

}  // namespace rt::plan
