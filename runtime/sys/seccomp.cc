#include "runtime/sys/seccomp.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rt::sys {

Result<UniqueFd> seccomp_set_filter(const sock_filter* program, size_t count, uint64_t flags) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(count);
  filter.filter = const_cast<sock_filter*>(program);
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (result < 0) return Error::from_errno("seccomp");
  if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) return UniqueFd(static_cast<int>(result));
  // SECCOMP_FILTER_FLAG_TSYNC: the id of a thread that cannot follow, and no filter is set.
  if (result > 0) return Error::from_errno("seccomp", ESRCH);
  return UniqueFd();
}

bool seccomp_knows_flags(uint64_t flags) {
  // The flags are looked at before the program, which is not there.
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) < 0 && errno == EFAULT;
}

Result<UniqueFd> pidfd_getfd(int pidfd, int fd) {
  const long result = ::syscall(SYS_pidfd_getfd, pidfd, fd, 0);
  if (result < 0) return Error::from_errno("pidfd_getfd");
  return UniqueFd(static_cast<int>(result));
}

}  // namespace rt::sys
