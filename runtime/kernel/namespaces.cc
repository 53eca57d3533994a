#include "runtime/kernel/namespaces.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

using plan::NamespaceKind;

constexpr int kNewTime = 0x80;  // CLONE_NEWTIME, Linux 5.6

struct KindRow {
  NamespaceKind kind;
  int flag;
  std::string_view name;  // as config.json spells it
  std::string_view file;  // below /proc/self/ns
};

constexpr KindRow kKinds[] = {
    {NamespaceKind::kMount, CLONE_NEWNS, "mount", "mnt"},
    {NamespaceKind::kUts, CLONE_NEWUTS, "uts", "uts"},
    {NamespaceKind::kIpc, CLONE_NEWIPC, "ipc", "ipc"},
    {NamespaceKind::kPid, CLONE_NEWPID, "pid", "pid"},
    {NamespaceKind::kNetwork, CLONE_NEWNET, "network", "net"},
    {NamespaceKind::kUser, CLONE_NEWUSER, "user", "user"},
    {NamespaceKind::kCgroup, CLONE_NEWCGROUP, "cgroup", "cgroup"},
    {NamespaceKind::kTime, kNewTime, "time", "time"},
};

const KindRow& row_of(NamespaceKind kind) {
  return *std::ranges::find(kKinds, kind, &KindRow::kind);
}

std::string_view name_of_flag(int flag) {
  const auto* row = std::ranges::find(kKinds, flag, &KindRow::flag);
  return row == std::end(kKinds) ? "unknown" : row->name;
}

std::string place_of(const plan::NamespaceStep& step) {
  return cat(row_of(step.kind).name, " namespace ", quoted(step.join));
}

Result<UniqueFd> open_checked(const plan::NamespaceStep& step) {
  // O_NONBLOCK: the path may be a fifo. Nothing is read from it.
  UniqueFd fd = TRY(sys::open(step.join, O_RDONLY | O_NONBLOCK));
  const Result<int> type = sys::namespace_type(fd.get());
  if (!type) return Error("not a namespace");
  if (type.value() != row_of(step.kind).flag) {
    return Error(cat("it is a ", name_of_flag(type.value()), " namespace"));
  }
  return fd;
}

Status join(const OpenNamespace& target) {
  return sys::setns(target.fd.get(), row_of(target.step.kind).flag);
}

Status join_in_context(const OpenNamespace& target) {
  TRY(at(target.step.origin, join(target)), place_of(target.step));
  return ok();
}

std::string map_text(const std::vector<plan::IdRange>& ranges, char separator) {
  std::string text;
  for (const plan::IdRange& range : ranges) {
    text += cat(range.container_id, ' ', range.host_id, ' ', range.size, separator);
  }
  return text;
}

[[noreturn]] void run_helper(const std::string& path, const std::vector<std::string>& args) {
  const std::vector<char*> argv = sys::exec_array(args);
  char* const no_environment[] = {nullptr};
  static_cast<void>(sys::reset_signals());
  static_cast<void>(sys::execve(path.c_str(), argv.data(), no_environment));
  sys::exit_now(127);
}

/// newuidmap(1): PID, then three numbers for each range. Its own words go to our standard error.
Status write_with_helper(const std::string& helper, pid_t pid,
                         const std::vector<plan::IdRange>& ranges) {
  std::vector<std::string> args = {helper, std::to_string(pid)};
  for (const plan::IdRange& range : ranges) {
    for (const uint32_t number : {range.container_id, range.host_id, range.size}) {
      args.push_back(std::to_string(number));
    }
  }
  const sys::Child child = TRY(sys::clone(0), helper);
  if (child.pid == 0) run_helper(helper, args);
  const int status = TRY(sys::wait_for(child.pid), helper);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok();
  return Error(cat(helper, " refused the map ", quoted(map_text(ranges, ','))))
      .with_hint("are the ranges in /etc/subuid and /etc/subgid?");
}

Status write_directly(const plan::IdMaps& maps, const std::string& process) {
  if (maps.deny_setgroups) {
    TRY(at(maps.gids_origin, sys::write_file(cat(process, "/setgroups"), "deny")), "setgroups");
  }
  TRY(at(maps.uids_origin, sys::write_file(cat(process, "/uid_map"), map_text(maps.uids, '\n'))),
      "uid_map");
  TRY(at(maps.gids_origin, sys::write_file(cat(process, "/gid_map"), map_text(maps.gids, '\n'))),
      "gid_map");
  return ok();
}

}  // namespace

