#include "runtime/kernel/idmap.h"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>

#include "runtime/kernel/mountinfo.h"
#include "runtime/kernel/namespaces.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"

namespace rt::kernel {
namespace {

/// The life of the child: it keeps its namespace alive until the runtime has opened it.
[[noreturn]] void hold_namespace(sys::SocketPair pair) {
  pair.ours.reset();
  // /proc/PID/uid_map belongs to the initial namespace's root while the process is not dumpable: a
  // runtime in a user namespace could not open it.
  static_cast<void>(sys::set_dumpable(true));
  char byte = 0;
  static_cast<void>(sys::send(pair.theirs.get(), &byte, 1));
  static_cast<void>(sys::read(pair.theirs.get(), &byte, 1));  // until the runtime is done, or gone
  sys::exit_now(0);
}

/// Waits for the child, writes the maps and opens its namespace.
Result<UniqueFd> fill_namespace(const plan::MountIdMap& map, pid_t child, int socket) {
  char byte = 0;
  const sys::Received here = TRY(sys::receive(socket, &byte, 1));
  if (here.size == 0) return Error("the process that holds it ended");
  plan::IdMaps maps;
  maps.uids = map.uids;
  maps.gids = map.gids;
  TRY(write_id_maps(maps, child));
  return sys::open(cat("/proc/", child, "/ns/user"), O_RDONLY);
}

Result<UniqueFd> make_namespace(const plan::MountIdMap& map) {
  sys::SocketPair pair = TRY(sys::socket_pair());
  Result<sys::Child> cloned = sys::clone(CLONE_NEWUSER);
  if (!cloned && cloned.error().code() == ENOSPC) {
    return Error(cloned.error()).with_hint("see /proc/sys/user/max_user_namespaces");
  }
  const sys::Child child = TRY(std::move(cloned));
  if (child.pid == 0) hold_namespace(std::move(pair));
  pair.theirs.reset();
  Result<UniqueFd> opened = fill_namespace(map, child.pid, pair.ours.get());
  static_cast<void>(sys::pidfd_send_signal(child.pidfd.get(), SIGKILL));
  TRY(sys::wait_for(child.pid));
  return opened;
}

/// That of the container, which another one made.
Result<UniqueFd> open_namespace(const plan::MountIdMap& map) {
  std::vector<OpenNamespace> opened = TRY(open_namespaces(
      {{.kind = plan::NamespaceKind::kUser, .join = map.user_namespace, .origin = map.origin}}));
  if (TRY(is_own(opened.front()))) {
    return Error(cat("the user namespace ", quoted(map.user_namespace),
                     " is the runtime's own: it maps no id"));
  }
  return std::move(opened.front().fd);
}

/// The type of the file system at `tree`, as the host's mounts have it; empty when none does.
std::string type_of(int tree) {
  const Result<struct stat> info = sys::fstat(tree);
  const auto mounts = read_mountinfo();
  if (!info || !mounts) return "";
  const auto found = std::ranges::find(mounts.value(), info.value().st_dev, &MountInfo::device);
  return found == mounts.value().end() ? "" : found->type;
}

Error explain(Error error, const std::string& type, bool recursive) {
  if (error.code() == EINVAL) {
    return std::move(error).with_hint("the file system", type.empty() ? "" : cat(" ", quoted(type)),
                                      recursive ? ", or one mounted below it," : "",
                                      " cannot be id-mapped by this kernel");
  }
  if (error.code() != EPERM) return error;
  return std::move(error).with_hint(
      "the file system belongs to a user namespace over which the runtime has no rights, or the "
      "mount is id-mapped already");
}

}  // namespace

Result<int> MappingNamespaces::find(const plan::MountIdMap& map) {
  for (const auto& [known, fd] : known_) {
    const bool same = known.uids == map.uids && known.gids == map.gids &&
                      known.user_namespace == map.user_namespace;
    if (same) return fd.get();
  }
  UniqueFd made = TRY(map.user_namespace.empty() ? make_namespace(map) : open_namespace(map));
  known_.emplace_back(map, std::move(made));
  return known_.back().second.get();
}

Status map_ids(int tree, const plan::MountIdMap& map, const std::string& type,
               MappingNamespaces& namespaces) {
  const int carrier = TRY(at(map.origin, namespaces.find(map)), "id mapping");
  const sys::MountSetattr change{.set = MOUNT_ATTR_IDMAP, .user_namespace = carrier};
  Status mapped = sys::mount_setattr(tree, change, map.recursive);
  if (mapped) return mapped;
  return explain(std::move(mapped).error(), type.empty() ? type_of(tree) : type, map.recursive)
      .at(map.origin)
      .within("id mapping");
}

}  // namespace rt::kernel
