#include "runtime/container/criu_mounts.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/kernel/devices.h"
#include "runtime/kernel/in_root.h"
#include "runtime/kernel/mountinfo.h"
#include "runtime/kernel/mounts.h"
#include "runtime/kernel/restrict.h"
#include "runtime/kernel/root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

using kernel::MountInfo;

constexpr const char* kScratch = "/tmp";
constexpr const char* kWork = "/tmp/work";

/// "mnt[OF]:WHAT". CRIU finds the end of the first part by its last character.
Result<std::string> name_mount(const std::string& of, const std::string& what) {
  const auto is_awkward = [](char c) { return c == '\n' || c == '\\'; };
  for (const std::string& name : {of, what}) {
    const bool awkward = name.find("]:") != name.npos || std::ranges::any_of(name, is_awkward);
    if (awkward) return Error(cat("mount ", quoted(name), ": CRIU cannot be told of that name"));
  }
  return cat("mnt[", of, "]:", what);
}

/// The mounts of a container that runs.
class Inside {
 public:
  Inside(UniqueFd root, std::vector<MountInfo> mounts, std::vector<MountInfo> host)
      : root_(std::move(root)), mounts_(std::move(mounts)), host_(std::move(host)) {}

  /// The mount that lies at `target`, when it is there, shows what is at `source` on the host, and
  /// was not asked for before; null otherwise. A payload can lead `target` to any of its mounts.
  const MountInfo* claim(const std::string& target, const std::string& source) {
    const Result<UniqueFd> place = sys::open_in_root(root_.get(), target, O_PATH);
    if (!place) return nullptr;
    const Result<uint64_t> id = sys::mount_id(place.value().get());
    if (!id) return nullptr;
    const auto mount = std::ranges::find(mounts_, id.value(), &MountInfo::id);
    if (mount == mounts_.end() || mount->point == "/") return nullptr;
    const Result<Location> wanted = locate(source, host_);
    if (!wanted || wanted.value() != location_of(*mount)) return nullptr;
    return claimed_.insert(mount->id).second ? &*mount : nullptr;
  }

  [[nodiscard]] const std::vector<MountInfo>& mounts() const { return mounts_; }

 private:
  UniqueFd root_;
  std::vector<MountInfo> mounts_;
  std::vector<MountInfo> host_;
  std::set<uint64_t> claimed_;
};

/// CRIU wants something to mount on, which an image that was just unpacked may not have. What lies
/// below another mount comes back with that.
Status make_mount_points(const plan::Plan& plan, const std::vector<UniqueFd>& trees, int root) {
  std::vector<std::string> covered;
  for (size_t i = 0; i < plan.mounts.size(); ++i) {
    const plan::MountStep& step = plan.mounts[i];
    const auto lies_below = [&](const std::string& top) { return step.target.starts_with(top); };
    const auto* bind = std::get_if<plan::BindMount>(&step.what);
    const bool ours = bind != nullptr && bind->source == plan.notify_directory;
    const bool skipped = ours || std::holds_alternative<plan::Remount>(step.what) ||
                         std::ranges::any_of(covered, lies_below);
    covered.push_back(step.target + '/');
    if (skipped) continue;
    const bool is_file = trees[i] && !S_ISDIR(TRY(sys::fstat(trees[i].get())).st_mode);
    const kernel::Kind kind = is_file ? kernel::Kind::kFile : kernel::Kind::kDirectory;
    TRY(at(step.origin, kernel::open_or_make(root, step.target, kind)), step.target);
  }
  return ok();
}

/// At a path that is not there yet.
Status attach_at(const std::string& path, int tree) {
  const struct stat info = TRY(sys::fstat(tree));
  if (S_ISDIR(info.st_mode)) {
    TRY(sys::mkdir(path, 0700), path);
  } else {
    TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), path);
  }
  const UniqueFd place = TRY(sys::open(path, O_PATH), path);
  return sys::attach_tree(tree, place.get());
}

}  // namespace

Result<std::vector<std::string>> name_host_mounts(const plan::Plan& plan, pid_t pid) {
  UniqueFd root = TRY(sys::open(cat("/proc/", pid, "/root"), O_PATH | O_DIRECTORY), "root");
  std::vector<MountInfo> mounts = TRY(kernel::read_mountinfo(std::to_string(pid)));
  std::vector<MountInfo> host = TRY(kernel::read_mountinfo());
  Inside inside(std::move(root), std::move(mounts), std::move(host));
  std::vector<std::string> names;
  for (const View& view : views_of(plan)) {
    const MountInfo* mount = inside.claim(view.target, view.source);
    if (mount == nullptr) continue;
    if (is_deleted(*mount)) {
      return Error(cat("mount ", quoted(view.target), ": ", quoted(view.source),
                       " was replaced since: CRIU cannot bring back what it was"));
    }
    names.push_back(TRY(name_mount(mount->point, view.target)));
    if (!view.recursive) continue;
    for (const std::string& part : parts_below(inside.mounts(), mount->point)) {
      const MountInfo* part_mount = inside.claim(mount->point + part, view.source + part);
      if (part_mount == nullptr) continue;
      names.push_back(TRY(name_mount(part_mount->point, view.target + part)));
    }
  }
  return names;
}