Result<std::vector<OpenNamespace>> open_namespaces(const std::vector<plan::NamespaceStep>& steps) {
  std::vector<OpenNamespace> opened;
  for (const plan::NamespaceStep& step : steps) {
    if (step.join.empty()) continue;
    UniqueFd fd = TRY(at(step.origin, open_checked(step)), place_of(step));
    opened.push_back({step, std::move(fd)});
  }
  return opened;
}

Result<bool> is_own(const OpenNamespace& target) {
  const struct stat theirs = TRY(sys::fstat(target.fd.get()));
  const struct stat ours = TRY(sys::stat(cat("/proc/self/ns/", row_of(target.step.kind).file)));
  return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

Result<int> foreign_namespaces(pid_t pid) {
  int flags = 0;
  for (const KindRow& row : kKinds) {
    const Result<struct stat> ours = sys::stat(cat("/proc/self/ns/", row.file));
    // A kernel without namespaces of this kind.
    if (!ours && ours.error().code() == ENOENT) continue;
    const struct stat own = TRY(ours);
    const struct stat theirs = TRY(sys::stat(cat("/proc/", pid, "/ns/", row.file)));
    if (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev) flags |= row.flag;
  }
  return flags;
}

Status join_namespaces(const std::vector<OpenNamespace>& namespaces) {
  const OpenNamespace* user = nullptr;
  std::vector<const OpenNamespace*> later;
  for (const OpenNamespace& target : namespaces) {
    if (target.step.kind == NamespaceKind::kUser) {
      user = &target;
    } else if (target.step.kind == NamespaceKind::kMount) {
      later.push_back(&target);  // last: our own /proc goes out of sight
    } else if (const Status joined = join(target); !joined) {
      if (joined.error().code() != EPERM) return join_in_context(target);
      later.push_back(&target);
    }
  }
  if (user != nullptr) {
    TRY(join_in_context(*user));
    TRY(become_namespace_root(true));
  }
  std::ranges::stable_partition(later, [](const OpenNamespace* target) {
    return target->step.kind != NamespaceKind::kMount;
  });
  for (const OpenNamespace* target : later) TRY(join_in_context(*target));
  return ok();
}

Status make_user_namespace() {
  Status made = sys::unshare(CLONE_NEWUSER);
  if (made || made.error().code() != EPERM) return made;
  return std::move(made).error().with_hint(
      "the kernel forbids it in a chroot, and where a sysctl or LSM "
      "does");
}

Status become_namespace_root(bool may_set_groups) {
  TRY(sys::setresgid(0));
  TRY(sys::setresuid(0));
  // With fs.suid_dumpable 1 the change of ids made us dumpable.
  TRY(sys::set_dumpable(false));
  if (!may_set_groups) return ok();
  Status cleared = sys::setgroups({});
  // A joined namespace may forbid it: then nobody in it has groups to lose by it either, and the
  // user step asks again for exactly the groups of the document.
  if (!cleared && cleared.error().code() != EPERM) return cleared;
  return ok();
}

Status make_namespaces(const std::vector<plan::NamespaceStep>& steps) {
  int flags = 0;
  for (const plan::NamespaceStep& step : steps) {
    if (step.join.empty() && step.kind != NamespaceKind::kUser) flags |= row_of(step.kind).flag;
  }
  if (flags == 0) return ok();
  Status made = sys::unshare(flags);
  if (!made && made.error().code() == ENOSPC) {
    return Error(made.error()).with_hint("a limit of /proc/sys/user/max_*_namespaces is reached");
  }
  return made;
}

Status write_id_maps(const plan::IdMaps& maps, pid_t pid) {
  if (maps.writer == plan::IdMaps::Writer::kDirectly) {
    return write_directly(maps, cat("/proc/", pid));
  }
  TRY(at(maps.uids_origin, write_with_helper(maps.newuidmap, pid, maps.uids)));
  return at(maps.gids_origin, write_with_helper(maps.newgidmap, pid, maps.gids));
}

Status write_time_offsets(const std::vector<plan::TimeOffset>& offsets) {
  for (const plan::TimeOffset& offset : offsets) {
    const std::string line = cat(offset.clock, ' ', offset.secs, ' ', offset.nanosecs);
    TRY(at(offset.origin, sys::write_file("/proc/self/timens_offsets", line)), "time offset ",
        quoted(line));
  }
  return ok();
}

}  // namespace rt::kernel
