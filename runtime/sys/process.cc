#include "runtime/sys/process.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "runtime/sys/retry.h"

namespace rt::sys {
namespace {

/// What two answers of clone3(2) mean says only its documentation.
Error clone_failed() {
  Error error = Error::from_errno("clone3");
  if (error.code() == EAGAIN) {
    return std::move(error).with_hint(
        "no more processes are allowed: pids.limit of a cgroup, or RLIMIT_NPROC");
  }
  if (error.code() == EOPNOTSUPP) {
    return std::move(error).with_hint("the cgroup is in a threaded one, which takes threads only");
  }
  return error;
}

}  // namespace

// Raw: glibc's fork would run atfork handlers, of which we have none, and has no cgroup or pidfd.
// The child's copy of glibc's state is consistent, since the caller has one thread.
Result<Child> clone(uint64_t flags, int cgroup) {
  int pidfd = -1;
  clone_args args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  // A child of CLONE_PARENT must be silent about its exit signal: it takes its sibling's.
  args.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return clone_failed();
  Child child;
  child.pid = static_cast<pid_t>(pid);
  if (pid > 0) child.pidfd = UniqueFd(pidfd);
  return child;
}

Status unshare(int flags) { return check("unshare", ::unshare(flags)); }
Status setns(int fd, int type) { return check("setns", ::setns(fd, type)); }

void exit_now(int code) { ::_exit(code); }

std::vector<char*> exec_array(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  // execve(2) takes them without const and does not write to them.
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

Error execve(const char* path, char* const* args, char* const* env) {
  ::execve(path, args, env);
  return Error::from_errno("execve");
}

Error execveat(int fd, char* const* args, char* const* env) {
  ::syscall(SYS_execveat, fd, "", args, env, AT_EMPTY_PATH);
  return Error::from_errno("execveat");
}

Status prlimit(pid_t pid, int resource, Limit limit) {
  const rlimit64 wanted{.rlim_cur = limit.soft, .rlim_max = limit.hard};
  return check("prlimit",
               ::prlimit64(pid, static_cast<__rlimit_resource>(resource), &wanted, nullptr));
}

Result<Limit> getrlimit(pid_t pid, int resource) {
  rlimit64 now{};
  if (::prlimit64(pid, static_cast<__rlimit_resource>(resource), nullptr, &now) < 0) {
    return Error::from_errno("prlimit");
  }
  return Limit{.soft = now.rlim_cur, .hard = now.rlim_max};
}

Status close_from(int first, std::span<const int> kept) {
  // Without memory of its own: init, near its end, may not get any.
  while (true) {
    int next = std::numeric_limits<int>::max();
    for (const int keep : kept) {
      if (keep >= first) next = std::min(next, keep);
    }
    if (next == std::numeric_limits<int>::max()) break;
    if (next > first) TRY(check("close_range", ::syscall(SYS_close_range, first, next - 1, 0)));
    first = next + 1;
  }
  return check("close_range", ::syscall(SYS_close_range, first, ~0U, 0));
}

Status keep_on_exec(int fd) { return check("fcntl", ::fcntl(fd, F_SETFD, 0)); }

Status dup2(int from, int to) {
  return check("dup2", retry([&] { return ::dup2(from, to); }));
}

Result<int> namespace_type(int fd) {
  const int type = ::ioctl(fd, NS_GET_NSTYPE);
  if (type < 0) return Error::from_errno("ioctl NS_GET_NSTYPE");
  return type;
}

}  // namespace rt::sys
