#include "runtime/kernel/process.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "runtime/kernel/in_root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

/// Terminals: the ends of pseudo terminals (major 136 to 143).
bool is_terminal(const struct stat& info) {
  return S_ISCHR(info.st_mode) && major(info.st_rdev) >= 136 && major(info.st_rdev) <= 143;
}

std::string limit_text(uint64_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

Status set_rlimit(const plan::Rlimit& limit, pid_t pid) {
  Status set = sys::prlimit(pid, limit.resource, {.soft = limit.soft, .hard = limit.hard});
  if (set || set.error().code() != EPERM) return set;
  // The container has its limits from us; another user's process may not even be asked.
  const sys::Limit now = TRY(sys::getrlimit(0, limit.resource));
  return Error(set.error())
      .with_hint("wanted soft ", limit_text(limit.soft), " hard ", limit_text(limit.hard),
                 ", allowed is hard ", limit_text(now.hard),
                 "; more needs CAP_SYS_RESOURCE over the host");
}

}  // namespace

Status give_stdio(uid_t uid) {
  for (int fd = 0; fd <= 2; ++fd) {
    const Result<struct stat> info = sys::fstat(fd);
    if (!info) continue;  // closed by the caller: nothing to own
    const struct stat& now = info.value();
    const bool wanted = S_ISFIFO(now.st_mode) || S_ISSOCK(now.st_mode) || is_terminal(now);
    if (!wanted || now.st_uid == uid) continue;
    const Status given = sys::fchown(fd, uid, static_cast<gid_t>(-1));
    // EPERM and EINVAL: it belongs to an id that our user namespace does not map. The payload can
    // still use the descriptor, and nobody has become able to do more.
    const int code = given ? 0 : given.error().code();
    if (code != 0 && code != EPERM && code != EINVAL && code != EROFS) return given;
  }
  return ok();
}

Status join_session_keyring(const std::string& id) {
  Status joined = sys::join_session_keyring(cat("_ses.", id));
  if (joined || joined.error().code() == ENOSYS) return ok();
  return std::move(joined)
      .error()
      .within("session keyring")
      .with_hint("see /proc/key-users; --no-new-keyring keeps the caller's keyring");
}

Status become_user(const plan::ProcessStep& process) {
  TRY(sys::set_keep_capabilities(true));
  if (process.may_set_groups) {
    TRY(at("/process/user/additionalGids", sys::setgroups(process.groups)), "groups");
  }
  TRY(at("/process/user/gid", sys::setresgid(process.gid)), "gid ", process.gid);
  TRY(at("/process/user/uid", sys::setresuid(process.uid)), "uid ", process.uid);
  return sys::set_keep_capabilities(false);
}

Status enter_working_directory(const std::string& cwd) {
  TRY(sys::chdir(cwd.c_str()));
  const Result<std::string> where = sys::getcwd();
  if (!where || !where.value().starts_with('/')) {
    return Error(cat(quoted(cwd), " is outside the container's root"));
  }
  return ok();
}

Status make_working_directory(const std::string& cwd, int root) {
  const Result<UniqueFd> there = open_or_make(root, cwd, Kind::kDirectory);
  if (there) return ok();
  // A read-only image, or something else in its place: chdir will say it in its own words.
  const int code = there.error().code();
  if (code == EROFS || code == ENOTDIR || code == EACCES || code == EPERM) return ok();
  return there.error();
}

Status set_rlimits(const std::vector<plan::Rlimit>& limits, pid_t pid) {
  for (const plan::Rlimit& limit : limits) {
    TRY(at(limit.origin, set_rlimit(limit, pid)), limit.name);
  }
  return ok();
}

Status set_oom_score_adj(int32_t score) {
  Status set = sys::write_file("/proc/self/oom_score_adj", std::to_string(score));
  if (set || set.error().code() != EACCES) return set;
  return Error(set.error()).with_hint("a lower score than the caller's needs CAP_SYS_RESOURCE");
}

}  // namespace rt::kernel