/// Of two views of the same thing either may be the one that is restricted less.
void HostMounts::restrict(const Location& location, uint64_t attributes) {
  const auto known = std::ranges::find(restrictions_, location, &Restriction::location);
  if (known == restrictions_.end()) {
    restrictions_.push_back({.location = location, .attributes = attributes});
  } else {
    known->attributes &= attributes;
  }
}

Status HostMounts::add(const View& view, UniqueFd tree, const std::vector<MountInfo>& host) {
  const std::string path = cat(kScratch, '/', trees_.size());
  external_.push_back(TRY(name_mount(view.target, path)));
  restrict(TRY(locate(view.source, host)), view.restrictions);
  if (view.recursive) {
    const std::string top = TRY(sys::realpath(view.source), view.source);
    for (const std::string& part : parts_below(host, top)) {
      external_.push_back(TRY(name_mount(view.target + part, path + part)));
      restrict(TRY(locate(top + part, host)), view.restrictions_below);
    }
  }
  trees_.push_back({.path = path, .tree = std::move(tree)});
  return ok();
}

Result<HostMounts> HostMounts::make(const plan::Plan& plan) {
  HostMounts made;
  made.root_ = TRY(kernel::clone_root(plan.root), "root");
  std::vector<UniqueFd> trees = TRY(kernel::clone_sources(plan.mounts));
  TRY(make_mount_points(plan, trees, made.root_.get()));
  std::vector<UniqueFd> devices = TRY(kernel::clone_devices(plan.devices));
  // Those of views_of, in its order.
  std::vector<UniqueFd> sources;
  for (size_t i = 0; i < trees.size(); ++i) {
    const bool is_bind = std::holds_alternative<plan::BindMount>(plan.mounts[i].what);
    if (is_bind) sources.push_back(std::move(trees[i]));
  }
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!plan.devices[i].bind.empty()) sources.push_back(std::move(devices[i]));
  }
  const std::vector<MountInfo> host = TRY(kernel::read_mountinfo());
  size_t next = 0;
  for (const View& view : views_of(plan)) {
    const bool is_mask = next == sources.size();
    UniqueFd tree = is_mask ? TRY(kernel::make_null_mask(), "mask") : std::move(sources[next++]);
    if (!tree) return Error(cat(view.target, ": only root may mount it"));
    TRY(made.add(view, std::move(tree), host));
  }
  return made;
}

Status HostMounts::attach() const {
  TRY(attach_at(kRoot, root_.get()), "root");
  for (const Tree& one : trees_) TRY(attach_at(one.path, one.tree.get()), one.path);
  return ok();
}

Status HostMounts::protect(const std::vector<MountInfo>& mounts, int root) const {
  for (const MountInfo& mount : mounts) {
    const auto known = std::ranges::find(restrictions_, location_of(mount), &Restriction::location);
    if (known == restrictions_.end() || known->attributes == 0) continue;
    const UniqueFd place = TRY(sys::open_in_root(root, mount.point, O_PATH), mount.point);
    // Nobody gets to one that lies under another.
    if (TRY(sys::mount_id(place.get())) != mount.id) continue;
    TRY(sys::mount_setattr(place.get(), {.set = known->attributes}, false), mount.point);
  }
  return ok();
}

Status enter_own_mounts(int work) {
  const UniqueFd work_tree = TRY(sys::clone_tree(work, "", false), "work path");
  TRY(sys::unshare(CLONE_NEWNS));
  TRY(kernel::leave_host_propagation());
  const UniqueFd fs = TRY(sys::fsopen("tmpfs"));
  TRY(sys::fsconfig_string(fs.get(), "mode", "1777"));
  TRY(sys::fsconfig_create(fs.get()));
  const UniqueFd tmpfs = TRY(sys::fsmount(fs.get(), 0));
  const UniqueFd place = TRY(sys::open(kScratch, O_PATH | O_DIRECTORY), kScratch);
  TRY(sys::attach_tree(tmpfs.get(), place.get()), kScratch);
  TRY(attach_at(kWork, work_tree.get()), kWork);
  const UniqueFd again = TRY(sys::open(kWork, O_RDONLY | O_DIRECTORY), kWork);
  return sys::dup2(again.get(), work);
}

Status make_cgroup_yard(const std::string& hierarchy) {
  TRY(sys::mkdir(kCgroupYard, 0700), kCgroupYard);
  const UniqueFd tree = TRY(sys::clone_tree(AT_FDCWD, hierarchy, false), hierarchy);
  return attach_at(cat(kCgroupYard, "/unified"), tree.get());
}

}  // namespace rt::container
