#include "runtime/kernel/mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/kernel/copy_up.h"
#include "runtime/kernel/idmap.h"
#include "runtime/kernel/in_root.h"
#include "runtime/sys/copy.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"

namespace rt::kernel {
namespace {

Status set_propagation(int tree, unsigned long flags) {
  const bool recursive = (flags & MS_REC) != 0;
  const unsigned long propagation = flags & ~static_cast<unsigned long>(MS_REC);
  // Below a mount that alone gets its propagation, nothing may be shared with the host either. One
  // that shall be shared itself stays what it is, its source's peer: it would be so no more when it
  // had been a slave, and no way leads from there to what is below it alone.
  if (!recursive && propagation != MS_SHARED) {
    TRY(sys::mount_setattr(tree, {.propagation = MS_SLAVE}, true));
  }
  return sys::mount_setattr(tree, {.propagation = propagation}, recursive);
}

/// Gives the mount all that it shall have; a new one while it is detached, before anybody sees it.
Status set_attributes(int tree, const plan::MountStep& step) {
  // A remount may leave it as it is.
  if (step.propagation != 0) TRY(set_propagation(tree, step.propagation));
  const plan::MountAttributes& all = step.recursive_attributes;
  if (all != plan::MountAttributes{}) {
    TRY(sys::mount_setattr(tree, {.set = all.set, .clear = all.clear}, true));
  }
  const plan::MountAttributes& own = step.attributes;
  if (own == plan::MountAttributes{}) return ok();
  return sys::mount_setattr(tree, {.set = own.set, .clear = own.clear}, false);
}

Status set_parameter(int fs, const plan::FilesystemParameter& parameter) {
  if (!parameter.value) return sys::fsconfig_flag(fs, parameter.key);
  Status set = sys::fsconfig_string(fs, parameter.key, *parameter.value);
  if (set || parameter.key != "context") return set;
  // Whether or not it is: without, every file system takes the word for one of its own.
  return std::move(set).error().with_hint("a label needs a kernel with SELinux enabled");
}

Status configure(int fs, const std::vector<plan::FilesystemParameter>& parameters) {
  for (const plan::FilesystemParameter& parameter : parameters) {
    TRY(set_parameter(fs, parameter), "option ", quoted(parameter.key));
  }
  return ok();
}

Result<UniqueFd> make_filesystem(const plan::NewFilesystem& filesystem) {
  const UniqueFd fs = TRY(sys::fsopen(filesystem.type), "type ", quoted(filesystem.type));
  if (!filesystem.source.empty()) {
    TRY(sys::fsconfig_string(fs.get(), "source", filesystem.source));
  }
  TRY(configure(fs.get(), filesystem.parameters));
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), 0);
}

/// A mount of a file system that the kernel mounted before us takes no context option.
Status label_root(int tree, const std::string& label) {
  const UniqueFd root = TRY(sys::openat(tree, ".", O_RDONLY | O_DIRECTORY));
  return sys::set_xattr(root.get(), "security.selinux", label);
}

/// The mount as the kernel makes it, with no attributes of its own yet.
Result<UniqueFd> make(const plan::MountStep& step) {
  if (const auto* bind = std::get_if<plan::BindMount>(&step.what)) {
    UniqueFd tree = TRY(sys::clone_tree(AT_FDCWD, bind->source, bind->recursive), "source ",
                        quoted(bind->source));
    return tree;
  }
  UniqueFd tree = TRY(make_filesystem(std::get<plan::NewFilesystem>(step.what)));
  if (!step.root_label.empty()) TRY(label_root(tree.get(), step.root_label), "label");
  return tree;
}

/// What is filled later must be writable until then: it gets its attributes after that.
Result<UniqueFd> prepare(const plan::MountStep& step) {
  UniqueFd tree = TRY(make(step));
  if (!step.copy_up) TRY(set_attributes(tree.get(), step));
  return tree;
}

Result<UniqueFd> prepare_mapped(const plan::MountStep& step, MappingNamespaces& namespaces) {
  UniqueFd tree = TRY(make(step));
  const auto* fresh = std::get_if<plan::NewFilesystem>(&step.what);
  TRY(map_ids(tree.get(), *step.id_map, fresh == nullptr ? "" : fresh->type, namespaces));
  if (!step.copy_up) TRY(set_attributes(tree.get(), step));
  return tree;
}

bool has_parameter(const plan::MountStep& step, std::string_view key) {
  const auto& parameters = std::get<plan::NewFilesystem>(step.what).parameters;
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](const plan::FilesystemParameter& one) { return one.key == key; });
}

