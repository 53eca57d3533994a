#include "runtime/container/criu_image.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

/// CRIU knows it by its number, which must not be one that is used otherwise.
Result<UniqueFd> open_for_criu(const std::string& path) {
  const UniqueFd directory = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  return sys::duplicate(directory.get());
}

/// Who can write to the images, decides what runs as root.
Status check_owner(int directory) {
  const struct stat info = TRY(sys::fstat(directory));
  if (info.st_uid != sys::geteuid()) {
    return Error(cat("belongs to another user, ", info.st_uid)).with_hint("it must be our own");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error("others may write to it").with_hint("chmod go-w");
  }
  return ok();
}

/// Gives the group these rights; the owner stays.
Status admit(int fd, gid_t group, mode_t rights) {
  const struct stat info = TRY(sys::fstat(fd));
  TRY(sys::fchown(fd, static_cast<uid_t>(-1), group));
  return sys::fchmod(fd, (info.st_mode & 07777) | rights);
}

/// A directory of images, and those of earlier checkpoints that it goes back to.
Status admit_all(int images, gid_t group, unsigned depth) {
  // What it was saved after: a link that CRIU makes.
  constexpr std::string_view kParent = "parent";
  constexpr unsigned kDeepest = 64;
  if (depth == kDeepest) return Error("too many earlier checkpoints");
  TRY(admit(images, group, S_IRGRP | S_IXGRP));
  const std::vector<std::string> names = TRY(sys::list_directory(images));
  for (const std::string& name : names) {
    const struct stat info = TRY(sys::fstatat(images, name, AT_SYMLINK_NOFOLLOW), name);
    if (S_ISREG(info.st_mode)) {
      const UniqueFd file = TRY(sys::openat(images, name, O_RDONLY | O_NOFOLLOW), name);
      TRY(admit(file.get(), group, S_IRGRP), name);
    } else if (name == kParent) {
      const UniqueFd parent = TRY(sys::openat(images, name, O_RDONLY | O_DIRECTORY), name);
      TRY(check_owner(parent.get()), name);
      TRY(admit_all(parent.get(), group, depth + 1), name);
    }
  }
  return ok();
}

Status make_directory(const std::string& path) {
  Status made = sys::mkdir(path, 0700);
  if (!made && made.error().code() != EEXIST) return std::move(made).error().within(path);
  return ok();
}

const std::string& work_path(const ImageOptions& options) {
  return options.work_path.empty() ? options.image_path : options.work_path;
}

std::string uppercase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

Result<CriuOrder> begin_order(CriuOrder::Task task, const ImageOptions& options) {
  constexpr std::string_view kModes[] = {"soft", "full", "strict", "ignore"};
  if (std::ranges::find(kModes, options.cgroups_mode) == std::end(kModes)) {
    return Error(cat("--manage-cgroups-mode ", quoted(options.cgroups_mode),
                     ": unknown: expected soft, full, strict or ignore"));
  }
  constexpr std::string_view kLocks[] = {"", "iptables", "nftables"};
  if (std::ranges::find(kLocks, options.network_lock) == std::end(kLocks)) {
    return Error(cat("--network-lock ", quoted(options.network_lock),
                     ": unknown: expected iptables or nftables"));
  }
  if (task != CriuOrder::Task::kRestore) TRY(make_directory(options.image_path), "image path");
  // Containerd names one that is not there.
  if (!options.work_path.empty()) TRY(make_directory(options.work_path), "work path");
  CriuOrder order;
  order.task = task;
  order.log_file = task == CriuOrder::Task::kRestore ? "restore.log" : "dump.log";
  order.images = TRY(open_for_criu(options.image_path), "image path ", quoted(options.image_path));
  TRY(check_owner(order.images.get()), "image path ", quoted(options.image_path));
  const std::string& work = work_path(options);
  order.work = TRY(open_for_criu(work), "work path ", quoted(work));
  // A log that is written there might follow somebody's link.
  TRY(check_owner(order.work.get()), "work path ", quoted(work));
  order.cgroups_mode = uppercase(options.cgroups_mode);
  order.network_lock = uppercase(options.network_lock);
  order.tcp_established = options.tcp_established;
  order.external_unix_sockets = options.external_unix_sockets;
  order.shell_job = options.shell_job;
  order.file_locks = options.file_locks;
  order.empty_network = options.empty_network;
  order.auto_dedup = options.auto_dedup;
  return order;
}

Status open_to_group(int images, gid_t group) { return admit_all(images, group, 0); }

std::string log_path(const ImageOptions& options, const CriuOrder& order) {
  return cat(work_path(options), '/', order.log_file);
}

Result<SharedNamespaces> shared_namespaces(const plan::Plan& plan) {
  using plan::NamespaceKind;
  SharedNamespaces shared;
  for (const plan::NamespaceStep& step : plan.namespaces) {
    if (step.join.empty()) continue;
    switch (step.kind) {
      // The names that other runtimes have for them: an image of theirs can be restored too.
      case NamespaceKind::kNetwork:
        shared.named.push_back({.step = step, .file = "net", .name = "extRootNetNS"});
        break;
      case NamespaceKind::kPid:
        shared.named.push_back({.step = step, .file = "pid", .name = "extRootPidNS"});
        break;
      case NamespaceKind::kIpc:
        shared.entered.push_back({.step = step, .file = "ipc", .name = ""});
        break;
      case NamespaceKind::kUts:
        shared.entered.push_back({.step = step, .file = "uts", .name = ""});
        break;
      default:
        return Error(cat("a container that shares the namespace ", quoted(step.join),
                         " cannot be saved: CRIU would bring back one of its own"))
            .at(step.origin);
    }
  }
  return shared;
}

std::string unified_hierarchy(const plan::HostFacts& host) {
  return host.cgroups.size() == 1 && host.cgroups.front().unified ? host.cgroups.front().mount_point
                                                                  : std::string();
}

}  // namespace rt::container