/// Fills the new tmpfs with what the image has where it will be; nothing, if there is nothing.
Status fill(const plan::MountStep& step, int tree, int root) {
  const Result<UniqueFd> covered = sys::open_in_root(root, step.target, O_PATH | O_DIRECTORY);
  if (covered) {
    const RootAttributes taken{
        .owner = !has_parameter(step, "uid") && !has_parameter(step, "gid"),
        .mode = !has_parameter(step, "mode"),
    };
    TRY(copy_up(covered.value().get(), tree, taken), "tmpcopyup");
  }
  return set_attributes(tree, step);
}

bool must_be_real_directory(const plan::MountStep& step) {
  const auto* filesystem = std::get_if<plan::NewFilesystem>(&step.what);
  return filesystem != nullptr && (filesystem->type == "proc" || filesystem->type == "sysfs");
}

Status refuse_link(int root, const std::string& target) {
  Places places(root);
  const auto [parent, name] = TRY(places.find(target));
  const Result<struct stat> info = sys::fstatat(parent, name, AT_SYMLINK_NOFOLLOW);
  if (info && S_ISLNK(info.value().st_mode)) {
    return Error(
               "the image has a symbolic link there, which could lead writes to /proc or /sys "
               "astray")
        .with_hint("make it a directory in the image");
  }
  return ok();
}

/// What may be mounted below /proc is decided by name, in the plan: a link of the image must not
/// lead there by another one.
Status refuse_hidden_proc(const plan::MountStep& step, int target) {
  if (step.target == "/proc" || step.target.starts_with("/proc/")) return ok();
  const int64_t type = TRY(sys::filesystem_type(target));
  if (type != PROC_SUPER_MAGIC) return ok();
  return Error("a symbolic link of the image leads into /proc");
}

Status attach(const plan::MountStep& step, int tree, int root, const RootMark& top) {
  if (must_be_real_directory(step)) TRY(refuse_link(root, step.target));
  if (step.copy_up) TRY(fill(step, tree, root));
  const struct stat info = TRY(sys::fstat(tree));
  const Kind kind = S_ISDIR(info.st_mode) ? Kind::kDirectory : Kind::kFile;
  const UniqueFd target = TRY(open_or_make(root, step.target, kind));
  TRY(refuse_hidden_proc(step, target.get()));
  if (TRY(top.is_on(target.get()))) return Error("would cover the container's root");
  return sys::attach_tree(tree, target.get());
}

Status remount(const plan::MountStep& step, const plan::Remount& change, int root) {
  const UniqueFd mount = TRY(sys::open_in_root(root, step.target, O_PATH));
  if (change.superblock || !change.parameters.empty()) {
    const UniqueFd fs = TRY(sys::fspick(mount.get()));
    TRY(configure(fs.get(), change.parameters));
    TRY(sys::fsconfig_reconfigure(fs.get()));
  }
  return set_attributes(mount.get(), step);
}

/// "mounts[3] /proc": the plan may have several steps for one entry of the document.
std::string place_of(const plan::MountStep& step) {
  const std::string_view prefix = "/mounts/";
  if (!step.origin.starts_with(prefix)) return step.target;
  return cat("mounts[", std::string_view(step.origin).substr(prefix.size()), "] ", step.target);
}

}  // namespace

Result<Trees> clone_sources(const std::vector<plan::MountStep>& steps) {
  Trees trees(steps.size());
  MappingNamespaces namespaces;
  bool permitted = true;
  for (size_t i = 0; i < steps.size(); ++i) {
    const plan::MountStep& step = steps[i];
    if (step.id_map) {
      trees[i] = TRY(at(step.origin, prepare_mapped(step, namespaces)), place_of(step));
    } else if (permitted && std::holds_alternative<plan::BindMount>(step.what)) {
      Result<UniqueFd> tree = prepare(step);
      permitted = tree.ok() || tree.error().code() != EPERM;
      if (permitted) trees[i] = TRY(at(step.origin, std::move(tree)), place_of(step));
    }
  }
  return trees;
}

Status prepare_mounts(const std::vector<plan::MountStep>& steps, Trees& trees) {
  for (size_t i = 0; i < steps.size(); ++i) {
    if (trees[i] || std::holds_alternative<plan::Remount>(steps[i].what)) continue;
    trees[i] = TRY(at(steps[i].origin, prepare(steps[i])), place_of(steps[i]));
  }
  return ok();
}

Status attach_mounts(const std::vector<plan::MountStep>& steps, Trees& trees, int root) {
  const RootMark top = TRY(RootMark::of(root));
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto* change = std::get_if<plan::Remount>(&steps[i].what);
    Status done = change != nullptr ? remount(steps[i], *change, root)
                                    : attach(steps[i], trees[i].get(), root, top);
    TRY(at(steps[i].origin, std::move(done)), place_of(steps[i]));
    trees[i].reset();
  }
  return ok();
}

}  // namespace rt::kernel
